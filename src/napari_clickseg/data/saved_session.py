"""What is kept of segmented objects so that they can be opened, and made, again: plain values."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..geometry import Box
from ..interactions import BoxPrompt, Click, Contour, Interaction, Stroke
from .arrays import ImageReader

__all__ = [
    "ImageSignature",
    "SavedClass",
    "SavedModel",
    "SavedObject",
    "SavedSession",
    "SessionFileError",
    "StartMask",
]

VERSION = 1
LARGEST_LABEL = 2**32 - 1
SAMPLES, LONG, SHORT = 5, 32, 4  # blocks hashed; their sides along the two longest axes, and others
COLOUR = re.compile(r"#[0-9a-f]{6}")
HASH = re.compile(r"[0-9a-f]{64}")
NUMBERS = ("id", "plane", "settings", "area", "seconds", "predicted", "contrast_limits")


class SessionFileError(ValueError):
    """A session that cannot be kept or read; the message says why and what next."""


def _check(value: object, name: str, wanted: str, *conditions: bool) -> None:
    if not all(conditions):
        raise SessionFileError(
            f"A session cannot hold {value!r:.60} as {name}: it is {wanted}. Correct or remove it."
        )


def _whole(value: object, least: float = 0, most: float = math.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(value: object) -> bool:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return right and abs(value) <= sys.float_info.max


def _plain(value: Any) -> Any:
    """The value as JSON gives it back, but with tuples: numpy scalars and lists have no place."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        _check(value, "settings", "named by texts", all(isinstance(key, str) for key in value))
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    right = value is None or isinstance(value, str | bool) or _number(value)
    _check(value, "settings", "a text, a finite number, true, false, null, or made of such", right)
    return value


@dataclass(frozen=True, slots=True)
class ImageSignature:
    """How an image is recognised.

    Attributes
    ----------
    name : str
        Path, or name of the layer.
    shape : tuple of int
        All axes of the array.
    dtype : str
        Such as ``"uint16"``; byte order does not count.
    sha256 : str
        Of a few blocks of pixels at fixed places.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    sha256: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _plain(self.shape))
        _check(self.name, "the image's name", "a text", isinstance(self.name, str))
        sides = isinstance(self.shape, tuple) and all(_whole(side, 1) for side in self.shape)
        _check(self.shape, "the image's shape", "two or more sides", sides and len(self.shape) >= 2)
        _check(self.dtype, "the image's dtype", "a text", isinstance(self.dtype, str))
        hashed = isinstance(self.sha256, str) and HASH.fullmatch(self.sha256) is not None
        _check(self.sha256, "the image's sha256", "64 hexadecimal digits", hashed)

    @classmethod
    def of(cls, array: Any, name: str) -> ImageSignature:
        """Sign an image.

        Parameters
        ----------
        array : array or ImageReader
            Of any number of axes; anything that can be sliced (numpy, zarr, dask), full resolution.
            Only five small blocks are read.
        name : str
            Path, or name of the layer.
        """
        shape = tuple(int(side) for side in array.shape)
        dtype = np.dtype(array.dtype)
        longest = sorted(range(len(shape)), key=lambda axis: -shape[axis])[:2]
        digest = hashlib.sha256()
        for number in range(SAMPLES):
            block = []
            for axis, side in enumerate(shape):
                length = min(side, LONG if axis in longest else SHORT)
                start = (side - length) * (number + 1) // (SAMPLES + 1)
                block.append(slice(start, start + length))
            if isinstance(array, ImageReader):
                rows, cols = block[:2]
                pixels = array.read(Box(rows.start, cols.start, rows.stop, cols.stop))
            else:
                pixels = np.asarray(array[tuple(block)])
            pixels = pixels.astype(dtype.newbyteorder("<"), copy=False)
            digest.update(np.ascontiguousarray(pixels).tobytes())
        return cls(str(name), shape, dtype.name, digest.hexdigest())

    def same_image(self, other: ImageSignature) -> bool:
        """Whether both are of one image, whatever it is called."""
        return replace(self, name=other.name) == other


@dataclass(frozen=True, slots=True)
class SavedModel:
    """The model that answered: its name in the zoo or path, and its file's sha256 if known."""

    name: str
    sha256: str | None = None

    def __post_init__(self) -> None:
        _check(self.name, "the model's name", "a text", isinstance(self.name, str))
        hashed = isinstance(self.sha256, str) and HASH.fullmatch(self.sha256) is not None
        wanted = "64 hexadecimal digits or null"
        _check(self.sha256, "the model's sha256", wanted, self.sha256 is None or hashed)


