"""From the one map of a plain vision transformer to a pyramid, and from that to logits.

Y. Li et al., "Exploring plain vision transformer backbones for object detection", ECCV 2022 (the
simple pyramid); Q. Liu, Z. Xu, G. Bertasius, M. Niethammer, "SimpleClick", ICCV 2023 (the head).
Module names follow the published files.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .published import resize

__all__ = ["UPSAMPLING", "PyramidHead", "SimplePyramid"]

UPSAMPLING = {"x1": 1, "x2": 2, "x4": 4}
"""How much finer than the quarter of the image the head's last map is."""


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(1, channels)


def _double(cin: int, cout: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(cin, cout, 2, stride=2)


class SimplePyramid(nn.Module):
    """Four maps at 4, 2, 1 and 1/2 times the resolution of a map of tokens.

    Parameters
    ----------
    dim : int
        Channels of the map of tokens.
    out_dims : sequence of four int
        Channels of the maps, finest first.

    Raises
    ------
    ValueError
        If there are not four.
    """

    def __init__(self, dim: int, out_dims: Sequence[int]) -> None:
        super().__init__()
        if len(out_dims) != 4:
            raise ValueError(f"The pyramid has four levels, not {len(out_dims)} ({out_dims}).")
        o4, o8, o16, o32 = out_dims
        m4, m8, m32 = max(2 * o4, dim // 2), max(o8, dim // 2), max(o32, 2 * dim)
        self.down_4 = nn.Sequential(
            *(_double(dim, m4), _norm(m4), nn.GELU()),
            *(_double(m4, m4 // 2), _norm(m4 // 2)),
            *(nn.Conv2d(m4 // 2, o4, 1), _norm(o4), nn.GELU()),
        )
        self.down_8 = nn.Sequential(
            *(_double(dim, m8), _norm(m8)),
            *(nn.Conv2d(m8, o8, 1), _norm(o8), nn.GELU()),
        )
        self.down_16 = nn.Sequential(nn.Conv2d(dim, o16, 1), _norm(o16), nn.GELU())
        self.down_32 = nn.Sequential(
            *(nn.Conv2d(dim, m32, 2, stride=2), _norm(m32)),
            *(nn.Conv2d(m32, o32, 1), _norm(o32), nn.GELU()),
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """``(B, D, h, w)`` to four maps, finest first."""
        return [level(x) for level in (self.down_4, self.down_8, self.down_16, self.down_32)]


class Projection(nn.Module):
    """1x1 convolution and ReLU."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x))


class Doubling(nn.Sequential):
    """Twice the resolution, half the channels."""

    def __init__(self, cin: int) -> None:
        half = cin // 2
        conv = nn.Conv2d(half, half, 1)
        super().__init__(_double(cin, half), _norm(half), conv, _norm(half), nn.GELU())


class PyramidHead(nn.Module):
    """Joins a pyramid at its finest level and classifies.

    Parameters
    ----------
    in_dims : sequence of int
        Channels of the pyramid's levels, finest first.
    channels : int
        Of the last map before the logits.
    upsample : {"x1", "x2", "x4"}
        How much finer than the pyramid's finest level that map is.

    Raises
    ------
    ValueError
        If `upsample` is another word, or the channels cannot be halved twice.
    """

    def __init__(self, in_dims: Sequence[int], channels: int, upsample: str) -> None:
        super().__init__()
        if upsample not in UPSAMPLING:
            raise ValueError(
                f"There is no upsampling {upsample!r}; there are {', '.join(UPSAMPLING)}."
            )
        wide = channels * UPSAMPLING[upsample]
        if wide % 4:
            raise ValueError(f"{channels} channels with upsampling {upsample} do not halve twice.")
        self.conv_seg = nn.Conv2d(channels, 1, 1)
        self.convs = nn.ModuleList(Projection(dim, wide) for dim in in_dims)
        self.fusion_conv = Projection(wide * len(in_dims), wide)
        self.up_conv1 = Doubling(wide)  # both are in the files, whatever the upsampling
        self.up_conv2 = Doubling(wide // 2)
        self.doublings = UPSAMPLING[upsample].bit_length() - 1
        self.dropout = nn.Dropout2d(0.1)

    def join(self, levels: Sequence[Tensor]) -> Tensor:
        """Levels of a pyramid, finest first, as one map ``(B, C, h, w)`` of the finest's size."""
        size = levels[0].shape[-2:]
        projected = [conv(level) for conv, level in zip(self.convs, levels, strict=True)]
        return torch.cat([resize(x, size, align_corners=False) for x in projected], dim=1)

    def fuse(self, joined: Tensor) -> Tensor:
        """Mix the joined levels, and refine their grid as `upsample` says."""
        x = self.fusion_conv(joined)
        for up in (self.up_conv1, self.up_conv2)[: self.doublings]:
            x = up(x)
        return x

    def classify(self, fused: Tensor) -> Tensor:
        """Logits ``(B, 1, h, w)``."""
        return self.conv_seg(self.dropout(fused))
