"""The image encoder of EfficientNet-Lite0, up to stride 32.

M. Tan, Q. V. Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", ICML
2019, in its Lite form: ReLU6 and no squeeze-and-excitation. The published weights were trained in
TensorFlow: strided convolutions pad more at the lower and right side, and 8-bit images became
(x - 127) / 128.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["EfficientNetLiteEncoder", "lite_encoder_state"]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # how the image was normalised
STEM = 32
# Kernel, stride, expansion, output channels and blocks of each stage.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
)
GIVEN = (1, 2, 4, 5)  # the last stages at strides 4, 8, 16 and 32
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


class ConvNorm(nn.Module):
    """Convolution without bias and batch norm, with ReLU6 after them if `act`."""

    def __init__(
        self, cin: int, cout: int, size: int, stride: int = 1, groups: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, size, stride=stride, groups=groups, bias=False)
        if stride == 1:
            self.conv.padding = (size // 2, size // 2)
        self.bn = nn.BatchNorm2d(cout, eps=1e-3)
        self.act = nn.ReLU6(inplace=True) if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        if self.conv.stride[0] == 2:
            (top, bottom), (left, right) = (self._padding(n) for n in x.shape[-2:])
            x = F.pad(x, (left, right, top, bottom))
        return self.act(self.bn(self.conv(x)))

    def _padding(self, length: int) -> tuple[int, int]:
        more = (length - 1) // 2 * 2 + self.conv.kernel_size[0] - length
        return more // 2, more - more // 2


class Block(nn.Module):
    """Expand, convolve each channel by itself, project; added to its input if shapes are equal."""

    def __init__(self, cin: int, cout: int, size: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = cin * expansion
        self.expand = ConvNorm(cin, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(wide, wide, size, stride, groups=wide)
        self.project = ConvNorm(wide, cout, 1, act=False)
        self.skip = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.skip else y


class EfficientNetLiteEncoder(nn.Module):
    """Features at strides 4, 8, 16 and 32 from a normalised image: 2.35 million parameters."""

    channels = tuple(STAGES[i][3] for i in GIVEN)

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(IMAGENET).view(2, 1, 3, 1, 1)
        self.register_buffer("scale", std * 255 / 128, persistent=False)
        self.register_buffer("shift", (mean * 255 - 127) / 128, persistent=False)
        self.stem = ConvNorm(3, STEM, 3, 2)
        self.stages = nn.ModuleList()
        cin = STEM
        for size, stride, expansion, cout, blocks in STAGES:
            first = Block(cin, cout, size, stride, expansion)
            rest = (Block(cout, cout, size, 1, expansion) for _ in range(blocks - 1))
            self.stages.append(nn.Sequential(first, *rest))
            cin = cout

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """``(B, 3, H, W)`` RGB, normalised for ImageNet, to maps from H/4 to H/32, rounded up."""
        x = self.stem(image * self.scale + self.shift)
        found = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in GIVEN:
                found.append(x)
        return tuple(found)


def lite_encoder_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's weights in a published classification file, under our names.

    Parameters
    ----------
    state : mapping of str to Tensor
        Weights of EfficientNet-Lite0 as PyTorch ports of EfficientNet name them.

    Raises
    ------
    KeyError
        If one is missing.
    """

    def parts(ours: str, conv: str, norm: str) -> dict[str, Tensor]:
        found = {f"{ours}.conv.weight": state[f"{conv}.weight"]}
        return found | {f"{ours}.bn.{name}": state[f"{norm}.{name}"] for name in NORM}

    found = parts("stem", "_conv_stem", "_bn0")
    places = [(i, j, stage[2]) for i, stage in enumerate(STAGES) for j in range(stage[4])]
    for number, (i, j, expansion) in enumerate(places):
        ours, there = f"stages.{i}.{j}", f"_blocks.{number}."
        if expansion > 1:
            found |= parts(f"{ours}.expand", f"{there}_expand_conv", f"{there}_bn0")
        found |= parts(f"{ours}.depthwise", f"{there}_depthwise_conv", f"{there}_bn1")
        found |= parts(f"{ours}.project", f"{there}_project_conv", f"{there}_bn2")
    return found
