"""What a run writes into its folder, and what becomes of it when the disk is full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..models.base import ClickModel
from ..models.checkpoint import write_model
from .checkpoint import not_written, write_checkpoint
from .log import RunLog
from .pictures import save_picture
from .run_folder import RunFolder

__all__ = ["RunWriter"]


class RunWriter:
    """Writes log, pictures, weights and checkpoints of a run.

    Log and pictures may fail: that is said once and the run goes on. Weights and checkpoints may
    not: the run stops, and what was written before stays whole.

    Parameters
    ----------
    folder : RunFolder
    say : callable
        Gets a line of text.
    tensorboard : bool
        Log for TensorBoard as well.
    leads : bool
        Of several processes only one writes.

    Raises
    ------
    ValueError
        If TensorBoard is asked for and not installed.
    """

    def __init__(
        self,
        folder: RunFolder,
        say: Callable[[str], None] = print,
        tensorboard: bool = False,
        leads: bool = True,
    ) -> None:
        self.folder, self._say, self._leads = folder, say, leads
        self._log = RunLog(folder.path, tensorboard, "logs") if leads else None
        self._told: set[str] = set()

    def prepare(self, recipe: Mapping[str, Any]) -> None:
        """Make the folder, with the recipe in it."""
        if self._leads:
            self.folder.prepare(recipe)

    def tell(self, words: str) -> None:
        """Say something once."""
        if words not in self._told:
            self._told.add(words)
            self._say(words)

    def tell_broken(self, broken: Iterable[str]) -> None:
        """Name what could not be read."""
        for words in broken:
            self.tell(f"Skipped {words}")

    @property
    def log_size(self) -> int:
        """Bytes of the log so far."""
        return 0 if self._log is None else self._log.size

    def go_on(self, log_size: int, total: int) -> None:
        """Forget what was logged after a checkpoint at gradient step `total`."""
        if self._log is not None:
            self._log.cut(log_size, total)

    def log(self, entry: Mapping[str, Any], tags: Mapping[str, float]) -> None:
        """Write an entry; see `RunLog.write`."""
        if self._log is not None:
            try:
                self._log.write(entry, tags)
            except OSError as error:
                self.tell(f"The log cannot be written: {error}. Training goes on without it.")

    def picture(self, shown: np.ndarray, total: int) -> None:
        """Save an (H, W, 3) uint8 picture of gradient step `total`."""
        if self._leads:
            try:
                save_picture(shown, self.folder.picture(total))
            except OSError as error:
                self.tell(f"Pictures cannot be saved: {error}. Training goes on without them.")

    def model(self, model: ClickModel, path: Path, card: Mapping[str, Any]) -> None:
        """Write a model file.

        Raises
        ------
        ValueError
            If it cannot be written.
        """
        part = path.with_suffix(".part")
        try:
            write_model(model, part, card)
            part.replace(path)
        except Exception as error:  # safetensors has its own kinds for a full disk
            raise not_written(path, part, error) from error

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Write the checkpoint.

        Raises
        ------
        ValueError
            If it cannot be written; the one before stays.
        """
        write_checkpoint(self.folder.last, state)
