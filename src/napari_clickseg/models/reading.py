"""How much of a model's file has been read."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["CountedFile", "Share", "part_of"]

Share = Callable[[float], None] | None
"""Is told which part of the work is done, 0 to 1."""


class CountedFile(io.BufferedReader):
    """A file that tells which part of it was read.

    Parameters
    ----------
    path : str or Path
    share : callable or None
        ``share(part)``, 0 to 1; what is read twice counts twice, up to 1.
    """

    def __init__(self, path: str | Path, share: Share = None) -> None:
        super().__init__(io.FileIO(path))
        self._size = max(1, Path(path).stat().st_size)
        self._share, self._count = share, 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file."""
        data = super().read(size)
        self._tell(len(data))
        return data

    def readinto(self, buffer: Any, /) -> int:
        """As of any file."""
        count = super().readinto(buffer)
        self._tell(count)
        return count

    def _tell(self, count: int) -> None:
        self._count += count
        if self._share is not None:
            self._share(min(1.0, self._count / self._size))


def part_of(share: Share, first: float, last: float) -> Share:
    """What is told of the whole as one of its parts goes from 0 to 1."""
    if share is None:
        return None
    return lambda done: share(first + (last - first) * done)
