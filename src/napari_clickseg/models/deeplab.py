"""DeepLabV3+ on a dilated ResNet, as in f-BRS and the baselines of RITM.

L.-C. Chen et al., "Encoder-decoder with atrous separable convolution for semantic image
segmentation", ECCV 2018; K. Sofiiuk et al., "f-BRS", CVPR 2020. Module names follow the published
files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .click_input import ClickInput
from .published import PublishedModel, Step, Tensors, resize
from .resnet import DilatedResNet, conv_norm, stem_input

__all__ = ["DeepLabModel"]

RATES = (12, 24, 36)
SKIP = 32  # channels


def _conv_norm_relu(cin: int, cout: int, size: int = 1, dilation: int = 1) -> list[nn.Module]:
    return [*conv_norm(cin, cout, size, dilation=dilation), nn.ReLU(inplace=True)]


class SeparableConv(nn.Module):
    """Depth-wise 3x3, then point-wise convolution, batch norm and ReLU."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        depthwise = nn.Conv2d(cin, cin, 3, padding=1, groups=cin, bias=False)
        self.body = nn.Sequential(depthwise, *_conv_norm_relu(cin, cout))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, cin, h, w)`` to ``(B, cout, h, w)``."""
        return self.body(x)


class GlobalPool(nn.Module):
    """The mean over the image as features of every pixel."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.gap = nn.Sequential(nn.AdaptiveAvgPool2d(1), *_conv_norm_relu(cin, cout))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, cin, h, w)`` to ``(B, cout, h, w)``."""
        return self.gap(x).expand(-1, -1, *x.shape[-2:])


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling."""

    def __init__(self, cin: int, cout: int, dropout: float) -> None:
        super().__init__()
        self.concurent = nn.ModuleList(  # as the published keys spell it
            [
                nn.Sequential(*_conv_norm_relu(cin, cout)),
                *(nn.Sequential(*_conv_norm_relu(cin, cout, 3, rate)) for rate in RATES),
                GlobalPool(cin, cout),
            ]
        )
        branches = len(self.concurent)
        self.project = nn.Sequential(*_conv_norm_relu(branches * cout, cout), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, cin, h, w)`` to ``(B, cout, h, w)``."""
        return self.project(torch.cat([branch(x) for branch in self.concurent], dim=1))


class DeepLab(nn.Module):
    """The layers of `DeepLabModel` under the published prefix ``feature_extractor``."""

    def __init__(self, backbone: str, channels: int, dropout: float) -> None:
        super().__init__()
        self.backbone = DilatedResNet(backbone)
        c1, c4 = self.backbone.channels
        self.skip_project = nn.ModuleDict(
            {"skip_project": nn.Sequential(*_conv_norm_relu(c1, SKIP))}
        )
        self.aspp = ASPP(c4, channels, dropout)
        self.head = nn.ModuleDict(
            {
                "block": nn.Sequential(
                    SeparableConv(channels + SKIP, channels),
                    SeparableConv(channels, channels),
                    nn.Conv2d(channels, channels, 1),
                )
            }
        )


class DeepLabModel(PublishedModel):
    """ResNet and DeepLabV3+ with a head of separable convolutions.

    Parameters
    ----------
    inputs : ClickInput or mapping
        All fusions but ``"patches"``.
    backbone : {"resnet34", "resnet50", "resnet101", "resnet152"}
    channels : int
        Of the decoder.
    aspp_dropout : float
        Probability 0..1, in training.
    profile : str
        See `PublishedModel`.

    Raises
    ------
    ValueError
        If there is no such backbone, or the clicks can not enter that way.
    """

    def __init__(
        self,
        inputs: ClickInput | Mapping[str, Any],
        backbone: str = "resnet34",
        channels: int = 128,
        aspp_dropout: float = 0.2,
        profile: str = "ritm",
    ) -> None:
        layers = DeepLab(backbone, channels, aspp_dropout)
        super().__init__(
            "deeplab",
            profile,
            stem_input(inputs, "DeepLab"),
            {"backbone": backbone, "channels": channels, "aspp_dropout": aspp_dropout},
            [
                self.inner_split("c4", c4=layers.backbone.channels[1]),
                self.inner_split("aspp", aspp=channels + SKIP),
                self.inner_split("head", head=channels),
            ],
            {"f-BRS-A": "c4", "f-BRS-B": "aspp", "f-BRS-C": "head"},
        )
        self.feature_extractor = layers
        half = channels // 2
        self.head = nn.ModuleDict(
            {
                "layers": nn.Sequential(
                    SeparableConv(channels, half),
                    SeparableConv(half, half),
                    nn.Conv2d(half, 1, 1),
                )
            }
        )

    def _steps(self, split: str) -> Sequence[tuple[str, Step]]:
        return (("c4", self._to_c4), ("aspp", self._to_aspp), ("head", self._to_head))

    def _to_c4(self, t: Tensors) -> Tensors:
        c1, c4 = self.feature_extractor.backbone(t["image"], t.get("coordinates"))
        return {"c1": c1, "c4": c4}

    def _to_aspp(self, t: Tensors) -> Tensors:
        skip = self.feature_extractor.skip_project["skip_project"](t["c1"])
        context = resize(self.feature_extractor.aspp(t["c4"]), skip.shape[-2:])
        return {"aspp": torch.cat([context, skip], dim=1)}

    def _to_head(self, t: Tensors) -> Tensors:
        return {"head": self.feature_extractor.head["block"](t["aspp"])}

    def _classify(self, tensors: Tensors) -> Tensor:
        return self.head["layers"](tensors["head"])
