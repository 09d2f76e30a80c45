"""What is said about labels that cannot be written, and files that cannot be read."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..replacing import replacing

__all__ = ["ExportError", "read_json", "writing"]


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


def read_json(path: str | os.PathLike[str]) -> Any:
    """What a JSON file holds; `ExportError` if it is missing or damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(
            f"{path} cannot be opened: {error.strerror or error}. Check the path, and that you may "
            "read it."
        ) from error
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ExportError(f"{path} is no JSON, or damaged: {reason}. Choose another.") from error
