"""The planes of a stack refined one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..cancel import Progress, stop_if
from ..interactions import Interaction
from .refine import MaskRefiner
from .refine_labels import ObjectChange, refine_labels

__all__ = ["PlaneStart", "refine_planes"]

Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PlaneStart:
    """What one plane of a stack is refined from.

    Attributes
    ----------
    labels : (H, W) array of integers
    image : callable
        Gives the plane's image; only called if there is something to refine.
    interactions : mapping of int to sequence of Interaction
        What a user said about single objects, by label.
    """

    labels: np.ndarray
    image: Callable[[], Any]
    interactions: Mapping[int, Sequence[Interaction]] = field(default_factory=dict)


def refine_planes(
    refiner: MaskRefiner,
    indices: Sequence[Index],
    start: Callable[[Index], PlaneStart],
    contrast_limits: tuple[float, float] | None = None,
    only: Collection[int] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[Index, np.ndarray, list[ObjectChange]]]:
    """Refine the objects of each plane; one plane is held at a time.

    Parameters
    ----------
    refiner : MaskRefiner
    indices : sequence of tuple of int
        Of the planes, in the order in which they are refined.
    start : callable
        Gives the start of a plane.
    contrast_limits : (float, float), optional
        As for `MaskRefiner.set_image`.
    only : collection of int, optional
        Refine these labels and leave the others.
    progress : callable, optional
        Called with the part of all planes that is done, 0..1.
    cancelled : callable, optional
        Asked before each plane and each call of the network.

    Yields
    ------
    index : tuple of int
    labels : (H, W) array
        Those of the start where it has no object to refine; its image is not read then.
    changes : list of ObjectChange
        With the index of the plane.

    Raises
    ------
    ValueError
        If labels do not fit the image.
    Cancelled
        If `cancelled` answered true.
    """
    for number, index in enumerate(indices):
        stop_if(cancelled, "The refinement")

        def part(done: float, number: int = number) -> None:
            if progress is not None:
                progress((number + done) / len(indices))

        plane = start(index)
        labels, changes = plane.labels, []
        if labels.any() if only is None else np.isin(labels, list(only)).any():
            refiner.set_image(plane.image(), contrast_limits)
            labels, changes = refine_labels(
                refiner, labels, plane.interactions, only, part, cancelled
            )
        yield index, labels, [replace(change, plane=index) for change in changes]
        part(1.0)
