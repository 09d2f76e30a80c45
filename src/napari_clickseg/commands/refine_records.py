"""What is written beside refined masks: from what they were made, to go on where a run ended."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.replacing import replacing
from ..models.store import file_hash
from .refine_matching import Files

if TYPE_CHECKING:
    from ..engine.refine_labels import ObjectChange
    from .refine_files import RefineOptions

__all__ = [
    "RECORDS",
    "changes_in",
    "check_ours",
    "made_from",
    "noted",
    "read_record",
    "write_record",
]

RECORDS = ".clickseg-refine"


def made_from(files: Files, options: RefineOptions) -> dict[str, Any]:
    """What a result depends on, to tell whether it is still right."""
    made: dict[str, Any] = {
        "model": _model_hash(options.model),
        "profile": options.profile,
        "mask": _hash(files.mask),
    }
    if options.cleaning:
        made["cleaning"] = dict(options.cleaning)
    about = files.image.stat()
    made["image"] = [files.image.name, about.st_size, about.st_mtime_ns]
    for key in ("clicks", "corrected"):
        path = getattr(files, key)
        made[key] = None if path is None else _hash(path)
    return made


def _hash(path: Path) -> str:
    """SHA-256 of a file; of a folder, that of the names and hashes of what is in it."""
    if not path.is_dir():
        return file_hash(path)
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(path).as_posix()} {file_hash(file)}" for file in inside]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@lru_cache(maxsize=4)
def _model_hash(name: str) -> str:
    from ..models.zoo import find_model

    return file_hash(find_model(name))


def read_record(path: Path) -> dict[str, Any] | None:
    """What is known of a mask that was made here; None if nothing is."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(value, dict) and {"from", "sha256", "changes"} <= set(value)
    return value if known else None


def write_record(path: Path, about: dict[str, Any]) -> None:
    """Write down what is known of a mask."""
    with replacing(path, _refuse(path)) as unfinished:
        unfinished.write_text(json.dumps(about), encoding="utf-8")


def check_ours(out: Path, record: dict[str, Any] | None) -> None:
    """Raise ValueError if a mask was not written here, or was changed since."""
    if record is not None and record["sha256"] in (None, file_hash(out)):
        return
    why = "was not made here" if record is None else "was changed since it was made"
    raise ValueError(
        f"{out} {why}, so it is not replaced. Move it away, or give another folder for the output."
    )


def _refuse(path: Path) -> Callable[[str], Exception]:
    return lambda reason: OSError(f"{path} cannot be written: {reason.rstrip('. ')}. Make room.")


def noted(changes: Iterable[ObjectChange]) -> list[dict[str, Any]]:
    """What became of objects, for a record."""
    return [dataclasses.asdict(change) for change in changes]


def changes_in(about: dict[str, Any]) -> tuple[ObjectChange, ...]:
    """What a record says about objects."""
    from ..engine.refine_labels import ObjectChange

    return tuple(
        ObjectChange(**{**change, "plane": tuple(change.get("plane", ()))})
        for change in about["changes"]
    )
