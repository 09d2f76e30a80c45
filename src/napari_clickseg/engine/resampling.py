"""Numbers of resizing: levels, blocks and shares of pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..geometry import Box

__all__ = ["between", "blocks", "hat", "reduction"]


def reduction(full: int, side: int) -> float:
    """How many pixels of a full side one of a level stands for: a whole number but for rounding."""
    whole = max(1, round(full / side))
    return whole if side in (full // whole, -(-full // whole)) else full / side


def blocks(box: Box, most: int) -> Iterator[Box]:
    """The box in parts of at most `most` pixels, cut at multiples of their sides.

    Flat, since the work of resizing grows with their height; as high as common chunks in files.
    """
    tall = min(512, math.isqrt(most))
    wide = most // tall
    for top in range(box.top // tall * tall, box.bottom, tall):
        for left in range(box.left // wide * wide, box.right, wide):
            yield Box(top, left, top + tall, left + wide).intersect(box)


def hat(distance: np.ndarray, reach: float) -> np.ndarray:
    """Linear interpolation: 1 at distance 0, 0 from the reach on."""
    return np.maximum(0, 1 - np.abs(distance) / reach)


def between(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Rows at fractional places, linearly interpolated; each pixel on its own, by no matrix."""
    low = places.astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (places - low).astype(np.float32)[:, None]
    return values[low] + share * (values[high] - values[low])
