"""Dilated ResNets, and the residual blocks that HRNet shares with them.

K. He et al., "Deep residual learning for image recognition", CVPR 2016; dilation instead of the
last two strides as in F. Yu et al., "Dilated residual networks", CVPR 2017; the deep stem of
T. He et al., "Bag of tricks for image classification", CVPR 2019. Module names follow the published
files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .click_input import ClickInput

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "DilatedResNet",
    "add_features",
    "conv_norm",
    "residual_layer",
    "stem_input",
]


def conv_norm(
    cin: int, cout: int, size: int = 3, stride: int = 1, dilation: int = 1, bias: bool = False
) -> list[nn.Module]:
    """A convolution that keeps the size (at stride 1), and its batch norm."""
    padding = dilation * (size // 2)
    conv = nn.Conv2d(cin, cout, size, stride, padding, dilation, bias=bias)
    return [conv, nn.BatchNorm2d(cout)]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a skip."""

    expansion = 1

    def __init__(
        self, cin: int, planes: int, stride: int = 1, dilation: int = 1, previous: int = 1
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_norm(cin, planes, 3, stride, previous)
        self.conv2, self.bn2 = conv_norm(planes, planes, 3, 1, dilation)
        self.downsample = _projection(cin, planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, cin, h, w)`` to ``(B, planes, h / stride, w / stride)``."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


class Bottleneck(nn.Module):
    """A 3x3 convolution between two of 1x1, around a skip."""

    expansion = 4

    def __init__(
        self, cin: int, planes: int, stride: int = 1, dilation: int = 1, previous: int = 1
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_norm(cin, planes, 1)
        self.conv2, self.bn2 = conv_norm(planes, planes, 3, stride, previous)
        self.conv3, self.bn3 = conv_norm(planes, 4 * planes, 1)
        self.downsample = _projection(cin, 4 * planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, cin, h, w)`` to ``(B, 4 * planes, h / stride, w / stride)``."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


def _projection(cin: int, cout: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and cin == cout:
        return None
    return nn.Sequential(*conv_norm(cin, cout, 1, stride))


def residual_layer(
    block: type[BasicBlock] | type[Bottleneck],
    cin: int,
    planes: int,
    blocks: int,
    stride: int = 1,
    dilation: int = 1,
) -> nn.Sequential:
    """Blocks of one resolution.

    The first convolution of the first block still has the dilation of the layer before, half of
    this one's.
    """
    first = block(cin, planes, stride, dilation, previous=max(1, dilation // 2))
    cin = planes * block.expansion
    rest = (block(cin, planes, 1, dilation, previous=dilation) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)


def add_features(x: Tensor, added: Tensor | None) -> Tensor:
    """Add click features to the first channels of a stem's output; `x` is kept as it is."""
    if added is None:
        return x
    if missing := x.shape[1] - added.shape[1]:
        added = F.pad(added, (0, 0, 0, 0, 0, missing))
    return x + added


def stem_input(inputs: ClickInput | Mapping[str, Any], network: str) -> ClickInput:
    """The click input of a network whose click features join a stem of stride 2.

    Raises
    ------
    ValueError
        If they can not.
    """
    inputs = ClickInput.of(inputs)
    if inputs.fusion == "patches" or (inputs.fusion == "maps" and inputs.stride != 2):
        raise ValueError(
            f"{network} takes features of clicks at stride 2, not fusion {inputs.fusion!r} at "
            f"stride {inputs.stride}. Use fusion 'maps' with stride 2, or another of its fusions."
        )
    return inputs


class DilatedResNet(nn.Module):
    """A ResNet of output stride 8.

    Parameters
    ----------
    name : str
        One of `DEPTHS`.

    Attributes
    ----------
    channels : (int, int)
        Of the two outputs.
    """

    DEPTHS: Mapping[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, ...]]] = {
        "resnet34": (BasicBlock, (3, 4, 6, 3)),
        "resnet50": (Bottleneck, (3, 4, 6, 3)),
        "resnet101": (Bottleneck, (3, 4, 23, 3)),
        "resnet152": (Bottleneck, (3, 8, 36, 3)),
    }

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in self.DEPTHS:
            raise ValueError(f"There is no backbone {name!r}; there are {', '.join(self.DEPTHS)}.")
        block, blocks = self.DEPTHS[name]
        if block is Bottleneck:  # the deep stem
            relu = nn.ReLU(inplace=True)
            last, self.bn1 = conv_norm(64, 128)
            self.conv1 = nn.Sequential(
                *conv_norm(3, 64, stride=2), relu, *conv_norm(64, 64), relu, last
            )
        else:
            self.conv1, self.bn1 = conv_norm(3, 64, 7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        e = block.expansion
        self.layer1 = residual_layer(block, self.bn1.num_features, 64, blocks[0])
        self.layer2 = residual_layer(block, 64 * e, 128, blocks[1], stride=2)
        self.layer3 = residual_layer(block, 128 * e, 256, blocks[2], dilation=2)
        self.layer4 = residual_layer(block, 256 * e, 512, blocks[3], dilation=4)
        self.channels = (64 * e, 512 * e)

    def forward(self, image: Tensor, added: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features of a normalised image.

        Parameters
        ----------
        image : (B, 3, H, W) Tensor
        added : (B, C, H / 2, W / 2) Tensor, optional
            Added to the stem's first C channels.

        Returns
        -------
        (B, C1, H / 4, W / 4) Tensor, (B, C4, H / 8, W / 8) Tensor
            Sizes are rounded up.
        """
        stem = F.relu(self.bn1(self.conv1(image)), inplace=True)
        c1 = self.layer1(self.maxpool(add_features(stem, added)))
        return c1, self.layer4(self.layer3(self.layer2(c1)))
