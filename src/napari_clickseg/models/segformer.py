"""SegFormer with clicks, contours and strokes (SAIC-IS).

References
----------
Xie et al., "SegFormer", NeurIPS 2021; Galeev et al., "Contour-based interactive segmentation",
IJCAI 2023 (the interactions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .click_input import ClickInput
from .mix_transformer import BACKBONES, MixTransformer, PatchEmbed
from .published import PublishedModel, Step, Tensors, resize

__all__ = ["SegFormerModel"]


class Projection(nn.Module):
    """A linear layer on the channels of a feature map."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs, h, w)`` to ``(B, outputs, h, w)``."""
        return F.conv2d(x, self.proj.weight[:, :, None, None], self.proj.bias)


class Fuse(nn.Module):
    """1x1 convolution, batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs, h, w)`` to ``(B, outputs, h, w)``."""
        return F.relu(self.bn(self.conv(x)))


class Decoder(nn.Module):
    """The all-MLP head: all stages projected to the same channels, at stride 4, and mixed."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        for n in (4, 3, 2, 1):
            setattr(self, f"linear_c{n}", Projection(channels[n - 1], width))
        self.linear_fuse = Fuse(4 * width, width)
        self.dropout = nn.Dropout2d(0.1)
        self.linear_pred = nn.Conv2d(width, 1, 1)

    def levels(self, features: Sequence[Tensor]) -> Tensor:
        """Features of the stages, coarsest first, as ``(B, 4 * width, H / 4, W / 4)``."""
        size = features[0].shape[-2:]
        projected = [getattr(self, f"linear_c{n}")(features[n - 1]) for n in (4, 3, 2, 1)]
        return torch.cat([resize(x, size, align_corners=False) for x in projected], dim=1)


class SegFormerModel(PublishedModel):
    """Mix Transformer, patches of interactions added to those of the image, and an all-MLP head.

    Parameters
    ----------
    inputs : ClickInput or mapping
        Of fusion ``"maps"`` with stride 1.
    backbone : str
        ``"mit_b1"`` to ``"mit_b5"``; ``"mit_b4"`` is the published one.
    profile : str
        See `PublishedModel`.

    Raises
    ------
    ValueError
        If there is no such backbone, or the inputs are fused otherwise.
    """

    def __init__(
        self,
        inputs: ClickInput | Mapping[str, Any],
        backbone: str = "mit_b4",
        profile: str = "saic_is",
    ) -> None:
        inputs = ClickInput.of(inputs)
        usable = [name for name in BACKBONES if name != "mit_b0"]
        if backbone not in usable:
            why = " The published head does not fit mit_b0." if backbone == "mit_b0" else ""
            raise ValueError(
                f"SegFormer cannot be built on {backbone!r}.{why} Use one of {', '.join(usable)}."
            )
        if (inputs.fusion, inputs.stride) != ("maps", 1):
            raise ValueError(
                "SegFormer takes interactions as 'maps' of stride 1, "
                f"not as {inputs.fusion!r} of stride {inputs.stride}."
            )
        size = BACKBONES[backbone]
        width = 256 if backbone == "mit_b1" else 768
        super().__init__(
            "segformer",
            profile,
            inputs,
            {"backbone": backbone},
            inner=[
                self.inner_split("c4", c4=size.channels[3]),
                self.inner_split("levels", levels=4 * width),
                self.inner_split("fused", fused=width),
            ],
            brs={"f-BRS-A": "c4", "f-BRS-B": "levels", "f-BRS-C": "fused"},
        )
        extractor = {
            "backbone": MixTransformer(size),
            "decode_head": Decoder(size.channels, width),
        }
        self.feature_extractor = nn.ModuleDict(extractor)
        self.click_features_embed = nn.ModuleDict(
            {"patch_embed1": PatchEmbed(64, size.channels[0], 7, 4)}
        )

    def _steps(self, split: str) -> Sequence[tuple[str, Step]]:
        backbone = self.feature_extractor["backbone"]
        head = self.feature_extractor["decode_head"]

        def encode(tensors: Tensors) -> Tensors:
            tokens, _, _ = self.click_features_embed["patch_embed1"](tensors["coordinates"])
            features = backbone(tensors["image"], tokens)
            return {f"c{n}": x for n, x in enumerate(features, start=1)}

        def gather(tensors: Tensors) -> Tensors:
            return {"levels": head.levels([tensors[f"c{n}"] for n in (1, 2, 3, 4)])}

        def fuse(tensors: Tensors) -> Tensors:
            return {"fused": head.linear_fuse(tensors["levels"])}

        return [("c4", encode), ("levels", gather), ("fused", fuse)]

    def _classify(self, tensors: Tensors) -> Tensor:
        head = self.feature_extractor["decode_head"]
        return head.linear_pred(head.dropout(tensors["fused"]))
