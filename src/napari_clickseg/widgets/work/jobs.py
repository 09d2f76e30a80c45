"""Pieces of work for the worker thread. No Qt, no napari."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from ...engine.mask_rule import MaskRule
from ...geometry import Box
from ..image.pixel_checks import pixel_warning
from ..image.plane import Plane
from ..model.predictors import Choice, PredictorCache
from ..model.shortage import run_within_memory
from .ready_masks import ReadyMask, ReadyMasks

if TYPE_CHECKING:
    import numpy as np

    from ...engine.session import Session

__all__ = ["Job", "Prediction", "Submits", "Tell", "Work", "prediction"]

TELL_EVERY = 0.1  # seconds
TELL_LESS = 0.1  # part of the time it took so far: drawing large masks takes time too
HALF = MaskRule(0.5)
Tell = Callable[["str | Prediction"], None]
Work = Callable[[Callable[[], bool], Tell], Any]


@dataclass(eq=False)
class Job:
    """A piece of work for the thread.

    Parameters
    ----------
    request : int
        Rising number; results of any but the newest are stale.
    work : callable
        ``work(cancelled, tell)``: asks ``cancelled()`` often, may ``tell`` what it does now or what
        it has so far, never touches a layer or a widget.
    """

    request: int
    work: Work
    result: Any = None
    error: BaseException | None = None
    seconds: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def run(self, tell: Tell) -> None:
        """Do the work here and now; errors are kept in `error`, never raised."""
        self.begun.set()
        start = time.perf_counter()
        try:
            if not self.stop.is_set():
                self.result = self.work(self.stop.is_set, tell)
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
    """What a job brings: a session that is up to date, or on its way there (None: only loaded).

    `seconds` is the time per interaction until the first mask; None if there was none to predict.
    `note` is a sentence about what the model saw; `mask` is ready to be shown; `picture` is the
    image as the model saw it, ``(h, w, 3)`` uint8, where it was asked.
    """

    plane: Plane | None
    session: Session | None
    seconds: float | None = None
    note: str | None = None
    mask: ReadyMask | None = None
    picture: np.ndarray | None = None


def prediction(
    cache: PredictorCache,
    choice: Choice,
    plane: Plane | None,
    session: Session | None,
    first: Sequence[Box] = (),
    together: bool = False,
    rule: MaskRule = HALF,
    room: Callable[[Box], None] | None = None,
) -> Work:
    """Work that loads the chosen model if need be and brings a session up to date.

    Interactions are predicted one after the other, each shown the mask of those before it. The
    first mask is told at once; then its boundary is followed at full resolution, and what there is
    of that is told up to ten times per second, ever less often.

    Parameters
    ----------
    cache : PredictorCache
    choice : Choice
    plane : Plane or None
    session : Session or None
        None only loads the model.
    first : sequence of Box
        Where the boundary is followed first.
    together : bool
        All that is new is predicted at once, each shown the mask from before all of it.
    rule : MaskRule
        Under which the masks will be shown; under others they are made when they are shown.
    room : callable, optional
        As in `ReadyMasks`.
    """

    def work(cancelled: Callable[[], bool], tell: Tell) -> Prediction:
        predictor = cache.get(choice)
        if session is None:
            return Prediction(plane, None)
        given, new = session.interactions, len(session.interactions) - session.predicted
        after, start, taken, short, picture = session, time.perf_counter(), None, None, None
        if new:
            tell("running")
            for count in range(len(given) if together else session.predicted + 1, len(given) + 1):
                step = replace(after, interactions=given[:count])
                after, why = run_within_memory(cache, choice, step, cancelled)
                short = why or short
            predictor = cache.get(choice)
            cache.look_at_memory()
            taken = (time.perf_counter() - start) / new
            picture = predictor.picture(after)
        first_look = bool(new) and session.predicted == 0
        note = short or (pixel_warning(after) if first_look else None)
        masks = ReadyMasks(session, rule, room)
        if after.coarse:
            tell(Prediction(plane, after, taken, note, masks.of(after, cancelled), picture))
            note = None
        begun = told = time.perf_counter()
        telling = 0.0  # seconds that the last mask took: no more than half the time is spent so
        for finer in predictor.follow_edges(after, cancelled, first):
            after = finer
            now = time.perf_counter()
            if now - told >= max(TELL_EVERY, TELL_LESS * (now - begun), telling):
                tell(Prediction(plane, after, taken, mask=masks.of(after, cancelled)))
                told = time.perf_counter()
                telling = told - now
        return Prediction(plane, after, taken, note, masks.of(after, cancelled), picture)

    return work
