"""Checkpoints of a run: written whole or not at all, read as plain data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

__all__ = ["read_checkpoint", "write_checkpoint"]


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values; an interrupted write leaves the previous file as it was."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


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
