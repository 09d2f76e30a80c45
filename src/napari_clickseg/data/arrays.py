"""Images behind one face: whatever can be sliced like an array, alone or as levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..geometry import Box
from .errors import ImageError
from .overview import Overview

__all__ = ["ArrayReader", "ImageReader"]

STRIDED_PIXELS = 2**22  # numpy arrays with more pixels than this offer strided views as levels
OVERVIEW_PIXELS = 2**24  # other arrays with more pixels than this get an overview
LEAST_SIDE = 256  # no level that is made here is smaller than this
ROUNDING = 2.0  # pixels by which the sides of a level may miss one common factor
ASPECT = 0.02  # or this part of the side, in pyramids whose levels are padded


@runtime_checkable
class ImageReader(Protocol):
    """What the engine needs of an image. Weak references to readers must be possible.

    Attributes
    ----------
    shape : tuple of int
        ``(H, W)`` or ``(H, W, C)`` with C = 3 or 4 (RGB, RGBA).
    dtype : np.dtype
    levels : tuple of (int, int)
        Height and width of each resolution, the full one first.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    levels: tuple[tuple[int, int], ...]

    def read(self, box: Box, level: int = 0) -> np.ndarray:
        """The pixels of a box, given in that level's pixels, as ``(h, w)`` or ``(h, w, C)``."""


class ArrayReader:
    """Whatever can be sliced like an array (numpy, memory map, dask, zarr), or a pyramid of such.

    Only slices are ever turned into numpy arrays. A large numpy array offers every second, fourth,
    ... pixel as further levels, which are views and cost nothing; another large array gets an
    `Overview`.

    Parameters
    ----------
    levels : sequence of array
        ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of any real dtype, full resolution first.

    Raises
    ------
    ImageError
        If an array cannot be an image, or the levels are not of one image: other channels, another
        dtype, another aspect ratio.
    """

    def __init__(self, levels: Sequence[Any]) -> None:
        for level in levels:
            _check(tuple(level.shape), np.dtype(level.dtype))
        self._arrays = list(levels)
        first = self._arrays[0]
        self.shape: tuple[int, ...] = tuple(int(side) for side in first.shape)
        self.dtype = np.dtype(first.dtype)
        _check_levels(self._arrays)
        if len(self._arrays) == 1 and isinstance(first, np.ndarray):
            self._arrays = _strided(first)
        elif len(self._arrays) == 1 and self.shape[0] * self.shape[1] > OVERVIEW_PIXELS:
            self._arrays.append(Overview(first))
        self.levels: tuple[tuple[int, int], ...] = tuple(
            (int(a.shape[0]), int(a.shape[1])) for a in self._arrays
        )

    def read(self, box: Box, level: int = 0) -> np.ndarray:
        """See `ImageReader.read`; the part of the box outside the image is left out."""
        return np.asarray(self._arrays[level][box.clip(self.levels[level]).slices])


def _strided(array: np.ndarray) -> list[np.ndarray]:
    """The array and views of every 2nd, 4th, ... pixel, if it is large."""
    levels, step = [array], 2
    while (
        levels[-1].shape[0] * levels[-1].shape[1] > STRIDED_PIXELS
        and min(array.shape[:2]) // step >= LEAST_SIDE
    ):
        levels.append(array[::step, ::step])
        step *= 2
    return levels


def _check(shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise `ImageError` if an array of this shape and dtype cannot be an image."""
    if dtype.kind == "c":
        raise ImageError(
            "The image holds complex numbers, which have no brightness. "
            "Give their magnitude: np.abs(image)."
        )
    if dtype.kind not in "biuf":
        raise ImageError(
            f"The image has dtype {dtype}, which is not a number per pixel. "
            "Convert it to integers or floats first."
        )
    if len(shape) not in (2, 3):
        raise ImageError(
            f"An image has 2 axes, or 3 with colours last; this one has shape {shape}. "
            "Give one plane of it."
        )
    if 0 in shape:
        raise ImageError(f"The image is empty: its shape is {shape}.")
    if len(shape) == 3 and shape[2] not in (3, 4):
        raise ImageError(
            f"The image has {shape[2]} channels (shape {shape}); 3 (RGB) and 4 (RGBA) can be used. "
            "Give one channel as a 2-D image, or combine three."
        )


def _check_levels(levels: Sequence[Any]) -> None:
    """Raise `ImageError` if these arrays are not one image at falling resolutions."""
    shapes = [tuple(int(side) for side in level.shape) for level in levels]
    if any(shape[2:] != shapes[0][2:] for shape in shapes):
        raise ImageError(
            f"The levels of this multiscale image differ in their channels: {shapes}. "
            "Give levels of one image."
        )
    dtypes = [str(np.dtype(level.dtype)) for level in levels]
    if len({np.dtype(level.dtype).newbyteorder("=") for level in levels}) > 1:
        raise ImageError(
            f"The levels of this multiscale image differ in their dtype: {', '.join(dtypes)}. "
            "Their values would not compare: convert all levels to the first one's dtype."
        )
    heights = [shape[0] for shape in shapes]
    if heights != sorted(heights, reverse=True):
        raise ImageError(
            f"The levels of this multiscale image have heights {heights}. "
            "Order them from the full resolution to the coarsest."
        )
    for shape in shapes[1:]:
        if not _one_factor(shapes[0][:2], shape[:2]):
            raise ImageError(
                f"A level of {shape[0]} x {shape[1]} pixels does not show the image of "
                f"{shapes[0][0]} x {shapes[0][1]} at one scale: its aspect ratio differs. "
                "Leave that level out, or make the levels again."
            )


def _one_factor(full: tuple[int, int], level: tuple[int, int]) -> bool:
    """Whether one factor leads from the full size to a level's size, but for rounding."""
    lowest, highest = 0.0, float("inf")
    for whole, side in zip(full, level, strict=True):
        slack = max(ROUNDING, ASPECT * side)
        lowest = max(lowest, whole / (side + slack))
        highest = min(highest, whole / (side - slack) if side > slack else float("inf"))
    return lowest <= highest
