"""What the user opened and folded, kept from one session to the next."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..data.journal import journal_folder
from ..data.replacing import replacing

__all__ = [
    "remember_model",
    "remember_open",
    "remember_run",
    "remembered_models",
    "remembered_open",
    "remembered_runs",
]

MODELS, RUNS, SECTIONS = "opened-models.json", "runs.json", "sections.json"
MOST = {MODELS: 12, RUNS: 50}


def remembered_models() -> list[Path]:
    """Files opened before that still exist, the last one first; none if nothing can be read."""
    return _remembered(MODELS, Path.is_file)


def remember_model(path: Path) -> None:
    """Keep a file as the last one opened; a disk that cannot be written is no reason to stop."""
    _remember(MODELS, path)


def remembered_runs() -> list[Path]:
    """Folders of runs started before that still exist, the last one first."""
    return _remembered(RUNS, Path.is_dir)


def remember_run(folder: Path) -> None:
    """Keep a folder as that of the last run; a disk that is full is no reason to stop."""
    _remember(RUNS, folder)


def remembered_open() -> dict[str, bool]:
    """Sections of the dock that the user opened (true) or folded."""
    try:
        known = json.loads(_file(SECTIONS).read_text(encoding="utf-8"))
        return {str(name): bool(is_open) for name, is_open in known.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def remember_open(name: str, is_open: bool) -> None:
    """Keep that a section was opened or folded."""
    _write(SECTIONS, {**remembered_open(), name: is_open})


def _file(name: str) -> Path:
    return journal_folder().parent / name


def _remembered(name: str, exists: Callable[[Path], bool]) -> list[Path]:
    try:
        paths = json.loads(_file(name).read_text(encoding="utf-8"))
        known = [Path(path) for path in paths]
    except (OSError, ValueError, TypeError):
        return []
    return [path for path in known if exists(path)]


def _remember(name: str, path: Path) -> None:
    known = [path, *(other for other in _remembered(name, Path.exists) if other != path)]
    _write(name, [str(p) for p in known[: MOST[name]]])


def _write(name: str, value: Any) -> None:
    with contextlib.suppress(OSError):
        _file(name).parent.mkdir(parents=True, exist_ok=True)
        with replacing(_file(name), OSError) as unfinished:
            unfinished.write_text(json.dumps(value), encoding="utf-8")
