"""A stack of images with the masks of its planes, refined plane by plane."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..cancel import Progress, stop_if
from ..data.datasets.label_stacks import LabelStack
from ..data.pixel_size import PixelSize
from ..data.plane_spacing import plane_spacing
from ..data.readers import open_image
from ..data.saved_session import SavedObject
from ..data.stack_writer import OME_AXES, save_stack
from ..geometry import Box
from .refine_clicks import clicks_on, corrected_start, other_objects, session_objects
from .refine_matching import Files

if TYPE_CHECKING:
    from ..engine.refine import MaskRefiner
    from ..engine.refine_labels import ObjectChange
    from ..engine.refine_planes import PlaneStart

__all__ = ["StackJob", "smallest"]

Axes = tuple[tuple[str, int], ...]
Index = tuple[int, ...]
Stop = Callable[[], bool] | None


@dataclass(frozen=True)
class StackJob:
    """An image stack and its masks, all of whose planes were looked at.

    Attributes
    ----------
    files : Files
    axes : tuple of (str, int)
        Name and length of those that tell the planes apart, as the image has them.
    masks : LabelStack
    corrected : LabelStack or None
    objects : tuple of SavedObject
        Of the session.
    largest : int
        Label.
    """

    files: Files
    axes: Axes
    masks: LabelStack
    corrected: LabelStack | None
    objects: tuple[SavedObject, ...]
    largest: int

    @classmethod
    def of(cls, files: Files, axes: Axes, cancelled: Stop = None) -> StackJob:
        """Check files whose image is a stack.

        Raises
        ------
        ValueError
            If the masks are of other planes or sizes or are no labels, or the session is of
            another image or other objects.
        Cancelled
            If `cancelled` answered true.
        """
        masks = _masks(files, files.mask, axes)
        corrected = None if files.corrected is None else _masks(files, files.corrected, axes)
        shape: tuple[int, ...] = open_image(files.image, masks.indices[0]).shape
        objects: tuple[SavedObject, ...] = ()
        if files.clicks is not None:
            objects = session_objects(files.clicks, _WholeStack(files.image, axes, shape))
        largest, said = 0, False
        for index in masks.indices:
            stop_if(cancelled, "The refinement")
            for stack in (masks, corrected):
                if stack is not None:
                    labels = _checked(stack, index, shape)
                    largest = max(largest, int(labels.max()))
            said = said or bool(clicks_on(objects, labels, _saved(index)))
        if objects and not said:
            raise other_objects(files.clicks, objects)
        return cls(files, axes, masks, corrected, objects, largest)

    def refine(
        self, refiner: MaskRefiner, progress: Progress | None = None, cancelled: Stop = None
    ) -> tuple[RefinedStack, list[ObjectChange]]:
        """Refine all planes; what is raised is that of `refine_planes`.

        Returns
        -------
        labels : RefinedStack
        changes : list of ObjectChange
        """
        from ..engine.refine_planes import refine_planes

        kept = RefinedStack(self.files.out.parent, self._size, smallest(self.largest))
        changes: list[ObjectChange] = []
        steps = refine_planes(
            refiner,
            self.masks.indices,
            partial(self._start, cancelled),
            progress=progress,
            cancelled=cancelled,
        )
        for _, labels, changed in steps:
            kept.add(labels)
            changes += changed
        return kept, changes

    def save(self, path: Path, labels: RefinedStack) -> None:
        """Write refined labels with the axes, pixel size and units of the masks or the image."""
        sources = self.files.mask, self.files.image
        sizes = (PixelSize.of_file(source) for source in sources)
        spacings = (plane_spacing(source) for source in sources)
        names, stacked = self._stacked
        save_stack(
            path,
            labels.planes(),
            (*stacked, *self._size),
            labels.dtype,
            names,
            next((size for size in sizes if size is not None), None),
            next((spacing for spacing in spacings if spacing), None),
        )

    @property
    def _stacked(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Names and lengths of the axes that are written before rows and columns."""
        names, lengths = zip(*self.masks.axes, strict=True)
        if self.masks.names[-2:] == ("y", "x"):  # axes of length 1 are kept
            names, lengths = self.masks.names[:-2], self.masks.shape[:-2]
        told = tuple(name for name, _ in self.axes)
        if not set(names) <= OME_AXES and len(told) == len(names):
            names = told
        return names, lengths

    @property
    def _size(self) -> tuple[int, int]:
        names = self.masks.names
        return self.masks.shape[names.index("y")], self.masks.shape[names.index("x")]

    def _start(self, cancelled: Stop, index: Index) -> PlaneStart:
        from ..engine.refine_planes import PlaneStart

        fixed = None if self.corrected is None else self.corrected.read(index)
        labels, said = corrected_start(self.masks.read(index), fixed)
        said = clicks_on(self.objects, labels, _saved(index)) | said
        image = partial(open_image, self.files.image, index, cancelled=cancelled)
        return PlaneStart(labels, image, said)


