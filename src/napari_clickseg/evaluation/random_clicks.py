"""Simulated users that click somewhere in the region that is most wrong, as people do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import ndimage

from ..geometry import Box, bounding_box
from ..interactions import Click, Interaction
from .clicker import deepest_errors, next_click

__all__ = ["PLACES", "Place", "RandomClicker"]

Place = Literal["near-centre", "uniform", "near-boundary", "outside"]
PLACES: tuple[Place, ...] = get_args(Place)

_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)
_SHALLOW = 0.25  # part of a region's depth that is near its boundary, or near its centre
_FAR = 0.01  # of the image's diagonal: no click misses its region by more


@dataclass(frozen=True)
class RandomClicker:
    """Clicks on the region that holds the centre clicker's pixel, but elsewhere in it.

    Parameters
    ----------
    place : {"near-centre", "uniform", "near-boundary", "outside"}
        In the inner quarter of the region's depth; anywhere in it; in its outer quarter; or just
        beside it, as of a hand that slips: off by at most a quarter of its depth (at least to a
        neighbouring pixel, at most 1 % of the image's diagonal).
    """

    place: Place

    def next(
        self,
        prediction: np.ndarray,
        target: np.ndarray,
        said: Sequence[Interaction],
        rng: np.random.Generator,
    ) -> Click:
        """A random click with the sign of the centre clicker's.

        Parameters
        ----------
        prediction : (H, W) bool array
        target : (H, W) int array
            1 object, 0 background, -1 ignore.
        said : sequence of Interaction
            Clicked pixels are not chosen again while there are others.
        rng : numpy.random.Generator
        """
        taken = [item for item in said if isinstance(item, Click)]
        missed, added = deepest_errors(prediction, target, taken)
        positive = missed.depth > added.depth
        seed = missed if positive else added
        if seed.depth == 0:
            return next_click(prediction, target, taken)
        error = (target == 1) & ~prediction if positive else (target == 0) & prediction
        region, box = _region_around(error, seed.row, seed.col)
        farthest = max(1.5, _FAR * float(np.hypot(*target.shape)))
        margin = int(farthest) + 1
        wide = Box(
            box.top - margin, box.left - margin, box.bottom + margin, box.right + margin
        ).clip(target.shape)
        inside = np.zeros(wide.shape, bool)
        inside[box.shift(-wide.top, -wide.left).slices] = region
        allowed = self._allowed(inside, target[wide.slices] == -1, farthest)
        for click in taken:
            row, col = click.pixel[0] - wide.top, click.pixel[1] - wide.left
            if 0 <= row < wide.height and 0 <= col < wide.width:
                allowed[row, col] = False
        places = np.argwhere(allowed)
        if not len(places):
            return Click(seed.row, seed.col, positive)
        row, col = places[rng.integers(len(places))]
        return Click(int(row) + wide.top, int(col) + wide.left, positive)

    def _allowed(self, region: np.ndarray, ignored: np.ndarray, farthest: float) -> np.ndarray:
        """Pixels of which any may be clicked; none is farther from the region than `farthest`."""
        if self.place == "uniform":
            return region.copy()
        depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
        if self.place == "near-centre":
            return depth >= (1 - _SHALLOW) * depth.max()
        shallow = max(1.0, _SHALLOW * float(depth.max()))
        if self.place == "near-boundary":
            return region & (depth <= shallow)
        off = np.clip(shallow, 1.5, farthest)
        away = ndimage.distance_transform_edt(~region)
        return (away > 0) & (away <= off) & ~ignored


def _region_around(error: np.ndarray, row: int, col: int) -> tuple[np.ndarray, Box]:
    """The 8-connected region that holds a pixel, cropped, and the box of the crop."""
    box = bounding_box(error)
    assert box is not None
    labels, _ = ndimage.label(error[box.slices], _EIGHT_NEIGHBOURS)
    region = labels == labels[row - box.top, col - box.left]
    tight = bounding_box(region)
    assert tight is not None
    return region[tight.slices], tight.shift(box.top, box.left)
