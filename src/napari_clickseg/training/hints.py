"""Strokes, contours and boxes for training: what a hand would draw of a region."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import distance_transform_edt, label, zoom

from ..engine.as_clicks import CONTOUR_CLICKS, interior_points
from ..evaluation.contours import draw_contour
from ..geometry import Box, bounding_box
from ..models import drawing

__all__ = ["lasso", "loose_box", "part_at", "rough_contour", "rough_mask", "scribble"]

CELLS = 6  # of the noise that makes a drawn line uneven, along each side
LONGEST = 4  # places that a stroke passes


def part_at(region: np.ndarray, row: int, col: int) -> np.ndarray:
    """The connected part ``(H, W)`` bool of a region that holds a pixel."""
    parts, _ = label(region)
    return parts == parts[row, col]


def lasso(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a hand-drawn contour around a region encloses.

    The outline is uneven and on average a little outside, both in proportion to the square root
    of the area.

    Parameters
    ----------
    region : (H, W) bool array
        Not empty.
    rng : numpy Generator

    Returns
    -------
    (H, W) bool array
    """
    return _uneven(region, 0.05, rng.uniform(-0.02, 0.06), rng)


def rough_contour(
    region: np.ndarray, positive: bool, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """What a network that does not take contours is shown of one (see `engine.as_clicks`).

    Parameters
    ----------
    region : (H, W) bool array
        Not empty.
    positive : bool
    rng : numpy Generator

    Returns
    -------
    inside : (H, W) bool array
        What the contour encloses; the region where it is too small to be drawn around.
    clicks : list of (int, int)
        Row and column of places deep inside that are in the region.
    """
    contour, inside = draw_contour(region, positive, rng), region
    if contour is not None:
        canvas = np.zeros(region.shape, np.uint8)
        corners = [(math.floor(row + 0.5), math.floor(col + 0.5)) for row, col in contour.points]
        drawing.draw_contour(canvas, corners)
        inside = canvas != 0
    return inside, [place for place in interior_points(inside, CONTOUR_CLICKS) if region[place]]


def rough_mask(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A mask of a region that is wrong in places, as an earlier program or a coarse hand makes it.

    Parameters
    ----------
    region : (H, W) bool array
        Not empty.
    rng : numpy Generator

    Returns
    -------
    (H, W) bool array
    """
    return _uneven(region, rng.choice((0.05, 0.15, 0.4)), rng.normal(0, 0.05), rng)


def _uneven(
    region: np.ndarray, unevenness: float, margin: float, rng: np.random.Generator
) -> np.ndarray:
    """A region with its outline moved: in places at random, and outwards by a margin.

    Both in proportion to the square root of the area.
    """
    scale = np.sqrt(region.sum())
    noise = rng.normal(0, unevenness * scale, (CELLS, CELLS))
    factors = [side / CELLS for side in region.shape]
    moved = zoom(noise, factors, order=1, mode="nearest", grid_mode=True)
    outside = distance_transform_edt(~region) - distance_transform_edt(region)
    return outside < moved + margin * scale + 0.5


def scribble(region: np.ndarray, thickness: int, rng: np.random.Generator) -> np.ndarray:
    """A stroke through a region, drawn from one of its places to the next.

    Parameters
    ----------
    region : (H, W) bool array
        Not empty.
    thickness : int
        In pixels.
    rng : numpy Generator

    Returns
    -------
    (H, W) bool array
        Inside the region, but for half of its thickness.
    """
    depth = distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    rows, cols = np.nonzero(depth > rng.uniform(0.2, 0.7) * depth.max())
    picks = rng.integers(len(rows), size=rng.integers(2, LONGEST + 1))
    canvas = np.zeros(region.shape, np.uint8)
    drawing.draw_stroke(canvas, [(float(rows[i]), float(cols[i])) for i in picks], thickness)
    inside = depth > 0
    if depth.max() > thickness:
        return (canvas > 0) & inside
    return (canvas > 0) & (distance_transform_edt(~inside) <= thickness / 2)


def loose_box(region: np.ndarray, rng: np.random.Generator) -> Box:
    """A hand-drawn box around a region: each side off by a few percent, mostly outwards.

    Parameters
    ----------
    region : (H, W) bool array
        Not empty.
    rng : numpy Generator
    """
    box = bounding_box(region)
    tall, wide = (max(1.0, 0.05 * side) for side in box.shape)
    off = rng.normal(0.4, 1.0, 4) * (tall, wide, tall, wide)
    sides = (box.top - off[0], box.left - off[1], box.bottom + off[2], box.right + off[3])
    drawn = Box(*(round(side) for side in sides)).clip(region.shape)
    return box if min(drawn.shape) < 2 else drawn
