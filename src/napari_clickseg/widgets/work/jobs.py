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
    from ...engine.tiles import TileMap

__all__ = [
    "Job",
    "Prediction",
    "Submits",
    "Tell",
    "Work",
    "picture",
    "prediction",
    "under_new_rule",
]

TELL_EVERY = 0.1  # seconds
TELL_LESS = 0.1  # part of the time it took so far: drawing large masks takes time too
HALF = MaskRule(0.5)
Tell = Callable[["str | float | Prediction"], None]
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


def _now_and_then(tell: Tell) -> Callable[[float], None]:
    """Tells numbers ten times a second at most."""
    told = time.monotonic()

    def tell_number(number: float) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            tell(number)

    return tell_number


def prediction(
    cache: PredictorCache,
    choice: Choice,
    plane: Plane | None,
    session: Session | None,
    first: Sequence[Box] = (),
    together: bool = False,
    rule: MaskRule = HALF,
    shown: TileMap | None = None,
    room: Callable[[Box], None] | None = None,
    pictures: bool = False,
) -> Work:
    """Work that loads the chosen model if need be and brings a session up to date.

    While a model loads, the part of it that was read is told, 0 to 1.

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
    shown : TileMap, optional
        See `ReadyMasks`; by default the mask of `session` is there already.
    room : callable, optional
        As in `ReadyMasks`.
    pictures : bool
        Bring the image as the model saw it as well.
    """

    def work(cancelled: Callable[[], bool], tell: Tell) -> Prediction:
        predictor = cache.get(choice, _now_and_then(tell))
        if session is None:
            return Prediction(plane, None)
        given, new = session.interactions, len(session.interactions) - session.predicted
        after, start, taken, short, seen = session, time.perf_counter(), None, None, None
        if new:
            tell("running")
            for count in range(len(given) if together else session.predicted + 1, len(given) + 1):
                step = replace(after, interactions=given[:count])
                after, why = run_within_memory(cache, choice, step, cancelled)
                short = why or short
            predictor = cache.get(choice)
            cache.look_at_memory()
            taken = (time.perf_counter() - start) / new
            seen = predictor.picture(after) if pictures else None
        first_look = bool(new) and session.predicted == 0
        note = short or (pixel_warning(after) if first_look else None)
        masks = ReadyMasks(rule.apply(session) if shown is None else shown, rule, room)
        if after.coarse:
            tell(Prediction(plane, after, taken, note, masks.of(after, cancelled), seen))
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
        return Prediction(plane, after, taken, note, masks.of(after, cancelled), seen)

    return work


def under_new_rule(
    plane: Plane,
    session: Session,
    rule: MaskRule,
    shown: TileMap,
    room: Callable[[Box], None] | None = None,
) -> Work:
    """Work that makes the mask of a session anew, without asking the model; see `prediction`."""

    def work(cancelled: Callable[[], bool], tell: Tell) -> Prediction:
        mask = ReadyMasks(shown, rule, room).of(session, cancelled)
        return Prediction(plane, session, mask=mask)

    return work


def picture(cache: PredictorCache, choice: Choice, plane: Plane, session: Session) -> Work:
    """Work that brings the image of a session as the model saw it last."""

    def work(cancelled: Callable[[], bool], tell: Tell) -> Prediction:
        return Prediction(plane, session, picture=cache.get(choice).picture(session))

    return work
