"""Means of blocks of pixels: how coarser levels are made."""

from __future__ import annotations

import numpy as np

__all__ = ["halved"]


def halved(rows: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels in the dtype of the pixels; the number of rows is even."""
    if rows.shape[1] % 2:
        rows = np.concatenate([rows, rows[:, -1:]], axis=1)
    size, whole = rows.dtype.itemsize, rows.dtype.kind in "iu"
    if rows.dtype.kind in "bu" and size <= 2:  # in integers, which is quicker
        total = _sums(rows, np.uint16 if size == 1 else np.uint32)
        total += 2
        total >>= 2
        return total.astype(rows.dtype)
    mean = _sums(rows, np.float64 if size > 4 or (whole and size > 2) else np.float32) / 4
    return (np.rint(mean) if whole else mean).astype(rows.dtype)


def _sums(rows: np.ndarray, dtype: type) -> np.ndarray:
    """Sums of 2 x 2 pixels."""
    pairs = np.add(rows[0::2], rows[1::2], dtype=dtype)
    return pairs[:, 0::2] + pairs[:, 1::2]
