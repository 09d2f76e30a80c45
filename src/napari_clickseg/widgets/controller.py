"""Objects in work, one per plane, and the requests that bring their masks up to date.

A request takes the present session to a worker and, if it is still the present one when the result
comes, puts the result in its place. No Qt, no napari.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ..cancel import Cancelled
from ..engine.contrast import black_and_white
from ..engine.profiles import Profile
from ..engine.session import History, Session
from ..geometry import Box
from ..interactions import Click, Interaction
from . import messages
from .jobs import Job, Prediction, Submits, prediction
from .options import base_profile
from .plane import Plane
from .predictors import Choice, PredictorCache
from .unfinished import Unfinished
from .work import MaskChange, Work, needs_prediction, painted, unfinished, without_opposite

if TYPE_CHECKING:
    from ..data.readers import ImageReader
    from ..models.base import ModelSpec

__all__ = ["Controller"]


class Controller(Unfinished):
    """Sessions, undo, requests and their results.

    `rewriting` is emitted with a plane before its mask may change: the last moment to `paint` what
    the user painted over it. `shown` is emitted with a plane afterwards, `reverted` when a model
    could not be loaded and the choice before is the present one again.

    Parameters
    ----------
    runner : Submits
        Runs jobs; hands them back to `finish`.
    load : callable, optional
        ``load(model, device) -> ClickModel``, for tests and other sources of models.

    Attributes
    ----------
    look : callable
        ``look(plane) -> Box | None``: the part of a plane that the user sees now; None for all of
        it, or if that is not known.
    """

    changed = Signal()
    rewriting = Signal(object)
    shown = Signal(object)
    clicks_changed = Signal()
    reverted = Signal()
    said = Signal(str, str)

    def __init__(self, runner: Submits, load: Callable[[str, str], Any] | None = None) -> None:
        super().__init__()
        self._runner = runner
        self._cache = PredictorCache(load)
        self._request = 0
        self._asked: Session | None = None
        self._busy: str | None = None
        self.choice: Choice | None = None
        self._last_good: Choice | None = None
        self.look: Callable[[Plane], Box | None] = lambda plane: None
        self.error: str | None = None
        self._threshold: float | None = None

    @property
    def busy(self) -> str | None:
        """``"loading"``, ``"running"``, ``"refining"`` (the mask is there already) or None."""
        return self._busy

    def go_to(self, plane: Plane | None) -> None:
        """Make a plane the present one; its unfinished object goes on where it was left."""
        if plane == self.plane:
            return
        self.cancel(quiet=True)
        self.plane = plane
        self._request_if_needed()
        self.changed.emit()

    def begin(self, reader: ImageReader, limits: tuple[float, float] | None) -> None:
        """Begin an object on the present plane unless there is one with clicks or steps to undo.

        Parameters
        ----------
        reader : ImageReader
            Of the plane.
        limits : (float, float) or None
            Intensities shown as black and white.
        """
        work = self.work
        if work is not None and (work.history.can_undo or work.history.can_redo):
            return
        blank = Session.of_image(reader, black_and_white(reader, limits))
        blank = replace(blank, viewport=self.look(self.plane))
        self._works[self.plane] = Work(History(blank), blank)

    def forget(self, plane: Plane | None = None) -> None:
        """Drop the unfinished object of one plane, or of all and with them the image's pixels."""
        self.cancel(quiet=True)
        if plane is None:
            self._works.clear()
            self._cache.forget_images()
        else:
            self._works.pop(plane, None)
        self.clicks_changed.emit()
        self.changed.emit()

    # ------------------------------------------------------------------ edits
    def add(self, click: Click) -> None:
        """Add a click; one of the other sign on the same pixel is replaced."""
        self.rewriting.emit(self.plane)
        session = self.session
        kept = without_opposite(session.interactions, click)
        if len(kept) < len(session.interactions):
            self.said.emit(messages.replaced(click.positive), "warning")
            self._do(session.replace_interactions((*kept, click)))
        else:
            if session.start_mask is not None:
                self.warn_of_mask()
            if not click.positive and not any(c.positive for c in kept):
                self.said.emit(messages.ONLY_NEGATIVE, "status")
            self._do(session.add(click))

    def paint(self, plane: Plane, box: Box, mask: np.ndarray) -> None:
        """Take a mask that was painted by hand as the mask so far, as one step.

        `mask` is that in a box, non-zero for the object; there is none outside. The clicks stay.
        """
        work = self._works[plane]
        session = painted(work.history.present, box, mask)
        work.count_as_shown(session, self.threshold)
        self._do(session, plane)

    def replace(self, plane: Plane, interactions: Sequence[Interaction]) -> None:
        """Put other interactions in the place of those of a plane's object (deleted, moved)."""
        work = self._works.get(plane)
        if work is None:
            return
        self.rewriting.emit(plane)
        self._do(work.history.present.replace_interactions(tuple(interactions)), plane)

    def reset(self) -> None:
        """Remove all clicks of the object, as one step that undo takes back."""
        if self.session is not None and self.session.interactions:
            self.rewriting.emit(self.plane)
            self._do(self.work.blank)

    def undo(self) -> None:
        """Take back one step; nothing happens if there is none."""
        self.rewriting.emit(self.plane)
        if self.can_undo:
            self._step(self.plane, self.work.history.undo())

    def redo(self) -> None:
        """Bring back one step; nothing happens if there is none."""
        self.rewriting.emit(self.plane)
        if self.can_redo:
            self._step(self.plane, self.work.history.redo())

    def _do(self, session: Session, plane: Plane | None = None) -> None:
        plane = self.plane if plane is None else plane
        self._step(plane, self._works[plane].history.do(session))

    def _step(self, plane: Plane, history: History) -> None:
        known = self._works[plane].history.present.interactions
        self._works[plane].history = history
        self.error = None
        if history.present.interactions != known:
            self.clicks_changed.emit()
        if plane == self.plane:
            self.cancel(quiet=True)
        if not needs_prediction(history.present):
            self.shown.emit(plane)
        if plane == self.plane:
            self._request_if_needed()
        self.changed.emit()

    # ------------------------------------------------------------------ requests
    def choose(self, choice: Choice | None) -> None:
        """Use another model, device or options from the next click on."""
        if choice != self.choice:
            self.choice = choice
            self._last_good = self._last_good or choice
            self.error = None
            self.changed.emit()

    @property
    def profile(self) -> Profile:
        """The profile whose numbers the options override."""
        return base_profile(self._cache.spec, dict(self.choice.touched if self.choice else ()))

    @property
    def model_loaded(self) -> bool:
        """Whether the chosen model is ready for clicks."""
        return self.choice is not None and self._cache.holds(self.choice)

    @property
    def spec(self) -> ModelSpec | None:
        """Facts about the chosen model, once it is loaded."""
        return self._cache.spec if self.model_loaded else None

    def warn_of_mask(self) -> None:
        """Say why the model cannot start from a mask, if it cannot."""
        if self.spec is not None and not self.spec.takes_prev_mask:
            self.said.emit(messages.NO_START_MASK, "warning")

    def load(self) -> None:
        """Load the chosen model in the worker, unless it is there."""
        if self._busy is not None or not self.model_loaded:
            self.request()

    def request(self) -> None:
        """Bring the present session up to date in the worker, loading the model if need be."""
        if self.choice is None:
            return
        session = self.session
        if session is not None and not unfinished(session):
            session = None
        seen = None if self.plane is None else self.look(self.plane)
        first = [] if seen is None else [seen]
        work = prediction(self._cache, self.choice, self.plane, session, first)
        self._request += 1
        self._asked = session
        self._busy = "running" if self.model_loaded else "loading"
        if session is not None and not needs_prediction(session):
            self._busy = "refining"
        self.error = None
        self._runner.submit(Job(self._request, work))
        self.changed.emit()

    def _request_if_needed(self) -> None:
        if self._busy is None and self.session is not None and unfinished(self.session):
            self.request()

    def cancel(self, quiet: bool = False) -> None:
        """Stop the running request; clicks are kept and run with the next one, as are edges."""
        if self._busy is None:
            return
        refining = self._busy == "refining"
        self._request += 1
        self._busy = self._asked = None
        self._runner.cancel()
        if not quiet:
            self.said.emit(messages.STOPPED if refining else messages.CANCELLED, "status")
            self.changed.emit()

    def progress(self, request: int, news: str | Prediction) -> None:
        """News from the worker: what it does now, or a mask whose edges it goes on to refine."""
        if request != self._request or self._busy is None:
            return
        if isinstance(news, str):
            self._busy = news
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
        before = self._last_good
        if self.model_loaded or before is None or before.same_model(self.choice):
            self.error = text
        else:
            text = f"{text} {messages.MODEL_STAYS}"
            self.choice = before
            self.reverted.emit()
            self._request_if_needed()
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
        if self._busy is not None:  # there is more to come
            self._asked = result.session
        if result.seconds is not None:
            work.seconds = result.seconds
        self.shown.emit(result.plane)

    # ------------------------------------------------------------------ masks
    def mask_change(self, plane: Plane) -> MaskChange | None:
        """What has to be written so that the preview shows the plane's session; None: nothing."""
        work = self._works.get(plane)
        return None if work is None else work.mask_change(self.threshold)

    @property
    def threshold(self) -> float:
        """Probability above which a pixel is shown: the user's, else that of the model."""
        if self._threshold is not None:
            return self._threshold
        return self.profile.threshold

    def set_threshold(self, threshold: float) -> None:
        """Threshold the kept probabilities anew; the model is not asked."""
        if threshold != self.threshold:
            self.rewriting.emit(self.plane)
            self._threshold = threshold
            if self.plane in self._works:
                self.shown.emit(self.plane)
