"""The dock widget: what the user sees and presses. Everything else is in the modules it joins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import qdebounced

from . import messages
from .advanced import AdvancedPanel
from .clicking import Clicking
from .controller import Controller
from .controls import Controls, Pill
from .keys import KeyBindings
from .predictors import Choice
from .source import SourcePanel
from .state import State
from .tooltips import tooltip
from .worker import Runner

if TYPE_CHECKING:
    import napari

__all__ = ["ClickDock"]

DEBOUNCE_MS = 30
WIDEST = 380
"""Pixels."""


class ClickDock(QWidget):
    """Click segmentation of an image layer.

    Parameters
    ----------
    viewer : napari Viewer
    load : callable, optional
        ``load(model, device) -> ClickModel``, in place of the model zoo.
    """

    def __init__(
        self, viewer: napari.viewer.Viewer, load: Callable[[str, str], Any] | None = None
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._closed = False
        self._docked = False
        self._bound = False
        self._note = ""
        self.runner = Runner(self)
        self.controller = Controller(self.runner, load)
        self.clicking = Clicking(viewer, self.controller)
        self.source = SourcePanel(viewer)
        self.controls = Controls()
        self.advanced = AdvancedPanel()
        self.pill = Pill()
        self.hint = _line("hint")
        self.status = _line("status")
        self.roi = _line("roi")
        self.roi.setToolTip(tooltip("roi"))
        self._keys = KeyBindings(
            {
                "swap": self.clicking.swap,
                "undo": self.controller.undo,
                "redo": self.controller.redo,
                "reset": self.controller.reset,
                "accept": self.accept,
                "cancel": self.controller.cancel,
            }
        )
        self._lay_out()
        self._connect()
        self._on_source()

    # ------------------------------------------------------------------ making
    def _lay_out(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(self.hint, 1)
        head.addWidget(self.pill, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        for widget in (self.source, self.controls, self.status, self.advanced, self.roi):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self._body, self._scroll = body, scroll
        self.setMaximumWidth(WIDEST)

    def _connect(self) -> None:
        self.runner.finished.connect(self.controller.finish)
        self.runner.progressed.connect(self.controller.progress)
        self.controller.changed.connect(self._refresh)
        self.controller.reverted.connect(self._on_reverted)
        self.controller.said.connect(self._say)
        self.controller.shown.connect(self._on_shown)
        self.clicking.changed.connect(self._refresh)
        self.clicking.accepted.connect(self._on_accepted)
        self.source.edited.connect(self._on_source)
        self.source.said.connect(self._say)
        self.advanced.edited.connect(self._on_source)
        controls = self.controls
        controls.start.clicked.connect(self.toggle)
        controls.positive.clicked.connect(lambda: self.clicking.set_positive(True))
        controls.negative.clicked.connect(lambda: self.clicking.set_positive(False))
        controls.undo.clicked.connect(self.controller.undo)
        controls.redo.clicked.connect(self.controller.redo)
        controls.reset.clicked.connect(self.controller.reset)
        controls.cancel.clicked.connect(lambda: self.controller.cancel())
        controls.accept.clicked.connect(self.accept)
        controls.label.valueChanged.connect(self._show_colour)
        self._threshold = qdebounced(self.controller.set_threshold, timeout=DEBOUNCE_MS)
        controls.threshold.valueChanged.connect(self._threshold)
        runner = self.runner
        self.destroyed.connect(lambda: runner.abandon())

    # ------------------------------------------------------------------ verbs
    def toggle(self) -> None:
        """Start or stop clicking."""
        if self.clicking.active:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """Start clicking on the chosen image; a refusal is shown as a sentence."""
        image = self.source.image
        if image is None or self.controller.choice is None:
            self._refresh()
            return
        other = self.clicking.image is not None and self.clicking.image is not image
        if other and not self._leave_unfinished():
            return
        self.status.setText("")
        self._note = ""
        try:
            self.clicking.start(image)
        except (ValueError, MemoryError, OSError) as error:
            self._say(messages.one_sentence(error), "error")
        self._refresh()

    def stop(self) -> None:
        """Stop clicking; the unfinished object goes on at the next start."""
        self.clicking.stop()

    def click(self, row: float, col: float, positive: bool = True) -> None:
        """Place a click at a pixel of the displayed plane, as the mouse does.

        Raises
        ------
        ValueError
            If the pixel is outside the image or clicking is not on.
        """
        self.clicking.click(row, col, positive)

    def accept(self) -> None:
        """Write the mask into the objects layer and begin the next object."""
        try:
            self.clicking.accept(
                int(self.controls.label.value()), self.controls.policy.currentText()
            )
        except (ValueError, MemoryError) as error:
            self._say(messages.one_sentence(error), "warning")

    def _leave_unfinished(self) -> bool:
        """Ask once what becomes of an unfinished object of the image before; False: stay."""
        if not any(self.controller.planes.values()):
            return True
        answer = QMessageBox.question(
            self,
            "Unfinished object",
            "The object on the other image is not accepted yet. Discard it?",
        )
        return answer == QMessageBox.StandardButton.Yes

    # ------------------------------------------------------------------ showing
    @property
    def state(self) -> State:
        """What the pill shows."""
        if self.source.image is None and not self.clicking.active:
            return State.NO_IMAGE
        if self.controller.choice is None:
            return State.NO_MODEL
        return self.clicking.state

    def _on_source(self) -> None:
        """Another image, model, device or option: a model that the user chose is loaded at once."""
        model, before = self.source.model, self.controller.choice
        if model is None:
            self.controller.choose(None)
        else:
            if before is not None and before.model != model:
                self.advanced.forget()
            touched = tuple(self.advanced.touched.items())
            choice = Choice(model, self.source.device, touched)
            self.controller.choose(choice)
            if before is not None and not choice.same_model(before):
                self.status.setText("")
                self.controller.load()
        self._refresh()

    def _on_reverted(self) -> None:
        choice = self.controller.choice
        self.source.choose_model(choice.model, choice.device)

    def _refresh(self) -> None:
        if self._closed:
            return
        state, active, controls = self.state, self.clicking.active, self.controls
        self._bind_keys(active)
        self.pill.show_state(state.value)
        self.hint.setText(self._hint(state))
        controls.start.setText("Stop clicking" if active else "Start clicking")
        controls.start.setEnabled(active or state not in (State.NO_IMAGE, State.NO_MODEL))
        self.source.image_box.setEnabled(not active)
        clicks = self.controller.clicks
        enabled = {
            "positive": active,
            "negative": active,
            "undo": active and self.controller.can_undo,
            "redo": active and self.controller.can_redo,
            "reset": active and bool(clicks),
            "cancel": self.controller.busy is not None,
            "accept": active,
        }
        for name, on in enabled.items():
            getattr(controls, name).setEnabled(on)
        (controls.positive if self.clicking.positive else controls.negative).setChecked(True)
        controls.show_threshold(self.controller.threshold)
        self.advanced.show_model(self.controller.spec, self.controller.profile)
        self.source.show_loaded(self.controller.spec)
        self._show_colour()
        self._show_roi()

    def _hint(self, state: State) -> str:
        if state is State.NO_IMAGE:
            return messages.NO_IMAGE
        if state is State.NO_MODEL:
            return messages.NO_MODEL
        if self.clicking.active and self.clicking.pause:
            return self.clicking.pause
        return messages.CLICKING if self.clicking.active else messages.PRESS_START

    def _on_shown(self, plane: Any) -> None:
        work = self.controller.work
        if plane != self.controller.plane or work is None:
            return
        signs = [c.positive for c in self.controller.clicks]
        counts = messages.clicked(work.seconds, sum(signs), len(signs) - sum(signs))
        self.status.setText("\n".join(filter(None, (counts, self._note))))
        self._note = ""

    def _on_accepted(self, label: int) -> None:
        if label < self.controls.label.maximum():
            self.controls.label.setValue(label + 1)
        if self.controller.error is None:
            self.status.setText(messages.accepted(label))

    def _show_colour(self, *_: Any) -> None:
        objects = self.clicking.layers.objects
        colour = None if objects is None else objects.get_color(int(self.controls.label.value()))
        self.controls.show_colour(colour)

    def _show_roi(self) -> None:
        session = self.controller.session
        roi = None if session is None else session.roi
        self.roi.setText("" if roi is None else messages.region(roi))

    def _say(self, text: str, level: str) -> None:
        self.status.setText(text)
        overcome = level == "error" and self.controller.error is None  # work goes on
        self._note = text if overcome or level in ("status", "warning") else ""
        if level == "error":
            from napari.utils.notifications import show_error

            show_error(text)

    def _bind_keys(self, active: bool) -> None:
        own = self.clicking.layers.own if active else ()
        key_layers = [layer for layer in own if layer is not self.clicking.layers.objects]
        if active and not self._bound:
            self._keys.bind(self._viewer, key_layers)
        elif self._bound and not active:
            self._keys.unbind()
        self._bound = active

    # ------------------------------------------------------------------ closing
    def event(self, event: QEvent) -> bool:
        """Notice when napari takes the widget out of its dock, which closes it."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                self._docked = True
            elif self._docked:
                self.shut_down()
        return super().event(event)

    def showEvent(self, event: Any) -> None:
        """Ask for the width that the texts need in the viewer's style."""
        super().showEvent(event)
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(min(WIDEST, self._body.minimumSizeHint().width() + bar))

    def closeEvent(self, event: Any) -> None:
        """Cancel the worker and let go of the viewer."""
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Cancel the worker, disconnect from the viewer, unbind keys; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._threshold.cancel()
        self._keys.unbind()
        self.runner.close()
        self.source.shut_down()
        self.clicking.close()


def _line(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
