"""The log of a run: JSON lines always, TensorBoard when asked for."""

from __future__ import annotations

import json
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

    Raises
    ------
    ValueError
        If TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, tensorboard: bool = False) -> None:
        self._path = folder / "log.jsonl"
        self._writer = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise ValueError(
                    "TensorBoard is not installed. Install napari-clickseg[tensorboard], or leave "
                    "out --tensorboard: log.jsonl has the same numbers."
                ) from error
            self._writer = SummaryWriter(str(folder))

    def write(self, entry: dict[str, Any]) -> None:
        """Add an entry of plain numbers; ``total`` is the step they belong to."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        if self._writer is not None:
            for name, value in entry.items():
                self._writer.add_scalar(name, value, entry["total"])
            self._writer.flush()
