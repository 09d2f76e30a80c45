"""The log of a run: JSON lines always, TensorBoard when asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["RunLog"]


class RunLog:
    """Writes one entry at a time.

    Parameters
    ----------
    folder : Path
        Gets ``log.jsonl`` and, if asked for, TensorBoard's event files.
    tensorboard : bool
        Write the numbers for TensorBoard too.
    events : str
        Folder of the event files inside `folder`.

    Raises
    ------
    ValueError
        If TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, tensorboard: bool = False, events: str = "") -> None:
        self._path = folder / "log.jsonl"
        self._events = folder / events
        self._make = None
        self._writer = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise ValueError(
                    "TensorBoard is not installed. Install napari-clickseg[tensorboard], or leave "
                    "out --tensorboard: log.jsonl has the same numbers."
                ) from error
            self._make = SummaryWriter

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._path.stat().st_size if self._path.exists() else 0

    def cut(self, size: int, total: int) -> None:
        """Forget what was written after `size` bytes, from step `total` on."""
        if self.size > size:
            os.truncate(self._path, size)
        if self._make is not None:
            self._writer = self._make(str(self._events), purge_step=total)

    def write(self, entry: Mapping[str, Any], tags: Mapping[str, float] | None = None) -> None:
        """Add an entry of plain values; ``total`` is the step they belong to.

        TensorBoard gets the numbers of `tags`, or else those of the entry.

        Raises
        ------
        OSError
            If the disk is full; no part of the entry is left.
        """
        before = self.size
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError:
            with suppress(OSError):
                os.truncate(self._path, before)
            raise
        if self._make is not None:
            if self._writer is None:
                self._writer = self._make(str(self._events))
            for name, value in (entry if tags is None else tags).items():
                self._writer.add_scalar(name, value, entry["total"])
            self._writer.flush()
