"""The plain vision transformer of SimpleClick and CFR-ICL.

Q. Liu, Z. Xu, G. Bertasius, M. Niethammer, "SimpleClick: interactive image segmentation with
simple vision transformers", ICCV 2023; S. Sun et al., "CFR-ICL: cascade-forward refinement with
iterative click loss for interactive image segmentation", AAAI 2024.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from .click_input import ClickInput
from .published import PublishedModel, Step, Tensors
from .vit import PatchEmbedding, WindowedViT
from .vit_neck import PyramidHead, SimplePyramid

__all__ = ["PlainViTModel"]


class PlainViTModel(PublishedModel):
    """Tokens of the image, tokens of the clicks added to them, windowed blocks, pyramid and head.

    Sides of an image have to be multiples of ``spec.stride``, the width of a window (224 pixels in
    the published networks); the position embedding is interpolated for each call and the network
    is not changed by it. The published option of shuffled tokens instead of windows is not built.

    Splits: ``"tokens"`` (the encoder's output), ``"levels"`` (the joined pyramid) and ``"fused"``
    (the last map before the logits).

    Parameters
    ----------
    inputs : ClickInput or mapping
        With the fusion ``"patches"``.
    image_size : (int, int)
        Height and width that the network was made for, in pixels.
    patch_size : int
        In pixels.
    embed_dim, depth, heads : int
        Of the encoder: 768, 12, 12 is Base; 1024, 24, 16 Large; 1280, 32, 16 Huge.
    mlp_ratio : float
    neck_dims : sequence of four int
        Channels of the pyramid at strides 4, 8, 16 and 32.
    head_channels : int
        Of the last map before the logits.
    upsample : {"x1", "x2", "x4"}
        How much finer than a quarter of the image that map is.
    profile : str
        ``"simpleclick"`` or ``"cfr_icl"``.

    Raises
    ------
    ValueError
        If these do not make a network.
    """

    def __init__(
        self,
        inputs: ClickInput | Mapping[str, Any],
        image_size: Sequence[int] = (448, 448),
        patch_size: int = 16,
        embed_dim: int = 768,
        depth: int = 12,
        heads: int = 12,
        mlp_ratio: float = 4,
        neck_dims: Sequence[int] = (128, 256, 512, 1024),
        head_channels: int = 256,
        upsample: str = "x1",
        profile: str = "simpleclick",
    ) -> None:
        given = ClickInput.of(inputs)
        if given.fusion != "patches":
            raise ValueError(
                f"A plain ViT takes clicks as patches, not by the fusion {given.fusion!r}."
            )
        backbone = WindowedViT(image_size, patch_size, embed_dim, depth, heads, mlp_ratio)
        head = PyramidHead(neck_dims, head_channels, upsample)
        split = self.inner_split
        super().__init__(
            "plain_vit",
            profile,
            given,
            {
                "image_size": list(image_size),
                "patch_size": patch_size,
                "embed_dim": embed_dim,
                "depth": depth,
                "heads": heads,
                "mlp_ratio": mlp_ratio,
                "neck_dims": list(neck_dims),
                "head_channels": head_channels,
                "upsample": upsample,
            },
            inner=(
                split("tokens", tokens=embed_dim),
                split("levels", levels=head.fusion_conv.conv.in_channels),
                split("fused", fused=head_channels),
            ),
            brs={"f-BRS-A": "tokens", "f-BRS-B": "levels", "f-BRS-C": "fused"},
            stride=backbone.window * patch_size,
        )
        self.patch_embed_coords = PatchEmbedding(given.channels, embed_dim, patch_size)
        self.backbone = backbone
        self.neck = SimplePyramid(embed_dim, neck_dims)
        self.head = head

    def _steps(self, split: str) -> Sequence[tuple[str, Step]]:
        return ("tokens", self._encode), ("levels", self._join), ("fused", self._fuse_levels)

    def _encode(self, tensors: Tensors) -> Tensors:
        clicks = self.patch_embed_coords(tensors["coordinates"])
        return {"tokens": self.backbone(tensors["image"], clicks)}

    def _join(self, tensors: Tensors) -> Tensors:
        return {"levels": self.head.join(self.neck(tensors["tokens"]))}

    def _fuse_levels(self, tensors: Tensors) -> Tensors:
        return {"fused": self.head.fuse(tensors["levels"])}

    def _classify(self, tensors: Tensors) -> Tensor:
        return self.head.classify(tensors["fused"])
