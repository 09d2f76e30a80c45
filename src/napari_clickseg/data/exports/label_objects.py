"""The objects of a label image, one after the other, without a copy of the whole image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...cancel import Progress, part_of, stop_if
from ...geometry import Box
from .errors import ExportError

__all__ = [
    "LabelObject",
    "LabelPlane",
    "as_planes",
    "label_boxes",
    "label_objects",
    "plane_objects",
    "shape_of",
]

STRIP_PIXELS = 2**22  # read at a time
FEW_LABELS = 2**20  # up to this label, a table of all of them is small


@dataclass(frozen=True)
class LabelObject:
    """One label of a label image.

    Attributes
    ----------
    id : int
        The label.
    class_name : str
        Empty if it has none.
    box : Box
        The smallest one that holds it.
    mask : (h, w) bool array
        In that box.
    """

    id: int
    class_name: str
    box: Box
    mask: np.ndarray

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True, eq=False)
class LabelPlane:
    """Labels of one plane of a stack.

    Attributes
    ----------
    labels : (H, W) array
        Anything that can be sliced.
    place : mapping of str to int
        Index along each other axis, by the axis's name; empty if there is no stack.
    """

    labels: Any
    place: Mapping[str, int] = field(default_factory=dict)


def shape_of(labels: Any) -> tuple[int, int]:
    """Height and width of labels.

    Raises
    ------
    ExportError
        If they are not 2-D integers (or bool) with pixels.
    """
    shape, dtype = getattr(labels, "shape", None), getattr(labels, "dtype", None)
    if shape is None or len(shape) != 2 or 0 in shape:
        raise ExportError(
            f"Labels are an array (H, W) with pixels; this one has shape {shape}. Give one plane."
        )
    if np.dtype(dtype).kind not in "bui":
        raise ExportError(f"Labels are whole numbers; these are {dtype}. Convert them first.")
    return int(shape[0]), int(shape[1])


def label_boxes(labels: Any, cancelled: Callable[[], bool] | None = None) -> dict[int, Box]:
    """The bounding box of every label but 0, in rising order of labels.

    Parameters
    ----------
    labels : (H, W) array
        Whole numbers from 0, or bool; anything that can be sliced. Is read strip by strip.
    cancelled : callable, optional
        Asked before each strip.

    Raises
    ------
    ExportError
        If these are no labels, or some are negative.
    """
    height, width = shape_of(labels)
    rows = max(1, STRIP_PIXELS // width)
    found: dict[int, Box] = {}
    for top in range(0, height, rows):
        stop_if(cancelled, "The export")
        strip = np.asarray(labels[top : top + rows, 0:width])
        if strip.dtype.kind == "b":
            strip = strip.view(np.uint8)
        if strip.min() < 0:
            raise ExportError(
                f"Labels are 0 or more, and there is the label {strip.min()}. Renumber them."
            )
        for label, box in _strip_boxes(strip):
            box = box.shift(top, 0)
            found[label] = found[label].union(box) if label in found else box
    return dict(sorted(found.items()))


def _strip_boxes(strip: np.ndarray) -> Iterator[tuple[int, Box]]:
    from scipy.ndimage import find_objects

    values: Any = None
    if strip.max() == 0:
        return
    if strip.max() > FEW_LABELS:
        values, places = np.unique(strip, return_inverse=True)
        strip = places.reshape(strip.shape) + 1
    for number, slices in enumerate(find_objects(strip.astype(np.int64, copy=False))):
        if slices is None:
            continue
        label = number + 1 if values is None else int(values[number])
        if label:
            rows, cols = slices
            yield label, Box(rows.start, cols.start, rows.stop, cols.stop)


def label_objects(
    labels: Any,
    classes: Mapping[int, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[LabelObject]:
    """The objects in rising order of labels; only the box of one is in memory at a time.

    Parameters
    ----------
    labels : (H, W) array
        See `label_boxes`.
    classes : mapping of int to str, optional
        Class names of labels.
    progress : callable, optional
        Called with the part that is done, 0..1.
    cancelled : callable, optional
        Asked before each strip and object.
    """
    boxes, classes = label_boxes(labels, cancelled), classes or {}
    for number, (label, box) in enumerate(boxes.items()):
        stop_if(cancelled, "The export")
        if progress is not None:
            progress(number / len(boxes))
        mask = np.asarray(labels[box.slices]) == label
        yield LabelObject(label, classes.get(label, ""), box, mask)


def as_planes(labels: Any) -> Sequence[LabelPlane]:
    """The planes of a stack as they are, anything else as the one plane there is."""
    if isinstance(labels, Sequence) and all(isinstance(plane, LabelPlane) for plane in labels):
        return labels
    return [LabelPlane(labels)]


def plane_objects(
    planes: Sequence[LabelPlane],
    classes: Mapping[int, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[int, LabelObject]]:
    """The objects of each plane with the plane's number from 0; see `label_objects`."""
    for number, plane in enumerate(planes):
        tell = part_of(progress, number / len(planes), (number + 1) / len(planes))
        for item in label_objects(plane.labels, classes, tell, cancelled):
            yield number, item
