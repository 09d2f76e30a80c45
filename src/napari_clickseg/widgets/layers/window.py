"""The part of an image that the preview layer covers: all of it, or only where the object is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry import Box
from ..image.plane import Plane

__all__ = ["WHOLE_PIXELS", "Window", "is_large"]

WHOLE_PIXELS = 2**24
"""Pixels of a plane up to which the preview covers the whole image."""
STEP = 256
"""Windows begin and end at multiples of this many pixels, or at the border of the image."""
MOST_ROOM = 1024
"""Pixels around an object that it can be painted on, at most; 256 at least."""


def is_large(shape: Sequence[int]) -> bool:
    """Whether a plane of an image of this shape is too large for a preview of all of it."""
    sides = sorted(shape)[-2:]
    return int(np.prod(sides, dtype=np.int64)) > WHOLE_PIXELS


@dataclass(frozen=True, slots=True)
class Window:
    """A part of an nD image.

    Parameters
    ----------
    start, stop : tuple of int
        Along each axis of the image, half-open.
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @classmethod
    def of_shape(cls, shape: Sequence[int]) -> Window:
        """The window of a whole image, or the smallest one of a large image."""
        stop = (1,) * len(shape) if is_large(shape) else shape
        return cls((0,) * len(shape), tuple(stop))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an array that covers the window."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    def box(self, plane: Plane) -> Box:
        """Its part in a plane, in image pixels; empty if it does not reach the plane."""
        for step, a, b in zip(plane.steps, self.start, self.stop, strict=True):
            if step is not None and not a <= step < b:
                return Box(0, 0, 0, 0)
        (top, left), (bottom, right) = ([side[axis] for axis in plane.axes] for side in self._sides)
        return Box(top, left, bottom, right)

    @property
    def _sides(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.start, self.stop

    def index(self, plane: Plane, box: Box) -> tuple[int | slice, ...]:
        """Index of a box of image pixels, for an array that covers the window."""
        here = self.box(plane)
        steps = tuple(
            None if step is None else step - first
            for step, first in zip(plane.steps, self.start, strict=True)
        )
        return Plane(plane.axes, steps).index(box.shift(-here.top, -here.left))

    def around(self, plane: Plane, box: Box, shape: Sequence[int], old: bool) -> Window:
        """A window with room around a box of a plane, all other axes whole.

        Parameters
        ----------
        plane : Plane
        box : Box
            In image pixels, not empty.
        shape : sequence of int
            Of the image.
        old : bool
            Whether it covers this one as well.
        """
        start, stop = [0] * len(shape), list(shape)
        spans = ((box.top, box.bottom), (box.left, box.right))
        for axis, (first, last) in zip(plane.axes, spans, strict=True):
            room = min(max(STEP, (last - first) // 4), MOST_ROOM)
            first, last = first - room, last + room
            if old:
                first, last = min(first, self.start[axis]), max(last, self.stop[axis])
            start[axis] = max(0, first // STEP * STEP)
            stop[axis] = min(int(shape[axis]), -(-last // STEP) * STEP)
        return Window(tuple(start), tuple(stop))

    def common(self, other: Window) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Where the part that two windows share is in arrays of this one and of the other."""
        first = [max(a, b) for a, b in zip(self.start, other.start, strict=True)]
        last = [min(a, b) for a, b in zip(self.stop, other.stop, strict=True)]
        spans = [(a, max(a, b)) for a, b in zip(first, last, strict=True)]
        mine, theirs = (
            tuple(slice(a - s, b - s) for (a, b), s in zip(spans, window.start, strict=True))
            for window in (self, other)
        )
        return mine, theirs
