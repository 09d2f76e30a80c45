"""HRNetV2 with object context, as in f-BRS, RITM and SAIC-IS.

J. Wang et al., "Deep high-resolution representation learning for visual recognition", TPAMI 2020;
K. Sofiiuk et al., "Reviving iterative training with mask guidance for interactive segmentation",
2021. Module names follow the published files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .base import Inputs
from .click_input import ClickInput
from .enlarged import conv_of_enlarged
from .ocr import ObjectContext
from .published import PublishedModel, Step, Tensors, resize
from .resnet import BasicBlock, Bottleneck, add_features, conv_norm, residual_layer, stem_input

__all__ = ["HRNetModel"]


class Exchange(nn.Module):
    """Residual branches of several resolutions that then learn from each other.

    Parameters
    ----------
    widths : sequence of int
        Channels of the branches, each of half the resolution of the one before.
    blocks : int
        Residual blocks per branch.
    """

    def __init__(self, widths: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(residual_layer(BasicBlock, w, w, blocks) for w in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_exchange_layer(widths, j, i) for j in range(len(widths)))
            for i in range(len(widths))
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """One map per branch to as many of the same shapes."""
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        for target, layers in zip(maps, self.fuse_layers, strict=True):
            size = target.shape[-2:]
            first, second, *rest = (
                resize(layer(x), size) for layer, x in zip(layers, maps, strict=True)
            )
            total = first + second  # a new tensor: either may be a branch's own map
            for part in rest:
                total += part
            fused.append(F.relu(total, inplace=True))
        return fused


def _exchange_layer(widths: Sequence[int], source: int, target: int) -> nn.Module:
    """Layers that bring a branch's map to the width, and if larger to the size, of another's."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(*conv_norm(widths[source], widths[target], 1))
    steps = []
    for _ in range(target - source - 1):
        layers = conv_norm(widths[source], widths[source], stride=2)
        steps.append(nn.Sequential(*layers, nn.ReLU(inplace=True)))
    return nn.Sequential(
        *steps, nn.Sequential(*conv_norm(widths[source], widths[target], stride=2))
    )


class HRNet(nn.Module):
    """The layers of `HRNetModel` under the published prefix ``feature_extractor``."""

    def __init__(self, width: int, ocr_width: int, small: bool) -> None:
        super().__init__()
        blocks = 2 if small else 4
        modules = (1, 3, 2) if small else (1, 4, 3)
        widths = [width * 2**i for i in range(4)]
        self.conv1, self.bn1 = conv_norm(3, 64, stride=2)
        self.conv2, self.bn2 = conv_norm(64, 64, stride=2)
        self.layer1 = residual_layer(Bottleneck, 64, 64, blocks)

        def convert(cin: int, cout: int, stride: int) -> nn.Sequential:
            return nn.Sequential(*conv_norm(cin, cout, stride=stride), nn.ReLU(inplace=True))

        def stage(branches: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(Exchange(widths[:branches], blocks) for _ in range(count)))

        start = [convert(256, width, 1), nn.Sequential(convert(256, 2 * width, 2))]
        self.transition1 = nn.ModuleList(start)
        self.stage2 = stage(2, modules[0])
        for i in (2, 3):  # a transition keeps the branches and begins one more
            kept = (nn.Identity() for _ in range(i))
            begun = nn.Sequential(convert(widths[i - 1], widths[i], 2))
            setattr(self, f"transition{i}", nn.ModuleList([*kept, begun]))
            setattr(self, f"stage{i + 1}", stage(i + 1, modules[i - 1]))

        everything = sum(widths)
        relu = nn.ReLU(inplace=True)
        if ocr_width:
            features = 2 * ocr_width
            self.conv3x3_ocr = nn.Sequential(*conv_norm(everything, features, bias=True), relu)
            self.ocr_distri_head = ObjectContext(ocr_width)
            self.cls_head = nn.Conv2d(features, 1, 1)
            hidden = conv_norm(everything, everything, 1, bias=True)
            self.aux_head = nn.Sequential(*hidden, relu, nn.Conv2d(everything, 1, 1))
        else:
            hidden = conv_norm(everything, everything, bias=True)
            self.cls_head = nn.Sequential(*hidden, relu, nn.Conv2d(everything, 1, 1))

    def forward(self, image: Tensor, added: Tensor | None = None) -> list[Tensor]:
        """Features of the branches, ``(B, width * 2**i, H / 4 / 2**i, ...)``, sizes rounded up.

        Parameters are those of `DilatedResNet.forward`.
        """
        x = F.relu(self.bn1(self.conv1(image)), inplace=True)
        x = F.relu(self.bn2(self.conv2(add_features(x, added))), inplace=True)
        x = self.layer1(x)
        maps = self.stage2([begin(x) for begin in self.transition1])
        maps = self.stage3([*maps, self.transition2[-1](maps[-1])])
        return self.stage4([*maps, self.transition3[-1](maps[-1])])


