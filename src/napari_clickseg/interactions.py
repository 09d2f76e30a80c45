"""What a user may say about an object: clicks, strokes, contours and boxes.

All are immutable values in image pixels. The pixel in row ``r`` and column ``c`` has its centre at
``(r, c)`` and covers ``r - 0.5 <= row < r + 0.5``; this is napari's convention too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from .geometry import Box

Point = tuple[float, float]

__all__ = ["BoxPrompt", "Click", "Contour", "Interaction", "Stroke"]


def _finite(row: float, col: float) -> Point:
    try:
        place = float(row), float(col)
    except (TypeError, ValueError, OverflowError):
        place = math.nan, math.nan
    if not all(map(math.isfinite, place)):
        raise ValueError(
            f"A click at ({row!r:.40}, {col!r:.40}) has no place in the image. "
            "Give finite row and column numbers."
        )
    return place


def _points(points: Iterable[tuple[float, float]], least: int, what: str) -> tuple[Point, ...]:
    try:
        pairs = [(row, col) for row, col in points]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"A {what} is a sequence of (row, col) points, not {points!r:.80}. Give such pairs."
        ) from error
    checked = tuple(_finite(row, col) for row, col in pairs)
    if len(checked) < least:
        raise ValueError(
            f"A {what} needs at least {least} points and got {len(checked)}. Draw it longer."
        )
    return checked


@dataclass(frozen=True, slots=True)
class Click:
    """One click.

    Parameters
    ----------
    row, col : float
        Position in image pixels; finite.
    positive : bool
        True for "this belongs to the object", False for background.

    Raises
    ------
    ValueError
        If a coordinate is NaN or infinite.
    """

    kind: ClassVar[str] = "click"
    row: float
    col: float
    positive: bool = True

    def __post_init__(self) -> None:
        row, col = _finite(self.row, self.col)
        object.__setattr__(self, "row", row)
        object.__setattr__(self, "col", col)
        object.__setattr__(self, "positive", bool(self.positive))

    @property
    def pixel(self) -> tuple[int, int]:
        """Row and column of the pixel that holds the click."""
        return math.floor(self.row + 0.5), math.floor(self.col + 0.5)

    @property
    def points(self) -> tuple[Point, ...]:
        """The click as a sequence of one point, as strokes and contours have theirs."""
        return ((self.row, self.col),)


@dataclass(frozen=True, slots=True)
class Stroke:
    """An open line drawn along the object (positive) or the background.

    ``points`` are ``(row, col)`` pairs in image pixels, two or more.
    """

    kind: ClassVar[str] = "stroke"
    points: tuple[Point, ...]
    positive: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _points(self.points, 2, "stroke"))
        object.__setattr__(self, "positive", bool(self.positive))


@dataclass(frozen=True, slots=True)
class Contour:
    """A closed line around a part of the object (positive) or of the background.

    ``points`` are ``(row, col)`` pairs in image pixels, three or more; the last joins the first.
    """

    kind: ClassVar[str] = "contour"
    points: tuple[Point, ...]
    positive: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _points(self.points, 3, "contour"))
        object.__setattr__(self, "positive", bool(self.positive))


@dataclass(frozen=True, slots=True)
class BoxPrompt:
    """A box around the object, half-open, in image pixels."""

    kind: ClassVar[str] = "box"
    box: Box

    def __post_init__(self) -> None:
        if not isinstance(self.box, Box):
            raise ValueError(f"{self.box!r:.80} is no Box. Give Box(top, left, bottom, right).")

    @property
    def positive(self) -> bool:
        """A box always shows the object."""
        return True

    @property
    def points(self) -> tuple[Point, ...]:
        """Two opposite corner pixels."""
        b = self.box
        return ((float(b.top), float(b.left)), (float(b.bottom - 1), float(b.right - 1)))


Interaction = Click | Stroke | Contour | BoxPrompt
