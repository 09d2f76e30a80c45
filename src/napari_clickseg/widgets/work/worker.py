"""One job at a time in a napari worker thread; a newer job cancels and follows the running one."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

from qtpy.QtCore import QObject, QThreadPool, QTimer, Signal

from .jobs import Job

__all__ = ["Runner"]

_begun: WeakSet[Job] = WeakSet()
"""Jobs that were handed to the thread pool and are still there."""


@atexit.register  # after Qt's own, so that it runs before Qt takes the workers' signals away
def _end_jobs() -> None:
    """Let jobs end before Python does, as Qt would: loading a model cannot be interrupted."""
    for job in _begun:
        job.stop.set()
    if _begun:
        QThreadPool.globalInstance().waitForDone()


class Runner(QObject):
    """Runs jobs in napari's thread pool and hands them back in the main thread.

    Parameters
    ----------
    parent : QObject, optional
    name : str
        What napari calls a running job when it asks before it closes.

    Signals
    -------
    finished : Job
        After each job, cancelled ones included.
    progressed : (int, str or Prediction)
        Request and what it does now, or what it has so far; only the newest when there is no time
        for all.
    """

    finished = Signal(object)
    progressed = Signal(int, object)
    _told = Signal()

    def __init__(self, parent: QObject | None = None, name: str = "clickseg_prediction") -> None:
        super().__init__(parent)
        self._name = name
        self._running: Job | None = None
        self._worker: Any = None
        self._held: list[Callable[[], None]] = []
        self._waiting: Job | None = None
        self._closed = False
        self._news: deque[tuple[int, Any]] = deque(maxlen=1)
        self._told.connect(self._pass_on)

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._running is not None or self._waiting is not None

    def submit(self, job: Job) -> None:
        """Run a job after the running one, which is told to stop; a waiting one is forgotten."""
        if self._closed:
            return
        self._waiting = job
        if self._running is not None:
            self._running.stop.set()
        else:
            self._next()

    def cancel(self) -> None:
        """Tell the running job to stop and forget the waiting one."""
        self._waiting = None
        if self._running is not None:
            self._running.stop.set()

    def close(self, wait: float = 2.0) -> None:
        """Cancel, drop all results, and wait at most `wait` seconds for a job that has begun."""
        self.cancel()
        self._begin()  # what was not begun ends at once, and is done for napari too
        self._closed = True
        job = self._running
        if job is not None and job.begun.is_set():
            job.done.wait(wait)

    def abandon(self) -> None:
        """Stop everything without touching Qt, because the widgets are gone already."""
        self._closed, self._waiting = True, None
        if self._running is not None:
            self._running.stop.set()

    def _next(self) -> None:
        from napari.qt.threading import thread_worker

        job, self._waiting = self._waiting, None
        if job is None:
            return
        self._running = job
        # napari keeps the function below for good; not so the job, and with it the image
        self._held = held = [partial(job.run, partial(self._tell, job.request))]

        def steps():
            yield "started"
            held.pop()()
            yield "done"

        steps.__name__ = self._name
        worker = thread_worker(steps, start_thread=False)()
        worker.finished.connect(self._on_finished)
        self._worker = worker
        QTimer.singleShot(0, self._begin)  # what the user did is drawn first

    def _begin(self) -> None:
        """Hand the job that is to run next to the thread pool, unless all was closed meanwhile."""
        if self._worker is not None and self._running not in _begun and not self._closed:
            _begun.add(self._running)
            self._worker.start()

    def _tell(self, request: int, news: Any) -> None:
        """Keep news of the running job, in its thread, and wake the main thread."""
        if not self._closed:
            self._news.append((request, news))
            self._told.emit()

    def _pass_on(self) -> None:
        if self._news and not self._closed:
            self.progressed.emit(*self._news.pop())

    def _on_finished(self) -> None:
        job, self._running, self._worker = self._running, None, None
        self._held.clear()
        self._news.clear()
        if self._closed or job is None:
            return
        if not job.done.is_set():  # napari's task list stopped it before it began
            job.stop.set()
            job.done.set()
        self.finished.emit(job)
        if self._running is None:
            self._next()
