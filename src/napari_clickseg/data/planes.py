"""One plane of an image with more axes than two: which axes are what, and which index to take."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import ImageError, StackError

__all__ = ["Plane", "PlaneArray", "PlaneIndex", "guess_axes"]

Plane = int | Sequence[int] | None
SAMPLES = ("s", "sample", "samples", "rgb", "rgba")
CHANNELS = ("c", "ch", "channel", "channels", "band", "bands")


def guess_axes(shape: Sequence[int]) -> list[str]:
    """Axes of an array that does not name them: colours last if there are 3 or 4 of them."""
    names = ["y", "x", "s"] if len(shape) >= 3 and shape[-1] in (3, 4) else ["y", "x"]
    return [f"axis {i}" for i in range(len(shape) - len(names))] + names[-len(shape) :]


@dataclass(frozen=True)
class PlaneIndex:
    """Where one plane lies in an array of more axes.

    Attributes
    ----------
    lengths : tuple of int
        Shape of the array at full resolution.
    rows, cols : int
        The axes of rows and of columns.
    colours : int or None
        The axis that becomes the last one of ``(H, W, C)``.
    picked : dict of int to int
        The index taken along each other axis.
    """

    lengths: tuple[int, ...]
    rows: int
    cols: int
    colours: int | None
    picked: dict[int, int]

    @classmethod
    def choose(
        cls, names: Sequence[str], lengths: Sequence[int], plane: Plane, what: str
    ) -> PlaneIndex:
        """Find the plane that is meant.

        Samples (3 or 4) and a channel axis of 3 are colours. All other axes longer than 1, in the
        order of the file, need an index each; with one index more, it chooses the channel too.

        Parameters
        ----------
        names : sequence of str
            ``y``, ``x``, ``s`` (samples of a pixel), ``c`` (channel), or anything else; case does
            not matter.
        lengths : sequence of int
        plane : int, sequence of int, or None
        what : str
            The image, for messages.

        Raises
        ------
        ImageError
            If the image has no rows and columns, or `plane` does not name one plane of it.
        """
        names = [str(name).lower() for name in names]
        lengths = tuple(int(length) for length in lengths)
        if names.count("y") != 1 or names.count("x") != 1 or len(names) != len(lengths):
            raise ImageError(
                f"{what} has the axes {', '.join(names) or 'none'} and shape {lengths}; one 'y' "
                "and one 'x' are needed. Save it as an image."
            )
        rows, cols = names.index("y"), names.index("x")
        free = [i for i, n in enumerate(lengths) if i not in (rows, cols) and n != 1]
        colours = _colours(names, lengths, free)
        grey = [i for i in free if names[i] in SAMPLES and lengths[i] == 2]  # grey with alpha
        stack = [i for i in free if i != colours and i not in grey]
        given = _indices(plane)
        if len(given) == len(stack) + 1 and colours is not None and names[colours] in CHANNELS:
            stack, colours = sorted([*stack, colours]), None
        sizes = ", ".join(f"{names[i]} of {lengths[i]}" for i in stack)
        if len(given) != len(stack):
            zeros = f"({', '.join('0' * len(stack))}{',' * (len(stack) == 1)})"
            if stack:
                raise StackError(
                    f"{what} is a stack ({sizes})",
                    f"Open one plane of it with an index for each of these axes, such as "
                    f"plane={zeros}.",
                    tuple((names[i], lengths[i]) for i in stack),
                )
            raise ImageError(
                f"{what} is a single plane, so plane={tuple(given)} names nothing in it. "
                "Leave plane out."
            )
        for axis, index in zip(stack, given, strict=True):
            if not 0 <= index < lengths[axis]:
                raise ImageError(
                    f"{what} has {lengths[axis]} planes along {names[axis]}; there is no number "
                    f"{index}. Give 0 to {lengths[axis] - 1}."
                )
        picked = {i: 0 for i in range(len(lengths)) if i not in (rows, cols, colours)}
        return cls(lengths, rows, cols, colours, {**picked, **dict(zip(stack, given, strict=True))})

    def index(self, shape: Sequence[int], rows: slice, cols: slice) -> tuple[int | slice, ...]:
        """What to slice out of the array, or of one with coarser axes (a level)."""
        parts: list[int | slice] = [slice(None)] * len(self.lengths)
        parts[self.rows], parts[self.cols] = rows, cols
        for axis, at in self.picked.items():
            parts[axis] = min(at * int(shape[axis]) // self.lengths[axis], int(shape[axis]) - 1)
        return tuple(parts)

    def arrange(self, piece: np.ndarray) -> np.ndarray:
        """A piece that `index` sliced out, as ``(h, w)`` or ``(h, w, C)``."""
        kept = sorted(a for a in (self.rows, self.cols, self.colours) if a is not None)
        order = [self.rows, self.cols, *([] if self.colours is None else [self.colours])]
        return piece.transpose([kept.index(axis) for axis in order])


class PlaneArray:
    """One plane of an array, sliced like an array ``(H, W)`` or ``(H, W, C)`` itself."""

    def __init__(self, array: Any, index: PlaneIndex) -> None:
        self._array, self._index = array, index
        axes = (index.rows, index.cols, index.colours)
        self.shape = tuple(int(array.shape[axis]) for axis in axes if axis is not None)
        self.dtype = np.dtype(array.dtype)

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        piece = self._array[self._index.index(self._array.shape, *box)]
        return self._index.arrange(np.asanyarray(piece))


def _indices(plane: Plane) -> list[int]:
    try:
        return [operator.index(i) for i in ([plane] if isinstance(plane, int) else plane or ())]
    except TypeError:
        raise ImageError(
            f"plane={plane!r} is not a whole number for each axis of the stack. Give such as "
            "plane=(0, 3)."
        ) from None


def _colours(names: Sequence[str], lengths: Sequence[int], free: Sequence[int]) -> int | None:
    """The axis of colours: samples before channels."""
    for axis in free:
        if names[axis] in SAMPLES and lengths[axis] in (3, 4):
            return axis
    for axis in free:
        if names[axis] in CHANNELS and lengths[axis] == 3:
            return axis
    return None
