"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["replacing"]

ABANDONED = 86_400
"""Seconds after which what was made and never came into its place belongs to a killed process."""


@contextlib.contextmanager
def replacing(path: Path, refuse: Callable[[str], Exception]) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was made there replaces `path` at the end.

    If anything is raised, what was made is deleted and `path` stays as it was.

    Parameters
    ----------
    path : Path
        A file or a folder; a symbolic link is followed.
    refuse : callable
        Makes the exception for a reason such as "No space left on device".

    Yields
    ------
    Path
        In the same folder; nothing is there yet.

    Raises
    ------
    Exception
        What `refuse` makes, for every OSError.
    """
    target = Path(os.path.realpath(path))
    made = target.with_name(f".{target.name[:80]}.{uuid.uuid4().hex[:12]}.part")
    _sweep(target)
    try:
        yield made
        if made.is_dir():
            _replace_folder(made, target)
        else:
            if target.exists():
                shutil.copymode(target, made)
            with made.open("rb") as file:
                os.fsync(file.fileno())
            made.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise refuse(error.strerror or str(error)) from error
    finally:
        _remove(made)


def _replace_folder(made: Path, target: Path) -> None:
    """Put a folder in the place of another one, or of nothing."""
    old = made.with_suffix(".old")
    if target.exists():
        target.rename(old)
    try:
        made.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    _remove(old)


def _sweep(target: Path) -> None:
    """Delete what processes left beside a path that were killed while they wrote it."""
    for left in target.parent.glob(f".{glob.escape(target.name[:80])}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                _remove(left)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename last, where the system lets folders be synchronised."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
