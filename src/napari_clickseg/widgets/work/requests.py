"""Requests to the worker that bring objects in work up to date.

A request takes the present session to a worker and, if it is still the present one when the result
comes, puts the result in its place. No Qt, no napari.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psygnal import Signal

from ...cancel import Cancelled
from ...engine.session import Session
from ...geometry import Box
from .. import messages
from ..image.plane import Plane
from ..model.error_details import error_details
from ..model.predictors import PredictorCache
from .chosen import Chosen
from .jobs import Job, Prediction, Submits, Work, picture, prediction, under_new_rule
from .work import needs_prediction, unfinished

__all__ = ["Requests"]


class Requests(Chosen):
    """Objects in work, the model chosen for them, and what it is asked.

    See `Controller` for the signals and parameters. `details` tells of the last error, to report;
    `read` is the part of a model that loads which was read so far, 0 to 1.
    """

    rewriting = Signal(object)
    shown = Signal(object)
    said = Signal(str, str)

    def __init__(self, runner: Submits, load: Callable[[str, str], Any] | None = None) -> None:
        super().__init__(PredictorCache(load))
        self._runner = runner
        self._request = 0
        self._asked: Session | None = None
        self._busy: str | None = None
        self.read = 0.0
        self._held = self._waits = self._pictures = False
        self._timed: tuple[str, int] = ("", 0)
        self.details = ""
        self.auto_run = True
        self.look: Callable[[Plane], Box | None] = lambda plane: None
        self.room: Callable[[Plane], Callable[[Box], None] | None] = lambda plane: None

    @property
    def busy(self) -> str | None:
        """``"loading"``, ``"running"``, ``"refining"`` (the mask is there already) or None."""
        return self._busy

    def warn_of_mask(self) -> None:
        """Say why the model cannot start from a mask, if it cannot."""
        if self.spec is not None and not self.spec.takes_prev_mask:
            self.said.emit(messages.NO_START_MASK, "warning")

    def load(self) -> None:
        """Load the chosen model in the worker, unless it is there."""
        if self._busy is not None or not self.model_loaded:
            self.request()

    def request(self, together: bool = False) -> None:
        """Bring the present session up to date in the worker, loading the model if need be.

        What is new is predicted one after the other, or all at once.
        """
        if self.choice is None:
            return
        session = self.session
        if session is not None and not unfinished(session):
            session = None
        seen = None if self.plane is None else self.look(self.plane)
        first = [] if seen is None else [seen]
        room, shown, rule = None, None, self.rule
        if session is not None:
            room, shown = self.room(self.plane), self.work.known_mask(rule)
        work = prediction(
            self._cache,
            self.choice,
            self.plane,
            session,
            first,
            together,
            rule,
            shown,
            room,
            self._pictures,
        )
        self._request += 1
        self._waits = False
        self._asked = session
        self._busy, self.read = "running" if self.model_loaded else "loading", 0.0
        if session is not None and not needs_prediction(session):
            self._busy = "refining"
        self.error = None
        self._runner.submit(Job(self._request, work))
        self.changed.emit()

    def _request_if_needed(self) -> None:
        if self._busy is not None or self.session is None:
            return
        if needs_prediction(self.session) and (self._held or not self.auto_run):
            self._waits = True
        elif unfinished(self.session):
            self.request()
        if self.work.stale and self._busy is None:
            self._make_anew()

    def _make_anew(self) -> None:
        """Have the mask of the present session made under the present rule."""
        known, room = self.work.known_mask(self.rule), self.room(self.plane)
        self._add(under_new_rule(self.plane, self.session, self.rule, known, room))

    def _add(self, work: Work) -> None:
        """Have something made for the present session, which stays as it is."""
        self._request += 1
        self._asked, self._busy, self.error = self.session, "refining", None
        self._runner.submit(Job(self._request, work))
        self.changed.emit()

    def want_pictures(self, wanted: bool) -> None:
        """Have the image as the model saw it with each prediction, and that of the last one."""
        self._pictures = wanted
        session, known = self.session, self.work and self.work.picture
        if not wanted or session is None or not session.predicted or self._busy is not None:
            return
        if self.model_loaded and (known is None or known[0] != session.roi):
            self._add(picture(self._cache, self.choice, self.plane, session))

    def resume(self) -> None:
        """Go on with what waited for the next start."""
        if self._busy is None:
            self._request_if_needed()

    def set_auto_run(self, on: bool) -> None:
        """Predict after each click, or wait for `run`."""
        self.auto_run = on
        self._request_if_needed()

    def hold(self, held: bool) -> None:
        """Let clicks wait while held; afterwards they are predicted together, if auto-run is on."""
        self._held = held
        if not held and self._waits and self.auto_run:
            self.run_waiting()

    def run_waiting(self) -> bool:
        """Predict together what waits; False if nothing does."""
        if self.session is None or not needs_prediction(self.session):
            return False
        self.cancel(quiet=True)
        self.request(together=True)
        return True

    def cancel(self, quiet: bool = False) -> None:
        """Stop the running request; clicks are kept and run with the next one, as are edges."""
        if self._busy is None or not (quiet or self._asked is None or unfinished(self._asked)):
            return  # a mask that is made anew takes a moment only
        refining, loading = self._busy == "refining", self._busy == "loading"
        self._request += 1
        self._busy = self._asked = None
        self._runner.cancel()
        if not quiet:
            if loading and self._go_back():
                self.said.emit(messages.MODEL_STAYS, "info")
                self.changed.emit()
                return
            self.said.emit(messages.STOPPED if refining else messages.CANCELLED, "info")
            self.changed.emit()

    def progress(self, request: int, news: str | float | Prediction) -> None:
        """News from the worker: what it does, how much of a model it read, or a first mask."""
        if request != self._request or self._busy is None:
            return
        if isinstance(news, str):
            self._busy = news
        elif isinstance(news, float):
            self.read = news
        else:
            self._busy = "refining"
            self._last_good = self.choice
            self._apply(news)
        self.changed.emit()

    def finish(self, job: Job) -> None:
        """Take a finished job; results of any but the newest request are dropped."""
        if job.request != self._request:
            return
        self._busy = None
        if job.error is not None:
            self._asked = None
            self._fail(job.error)
        elif isinstance(job.result, Prediction):
            self._last_good = self.choice
            self._apply(job.result)
            self._request_if_needed()  # clicks that came while the model was loading
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Cancelled):
            return
        text = messages.one_sentence(error)
        self.details = error_details(error, self.choice, self._cache.device)
        if self._go_back():
            text = f"{text} {messages.MODEL_STAYS}"
            self._request_if_needed()
        else:
            self.error = text
        self.said.emit(text, "error")

    def _apply(self, result: Prediction) -> None:
        """Put a result in the place of what was asked about, unless something else is there now."""
        work = self._works.get(result.plane) if result.plane is not None else None
        asked, self._asked = self._asked, None
        if result.session is None or work is None or work.history.present is not asked:
            return
        self.rewriting.emit(result.plane)
        if work.history.present is not asked:  # it was painted over
            return
        work.history = work.history.amend(result.session)
        work.ready = result.mask
        if self._busy is not None:  # there is more to come
            self._asked = result.session
        if result.seconds is not None:
            work.seconds = result.seconds
            self._tell_of_cpu(result.seconds)
        if result.picture is not None:
            work.picture = result.session.roi, result.picture
        if result.note is not None:
            self.said.emit(result.note, "warning")
        if work.stale and (result.mask is None or result.mask.rule != self.rule):
            self.cancel(quiet=True)
            self._request_if_needed()  # under the present rule
        else:
            self.shown.emit(result.plane)

    def _tell_of_cpu(self, seconds: float) -> None:
        """Say once for each model how long a click takes without a GPU: by its second click."""
        model, count = self._timed
        count = count + 1 if model == self.choice.model else 1
        self._timed = self.choice.model, count
        if count == 2 and self.choice.device == "auto" and self._cache.device == "cpu":
            self.said.emit(messages.on_cpu(seconds), "note")
