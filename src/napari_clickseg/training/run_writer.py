"""What a run writes into its folder, and what becomes of it when the disk is full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..models.base import ClickModel
from ..models.checkpoint import write_model
from .checkpoint import not_written
from .log import RunLog

__all__ = ["RunWriter"]


class RunWriter:
    """Writes log, pictures, weights and checkpoints of a run.

    Log and pictures may fail: that is said once and the run goes on. Weights and checkpoints may
    not: the run stops, and what was written before stays whole.

    Parameters
    ----------
    folder : Path
        Gets ``log.jsonl``.
    say : callable
        Gets a line of text.
    tensorboard : bool
        Log for TensorBoard as well.
    events : str
        Folder of TensorBoard's files inside `folder`.
    leads : bool
        Of several processes only one writes.

    Raises
    ------
    ValueError
        If TensorBoard is asked for and not installed.
    """

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None] = print,
        tensorboard: bool = False,
        events: str = "",
        leads: bool = True,
    ) -> None:
        self.folder, self._say, self._leads = folder, say, leads
        self._log = RunLog(folder, tensorboard, events) if leads else None
        self._told: set[str] = set()

    def prepare(self, make: Callable[[], None]) -> None:
        """Make the folder and what belongs into it from the start.

        Raises
        ------
        ValueError
            If it cannot be written.
        """
        if self._leads:
            try:
                make()
            except OSError as error:
                raise not_written(self.folder, None, error) from error

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

    def log(self, entry: Mapping[str, Any], tags: Mapping[str, float] | None = None) -> None:
        """Write an entry; see `RunLog.write`."""
        if self._log is not None:
            try:
                self._log.write(entry, tags)
            except OSError as error:
                self._tell_missing(f"The log in {self.folder} cannot be written", error)

    def report(self, entry: Mapping[str, Any], tags: Mapping[str, float] | None = None) -> None:
        """Write an entry, and say it."""
        self.log(entry, tags)
        if self._leads:
            self._say("  ".join(f"{name} {value}" for name, value in entry.items()))

    def picture(self, save: Callable[[], None]) -> None:
        """Save a picture."""
        if self._leads:
            try:
                save()
            except OSError as error:
                self._tell_missing(f"Pictures in {self.folder} cannot be saved", error)

    def _tell_missing(self, what: str, error: OSError) -> None:
        why = error.strerror or str(error)
        self.tell(f"{what}: {why}. Training goes on without; make room, and what follows is kept.")

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
