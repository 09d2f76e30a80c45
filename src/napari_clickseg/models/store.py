"""The folder of downloaded checkpoints, and how their files are verified.

The hash of each file is pinned when it first comes into the folder, in ``sha256.json`` beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from contextlib import suppress
from pathlib import Path

from ..cancel import Progress
from .header import CheckpointError
from .reading import CountedFile
from .signature import file_kind

__all__ = [
    "VARIABLE",
    "check_hash",
    "file_hash",
    "find_flaw",
    "forget",
    "models_folder",
    "pin",
    "pinned_hash",
    "size_range",
]

VARIABLE = "CLICKSEG_MODELS"
PINS = "sha256.json"
TOLERANCE = 0.04
"""Part by which a file may differ from its published size, which is rounded."""
MEBIBYTE_PER_MEGABYTE = 2**20 / 10**6


def models_folder() -> Path:
    """Where checkpoints of the zoo are kept: ``$CLICKSEG_MODELS``, else in the user's cache.

    It need not exist.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("napari-clickseg")).expanduser() / "models"


def file_hash(path: str | Path, progress: Progress | None = None) -> str:
    """SHA-256 of a file as 64 hexadecimal digits; `progress` is told how far it is, 0 to 1."""
    with CountedFile(path, progress) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_range(published: int) -> tuple[int, int]:
    """Smallest and largest number of bytes that a published size may stand for.

    Projects round, and some mean 2**20 bytes by MB: 4 % are allowed on either side of both.
    """
    return round(published * (1 - TOLERANCE)), round(
        published * MEBIBYTE_PER_MEGABYTE * (1 + TOLERANCE)
    )


def find_flaw(path: Path, published_size: int | None, sha256: str | None) -> str | None:
    """Why a file cannot be the published checkpoint, or None.

    Parameters
    ----------
    path : Path
    published_size : int or None
        Bytes as published; looked at only where no hash is known.
    sha256 : str or None
        The hash that the file must have.

    Returns
    -------
    str or None
        The end of a sentence that begins with the file: "has ...".
    """
    if sha256 is not None:
        found = file_hash(path)
        if found != sha256:
            return f"has the SHA-256 {found} where {sha256} is known"
        return None
    size = path.stat().st_size
    if published_size is not None:
        low, high = size_range(published_size)
        if not low <= size <= high:
            return (
                f"has {size / 1e6:.4g} MB where about {published_size / 1e6:.4g} MB are published "
                f"(rounded; {TOLERANCE:.0%} more or less are allowed)"
            )
    with path.open("rb") as file:
        start = file.read(64).lstrip()
    if start.startswith(b"<"):
        return "is a web page, not a checkpoint"
    try:
        file_kind(path)
    except CheckpointError:
        return "is no checkpoint"
    if start.startswith(b"PK") and not zipfile.is_zipfile(path):
        return "was cut off: its end is missing"
    return None


# ------------------------------------------------------------------ pinned hashes
def pinned_hash(file: str) -> str | None:
    """The hash pinned for a file of the folder.

    Raises
    ------
    CheckpointError
        If the list of hashes is damaged.
    """
    return _pins().get(file)


def pin(file: str, sha256: str) -> None:
    """Pin the hash of a file of the folder; one that is pinned already stays."""
    pins = _pins()
    if pins.setdefault(file, sha256) == sha256:
        _write(pins)


def forget(file: str) -> None:
    """Take back what `pin` did."""
    pins = _pins()
    if pins.pop(file, None) is not None:
        _write(pins)


def check_hash(path: Path, expected: str | None, progress: Progress | None = None) -> None:
    """Compare a file of the folder with its published or pinned hash, if it has one.

    Raises
    ------
    CheckpointError
        If the file has changed since.
    """
    if expected is not None and file_hash(path, progress) != expected:
        raise CheckpointError(
            f"{path} is not the file that was first downloaded: its SHA-256 is not "
            f"{expected[:16]}... Remove it with 'clickseg-models remove {path.stem}' and get it "
            "again; add --forget-hash if you replaced it yourself."
        )


def _pins() -> dict[str, str]:
    path = models_folder() / PINS
    try:
        pins = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The list of pinned hashes {path} cannot be read ({error}). "
            "Restore it, or delete it to pin anew."
        ) from error
    if not isinstance(pins, dict) or not all(isinstance(value, str) for value in pins.values()):
        raise CheckpointError(
            f"{path} is no list of pinned hashes. Restore it, or delete it to pin anew."
        )
    return pins


def _write(pins: dict[str, str]) -> None:
    path = models_folder() / PINS
    part = path.with_name(f"{PINS}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(pins, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
