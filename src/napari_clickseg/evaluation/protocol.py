"""The published evaluation loop: simulate a click, predict, measure, until the mask is good."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from ..cancel import Cancelled
from ..interactions import Click
from .clicker import next_click
from .metrics import iou

__all__ = [
    "Dataset",
    "DatasetResult",
    "LabelledImage",
    "ObjectResult",
    "Objects",
    "Progress",
    "ProtocolSegmenter",
    "evaluate_dataset",
    "evaluate_object",
    "object_targets",
]

Objects = Literal["all", "largest"] | int


class ProtocolSegmenter(Protocol):
    """What the protocol asks of a segmenter; `napari_clickseg.Segmenter` is one."""

    def set_image(self, image: np.ndarray) -> Any:
        """Start on an image, without any click."""

    def click(self, row: float, col: float, positive: bool = True) -> Any:
        """Add a click and predict."""

    @property
    def mask(self) -> Any:
        """The mask so far: whatever `numpy.asarray` makes (H, W) bool of."""


class LabelledImage(Protocol):
    """An image with its objects, such as `napari_clickseg.data.packs.PackItem`."""

    id: str
    image: np.ndarray
    labels: np.ndarray


class Dataset(Protocol):
    """A named sequence of labelled images, such as `napari_clickseg.data.packs.Pack`."""

    name: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LabelledImage: ...


@dataclass(frozen=True)
class ObjectResult:
    """What one object took.

    Attributes
    ----------
    image : str
        Name of the image.
    label : int
        The object's number in the mask.
    area : int
        Pixels of the object.
    ious : tuple of float
        IoU after each click.
    seconds : tuple of float
        Time of each prediction, without the simulated user and the measuring.
    """

    image: str
    label: int
    area: int
    ious: tuple[float, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class DatasetResult:
    """What every object of a data set took, with the terms it was measured on.

    Attributes
    ----------
    name : str
    objects : tuple of ObjectResult
    n_clicks : int
        The most clicks an object got.
    target_iou : float
        Clicking stopped from this IoU on.
    min_clicks : int
        No object got fewer clicks, unless its mask was perfect.
    images_without_objects : tuple of str
        Names of the images that held nothing to click on.
    """

    name: str
    objects: tuple[ObjectResult, ...]
    n_clicks: int
    target_iou: float
    min_clicks: int
    images_without_objects: tuple[str, ...] = ()

    @property
    def n_images(self) -> int:
        """Images with at least one object."""
        return len({result.image for result in self.objects})


Progress = Callable[[int, int, ObjectResult], None]
"""Called after each object with the images begun so far, the images in all, and the result."""


def evaluate_object(
    segmenter: ProtocolSegmenter,
    target: np.ndarray,
    n_clicks: int = 20,
    target_iou: float = 0.9,
    min_clicks: int = 1,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Click on one object until its mask is good. The segmenter has the image and no clicks yet.

    Parameters
    ----------
    segmenter : ProtocolSegmenter
    target : (H, W) int array
        1 object, 0 background, -1 ignore.
    n_clicks : int
        The most clicks.
    target_iou : float
        Stop from this IoU on; above 1, only a mask without any error stops.
    min_clicks : int
        But not before this many clicks. A mask without any error always stops: its user has
        nothing to click on.
    cancelled : callable, optional
        Asked before each click.

    Returns
    -------
    ious : (K,) float32 array
        After each click.
    seconds : (K,) float64 array
        Time of each prediction alone.

    Raises
    ------
    ValueError
        If `target` has no object or a size other than the image's.
    Cancelled
        If `cancelled` answered yes.
    """
    _check_terms(n_clicks, target_iou, min_clicks)
    if not (target == 1).any():
        raise ValueError("The target has no object pixel, so there is nothing to click on.")
    mask = np.zeros(target.shape, bool)
    clicks: list[Click] = []
    ious: list[float] = []
    seconds: list[float] = []
    while len(clicks) < n_clicks:
        if cancelled is not None and cancelled():
            raise Cancelled
        click = next_click(mask, target, clicks)
        clicks.append(click)
        start = time.perf_counter()
        segmenter.click(click.row, click.col, positive=click.positive)
        seconds.append(time.perf_counter() - start)
        mask = np.asarray(segmenter.mask, dtype=bool)
        ious.append(iou(mask, target))
        if ious[-1] == 1.0 or (ious[-1] >= target_iou and len(clicks) >= min_clicks):
            break
    return np.asarray(ious, np.float32), np.asarray(seconds)


