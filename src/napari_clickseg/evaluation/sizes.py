"""Images and targets at the size that an evaluation shows them at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .terms import Terms

__all__ = ["Sized", "at_size"]


@dataclass(frozen=True, eq=False)
class Sized:
    """One object as it is shown, and what is measured.

    Attributes
    ----------
    image : (h, w, 3) uint8 array
    target : (h, w) int8 array
        1 object, 0 background, -1 ignore, of the image's size.
    original : (H, W) int8 array
        What masks are measured against.
    measured : callable or None
        Brings a mask of the image's size to that of `original`; None if they are equal.
    full : (int, int)
        Height and width of the image as it was read.
    """

    image: np.ndarray
    target: np.ndarray
    original: np.ndarray
    measured: Callable[[np.ndarray], np.ndarray] | None
    full: tuple[int, int]


def at_size(image: np.ndarray, target: np.ndarray, terms: Terms) -> Sized:
    """An object at the size that `max_size` or `resize` ask for; never enlarged by the former.

    Images are resized with bilinear interpolation, masks by nearest pixels.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    target : (H, W) int8 array
    terms : Terms
    """
    height, width = full = image.shape[:2]
    if terms.max_size is not None and max(full) > terms.max_size:
        scale = terms.max_size / max(full)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        small = _nearest(target, size)
        return Sized(_bilinear(image, size), small, target, lambda m: _nearest(m, full), full)
    if terms.resize is not None and (width > terms.resize[0] or height > terms.resize[1]):
        size = terms.resize[1], terms.resize[0]
        small = _nearest(target, size)
        return Sized(_bilinear(image, size), small, small, None, full)
    return Sized(image, target, target, None, full)


def _bilinear(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Between the four nearest pixels, however much is left out: not antialiased, as published."""
    rows, cols = (_places(n, m) for n, m in zip(image.shape[:2], size, strict=True))
    out = np.zeros((*size, image.shape[2]))
    for row, row_part in rows:
        for col, col_part in cols:
            out += row_part[:, None, None] * col_part[None, :, None] * image[np.ix_(row, col)]
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def _places(old: int, new: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Lower and upper neighbour of each new pixel along an axis, with their parts."""
    place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    low = np.minimum(place.astype(int), old - 1)
    part = place - low
    return (low, 1 - part), (np.minimum(low + 1, old - 1), part)


def _nearest(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    rows, cols = (
        np.minimum((np.arange(m) * n / m).astype(int), n - 1)
        for n, m in zip(mask.shape, size, strict=True)
    )
    return mask[np.ix_(rows, cols)]
