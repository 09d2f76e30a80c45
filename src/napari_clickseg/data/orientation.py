"""The Orientation tag of EXIF and TIFF: pictures that were kept turned or mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ORIENTATION", "Turn", "stored_part", "turn_of", "turned", "upright"]

ORIENTATION = 0x0112  # the tag's number
Turn = tuple[bool, bool, bool]
# 1-8: rows and columns swapped, then rows, columns turned round
TURNS: dict[int, Turn] = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def turn_of(code: object) -> Turn:
    """What a tag's value asks for; nothing where it is none of 1 to 8."""
    return TURNS.get(code if isinstance(code, int) else 1, TURNS[1])


def upright(pixels: np.ndarray, turn: Turn) -> np.ndarray:
    """A view of stored pixels ``(h, w)`` or ``(h, w, C)`` as they are to be seen."""
    swap, *flips = turn
    pixels = pixels.swapaxes(0, 1) if swap else pixels
    return pixels[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]


def stored_part(
    box: tuple[slice, slice], shape: tuple[int, ...], turn: Turn
) -> tuple[slice, slice]:
    """Where the rows and columns of an upright picture of some shape are stored."""
    swap, *flips = turn
    spans = []
    for part, length, flip in zip(box, shape[:2], flips, strict=True):
        start, stop, _ = part.indices(length)
        spans.append(slice(length - stop, length - start) if flip else slice(start, stop))
    return (spans[1], spans[0]) if swap else (spans[0], spans[1])


class _Turned:
    """An array that is read in parts, upright."""

    def __init__(self, array: Any, turn: Turn) -> None:
        height, width = array.shape[:2]
        self._array, self._turn, self.dtype = array, turn, np.dtype(array.dtype)
        self.shape = (*((width, height) if turn[0] else (height, width)), *array.shape[2:])

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        stored = self._array[stored_part(box, self.shape, self._turn)]
        return upright(np.asarray(stored), self._turn)


def turned(array: Any, turn: Turn) -> Any:
    """An array, or whatever is sliced like one, as it is to be seen."""
    if turn == TURNS[1]:
        return array
    return upright(array, turn) if isinstance(array, np.ndarray) else _Turned(array, turn)
