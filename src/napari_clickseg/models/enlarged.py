"""A convolution of maps that are enlarged for it, most of it done before they are enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .pointwise import pointwise
from .published import resize

__all__ = ["conv_of_enlarged"]

LEAST_FACTOR = 3  # maps that are enlarged less are enlarged first
MOST_PIXELS = 512  # along a side, above which the products below cost more than they save


def conv_of_enlarged(conv: nn.Conv2d, maps: Sequence[Tensor]) -> Tensor:
    """What a convolution gives of maps that are enlarged to the size of the first, and joined.

    Enlarging is linear, and so is a convolution: at every tap of its kernel small maps are mixed
    as they are, then enlarged, moved by that tap and summed up. One matrix for each axis does the
    last three, so that the channels of small maps cost next to nothing.

    Parameters
    ----------
    conv : Conv2d
        Of stride 1, that keeps the size.
    maps : sequence of (B, C, h, w) Tensor
        The channels of all together are those that `conv` takes.

    Returns
    -------
    (B, D, H, W) Tensor
        Of the size of the first map; ``conv(joined(maps))`` but for rounding.
    """
    size = maps[0].shape[-2:]
    weights = conv.weight.split([x.shape[1] for x in maps], dim=1)
    few = max(size) <= MOST_PIXELS
    small = [few and LEAST_FACTOR * max(x.shape[-2:]) <= max(size) for x in maps]
    parts = list(zip(maps, weights, small, strict=True))
    first = torch.cat([resize(x, size) for x, _, later in parts if not later], 1)
    taken = torch.cat([weight for _, weight, later in parts if not later], 1)
    if conv.kernel_size == (1, 1):
        y = pointwise(first, taken, conv.bias)
        for x, weight in ((x, weight) for x, weight, later in parts if later):
            y = y + resize(pointwise(x, weight), size)
        return y
    y = F.conv2d(first, taken, conv.bias, padding=conv.padding)
    y = y.permute(0, 2, 3, 1).flatten(2)  # (B, H, W * D)
    for x, weight in ((x, weight) for x, weight, later in parts if later):
        y = _with_enlarged(y, x, weight, size)
    return y.unflatten(2, (size[1], -1)).permute(0, 3, 1, 2)


def _with_enlarged(y: Tensor, x: Tensor, weight: Tensor, size: Sequence[int]) -> Tensor:
    """The convolution ``(B, H, W * D)`` with the part of a small map added to it."""
    (batch, _, h, w), (out, _, rows, cols) = x.shape, weight.shape
    mixing = weight.permute(3, 2, 0, 1).reshape(cols * rows * out, -1, 1, 1)
    mixed = pointwise(x, mixing).permute(0, 2, 3, 1).reshape(batch, h, w, cols, rows * out)
    across = _matrix(w, size[1], cols).to(x)
    mixed = across @ mixed.transpose(2, 3).reshape(batch, h, cols * w, rows * out)
    mixed = mixed.reshape(batch, h, size[1], rows, out).transpose(2, 3).transpose(1, 2)
    down = _matrix(h, size[0], rows).to(x).expand(batch, -1, -1)
    return torch.baddbmm(y, down, mixed.reshape(batch, rows * h, size[1] * out))


@lru_cache(maxsize=64)
def _matrix(small: int, large: int, taps: int) -> Tensor:
    """Along one axis: a column of ``taps * small`` numbers to the sum of its moved enlargements."""
    with torch.inference_mode(False), torch.no_grad():  # gradients may pass it another time
        enlarging = resize(torch.eye(small)[None, :, None], (1, large))[0, :, 0]
        beyond = taps // 2
        padded = F.pad(enlarging, (beyond, beyond))  # (small, beyond + large + beyond)
        return torch.cat([padded[:, tap : tap + large] for tap in range(taps)]).T.contiguous()