@dataclass(frozen=True, slots=True)
class SavedClass:
    """A class of objects: its name and its colour as ``#rrggbb``."""

    name: str
    colour: str

    def __post_init__(self) -> None:
        _check(self.name, "a class name", "a text", isinstance(self.name, str), self.name != "")
        right = isinstance(self.colour, str) and COLOUR.fullmatch(self.colour) is not None
        _check(self.colour, "a class's colour", "like #ff8000, in small letters", right)


@dataclass(frozen=True, slots=True)
class StartMask:
    """The mask that an object was started from, run by run.

    Attributes
    ----------
    box : Box
        Around the mask, in image pixels; there is none outside.
    runs : tuple of int
        Lengths of runs through the box's rows, background first and then in turn.
    source : str
        Where the mask came from, in words.
    after : int
        How many of the object's interactions are older: the mask knows of them.
    """

    box: Box
    runs: tuple[int, ...]
    source: str = ""
    after: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "runs", _plain(self.runs))
        _check(self.box, "a start mask's box", "a box", isinstance(self.box, Box))
        runs = isinstance(self.runs, tuple) and all(_whole(run) for run in self.runs)
        _check(self.runs, "a start mask's runs", "whole numbers", runs)
        fits = sum(self.runs) == self.box.area
        _check(sum(self.runs), "a start mask's pixels", f"of {self.box.area} pixels", fits)
        _check(self.source, "a start mask's source", "a text", isinstance(self.source, str))
        _check(self.after, "a start mask's age", "0 or more interactions", _whole(self.after))

    @classmethod
    def of(
        cls, mask: np.ndarray, place: tuple[int, int] = (0, 0), source: str = "", after: int = 0
    ) -> StartMask:
        """From an array ``(h, w)`` whose first pixel is at `place`; non-zero is object."""
        flat = np.concatenate([[False], np.asarray(mask).ravel() != 0])
        changes = np.flatnonzero(flat[1:] != flat[:-1])
        runs = np.diff(np.concatenate([[0], changes, [flat.size - 1]])).tolist()
        return cls(Box.of_shape(mask.shape).shift(*place), tuple(runs), source, after)

    @property
    def mask(self) -> np.ndarray:
        """The mask in its box, ``box.shape`` bool."""
        values = np.arange(len(self.runs)) % 2 == 1
        return np.repeat(values, self.runs).reshape(self.box.shape)


