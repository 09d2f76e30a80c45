"""How much of a model's file has been read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ..cancel import Progress

__all__ = ["CountedFile"]


class CountedFile(io.BufferedReader):
    """A file that tells which part of it was read.

    Parameters
    ----------
    path : str or Path
    progress : callable or None
        ``progress(part)``, 0 to 1; what is read twice counts twice, up to 1.
    """

    def __init__(self, path: str | Path, progress: Progress | None = None) -> None:
        super().__init__(io.FileIO(path))
        self._size = max(1, Path(path).stat().st_size)
        self._progress, self._count = progress, 0

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
        if self._progress is not None:
            self._progress(min(1.0, self._count / self._size))
