"""What is said about labels that cannot be written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..replacing import replacing

__all__ = ["ExportError", "writing"]


class ExportError(ValueError):
    """Labels that cannot be exported or read; the message says why and what next."""


@contextlib.contextmanager
def writing(path: str | os.PathLike[str], what: str) -> Iterator[Path]:
    """A temporary path whose file replaces `path` at the end; OSErrors become `ExportError`."""
    path = Path(path)
    if path.is_dir():
        raise ExportError(f"{path} is a folder and is not replaced. Choose another name.")

    def refuse(reason: str) -> ExportError:
        return ExportError(
            f"The {what} cannot be saved as {path}: {reason.rstrip('. ')}. What was there before "
            "is untouched: make room, or save it elsewhere."
        )

    with replacing(path, refuse) as unfinished:
        yield unfinished
