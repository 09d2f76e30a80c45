"""Contours and strokes at the start of a training example, as SAIC-IS trains with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..evaluation.contours import draw_contour
from ..evaluation.strokes import draw_stroke
from ..interactions import Contour, Stroke
from ..models import drawing
from ..models.click_input import STROKE_THICKNESS
from .targets import Pools

__all__ = ["DRAWN_KINDS", "draw_interaction", "sample_drawn"]

DRAWN_KINDS = ("contour", "stroke")
STRATEGIES: Mapping[str, float] = {"background": 0.4, "other": 0.4, "border": 0.2}
MOST_COVERED = 0.05  # of the object, by what says where it is not
STROKE_DEGREE = 3
LEAST_PIXELS = 10


def draw_interaction(canvas: np.ndarray, item: Contour | Stroke) -> None:
    """Set the pixels of a contour or stroke in an (H, W) array to 1."""
    if isinstance(item, Stroke):
        drawing.draw_stroke(canvas, item.points, STROKE_THICKNESS)
    else:
        drawing.draw_contour(canvas, item.points)


def sample_drawn(
    kind: str, pools: Pools, mask: np.ndarray, no_negatives: float, rng: np.random.Generator
) -> np.ndarray:
    """A contour or stroke on the object, and sometimes one that says where it is not.

    Parameters
    ----------
    kind : {"contour", "stroke"}
    pools : Pools
        Where they may lie.
    mask : (H, W) bool array
        The object.
    no_negatives : float
        Probability that there is no negative one.
    rng : numpy Generator

    Returns
    -------
    (2, H, W) uint8 array
        Positive first.

    References
    ----------
    Galeev et al., "Contour-based interactive segmentation", IJCAI 2023.
    """
    maps = np.zeros((2, *mask.shape), np.uint8)
    inside = np.zeros(mask.shape, bool)
    for region in pools.positive:
        inside |= region
    _draw(kind, maps[0], inside, True, rng)
    if rng.random() >= no_negatives:
        name = rng.choice(list(STRATEGIES), p=list(STRATEGIES.values()))
        _draw(kind, maps[1], _beside(pools.elsewhere[name], mask, rng), False, rng)
        if (maps[1] & mask.view(np.uint8)).sum() >= MOST_COVERED * mask.sum():
            maps[1] = 0
    return maps


def _draw(
    kind: str, canvas: np.ndarray, region: np.ndarray, positive: bool, rng: np.random.Generator
) -> None:
    if region.sum() < LEAST_PIXELS:
        return
    if kind == "stroke":
        item = draw_stroke(region, positive, rng, STROKE_DEGREE)
    else:
        item = draw_contour(region, positive, rng)
    if item is not None:
        draw_interaction(canvas, item)


def _beside(region: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A region without the band that the object takes up along one axis."""
    axis = int(rng.integers(2))
    places = np.flatnonzero(mask.any(axis=1 - axis))
    if not places.size:
        return region
    start, stop = int(1.1 * places[0]), int(0.9 * places[-1])
    region = region.copy()
    band = slice(start, max(start, stop))
    region[(band, slice(None)) if axis == 0 else (slice(None), band)] = False
    return region
