"""Pieces of work for the worker thread. No Qt, no napari."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from .plane import Plane
from .predictors import Choice, PredictorCache

if TYPE_CHECKING:
    from ..engine.session import Session

__all__ = ["Job", "Prediction", "Submits", "prediction"]


@dataclass(eq=False)
class Job:
    """A piece of work for the thread.

    Parameters
    ----------
    request : int
        Rising number; results of any but the newest are stale.
    work : callable
        ``work(cancelled, progress)``: asks ``cancelled()`` often, may call ``progress(str)``, never
        touches a layer or a widget.
    """

    request: int
    work: Callable[[Callable[[], bool], Callable[[str], None]], Any]
    result: Any = None
    error: BaseException | None = None
    seconds: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def run(self, progress: Callable[[str], None]) -> None:
        """Do the work here and now; errors are kept in `error`, never raised."""
        self.begun.set()
        start = time.perf_counter()
        try:
            if not self.stop.is_set():
                self.result = self.work(self.stop.is_set, progress)
        except BaseException as error:  # noqa: BLE001  (shown to the user as a sentence)
            self.error = error
        finally:
            self.seconds = time.perf_counter() - start
            self.done.set()


class Submits(Protocol):
    """The part of `worker.Runner` that runs jobs."""

    def submit(self, job: Job) -> None:
        """Run a job after the running one, which is told to stop."""

    def cancel(self) -> None:
        """Tell the running job to stop."""


@dataclass(frozen=True)
class Prediction:
    """What a job brings back: the session it began with and the one it made (None: only loaded).

    `seconds` is the time per interaction.
    """

    plane: Plane | None
    before: Session | None
    after: Session | None
    seconds: float


def prediction(
    cache: PredictorCache, choice: Choice, plane: Plane | None, session: Session | None
) -> Callable[[Callable[[], bool], Callable[[str], None]], Prediction]:
    """Work that loads the chosen model if need be and brings a session up to date.

    Interactions are predicted one after the other, each shown the mask of those before it, so that
    clicks which waited, or were deleted or moved, give the mask of clicking slowly.

    Parameters
    ----------
    cache : PredictorCache
    choice : Choice
    plane : Plane or None
    session : Session or None
        None only loads the model.
    """

    def work(cancelled: Callable[[], bool], progress: Callable[[str], None]) -> Prediction:
        predictor = cache.get(choice)
        if session is None:
            return Prediction(plane, None, None, 0.0)
        progress("running")
        start = time.perf_counter()
        after, given = session, session.interactions
        for count in range(session.predicted + 1, len(given) + 1):
            after = predictor.run(replace(after, interactions=given[:count]), cancelled)
        taken = time.perf_counter() - start
        return Prediction(plane, session, after, taken / max(1, len(given) - session.predicted))

    return work
