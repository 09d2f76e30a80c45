"""Simulated contours: rough closed lines around a region, as people draw them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.draw import ellipse
from skimage.measure import find_contours
from skimage.morphology import convex_hull_image

from ..geometry import bounding_box
from ..interactions import Contour
from .strokes import largest_region

__all__ = ["draw_contour", "star_region"]

LEAST_PIXELS = 10
LARGE = 1 / 64  # of the image: only larger regions are bent


def star_region(depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The part of an error region around one of its deep pixels that one would draw around.

    Depths spread from the pixel along rows and columns and never rise again on the way, weighted
    by a Gaussian of half the region's extents.

    Parameters
    ----------
    depth : (H, W) float array
        Distance to the edge of the region, 0 outside; some pixel must be above 0.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) bool array

    References
    ----------
    The contour generator of the SAIC-IS evaluation.
    """
    deep = np.argwhere(depth > 0.8 * depth.max())
    row, col = deep[rng.integers(len(deep))]
    by_rows = _outwards(_outwards(depth, int(row), 0), int(col), 1)
    by_cols = _outwards(_outwards(depth, int(col), 1), int(row), 0)
    spread = np.maximum(by_rows, by_cols)
    box = bounding_box(spread > 0)
    assert box is not None
    rows = np.exp(-0.5 * ((np.arange(depth.shape[0]) - row) / (0.5 * box.height)) ** 2)
    cols = np.exp(-0.5 * ((np.arange(depth.shape[1]) - col) / (0.5 * box.width)) ** 2)
    weighted = spread * rows[:, None] * cols
    labels, _ = ndimage.label(weighted > 0.2 * weighted.max())
    return labels == labels[row, col]


def _outwards(values: np.ndarray, start: int, axis: int) -> np.ndarray:
    """Running minimum from a row (axis 0) or column (axis 1) to both sides."""
    lanes = np.moveaxis(values, axis, 0)
    after = np.minimum.accumulate(lanes[start:], axis=0)
    before = np.minimum.accumulate(lanes[start::-1], axis=0)[:0:-1]
    return np.moveaxis(np.concatenate([before, after]), 0, axis)


def draw_contour(region: np.ndarray, positive: bool, rng: np.random.Generator) -> Contour | None:
    """A rough line around the largest part of a region.

    Positive ones are as often too wide as too narrow and sometimes convex, negative ones are
    narrow; large ones are bent, and all are smoothed, stretched and shifted a little.

    Parameters
    ----------
    region : (H, W) bool array
    positive : bool
    rng : numpy.random.Generator

    Returns
    -------
    Contour or None
        None if what is left is too small to be drawn around.

    References
    ----------
    The contour generator of the SAIC-IS evaluation.
    """
    whole = ndimage.binary_fill_holes(region)
    box = bounding_box(whole)
    if box is None or min(box.shape) < 3:
        return None
    margin = max(box.shape) // 4 + 4
    shape = ndimage.binary_fill_holes(np.pad(whole[box.slices], margin))
    shape = largest_region(_thicker_or_thinner(shape, min(box.shape), positive, rng))
    if positive and rng.random() < 0.5:
        shape = convex_hull_image(shape)
    side = max(box.shape)
    if np.count_nonzero(shape) > LARGE * region.size:
        shape = largest_region(_bent(shape, side, rng))
    shape = _smoothed(shape, rng.uniform(side / 128, side / 16))
    shape = _stretched(shape, rng)
    shape = _smoothed(shape, side / 64)
    if np.count_nonzero(shape) < LEAST_PIXELS:
        return None
    lines = find_contours(np.pad(shape, 1).astype(float), 0.5)
    line = max(lines, key=len)[:-1] - 1 + (box.top - margin, box.left - margin)
    line = np.clip(line, 0, np.subtract(region.shape, 1))
    step = max(1, len(line) // 400)
    return Contour([(float(row), float(col)) for row, col in line[::step]], positive)


def _thicker_or_thinner(
    shape: np.ndarray, side: int, positive: bool, rng: np.random.Generator
) -> np.ndarray:
    if positive and rng.random() < 0.5:
        return ndimage.binary_dilation(shape, _round(side / rng.uniform(16, 32)))
    area = np.count_nonzero(shape)
    for _ in range(3):
        eroded = ndimage.binary_erosion(shape, _round(side / rng.uniform(24, 64)))
        if np.count_nonzero(eroded) > 0.4 * area:
            return eroded
    return shape


def _round(size: float) -> np.ndarray:
    """A disk of a diameter in pixels."""
    side = max(1, round(size))
    disk = np.zeros((side, side), bool)
    disk[ellipse((side - 1) / 2, (side - 1) / 2, side / 2, side / 2, shape=disk.shape)] = True
    return disk


def _bent(shape: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Moved by a smooth random field, and slightly by a random affine map."""
    alpha, sigma = rng.uniform(0.8, 1.2) * 8 * side, rng.uniform(0.5, 0.75) * 0.4 * side
    field = [
        alpha * ndimage.gaussian_filter(rng.uniform(-1, 1, shape.shape), sigma, mode="constant")
        for _ in range(2)
    ]
    corner = rng.uniform(0.4, 0.6) * 0.2 * side
    matrix = np.eye(2) + rng.uniform(-corner, corner, (2, 2)) / max(shape.shape)
    places = np.indices(shape.shape, float)
    middle = np.array(shape.shape).reshape(2, 1, 1) / 2
    moved = np.einsum("ij,jhw->ihw", matrix, places - middle) + middle + np.stack(field)
    return ndimage.map_coordinates(shape.astype(np.float32), moved, order=1) > 0.5


def _smoothed(shape: np.ndarray, sigma: float) -> np.ndarray:
    smooth = ndimage.gaussian_filter(shape.astype(np.float32), max(0.5, sigma / 2)) > 0.5
    return largest_region(smooth) if smooth.any() else shape


def _stretched(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Larger or smaller about its middle, and shifted by a little of its size."""
    box = bounding_box(shape)
    if box is None:
        return shape
    area = np.count_nonzero(shape)
    simple = area / max(1, np.count_nonzero(convex_hull_image(shape))) > 0.6
    scale = rng.uniform(*((0.75, 1.2) if simple else (0.9, 1.1)), 2)
    middle = np.array([box.top + box.bottom - 1, box.left + box.right - 1]) / 2
    shift = rng.uniform(-0.05, 0.05, 2) * box.shape
    offset = middle - (middle + shift) / scale
    moved = ndimage.affine_transform(shape.astype(np.float32), 1 / scale, offset, order=1) > 0.5
    return moved if moved.any() else shape