@dataclass(frozen=True, slots=True)
class SavedObject:
    """One accepted object: how it was made, and what came out.

    Attributes
    ----------
    id : int
        Its label, from 1 to 4 294 967 295. Several planes of a stack may have objects of one id.
    class_name : str
        Empty if it has none.
    plane : tuple of (int or None), or None
        An index for each axis of the image, None at the axes of rows and columns; no entry for
        colours. None for an image that is a plane.
    interactions : tuple of Interaction
        Oldest first, in pixels of the plane.
    confined : Box or None
        The part of the plane that the object was confined to.
    start_mask : StartMask or None
        The mask that it was started from, or that was painted over it.
    settings : mapping
        ``"profile"``, a profile's name, and those fields of it that were overridden.
    area : int
        Pixels of the mask.
    seconds : float
        From the first interaction until it was accepted.
    predicted : tuple of int
        After which numbers of interactions the network was asked; rising. Empty: after each.
    contrast_limits : (float, float) or None
        Image values shown as black and white; None for the whole range, or RGB.
    viewport : Box or None
        What the user saw of the plane with the first interaction; None for all of it.
    overwrites : bool
        It took pixels of the objects before it; otherwise those are kept.
    """

    id: int
    class_name: str = ""
    plane: tuple[int | None, ...] | None = None
    interactions: tuple[Interaction, ...] = ()
    confined: Box | None = None
    start_mask: StartMask | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    area: int = 0
    seconds: float = 0.0
    predicted: tuple[int, ...] = ()
    contrast_limits: tuple[float, float] | None = None
    viewport: Box | None = None
    overwrites: bool = False

    def __post_init__(self) -> None:
        for name in NUMBERS:
            object.__setattr__(self, name, _plain(getattr(self, name)))
        object.__setattr__(self, "interactions", tuple(self.interactions))
        for name, wanted, right in self._rules():
            _check(getattr(self, name), f"an object's {name}", wanted, right())

    def _rules(self) -> tuple[tuple[str, str, Callable[[], bool]], ...]:
        count, kinds = len(self.interactions), (Click, Stroke, Contour, BoxPrompt)
        after = 0 if self.start_mask is None else self.start_mask.after
        predicted = self.predicted if isinstance(self.predicted, tuple) else (None,)
        steps = (after, *predicted)
        return (
            ("id", "a whole number from 1", lambda: _whole(self.id, 1, LARGEST_LABEL)),
            ("class_name", "a text", lambda: isinstance(self.class_name, str)),
            ("plane", "an index per axis, with two of them null", lambda: _is_plane(self.plane)),
            (
                "interactions",
                "clicks, strokes, contours and boxes",
                lambda: all(isinstance(item, kinds) for item in self.interactions),
            ),
            ("confined", "a box or null", lambda: isinstance(self.confined, Box | None)),
            ("start_mask", "a mask or null", lambda: isinstance(self.start_mask, StartMask | None)),
            ("start_mask", f"not older than {count} interactions", lambda: after <= count),
            ("settings", "a mapping", lambda: isinstance(self.settings, Mapping)),
            ("area", "0 or more pixels", lambda: _whole(self.area)),
            ("seconds", "0 or more", lambda: _number(self.seconds) and self.seconds >= 0),
            (
                "predicted",
                f"rising numbers of interactions up to {count}",
                lambda: (
                    all(_whole(n, 0, count) for n in steps)
                    and all(a < b for a, b in itertools.pairwise(steps))
                ),
            ),
            ("contrast_limits", "two rising numbers", lambda: _is_limits(self.contrast_limits)),
            ("viewport", "a box or null", lambda: isinstance(self.viewport, Box | None)),
            ("overwrites", "true or false", lambda: isinstance(self.overwrites, bool)),
        )


def _is_plane(plane: object) -> bool:
    indices = isinstance(plane, tuple) and all(i is None or _whole(i) for i in plane)
    return plane is None or indices and plane.count(None) == 2


def _is_limits(limits: object) -> bool:
    two = isinstance(limits, tuple) and len(limits) == 2 and all(map(_number, limits))
    return limits is None or two and limits[0] < limits[1]


@dataclass(frozen=True, slots=True)
class SavedSession:
    """All accepted objects of one image, and what they were made with.

    Attributes
    ----------
    image : ImageSignature
    model : SavedModel
    objects : tuple of SavedObject
        In the order in which they were accepted.
    settings : mapping
        Options of the dock that were set; as an object's.
    classes : tuple of SavedClass
        No two of one name.
    version : int
        Of the file format.
    """

    image: ImageSignature
    model: SavedModel
    objects: tuple[SavedObject, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[SavedClass, ...] = ()
    version: int = VERSION

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", _plain(self.settings))
        for name, kind in (("objects", SavedObject), ("classes", SavedClass)):
            items = tuple(getattr(self, name))
            object.__setattr__(self, name, items)
            right = all(isinstance(item, kind) for item in items)
            _check(items, name, f"values of the type {kind.__name__}", right)
        _check(self.image, "image", "a signature", isinstance(self.image, ImageSignature))
        _check(self.model, "model", "a name and a hash", isinstance(self.model, SavedModel))
        _check(self.settings, "settings", "a mapping", isinstance(self.settings, Mapping))
        _check(self.version, "version", f"{VERSION}", self.version == VERSION)
        names = [item.name for item in self.classes]
        _check(names, "classes", "named differently each", len(set(names)) == len(names))
