"""How far a long command is, in a small file that another program may look at."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["FarSoFar", "ProgressFile", "forget_progress", "read_progress"]

NAME = "progress.json"
SECONDS_BETWEEN = 1.0


@dataclass(frozen=True)
class FarSoFar:
    """How far a command is.

    Attributes
    ----------
    done, total : int
        Steps, images or whatever it counts.
    left : float or None
        Seconds that it will still take; None if that is not known yet.
    words : str
        What it does.
    """

    done: int
    total: int
    left: float | None = None
    words: str = ""


class ProgressFile:
    """Writes ``progress.json`` once a second at most, and at the end.

    A disk that is full is no reason to stop: then the file stays as it was.

    Parameters
    ----------
    folder : Path or None
        None writes nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / NAME
        self._written: float | None = None

    def write(self, far: FarSoFar) -> None:
        """Say how far it is."""
        now = time.monotonic()
        soon = self._written is not None and now - self._written < SECONDS_BETWEEN
        if self._path is None or soon and far.done < far.total:
            return
        self._written = now
        part = self._path.with_suffix(".part")
        with contextlib.suppress(OSError):
            part.write_text(json.dumps(asdict(far)), encoding="utf-8")
            part.replace(self._path)


def forget_progress(folder: Path) -> None:
    """Remove what an earlier command left.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    (folder / NAME).unlink(missing_ok=True)


def read_progress(folder: Path) -> FarSoFar | None:
    """What a command said last; None if it said nothing."""
    try:
        return FarSoFar(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
