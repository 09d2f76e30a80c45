"""Clicks for training: where the prediction is wrong, with the scatter of a human hand."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..geometry import bounding_box

__all__ = ["error_click"]


def _depth(error: np.ndarray) -> tuple[np.ndarray, int, int] | None:
    """Distance of each error pixel to the region's edge, inside its bounding box."""
    box = bounding_box(error)
    if box is None:
        return None
    padded = np.pad(error[box.slices], 1)
    return distance_transform_edt(padded)[1:-1, 1:-1], box.top, box.left


def error_click(
    prediction: np.ndarray,
    target: np.ndarray,
    rng: np.random.Generator,
    centre: float = 0.5,
    inner: float = 0.4,
) -> tuple[int, int, bool] | None:
    """A click in the deepest region that the prediction has wrong.

    Parameters
    ----------
    prediction : (H, W) bool array
    target : (H, W) int array
        1 object, 0 background, -1 ignore (never clicked).
    rng : numpy Generator
    centre : float
        Probability of the deepest pixel; otherwise any pixel more than `inner` times as deep.
    inner : float

    Returns
    -------
    (row, col, positive) or None
        None if nothing is wrong.
    """
    missed = _depth((target == 1) & ~prediction)
    extra = _depth((target == 0) & prediction)
    if missed is None and extra is None:
        return None
    positive = missed is not None and (extra is None or missed[0].max() > extra[0].max())
    depth, top, left = missed if positive else extra
    deepest = depth.max()
    near = depth >= deepest if rng.random() < centre else depth > inner * deepest
    rows, cols = np.nonzero(near)
    pick = rng.integers(len(rows))
    return int(rows[pick]) + top, int(cols[pick]) + left, positive
