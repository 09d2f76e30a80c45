"""Plain tiling: an image answered tile by tile at its own resolution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..geometry import Box
from .fields import check_fields, make_whole

__all__ = ["Tiling"]


@dataclass(frozen=True)
class Tiling:
    """Overlapping tiles whose answers are blended, so that no seam shows.

    The tiles cover every pixel; the weights of all answers for a pixel add up to one. A quarter of
    the overlap from its border on, a tile has no weight: a network answers badly there, as it does
    not see what is beyond. In between weights rise as a cosine.

    The work grows with the area of the image, and a network knows of a tile only what is in it: an
    object larger than a tile needs clicks in all of them, or a mask to start from.

    Parameters
    ----------
    size : int
        Side of a tile in image pixels; best a multiple of the network's stride, such as of 32.
    overlap : int
        What neighbours have in common at least, in pixels; at most half of a tile.

    Raises
    ------
    ValueError
        If these are not such numbers.
    """

    size: int = 512
    overlap: int = 128

    def __post_init__(self) -> None:
        make_whole(self, "size", "overlap")
        check_fields(
            "Tiling",
            (
                (self.size, lambda x: isinstance(x, int) and x >= 32, "size (32 or more pixels)"),
                (
                    self.overlap,
                    lambda x: isinstance(x, int) and 0 <= 2 * x <= self.size,
                    "overlap (0 pixels up to half of a tile)",
                ),
            ),
        )

    def cover(self, box: Box) -> Iterator[tuple[Box, np.ndarray]]:
        """Tiles of a box, row by row, and the weight of each pixel: ``(h, w)`` float32."""
        columns = list(self._line(box.left, box.right))
        for top, bottom, down in self._line(box.top, box.bottom):
            for left, right, across in columns:
                yield Box(top, left, bottom, right), np.outer(down, across)

    def _line(self, start: int, stop: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Tiles along one axis: first pixel, end and weights, which add up to one everywhere."""
        length = stop - start
        size = min(self.size, length)
        count = 1 if size == length else -(-(length - self.overlap) // (self.size - self.overlap))
        firsts = np.linspace(0, length - size, count).round().astype(int)
        raw = [self._rise(size, first == 0, first == length - size) for first in firsts]
        total = np.zeros(length)
        for first, weights in zip(firsts, raw, strict=True):
            total[first : first + size] += weights
        for first, weights in zip(firsts, raw, strict=True):
            share = weights / total[first : first + size]
            yield start + int(first), start + int(first) + size, share.astype(np.float32)

    def _rise(self, size: int, begins: bool, ends: bool) -> np.ndarray:
        """Weights along a tile, 0 to 1; they do not fall towards the ends of the box."""
        if not self.overlap:
            return np.ones(size)
        middles = np.arange(size) + 0.5
        inside = np.minimum(np.inf if begins else middles, np.inf if ends else size - middles)
        inside = np.broadcast_to(inside, size)
        part = np.clip((inside - self.overlap / 4) / (self.overlap / 2), 0, 1)
        return 0.5 - 0.5 * np.cos(np.pi * part)
