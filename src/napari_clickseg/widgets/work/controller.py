"""Objects in work, one per plane, and what the user does to them. No Qt, no napari."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...engine.contrast import black_and_white
from ...engine.session import History, Session
from ...geometry import Box
from ...interactions import Click, Interaction
from .. import messages
from ..image.plane import Plane
from .requests import Requests
from .work import MaskChange, Work, check_in_box, painted, without_opposite

if TYPE_CHECKING:
    from ...data.readers import ImageReader

__all__ = ["Controller"]


class Controller(Requests):
    """Sessions, undo, requests and their results.

    `rewriting` is emitted with a plane before its mask may change: the last moment to `paint` what
    the user painted over it. `shown` is emitted with a plane afterwards, `reverted` when a model
    could not be loaded and the choice before is the present one again, `stepped` with a plane whose
    object took a new step.

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
    room : callable
        ``room(plane)``: what the worker calls with the box around a mask of the plane before that
        is shown, or None.
    """

    clicks_changed = Signal()
    stepped = Signal(object)

    def go_to(self, plane: Plane | None) -> None:
        """Make a plane the present one; its unfinished object goes on where it was left."""
        if plane == self.plane:
            self.plane = plane  # another channel of it may be shown
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
        if work is not None and (
            work.history.can_undo
            or work.history.can_redo
            or work.history.present is not work.blank  # opened again
        ):
            return
        blank = Session.of_image(reader, black_and_white(reader, limits))
        blank = replace(blank, viewport=self.look(self.plane))
        self._works.pop(self.plane, None)  # it may have been begun on another channel
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
    def add(self, click: Interaction) -> None:
        """Add a click, stroke, contour or box.

        A click of the other sign on the same pixel is replaced, and so is a box by a box.

        Raises
        ------
        ValueError
            If it lies outside a box that confines the object.
        """
        self.rewriting.emit(self.plane)
        session = self.session
        check_in_box(session, click)
        kept = without_opposite(session.interactions, click)
        if len(kept) < len(session.interactions):
            if isinstance(click, Click):
                self.said.emit(messages.replaced(click.positive), "warning")
            self._do(session.replace_interactions((*kept, click)))
        else:
            if session.start_mask is not None:
                self.warn_of_mask()
            if not click.positive and not any(c.positive for c in kept):
                self.said.emit(messages.ONLY_NEGATIVE, "status")
            self._do(session.add(click))

    def start_from(self, mask: np.ndarray) -> None:
        """Start the object from a mask ``(H, W)``, non-zero for the object, as one step."""
        self.rewriting.emit(self.plane)
        self.warn_of_mask()
        self._do(self.session.with_mask(mask))

    def paint(self, plane: Plane, box: Box, mask: np.ndarray) -> None:
        """Take a mask that was painted by hand as the mask so far, as one step.

        `mask` is that in a box, non-zero for the object; there is none outside. The clicks stay.
        """
        work = self._works[plane]
        session = painted(work.history.present, box, mask)
        work.count_as_shown(session, self.rule)
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
        """Bring back one step; nothing happens if there is none.

        What was painted since it was taken back is not in it, but a step before it.
        """
        future = self.work.history.future if self.work else ()
        self.rewriting.emit(self.plane)
        if future:
            history = replace(self.work.history, future=future)
            self._step(self.plane, history.redo())

    def _do(self, session: Session, plane: Plane | None = None) -> None:
        plane = self.plane if plane is None else plane
        self._step(plane, self._works[plane].history.do(session))
        self.stepped.emit(plane)

    def exchange(self, plane: Plane, work: Work | None) -> Work | None:
        """Put another object in work on a plane, None for none; returns the one that was there."""
        before = self._works.pop(plane, None)
        if work is not None:
            work.shown = None
            self._works[plane] = work
        self._follow(plane, True)
        return before

    def _step(self, plane: Plane, history: History) -> None:
        known = self._works[plane].history.present.interactions
        self._works[plane].history = history
        self._follow(plane, history.present.interactions != known)

    def _follow(self, plane: Plane, clicks: bool) -> None:
        """Show another state of a plane's object, and bring it up to date."""
        self.error = None
        if clicks:
            self.clicks_changed.emit()
        if plane == self.plane:
            self.cancel(quiet=True)
        if not self.pending(plane) and not self.stale(plane):
            self.shown.emit(plane)
        if plane == self.plane:
            self._request_if_needed()
        self.changed.emit()

    def run(self) -> None:
        """Predict together what waits; if nothing does, the whole object again, click by click."""
        session = self.session
        if session is None or not session.interactions or self.run_waiting():
            return
        self.rewriting.emit(self.plane)
        self._do(replace(self.session.restart(), interactions=session.interactions))
        if self.busy is None:
            self.request()

    # ------------------------------------------------------------------ masks
    def mask_change(self, plane: Plane) -> MaskChange | None:
        """What has to be written so that the preview shows the plane's session; None: nothing."""
        work = self._works.get(plane)
        return None if work is None else work.mask_change(self.rule)

    def set_threshold(self, threshold: float) -> None:
        """Threshold the kept probabilities anew; the model is not asked."""
        if threshold != self.threshold:
            self.rewriting.emit(self.plane)
            self._threshold = threshold
            self._show_again()

    def set_cleaning(self, fields: Mapping[str, Any]) -> None:
        """Clean the kept answers otherwise; the model is not asked.

        Parameters
        ----------
        fields : mapping
            Those of `MaskRule` that the user set; the others are the model's own.
        """
        if dict(fields) != self._cleaning:
            self.rewriting.emit(self.plane)
            self._cleaning = dict(fields)
            self._show_again()

    def _show_again(self) -> None:
        work = self.work
        if work is not None and work.large:
            work.stale = True
            self._request_if_needed()
        elif work is not None:
            self.shown.emit(self.plane)
