"""All objects of a label image refined, and what changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from ..cancel import Progress
from ..data.exports.label_objects import label_boxes
from ..geometry import Box
from ..interactions import Click, Interaction
from .as_clicks import interior_points
from .refine import MaskRefiner

__all__ = ["ObjectChange", "corrections", "refine_labels"]

CORRECTIONS = 4  # clicks at most of each sign, from one corrected object
SMALLEST = 9  # pixels of a corrected place that are worth a click
EIGHT = np.ones((3, 3), bool)
Stop = Callable[[], bool] | None


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What became of one object.

    Attributes
    ----------
    label : int
    row, col : int
        A pixel inside of it, in image pixels.
    area_before, area_after : int
        Pixels.
    iou : float
        Of the masks before and after, 0..1.
    doubt : float
        0..1; what to look at first has most.
    plane : tuple of int
        Index along each axis of a stack but rows and columns; empty for an image of one plane.
    """

    label: int
    row: int
    col: int
    area_before: int
    area_after: int
    iou: float
    doubt: float
    plane: tuple[int, ...] = ()


def refine_labels(
    refiner: MaskRefiner,
    labels: np.ndarray,
    interactions: Mapping[int, Sequence[Interaction]] | None = None,
    only: Collection[int] | None = None,
    progress: Progress | None = None,
    cancelled: Stop = None,
) -> tuple[np.ndarray, list[ObjectChange]]:
    """Refine every object of a label image.

    Where two refined objects meet, a pixel goes to the one that the network is surer of. No object
    is lost.

    Parameters
    ----------
    refiner : MaskRefiner
        With the image set.
    labels : (H, W) array of integers or bool
        0 is background. Not changed.
    interactions : mapping of int to sequence of Interaction, optional
        What a user said about single objects, by label; the others are refined by themselves.
    only : collection of int, optional
        Refine these labels and leave the others; all by default.
    progress : callable, optional
        Called with the part of the objects that is done, 0..1.
    cancelled : callable, optional
        Asked before each call of the network.

    Returns
    -------
    labels : (H, W) array
        Of the same dtype.
    changes : list of ObjectChange
        By rising label.

    Raises
    ------
    ValueError
        If the labels do not fit the image.
    Cancelled
        If `cancelled` answered true.
    """
    said = interactions or {}
    whole = _checked(labels, refiner.shape)
    places = label_boxes(whole)
    chosen = [label for label in places if only is None or label in only]
    out = whole.copy()
    for label in chosen:
        part = out[places[label].slices]
        part[part == label] = 0
    surest = np.zeros(whole.shape, np.uint8)
    doubts: dict[int, float] = {}
    reach: dict[int, Box] = {}
    for done, label in enumerate(chosen):
        box = places[label]
        mask = whole[box.slices] == label
        refined = refiner.refine(mask, (box.top, box.left), said.get(label, ()), cancelled)
        own = whole[refined.box.slices] == label
        score = np.rint(refined.probabilities * 252).astype(np.uint8) + 1 + 2 * own.astype(np.uint8)
        part, best = out[refined.box.slices], surest[refined.box.slices]
        # an object that is not refined keeps its pixels: no score is above theirs
        wins = refined.mask & (score > best) & ((part == 0) | (best > 0))
        part[wins], best[wins] = label, score[wins]
        doubts[label], reach[label] = refined.doubt, refined.box
        if progress is not None:
            progress((done + 1) / len(chosen))
    waiting = chosen
    while lost := [label for label in waiting if not (out[reach[label].slices] == label).any()]:
        for label in lost:  # it takes its own pixels back, maybe all that another one won
            box = places[label]
            out[box.slices][whole[box.slices] == label] = label
        waiting = [label for label in waiting if label not in lost]
    changes = [_change(whole, out, label, reach[label], doubts[label]) for label in chosen]
    return out.astype(labels.dtype, copy=False), changes


def corrections(before: np.ndarray, after: np.ndarray) -> dict[int, list[Interaction]]:
    """Clicks that say what a user corrected in a label image.

    Parameters
    ----------
    before, after : (H, W) array of integers or bool
        The label image, and the one that was corrected; objects are matched by label.

    Returns
    -------
    dict of int to list of Click
        For each object that differs: its middle, then what was added and what was taken away, the
        largest places first.
    """
    found: dict[int, list[Interaction]] = {}
    old_places, new_places = label_boxes(before), label_boxes(after)
    for label, box in new_places.items():
        window = box.union(old_places.get(label, box))
        old, new = before[window.slices] == label, after[window.slices] == label
        if (old == new).all():
            continue
        clicks = [*_clicks(new, True, 1)]
        for places, positive in ((new & ~old, True), (old & ~new, False)):
            clicks += _clicks(places, positive, CORRECTIONS)
        found[label] = [
            Click(click.row + window.top, click.col + window.left, click.positive)
            for click in dict.fromkeys(clicks)
        ]
    return found


def _clicks(places: np.ndarray, positive: bool, most: int) -> list[Click]:
    """A click in the middle of each of the largest components."""
    parts, count = ndi.label(places, EIGHT)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    clicks = []
    for number in np.argsort(-sizes, kind="stable")[:most]:
        if sizes[number] >= SMALLEST:
            [(row, col)] = interior_points(parts == number + 1)
            clicks.append(Click(row, col, positive))
    return clicks


def _checked(labels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if labels.shape != shape:
        size = " x ".join(map(str, labels.shape))
        raise ValueError(
            f"The mask has {size} pixels and the image {shape[0]} x {shape[1]}. Give the mask of "
            "this image."
        )
    if labels.dtype.kind not in "biu":
        raise ValueError(
            f"The mask is of {labels.dtype}. Give whole numbers, one for each pixel of the image."
        )
    if labels.dtype.kind == "b":
        return labels.astype(np.uint8)
    if labels.size and labels.min() < 0:
        raise ValueError("The mask has labels below 0. Number the objects from 1.")
    return labels


def _change(
    before: np.ndarray, after: np.ndarray, label: int, box: Box, doubt: float
) -> ObjectChange:
    old, new = before[box.slices] == label, after[box.slices] == label
    both, either = np.count_nonzero(old & new), np.count_nonzero(old | new)
    [(row, col)] = interior_points(new if new.any() else old)
    return ObjectChange(
        label,
        row + box.top,
        col + box.left,
        int(np.count_nonzero(old)),
        int(np.count_nonzero(new)),
        both / either,
        doubt,
    )
