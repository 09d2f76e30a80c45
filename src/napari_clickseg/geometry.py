"""Boxes and the mapping between an image and a resized view of a part of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Box", "bounding_box"]


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open rectangle: rows ``top`` to ``bottom - 1``, columns ``left`` to ``right - 1``.

    Raises
    ------
    ValueError
        If a side is no finite number.
    """

    top: int
    left: int
    bottom: int
    right: int

    def __post_init__(self) -> None:
        if type(self.top) is type(self.left) is type(self.bottom) is type(self.right) is int:
            return
        for name in ("top", "left", "bottom", "right"):
            side = getattr(self, name)
            try:
                object.__setattr__(self, name, int(side))
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(
                    f"A box cannot have {side!r:.40} as its {name}. Give whole numbers of pixels."
                ) from error

    @classmethod
    def of_shape(cls, shape: tuple[int, ...]) -> Box:
        """The box of a whole image of ``(height, width, ...)``."""
        return cls(0, 0, shape[0], shape[1])

    @property
    def height(self) -> int:
        """Number of rows, never negative."""
        return max(0, self.bottom - self.top)

    @property
    def width(self) -> int:
        """Number of columns, never negative."""
        return max(0, self.right - self.left)

    @property
    def shape(self) -> tuple[int, int]:
        """``(height, width)``."""
        return self.height, self.width

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    @property
    def empty(self) -> bool:
        """True if the box holds no pixel."""
        return self.area == 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices, to index an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def contains(self, row: float, col: float) -> bool:
        """Whether the pixel that holds ``(row, col)`` lies in the box."""
        return (
            self.top - 0.5 <= row < self.bottom - 0.5 and self.left - 0.5 <= col < self.right - 0.5
        )

    def intersect(self, other: Box) -> Box:
        """The common part; empty boxes may come out with ``bottom < top``: ask ``empty``."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def union(self, other: Box) -> Box:
        """The smallest box that holds both; an empty box adds nothing."""
        if other.empty:
            return self
        if self.empty:
            return other
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def clip(self, shape: tuple[int, ...]) -> Box:
        """The part inside an image of ``(height, width, ...)``."""
        return self.intersect(Box.of_shape(shape))

    def shift(self, rows: int, cols: int) -> Box:
        """The box moved by whole pixels."""
        return Box(self.top + rows, self.left + cols, self.bottom + rows, self.right + cols)


def bounding_box(mask: np.ndarray) -> Box | None:
    """Smallest box around the true pixels.

    Parameters
    ----------
    mask : (H, W) array
        Anything whose non-zero pixels count.

    Returns
    -------
    Box or None
        None if no pixel is set.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    cols = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return Box(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
