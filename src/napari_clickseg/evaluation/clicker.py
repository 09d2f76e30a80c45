"""The simulated user of the published protocol: clicks where the mask is most wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ..geometry import bounding_box
from ..interactions import Click, Interaction

__all__ = ["CentreClicker", "deepest_errors", "next_click"]

_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


class Pixel(NamedTuple):
    """A pixel and how deep in an error region it lies."""

    depth: float  # distance in pixels to the edge of the error region
    row: int
    col: int


_NOWHERE = Pixel(0.0, 0, 0)


def next_click(
    prediction: np.ndarray, target: np.ndarray, clicked: Iterable[Interaction] = ()
) -> Click:
    """The pixel farthest from the edge of the missed or of the wrongly added region.

    Distances are exact Euclidean ones inside the error masks, with everything outside of the image
    counted as right. The click is positive if the missed region is strictly deeper than the added
    one, and lies on the first deepest pixel in row-major order. With nothing wrong left it is a
    negative click on pixel (0, 0), as in the published evaluation.

    Parameters
    ----------
    prediction : (H, W) bool array
        The mask so far.
    target : (H, W) int array
        1 object, 0 background, -1 ignore: never clicked and never an error.
    clicked : iterable of Interaction
        What was said so far; the pixels of clicks are not chosen again.

    Returns
    -------
    Click
        Whole-number row and column, in pixels.

    Raises
    ------
    ValueError
        If the two arrays differ in shape.

    References
    ----------
    Sofiiuk et al., f-BRS, CVPR 2020 and RITM, 2021: the evaluation's clicker.
    """
    missed, added = deepest_errors(prediction, target, clicked)
    positive = missed.depth > added.depth
    chosen = missed if positive else added
    return Click(chosen.row, chosen.col, positive)


def deepest_errors(
    prediction: np.ndarray, target: np.ndarray, clicked: Iterable[Interaction] = ()
) -> tuple[Pixel, Pixel]:
    """The deepest pixel of what is missed and of what was wrongly added; see `next_click`."""
    if prediction.shape != target.shape:
        raise ValueError(
            f"The prediction is {prediction.shape} and the target {target.shape}. "
            "Give two masks of one size."
        )
    predicted = prediction.astype(bool, copy=False)
    taken = [item.pixel for item in clicked if isinstance(item, Click)]
    missed = _deepest((target == 1) & ~predicted, taken)
    return missed, _deepest((target == 0) & predicted, taken)


@dataclass(frozen=True)
class CentreClicker:
    """The published simulated user.

    Parameters
    ----------
    stops_at_specks : bool
        The object is given up after the click that found nothing wrong but specks: regions of both
        kinds whose deepest pixel is one pixel from their edge (Interactive Avalanche Segmentation).
    """

    stops_at_specks: bool = False

    def next(
        self,
        prediction: np.ndarray,
        target: np.ndarray,
        said: Sequence[Interaction],
        rng: np.random.Generator,
    ) -> Click:
        """See `next_click`; nothing is random."""
        return next_click(prediction, target, said)

    def gives_up(
        self, prediction: np.ndarray, target: np.ndarray, said: Sequence[Interaction]
    ) -> bool:
        """Whether the click on this prediction is the object's last."""
        if not self.stops_at_specks:
            return False
        missed, added = deepest_errors(prediction, target, said)
        return missed.depth == added.depth == 1.0


def _deepest(error: np.ndarray, taken: list[tuple[int, int]]) -> Pixel:
    """First row-major pixel of the largest distance transform, taken pixels left out.

    The transform runs on one 8-connected region at a time, deepest bounding box first, and regions
    too small to win are skipped. This is exact: on the way from a pixel to another region lies
    always a nearer pixel without error.
    """
    box = bounding_box(error)
    if box is None:
        return _NOWHERE
    labels, _ = ndimage.label(error[box.slices], _EIGHT_NEIGHBOURS)
    regions = sorted(
        (-_bound(rows, cols), rows.start, label, rows, cols)
        for label, (rows, cols) in enumerate(ndimage.find_objects(labels), start=1)
    )
    best = _NOWHERE
    for bound, top, label, rows, cols in regions:
        row, col = top + box.top, cols.start + box.left
        if -bound < best.depth or (-bound == best.depth and row > best.row):
            continue
        region = np.pad(labels[rows, cols] == label, 1)
        depth = ndimage.distance_transform_edt(region)[1:-1, 1:-1]
        for taken_row, taken_col in taken:
            if 0 <= taken_row - row < depth.shape[0] and 0 <= taken_col - col < depth.shape[1]:
                depth[taken_row - row, taken_col - col] = 0.0
        first, second = np.unravel_index(int(depth.argmax()), depth.shape)
        found = Pixel(float(depth[first, second]), row + int(first), col + int(second))
        deeper = found.depth > best.depth
        if deeper or (found.depth == best.depth > 0 and found[1:] < best[1:]):
            best = found
    return best


def _bound(rows: slice, cols: slice) -> int:
    """The largest depth that a region with this bounding box can have."""
    return (min(rows.stop - rows.start, cols.stop - cols.start) + 1) // 2
