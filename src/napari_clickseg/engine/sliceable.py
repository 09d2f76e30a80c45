"""What makes a map that is kept in parts look like an array."""

from __future__ import annotations

from types import EllipsisType

import numpy as np

from ..geometry import Box

__all__ = ["Sliceable"]


class Sliceable:
    """The face of an array: ``shape``, ``dtype``, slices and ``np.asarray``."""

    shape: tuple[int, int]
    dtype: np.dtype
    ndim = 2

    def _gather(self, rows: range, cols: range) -> np.ndarray:
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, box: Box, step: int = 1) -> np.ndarray:
        """The pixels of a box, or every `step`-th of them, as a new dense array."""
        box = box.clip(self.shape)
        return self._gather(range(box.top, box.bottom, step), range(box.left, box.right, step))

    def __getitem__(self, index: object) -> np.ndarray:
        (rows, cols), dropped = _ranges(index, self.shape)
        flips = tuple(slice(None, None, -1) if r.step < 0 else slice(None) for r in (rows, cols))
        rows, cols = (r[::-1] if r.step < 0 else r for r in (rows, cols))
        return np.squeeze(self._gather(rows, cols)[flips], axis=tuple(dropped))[()]

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("A map kept as tiles becomes an array only by copying it.")
        return self._gather(range(self.shape[0]), range(self.shape[1])).astype(
            dtype or self.dtype, copy=False
        )


def _ranges(index: object, shape: tuple[int, int]) -> tuple[list[range], list[int]]:
    """Rows and columns that an index names, and the axes that it drops."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(isinstance(part, EllipsisType) for part in parts):
        at = next(i for i, part in enumerate(parts) if isinstance(part, EllipsisType))
        parts[at : at + 1] = [slice(None)] * (3 - len(parts))
    parts += [slice(None)] * (2 - len(parts))
    if len(parts) != 2:
        raise IndexError(f"A map of 2 axes was indexed with {len(parts)}. Give rows and columns.")
    ranges, dropped = [], []
    for axis, (part, length) in enumerate(zip(parts, shape, strict=True)):
        if isinstance(part, slice):
            ranges.append(range(*part.indices(length)))
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            if not -length <= part < length:
                raise IndexError(f"Index {part} is outside axis {axis} of length {length}.")
            start = int(part) % length
            ranges.append(range(start, start + 1))
            dropped.append(axis)
        else:
            raise IndexError(
                "This map is kept as tiles and takes integers and slices only. Read it with "
                "np.asarray(...) first if it fits into memory."
            )
    return ranges, dropped
