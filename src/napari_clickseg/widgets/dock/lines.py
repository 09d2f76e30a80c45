"""The lines of text in the dock: what to do, what happened, where the model looked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from .. import messages
from ..tooltips import tooltip
from ..work.controller import Controller
from .clicking import Clicking
from .controls import labelled_button
from .state import State

__all__ = ["Lines"]


class Lines:
    """Hint, status and footer.

    Parameters
    ----------
    clicking : Clicking
    controller : Controller

    Attributes
    ----------
    worded : callable
        ``worded(text)``: the text with the keys that are set.
    """

    def __init__(self, clicking: Clicking, controller: Controller) -> None:
        self._clicking, self._controller = clicking, controller
        self.hint, self.status, self.roi = (_line(name) for name in ("hint", "status", "roi"))
        self.roi.setToolTip(tooltip("roi"))
        self.copy = labelled_button("copy_details", "Copy details")
        self.copy.clicked.connect(self._on_copy)
        self.copy.hide()
        self._note = ""
        self.worded: Callable[[str], str] = str

    def clear(self) -> None:
        """Forget what happened."""
        self.status.setText("")
        self._note = ""

    def show_hint(self, state: State) -> None:
        """Say what to do next."""
        tool = self._clicking.tools.tool.name
        hint = messages.DRAWING[tool] if self._clicking.active else messages.PRESS_START
        if state is State.NO_IMAGE:
            hint = messages.NO_IMAGE
        elif state is State.NO_MODEL:
            hint = messages.NO_MODEL
        elif self._clicking.active and self._clicking.pause:
            hint = self._clicking.pause
        else:
            again = self._clicking.objects.opened(self._controller.plane)
            hint = hint if again is None else messages.opened(again.label)
        self.hint.setText(self.worded(hint))

    def show_details(self) -> None:
        """Offer what is known of an error of the model while it is the last thing that happened."""
        self.copy.setVisible(self._controller.error is not None)

    def _on_copy(self) -> None:
        QApplication.clipboard().setText(self._controller.details)

    def show_counts(self, plane: Any) -> None:
        """Say how many clicks the mask of the plane comes from, if it is the one shown."""
        work = self._controller.work
        if plane != self._controller.plane or work is None:
            return
        signs = [c.positive for c in self._controller.clicks]
        counts = messages.clicked(work.seconds, sum(signs), len(signs) - sum(signs))
        self.status.setText("\n".join(filter(None, (counts, self._note))))
        self._note = ""

    def show_roi(self) -> None:
        """Say what the model looked at, and how much memory its device has left."""
        session = self._controller.session
        roi = None if session is None else session.roi
        region = "" if roi is None else messages.region(roi)
        self.roi.setText("\n".join(filter(None, (region, self._controller.cache.memory))))

    def say(self, text: str, level: str) -> None:
        """Say what happened; errors are shown as a notification too.

        What is worth a ``"note"`` waits for the counts of the mask that comes next; what is a
        ``"status"`` or a ``"warning"`` of that mask is shown now and again with them. An ``"info"``
        is over when something else happens.
        """
        text = self.worded(text)
        if level == "note":
            self._note = "\n".join(filter(None, (self._note, text)))
            return
        self.status.setText(text)
        overcome = level == "error" and self._controller.error is None  # work goes on
        self._note = text if overcome or level in ("status", "warning") else ""
        if level == "error":
            from napari.utils.notifications import show_error

            show_error(text)


def _line(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
