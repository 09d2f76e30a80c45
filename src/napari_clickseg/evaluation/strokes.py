"""Simulated strokes: smooth random lines through a region."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..interactions import Stroke

__all__ = ["draw_stroke", "largest_region"]

SAMPLES, TRIES, FIT_POINTS = 300, 5, 6
_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


def draw_stroke(
    region: np.ndarray, positive: bool, rng: np.random.Generator, max_degree: int = 4
) -> Stroke | None:
    """A line from near the edge of the largest part of a region to a far point of it.

    It is a polynomial, in a coordinate or in its sine, fitted to its ends and to some points of the
    region between them.

    Parameters
    ----------
    region : (H, W) bool array
    positive : bool
    rng : numpy.random.Generator
    max_degree : int
        The polynomial's degree is 1 to one less than this.

    Returns
    -------
    Stroke or None
        None if the region has no two pixels.

    References
    ----------
    The stroke generator of the SAIC-IS evaluation.
    """
    part = largest_region(region)
    depth = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
    diagonal = float(np.hypot(*region.shape))
    inner = depth > 0.001 * diagonal  # without the thin border
    if np.count_nonzero(inner) < 2:
        inner = part
    places = np.argwhere(inner)
    if len(places) < 2:
        return None
    depths = depth[tuple(places.T)]
    edge = places[depths <= max(depths.min(), 0.01 * diagonal)]
    first = edge[rng.integers(len(edge))]
    away = np.hypot(*(places - first).T)
    distant = places[(away >= np.quantile(away, 0.7)) & (away > 0)]
    last = distant[rng.integers(len(distant))]
    low, high = np.minimum(first, last), np.maximum(first, last)
    between = places[((places > low) & (places < high)).all(axis=1)]
    chosen = rng.choice(between, min(FIT_POINTS, len(between)), replace=False)
    line = _fit(np.vstack([first, last, chosen]).astype(float), region.shape, rng, max_degree)
    return Stroke([(float(row), float(col)) for row, col in line], positive)


def largest_region(mask: np.ndarray) -> np.ndarray:
    """The 8-connected region with most pixels, ``(H, W)`` bool."""
    labels, count = ndimage.label(mask, _EIGHT_NEIGHBOURS)
    if count < 2:
        return mask.astype(bool)
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def _fit(
    points: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator, max_degree: int
) -> np.ndarray:
    """A polynomial line through the first two of the points that minds the others; (N, 2)."""
    low, high = points[:2].min(axis=0), points[:2].max(axis=0)
    for _ in range(TRIES):
        axis = int(rng.integers(2))
        if low[axis] == high[axis]:
            axis = 1 - axis
        degree = min(int(rng.integers(1, max_degree)), len(points) - 1)
        period = rng.uniform(0.3, 1.0) * (high[axis] - low[axis]) * np.pi
        curved = bool(rng.integers(2)) and period > 0
        x, y = points[:, axis], points[:, 1 - axis]
        weights = np.full(len(points), 1 / max(float(y.std()), 1e-6))
        weights[:2] *= 2
        samples = np.linspace(x[0], x[1], SAMPLES)
        u, v = (np.sin(x / period), np.sin(samples / period)) if curved else (x, samples)
        if np.ptp(u) == 0:
            continue
        # about the middle of u, where the fit is well conditioned
        middle, scale = u.mean(), np.ptp(u)
        matrix = np.vander((u - middle) / scale, degree + 1) * weights[:, None]
        factors = np.linalg.lstsq(matrix, y * weights, rcond=None)[0]
        drawn = np.polyval(factors, (v - middle) / scale)
        line = np.empty((SAMPLES, 2))
        line[:, axis], line[:, 1 - axis] = samples, drawn
        if _fits(line, low, high, shape):
            return line
    return np.linspace(points[0], points[1], SAMPLES)


def _fits(line: np.ndarray, low: np.ndarray, high: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether a line stays in the image and mostly between its ends."""
    in_image = (line >= 0).all() and (line <= np.subtract(shape, 1)).all()
    compact = (np.std(line, axis=0) <= np.maximum(high - low, 1)).all()
    in_box = ((line >= low) & (line <= high)).all(axis=1).mean() >= 0.75
    return bool(in_image and compact and in_box)
