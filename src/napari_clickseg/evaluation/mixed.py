"""A simulated user who draws contours and strokes and clicks, as in the SAIC-IS evaluation."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..geometry import bounding_box
from ..interactions import Click, Interaction
from .clicker import next_click
from .contours import draw_contour, star_region
from .strokes import draw_stroke

__all__ = ["KINDS", "PRODUCTS", "MixedUser", "of_likely_depth"]

KINDS = ("click", "contour", "stroke")
PRODUCTS = tuple(itertools.product(KINDS, repeat=3))
"""All 27 sequences of three kinds of interaction."""

SMALL = 0.1  # of the image: a mask that is smaller is corrected by clicks


@dataclass(frozen=True)
class MixedUser:
    """Says something about the mask's deepest kind of error, with a seeded random hand.

    Parameters
    ----------
    kinds : tuple of {"click", "contour", "stroke"}
        Of the first interactions; clicks follow. Empty for the published choice: while there is no
        mask, or if it is large, a contour, two strokes, then clicks; else a click.

    Raises
    ------
    ValueError
        If a kind is none of these.

    References
    ----------
    Galeev et al., "Contour-based interactive segmentation", IJCAI 2023, and its evaluation code.
    """

    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(
                    f"{kind!r} is no kind of interaction. Choose from {', '.join(KINDS)}."
                )

    def next(
        self,
        prediction: np.ndarray,
        target: np.ndarray,
        said: Sequence[Interaction],
        rng: np.random.Generator,
    ) -> Interaction:
        """The next interaction; a click where a region is too small to draw in.

        Parameters
        ----------
        prediction : (H, W) bool array
        target : (H, W) int array
            1 object, 0 background, -1 ignore.
        said : sequence of Interaction
        rng : numpy.random.Generator
        """
        kind = self._kind(len(said), prediction)
        missed, added = ((target == 1) & ~prediction, (target == 0) & prediction)
        depths = [_depth(error, said) for error in (missed, added)]
        positive = bool(depths[0].max() > depths[1].max())
        depth = depths[0 if positive else 1]
        if depth.max() == 0:
            return next_click(prediction, target, said)
        drawn: Interaction | None = None
        if kind == "contour":
            region = missed if not prediction.any() else star_region(depth, rng)
            drawn = draw_contour(region, positive, rng)
        elif kind == "stroke":
            drawn = draw_stroke(depth > 0, positive, rng)
        if drawn is not None:
            return drawn
        border = 0.001 * float(np.hypot(*target.shape))
        inner = np.where(depth > border, depth, 0.0)
        places = np.argwhere(of_likely_depth(inner if inner.any() else depth, rng))
        row, col = places[rng.integers(len(places))]
        return Click(int(row), int(col), positive)

    def _kind(self, count: int, prediction: np.ndarray) -> str:
        if self.kinds:
            return self.kinds[count] if count < len(self.kinds) else "click"
        if 0 < np.count_nonzero(prediction) / prediction.size < SMALL:
            return "click"
        return ("contour", "stroke", "stroke")[count] if count < 3 else "click"


def _depth(error: np.ndarray, said: Sequence[Interaction]) -> np.ndarray:
    """Distance to the edge of the error mask, 0 outside of it and at clicked pixels; (H, W)."""
    depth = np.zeros(error.shape)
    box = bounding_box(error)
    if box is None:
        return depth
    cropped = np.pad(error[box.slices], 1)
    depth[box.slices] = ndimage.distance_transform_edt(cropped)[1:-1, 1:-1]
    for item in said:
        if isinstance(item, Click):
            depth[item.pixel] = 0.0
    return depth


def of_likely_depth(
    depth: np.ndarray, rng: np.random.Generator, sigma_ratio: float = 1.0
) -> np.ndarray:
    """Pixels of one random depth that is likely near the greatest.

    The depth is drawn from a normal distribution around the greatest, folded back below it.

    Parameters
    ----------
    depth : (H, W) float array
        Distance to the edge of the region, 0 outside; some pixel must be above 0.
    rng : numpy.random.Generator
    sigma_ratio : float
        The range of depths over the standard deviation: 1 in the evaluation, 3 in some trainings.

    Returns
    -------
    (H, W) bool array
        Of which any may be chosen.

    References
    ----------
    The point generator of the SAIC-IS evaluation ("fit normal").
    """
    inside = depth > 0
    low, high = float(depth[inside].min()), float(depth.max())
    wanted = high
    if high > low:
        for _ in range(100):
            drawn = rng.normal(high, (high - low) / sigma_ratio)
            if low <= drawn <= 2 * high - low:
                wanted = min(drawn, 2 * high - drawn)
                break
    distance = np.where(inside, np.abs(depth - wanted), np.inf)
    return distance == distance.min()