def object_targets(
    labels: np.ndarray, objects: Objects = "all"
) -> Iterator[tuple[int, np.ndarray]]:
    """Objects of a label image, one target each.

    Parameters
    ----------
    labels : (H, W) int array
        0 background, 1..N objects, -1 ignore.
    objects : "all", "largest" or int
        Every object, the largest, or the so many largest; of equal ones the lower label first.

    Yields
    ------
    label : int
    target : (H, W) int8 array
        1 the object, 0 everything else, -1 ignore.
    """
    numbers, areas = np.unique(labels[labels > 0], return_counts=True)
    if objects != "all":
        keep = 1 if objects == "largest" else int(objects)
        numbers = numbers[np.lexsort((numbers, -areas))][:keep]
    ignored = labels == -1
    for number in numbers:
        target = (labels == number).astype(np.int8)
        target[ignored] = -1
        yield int(number), target


def evaluate_dataset(
    segmenter: ProtocolSegmenter,
    dataset: Dataset,
    objects: Objects = "all",
    n_clicks: int = 20,
    target_iou: float = 0.9,
    min_clicks: int = 1,
    limit: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> DatasetResult:
    """Click on the objects of a data set. One object is one sample, and begins without clicks.

    Parameters
    ----------
    segmenter : ProtocolSegmenter
    dataset : Dataset
    objects : "all", "largest" or int
        See `object_targets`.
    n_clicks, target_iou, min_clicks
        See `evaluate_object`.
    limit : int, optional
        Only the first so many images.
    progress, cancelled : callable, optional

    Returns
    -------
    DatasetResult

    Raises
    ------
    ValueError
        If a number makes no sense, or none of the images has an object.
    Cancelled
        If `cancelled` answered yes.
    """
    _check_terms(n_clicks, target_iou, min_clicks)
    if isinstance(objects, int) and objects < 1 or limit is not None and limit < 1:
        raise ValueError("At least one object and one image are needed to measure anything.")
    total = len(dataset) if limit is None else min(limit, len(dataset))
    results: list[ObjectResult] = []
    empty: list[str] = []
    for index in range(total):
        item = dataset[index]
        before = len(results)
        for label, target in object_targets(item.labels, objects):
            segmenter.set_image(item.image)
            ious, seconds = evaluate_object(
                segmenter, target, n_clicks, target_iou, min_clicks, cancelled
            )
            area = int(np.count_nonzero(target == 1))
            result = ObjectResult(
                item.id, label, area, tuple(ious.tolist()), tuple(seconds.tolist())
            )
            results.append(result)
            if progress is not None:
                progress(index + 1, total, result)
        if len(results) == before:
            empty.append(item.id)
    if not results:
        raise ValueError(
            f"None of the {total} images of '{dataset.name}' has an object in its mask: every "
            "pixel is background or to be ignored. Check the masks."
        )
    return DatasetResult(
        dataset.name, tuple(results), n_clicks, target_iou, min_clicks, tuple(empty)
    )


def _check_terms(n_clicks: int, target_iou: float, min_clicks: int) -> None:
    if n_clicks < 1 or not 1 <= min_clicks <= n_clicks:
        raise ValueError(
            f"Between {min_clicks} and {n_clicks} clicks per object cannot be placed. "
            "Both numbers must be 1 or more, the second not below the first."
        )
    if not target_iou > 0:
        raise ValueError(f"A target IoU of {target_iou} is no target. Give one such as 0.9.")