def joined(maps: Sequence[Tensor]) -> Tensor:
    """All branches at the size of the first, ``(B, 15 * width, h, w)``."""
    return torch.cat([resize(x, maps[0].shape[-2:]) for x in maps], dim=1)


class HRNetModel(PublishedModel):
    """HRNetV2 and object context, at stride 4.

    Parameters
    ----------
    inputs : ClickInput or mapping
        All fusions but ``"patches"``.
    width : int
        Channels of the finest branch: 18, 32, 40, 48 and 64 in the published networks.
    ocr_width : int
        Half the channels of the object context; 0 leaves it out.
    small : bool
        Fewer blocks ("18s").
    profile : str
        See `PublishedModel`.

    Raises
    ------
    ValueError
        If the clicks can not enter that way.
    """

    def __init__(
        self,
        inputs: ClickInput | Mapping[str, Any],
        width: int = 18,
        ocr_width: int = 64,
        small: bool = False,
        profile: str = "ritm",
    ) -> None:
        inner = [self.inner_split("features", features=15 * width)]
        brs = {"f-BRS-A": "features", "f-BRS-B": "features"}
        if ocr_width:
            inner.append(self.inner_split("context", context=2 * ocr_width))
            brs["f-BRS-C"] = "context"
        super().__init__(
            "hrnet",
            profile,
            stem_input(inputs, "HRNet"),
            {"width": width, "ocr_width": ocr_width, "small": small},
            inner,
            brs,
        )
        self.feature_extractor = HRNet(width, ocr_width, small)
        self.enlarges_late = False
        """Whether small branches are convolved before they are enlarged; see `for_inference`."""

    def logits_and_aux(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Logits, and those of the coarse mask that weights the context, ``(B, 1, H, W)`` each.

        Raises
        ------
        ValueError
            If the network has no object context.
        """
        if "context" not in self.splits:
            raise ValueError(
                "This HRNet has no auxiliary output, because it has no object context. "
                "Build it with an ocr_width, or train it without the auxiliary loss."
            )
        tensors = self.before("context", inputs)
        size = inputs.image.shape[-2:]
        return resize(self._classify(tensors), size), resize(tensors["aux"], size)

    def _steps(self, split: str) -> Sequence[tuple[str, Step]]:
        if self.enlarges_late and split != "features" and "context" in self.splits:
            return (("context", self._past_features),)
        steps = (("features", self._to_features), ("context", self._to_context))
        return [(name, step) for name, step in steps if name in self.splits]

    def _to_features(self, t: Tensors) -> Tensors:
        return {"features": joined(self.feature_extractor(t["image"], t.get("coordinates")))}

    def _to_context(self, t: Tensors) -> Tensors:
        net, features = self.feature_extractor, t["features"]
        return self._context(net.conv3x3_ocr(features), net.aux_head(features))

    def _past_features(self, t: Tensors) -> Tensors:
        net = self.feature_extractor
        maps = net(t["image"], t.get("coordinates"))
        pixels, coarse = (
            layers[1:](conv_of_enlarged(layers[0], maps))
            for layers in (net.conv3x3_ocr, net.aux_head)
        )
        return self._context(pixels, coarse)

    def _context(self, pixels: Tensor, coarse: Tensor) -> Tensors:
        return {"context": self.feature_extractor.ocr_distri_head(pixels, coarse), "aux": coarse}

    def _classify(self, tensors: Tensors) -> Tensor:
        last = "context" if "context" in self.splits else "features"
        return self.feature_extractor.cls_head(tensors[last])