def smallest(largest: int) -> np.dtype:
    """The smallest type of masks that holds a label."""
    kinds = (np.uint8, np.uint16, np.uint32)
    return np.dtype(next(kind for kind in kinds if largest <= np.iinfo(kind).max))


class RefinedStack:
    """Label images, kept in a nameless file until all are there.

    Parameters
    ----------
    folder : Path
        Where there is room for them.
    size : (int, int)
    dtype : np.dtype
    """

    def __init__(self, folder: Path, size: tuple[int, int], dtype: np.dtype) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as this
        self.size, self.dtype = size, dtype

    def __del__(self) -> None:
        with suppress(AttributeError):  # it could not be made
            self._file.close()

    def add(self, labels: np.ndarray) -> None:
        """Keep the next plane."""
        self._file.write(np.ascontiguousarray(labels, self.dtype).data)

    def planes(self) -> Iterator[np.ndarray]:
        """All planes, in the order in which they came."""
        self._file.seek(0)
        while data := self._file.read(self.size[0] * self.size[1] * self.dtype.itemsize):
            yield np.frombuffer(data, self.dtype).reshape(self.size)


class _WholeStack:
    """All planes of an image file, to be sliced like one array; read when they are asked for."""

    def __init__(self, path: Path, axes: Axes, plane: tuple[int, ...]) -> None:
        self._path, self._stacked = path, len(axes)
        self.shape = (*(length for _, length in axes), *plane)
        self.dtype = open_image(path, (0,) * len(axes)).dtype

    def __getitem__(self, block: tuple[slice, ...]) -> np.ndarray:
        stacked = [
            range(n)[part] for n, part in zip(self.shape, block[: self._stacked], strict=False)
        ]
        rows, cols, *colours = block[self._stacked :]
        box = Box(rows.start, cols.start, rows.stop, cols.stop)
        parts = np.empty([len(steps) for steps in stacked], object)
        for at in np.ndindex(parts.shape):
            index = tuple(steps[i] for steps, i in zip(stacked, at, strict=True))
            parts[at] = open_image(self._path, index).read(box)[(..., *colours)]
        pieces = np.stack([parts[at] for at in np.ndindex(parts.shape)])
        return pieces.reshape(*parts.shape, *pieces.shape[1:])


def _masks(files: Files, path: Path, axes: Axes) -> LabelStack:
    """The masks in a file; ValueError if they are of other planes than the image."""
    masks = LabelStack.open(path)
    if [length for _, length in masks.axes] != [length for _, length in axes]:
        raise ValueError(
            f"The image {files.image} has {_planes(axes)} and the mask {path} "
            f"{_planes(masks.axes)}. Give one mask for each plane of the image, in the same order; "
            "of several channels, save the one to look at as an image."
        )
    return masks


def _planes(axes: Axes) -> str:
    """How many planes, in words."""
    if not axes:
        return "one plane"
    return f"the planes {' x '.join(f'{name} of {length}' for name, length in axes)}"


def _checked(masks: LabelStack, index: Index, shape: tuple[int, ...]) -> np.ndarray:
    """Labels of a plane; ValueError if they are none, or do not fit the image."""
    labels = masks.read(index)
    if labels.shape != tuple(shape[:2]):
        raise ValueError(
            f"The planes of the mask {masks.path} have {labels.shape[0]} x {labels.shape[1]} "
            f"pixels and those of the image {shape[0]} x {shape[1]}. Give the masks of this image."
        )
    if labels.min() < 0:
        raise ValueError(
            f"The mask {masks.path} has labels below 0 on plane {', '.join(map(str, index))}. "
            "Number the objects from 1."
        )
    return labels


def _saved(index: Index) -> tuple[int | None, ...]:
    """A plane as sessions name it."""
    return (*index, None, None)
