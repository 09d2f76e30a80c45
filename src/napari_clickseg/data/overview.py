"""A coarser level of a large image that has none, made where it is looked at."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from .means import halved

__all__ = ["Overview"]

MOST_PIXELS = 2**23  # of the level, all of which may be kept
TILE = 1024  # pixels of the full resolution per side that are read at a time


class Overview:
    """Means of blocks of an image's pixels, sliced like an array ``(h, w)`` or ``(h, w, C)``.

    What was made once is kept, so that every pixel of the image is read once at most.

    Parameters
    ----------
    array : array
        ``(H, W)`` or ``(H, W, C)``; anything that can be sliced, such as dask or zarr.
    """

    def __init__(self, array: Any) -> None:
        self._array, self._tiles = array, {}
        self._lock = threading.Lock()
        height, width = (int(side) for side in array.shape[:2])
        step = 4
        while -(-height // step) * -(-width // step) > MOST_PIXELS and step < TILE:
            step *= 2
        self.step, self.dtype = step, np.dtype(array.dtype)
        self.shape = (-(-height // step), -(-width // step), *map(int, array.shape[2:]))

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        (top, bottom, _), (left, right, _) = (
            part.indices(side) for part, side in zip(box, self.shape[:2], strict=True)
        )
        size = max(0, bottom - top), max(0, right - left)
        out = np.empty((*size, *self.shape[2:]), self.dtype)
        side = TILE // self.step
        for i in range(top // side, -(-bottom // side)):
            for j in range(left // side, -(-right // side)):
                tile = self._tile(i, j)
                t, b = max(top, i * side), min(bottom, i * side + tile.shape[0])
                ll, r = max(left, j * side), min(right, j * side + tile.shape[1])
                part = tile[t - i * side : b - i * side, ll - j * side : r - j * side]
                out[t - top : b - top, ll - left : r - left] = part
        return out

    def _tile(self, i: int, j: int) -> np.ndarray:
        with self._lock:
            if (i, j) not in self._tiles:
                rows, cols = (slice(k * TILE, (k + 1) * TILE) for k in (i, j))
                pixels = np.asarray(self._array[rows, cols])
                for _ in range(self.step.bit_length() - 1):
                    if len(pixels) % 2:
                        pixels = np.concatenate([pixels, pixels[-1:]])
                    pixels = halved(pixels)
                self._tiles[i, j] = pixels
            return self._tiles[i, j]
