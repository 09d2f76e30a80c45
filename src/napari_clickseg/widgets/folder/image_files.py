"""Opening an image with its mask, and saving the mask: work for threads. No Qt, no napari."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...cancel import stop_if
from ...data.datasets.reading import read_labels
from ...data.exports.label_objects import label_boxes
from ...data.mask_writer import MaskError, save_mask
from ...data.readers import WHOLE_BYTES, ImageReader, open_image
from ...data.session_file import read_session, write_session
from ...geometry import Box
from ..image.plane import Plane
from ..objects.accepted import AcceptedObject, from_saved

if TYPE_CHECKING:
    from ...data.saved_session import SavedSession
    from ..work.jobs import Job
    from .image_folder import FolderImage

__all__ = ["PLANE", "OpenedImage", "Stamp", "copied", "open_work", "save_work", "stamp"]

PLANE = Plane((0, 1), (None, None))
STRIP = 256
"""Rows of labels that are copied or left out together."""

Stop = Callable[[], bool]
Stamp = tuple[int, int] | None
"""Time and size of a file, None for no file."""


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """An image, ready to be shown, and its mask.

    Attributes
    ----------
    levels : list of array
        Full resolution first; more than one for an image that is read as it is looked at.
    labels : (H, W) array or None
        uint16 or uint32.
    items : mapping of int to AcceptedObject
        The objects of the mask.
    stamp : Stamp
        Of the mask's file.
    refused : str or None
        Why there is a mask that cannot be used.
    """

    levels: list[Any]
    labels: np.ndarray | None = None
    items: Mapping[int, AcceptedObject] = field(default_factory=dict)
    stamp: Stamp = None
    refused: str | None = None


def open_work(image: FolderImage, after: Job | None) -> Callable[..., OpenedImage]:
    """Work that opens an image and reads its mask and session.

    Parameters
    ----------
    image : FolderImage
    after : Job or None
        What still writes its mask.
    """

    def work(cancelled: Stop, tell: Callable[[Any], None]) -> OpenedImage:
        reader = open_image(image.path, progress=tell, cancelled=cancelled)
        levels = _levels(reader)
        while after is not None and not after.done.wait(0.05):
            stop_if(cancelled, f"Opening {image.path}")
        found = stamp(image.mask)
        if found is None:
            return OpenedImage(levels)
        shape = reader.shape[:2]
        try:
            labels = _read_mask(image.mask, shape)
            items = _items(labels, image.session)
        except (ValueError, OSError, MemoryError) as error:
            return OpenedImage(levels, stamp=found, refused=" ".join(str(error).split()))
        return OpenedImage(levels, labels, items, found)

    return work


def save_work(
    image: FolderImage, labels: Any, known: Callable[[], Stamp], session: SavedSession | None
) -> Callable[..., Stamp]:
    """Work that writes a mask, and a session if there is one; gives the new stamp.

    Parameters
    ----------
    image : FolderImage
    labels : (H, W) array
        Nobody changes it meanwhile.
    known : callable
        Stamp of the mask's file as it was read or written last; a file with another one is not
        replaced, one that is gone is written again.
    session : SavedSession or None
    """

    def work(cancelled: Stop, tell: Callable[[Any], None]) -> Stamp:
        if stamp(image.mask) not in (None, known()):
            raise MaskError(
                f"{image.mask} was changed by somebody else since it was read, and is not "
                "replaced. Move it away and accept again, or open the image again to go on with it."
            )
        largest = max(label_boxes(labels), default=0)
        dtype = np.min_scalar_type(largest)
        image.mask.parent.mkdir(parents=True, exist_ok=True)
        save_mask(image.mask, _As(labels, dtype), image.path)
        if session is not None:
            write_session(image.session, session)
        return stamp(image.mask)

    return work


def stamp(path: Path) -> Stamp:
    """By which a change of a file is noticed."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def copied(labels: np.ndarray) -> Any:
    """A copy ``(H, W)`` of labels that takes memory only where there are some."""
    strips = {
        top: labels[top : top + STRIP].copy()
        for top in range(0, labels.shape[0], STRIP)
        if labels[top : top + STRIP].any()
    }
    return _Strips(strips, labels.shape, labels.dtype)


