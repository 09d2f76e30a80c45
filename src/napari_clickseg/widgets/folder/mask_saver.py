"""Masks are saved one after the other in a worker, and all of them before the dock is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from ..work.jobs import Job
from ..work.worker import Runner

__all__ = ["MaskSaver"]

PATIENCE = 60.0
"""Seconds to wait for a file when the dock is closed."""


@dataclass(frozen=True, eq=False)
class _Wish:
    path: Path
    job: Job
    done: Callable[[Job], Any]


class MaskSaver(QObject):
    """A queue of files to be written.

    Signals
    -------
    finished
        A file was written, or could not be.
    """

    finished = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = Runner(self, name="clickseg_saving")
        self._wishes: list[_Wish] = []
        self._runner.finished.connect(self._on_finished)

    @property
    def busy(self) -> bool:
        """Whether there is a file to be written."""
        return bool(self._wishes)

    def save(self, path: Path, work: Callable[..., Any], done: Callable[[Job], Any]) -> None:
        """Do work that writes a file after all other; ``done(job)`` is called afterwards.

        The work gives something that is not None.
        """
        self._wishes.append(_Wish(path, Job(len(self._wishes), work), done))
        if len(self._wishes) == 1:
            self._runner.submit(self._wishes[0].job)

    def last(self, path: Path) -> Job | None:
        """What writes a file last; None if it is written."""
        return next((wish.job for wish in reversed(self._wishes) if wish.path == path), None)

    def close(self) -> None:
        """Write what is left now, and no more after that."""
        wishes, self._wishes = self._wishes, []
        if wishes and wishes[0].job.begun.is_set():
            wishes[0].job.done.wait(PATIENCE)
        self._runner.close()
        for wish in wishes:
            job = wish.job
            if job.result is None and job.error is None:  # it was not begun, or stopped at once
                job = Job(job.request, job.work)
                job.run(lambda news: None)
            wish.done(job)

    def abandon(self) -> None:
        """Stop without touching Qt, because the widgets are gone already."""
        self._runner.abandon()

    def _on_finished(self, job: Job) -> None:
        wish = self._wishes.pop(0)
        if self._wishes:
            self._runner.submit(self._wishes[0].job)
        wish.done(wish.job)
        self.finished.emit()
