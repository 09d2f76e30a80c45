"""A line that says how far a run is and how long it will still take."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TextIO

from ..data.progress_file import FarSoFar, ProgressFile

__all__ = ["Progress"]

BAR = 24  # characters
QUIET = 30.0  # seconds between lines where the line cannot be written over


class Progress:
    """Writes to a terminal over and over the same line, elsewhere a line now and then.

    Parameters
    ----------
    total : int
        Steps of the run.
    done : int
        Steps that were done before.
    stream : text file, optional
        stderr by default.
    folder : Path, optional
        Gets a `ProgressFile`.
    """

    def __init__(
        self,
        total: int,
        done: int = 0,
        stream: TextIO | None = None,
        folder: Path | None = None,
    ) -> None:
        self._file = ProgressFile(folder)
        self.total, self._first = total, done
        self._stream = sys.stderr if stream is None else stream
        self._start = self._shown = time.monotonic()
        self._width = 0

    def show(self, done: int, words: str) -> None:
        """Say that `done` steps are done."""
        now = time.monotonic()
        here = max(1, done - self._first)
        left = (self.total - done) * (now - self._start) / here
        self._file.write(FarSoFar(done, self.total, round(left, 1), words))
        live = self._stream.isatty()
        if now - self._shown < (0.2 if live else QUIET) and done < self.total:
            return
        self._shown = now
        filled = BAR * done // max(1, self.total)
        line = f"[{'#' * filled}{'.' * (BAR - filled)}] {done}/{self.total}  {words}  "
        line += f"{duration(left)} left" if done < self.total else "done"
        pad = " " * max(0, self._width - len(line))
        self._width = len(line)
        end = "\r" if live and done < self.total else "\n"
        self._stream.write(line + pad + end)
        self._stream.flush()

    def clear(self) -> None:
        """Make room for another line."""
        if self._stream.isatty() and self._width:
            self._stream.write(" " * self._width + "\r")
            self._stream.flush()


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, such as ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
