"""Checkpoints of a run: written whole or not at all, read as plain data."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

__all__ = ["not_written", "read_checkpoint", "write_checkpoint"]


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values; an interrupted write leaves the previous file as it was.

    Raises
    ------
    ValueError
        If the disk is full or the folder cannot be written.
    """
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, RuntimeError) as error:  # torch's own writer raises the latter
        raise not_written(path, part, error) from error


def not_written(path: Path, part: Path | None, error: Exception) -> ValueError:
    """What to raise where a file of a run cannot be written; the unfinished part is removed."""
    if part is not None:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    why = getattr(error, "strerror", None) or "it ends too early, as on a full disk"
    return ValueError(
        f"{path} cannot be written: {why}. Make room or choose another disk, then go on with "
        "--resume, or begin again if there is no checkpoint yet."
    )


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `write_checkpoint` wrote.

    Raises
    ------
    ValueError
        If the file is not a checkpoint of this trainer.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several unrelated kinds for broken files
        raise ValueError(
            f"{path} cannot be read as a training checkpoint: {error}. "
            "Start a new run in another folder."
        ) from error
    if not isinstance(state, dict) or "optimizer" not in state:
        raise ValueError(f"{path} is no training checkpoint. Start a new run in another folder.")
    return state