class _Strips:
    """Rows of labels, to be sliced like an array; 0 where there is none."""

    def __init__(
        self, strips: Mapping[int, np.ndarray], shape: tuple[int, ...], dtype: np.dtype
    ) -> None:
        self._strips, self.shape, self.dtype = strips, shape, dtype

    def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
        rows, cols = index
        top, bottom, _ = rows.indices(self.shape[0])
        left, right, _ = cols.indices(self.shape[1])
        found = np.zeros((bottom - top, right - left), self.dtype)
        for start, strip in self._strips.items():
            first, last = max(start, top), min(start + len(strip), bottom)
            if first < last:
                found[first - top : last - top] = strip[first - start : last - start, left:right]
        return found


class _As:
    """Labels whose slices are of another dtype."""

    def __init__(self, labels: Any, dtype: np.dtype) -> None:
        self._labels, self.shape, self.dtype = labels, labels.shape, dtype

    def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
        return np.asarray(self._labels[index]).astype(self.dtype)


class _Level:
    """One resolution of an image that is read as it is looked at."""

    def __init__(self, reader: ImageReader, level: int) -> None:
        self._reader, self._level = reader, level
        self.shape = (*reader.levels[level], *reader.shape[2:])
        self.ndim, self.dtype = len(self.shape), np.dtype(reader.dtype)
        self.size = int(np.prod(self.shape, dtype=np.int64))

    def __getitem__(self, index: Any) -> np.ndarray:
        given = index if isinstance(index, tuple) else (index,)
        given = (*given, *[slice(None)] * (2 - len(given)))
        sides = zip(given[:2], self.shape, strict=False)
        (top, bottom, rows), (left, right, cols) = (_span(part, side) for part, side in sides)
        pixels = self._reader.read(Box(top, left, bottom, right), self._level)
        return pixels[(rows, cols, *given[2:])]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:, :], dtype)


def _span(part: slice | int, side: int) -> tuple[int, int, slice | int]:
    """First and last pixel that an index needs, and the index within these."""
    if isinstance(part, slice):
        start, stop, step = part.indices(side)
        return start, max(start, stop), slice(None, None, step)
    place = range(side)[part]
    return place, place + 1, 0


def _levels(reader: ImageReader) -> list[Any]:
    """Arrays for the viewer: all pixels of an image that is small enough, or its levels."""
    if np.prod(reader.shape, dtype=np.int64) * np.dtype(reader.dtype).itemsize <= WHOLE_BYTES:
        return [reader.read(Box.of_shape(reader.shape))]
    return [_Level(reader, level) for level in range(len(reader.levels))]


def _read_mask(path: Path, shape: tuple[int, int]) -> np.ndarray:
    labels = read_labels(path)
    if labels.shape != shape:
        raise MaskError(
            f"{path.name} has {labels.shape[0]} x {labels.shape[1]} pixels and the image {shape[0]}"
            f" x {shape[1]}"
        )
    if labels.min() < 0:
        raise MaskError(f"{path.name} holds negative numbers")
    small = labels.max() <= np.iinfo(np.uint16).max
    return labels.astype(np.uint16 if small else np.uint32)


def _items(labels: np.ndarray, session: Path) -> dict[int, AcceptedObject]:
    """The objects of a mask; those that a session knows with the clicks that made them."""
    saved = {}
    if session.is_file():
        with contextlib.suppress(ValueError, OSError):  # then their clicks are not known
            saved = {item.id: item for item in read_session(session).objects}
    items = {}
    for label, box in label_boxes(labels).items():
        area = int(np.count_nonzero(labels[box.slices] == label))
        known = saved.get(label)
        if known is not None and known.area == area and known.plane in (None, PLANE.steps):
            items[label] = from_saved(known, box, area, labels.shape)
        else:
            items[label] = AcceptedObject(label, PLANE, box, area)
    return items
