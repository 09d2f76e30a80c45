"""The dock widget: what the user sees and presses. Everything else is in the modules it joins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, QTimer
from superqt.utils import qdebounced

from .. import messages
from ..docked import Docked
from ..folder.folder import ImageFolder
from ..folder.leaving import KEEP, Leaving
from ..image.signing import Signatures
from ..model.advanced import AdvancedPanel
from ..model.predictors import Choice
from ..objects.actions import ObjectActions
from ..objects.autosave import Autosave
from ..objects.recovery import RecoveryBar
from ..objects.session_files import SessionFiles
from ..preferences import begin_with, key_texts, preferences
from ..work.controller import Controller
from ..work.worker import Runner
from .channel_panel import ChannelPanel
from .clicking import Clicking
from .column import Column, lay_out
from .controls import Controls, Pill
from .fitted_width import SMALL_WINDOW, FittedWidth
from .folding import keep_folds
from .keys import KEYS, KeyBindings
from .lines import Lines
from .set_keys import use_keys
from .source import SourcePanel
from .starting import Starting
from .state import State
from .tool_actions import ToolActions

if TYPE_CHECKING:
    import napari

__all__ = ["ClickDock"]

DEBOUNCE_MS = 30
NARROWEST, WIDEST = 216, 380
"""Pixels."""


class ClickDock(Docked):
    """Click segmentation of an image layer.

    Parameters
    ----------
    viewer : napari Viewer
    load : callable, optional
        ``load(model, device) -> ClickModel``, in place of the model zoo.
    """

    single = True

    def __init__(
        self, viewer: napari.viewer.Viewer, load: Callable[[str, str], Any] | None = None
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._image: Any = None
        self.runner = Runner(self)
        self.controller = Controller(self.runner, load)
        self.clicking = Clicking(viewer, self.controller)
        self.lines = Lines(self.clicking, self.controller)
        self.hint, self.status, self.roi = self.lines.hint, self.lines.status, self.lines.roi
        self.source = SourcePanel(viewer)
        self.controls = Controls()
        self.actions = ObjectActions(
            viewer, self.clicking, self.controller, self.controls, self.start
        )
        self.objects = self.actions.panel
        self.signatures = Signatures(self)
        self.autosave = Autosave(self.clicking, self.controller, self.lines.say, self.signatures)
        self.leaving = Leaving(self.clicking, self.actions, self.source, self)
        self.sessions = SessionFiles(
            self.clicking,
            self.controller,
            self.runner,
            self.source,
            self.autosave,
            self.signatures,
            self.start,
            self,
        )
        self.recovery = RecoveryBar(self.autosave, self._start_if_idle)
        self.tools = ToolActions(viewer, self.clicking, self.controller, self)
        self.controls.layout().insertWidget(1, self.tools.panel)
        self.starting = Starting(viewer, self.clicking, self.controller, self.actions)
        self.channels = ChannelPanel(viewer)
        self.clicking.readers.colours = self.channels.reader
        self.advanced = AdvancedPanel()
        self.folder = ImageFolder(self, viewer)
        self.pill = Pill()
        self.keys = KeyBindings(
            {
                "swap": self.clicking.swap,
                "undo": self.undo,
                "redo": self.redo,
                "reset": self.controller.reset,
                "accept": self.accept,
                "cancel": self.cancel,
                **self.actions.keys,
                **self.tools.keys,
                **self.folder.keys,
                "next_slice": self.starting.next_slice,
            }
        )
        self._column = Column(
            (
                self.recovery,
                self.folder.panel,
                self.source,
                self.channels,
                self.controls,
                self.objects,
                self.starting.panel,
                self.tools.view,
                self.advanced,
                self.roi,
                self.tools.all_keys,
            )
        )
        lay_out(self, (self.hint, self.pill), self._column, (self.status, self.lines.copy))
        keep_folds((self.source, self.channels, self.objects, self.tools.view, self.advanced))
        self.setMinimumWidth(NARROWEST)
        self.setMaximumWidth(WIDEST)
        self._width = FittedWidth(self)
        self._connect()
        begin_with(self, preferences())
        use_keys(self, key_texts(KEYS))
        self._on_source()

    def _connect(self) -> None:
        self.runner.finished.connect(self.controller.finish)
        self.runner.progressed.connect(self.controller.progress)
        self.controller.changed.connect(self._refresh)
        self.controller.reverted.connect(self._on_reverted)
        self.controller.said.connect(self.lines.say)
        self.controller.shown.connect(self.lines.show_counts)
        self.clicking.changed.connect(self._refresh)
        self.clicking.objects.changed.connect(self._refresh)
        self.objects.said.connect(self.lines.say)
        self.objects.save_session.clicked.connect(lambda: self.sessions.save())
        self.objects.open_session.clicked.connect(lambda: self.sessions.open())
        self.recovery.said.connect(self.lines.say)
        self.sessions.opened.connect(lambda: self.recovery.look(self.source.image))
        self.clicking.layers.lost.connect(self._on_lost)
        self.source.edited.connect(self._on_source)
        self.source.said.connect(self.lines.say)
        channels = self.channels
        channels.edited.connect(lambda: self.clicking.share(channels.image, channels.axis))
        self.source.contrast_box.currentTextChanged.connect(self._on_contrast)
        self.advanced.edited.connect(self._on_source)
        controls = self.controls
        self.tools.view.jump.clicked.connect(self.actions.jump)
        controls.start.clicked.connect(self.toggle)
        controls.positive.clicked.connect(lambda: self.clicking.set_positive(True))
        controls.negative.clicked.connect(lambda: self.clicking.set_positive(False))
        controls.undo.clicked.connect(self.undo)
        controls.redo.clicked.connect(self.redo)
        controls.reset.clicked.connect(self.controller.reset)
        controls.cancel.clicked.connect(self.cancel)
        controls.accept.clicked.connect(self.accept)
        controls.accept_part.clicked.connect(lambda: self.actions.accept(part=True))
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
        answer = self.leaving.settle(image)
        if answer is None:
            return
        self.lines.clear()
        try:
            self.clicking.start(image, keep=answer == KEEP)
            self.tools.begin()
        except (ValueError, MemoryError, OSError) as error:
            self.lines.say(messages.one_sentence(error), "error")
        self._refresh()

    def _start_if_idle(self) -> None:
        if not self.clicking.active or self.clicking.layers.objects is None:
            self.start()

    def stop(self) -> None:
        """Stop clicking; the unfinished object goes on at the next start."""
        self.clicking.stop()
        if self.controller.waiting:
            self.lines.say(messages.waiting(self.controller.waiting), "info")

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
        self.actions.accept()

    def undo(self) -> None:
        """Take back the last step, of the object in work or of the accepted objects."""
        self.actions.undo()

    def redo(self) -> None:
        """Bring back what `undo` took."""
        self.actions.redo()

    def cancel(self) -> None:
        """Stop the running prediction; if there is none, give back what was opened again."""
        self.actions.cancel()

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
        if self.source.image is not self._image:
            self._image = self.source.image
            self.recovery.look(self._image)
        self.channels.show_image(self.source.image)
        self.controller.set_cleaning(self.advanced.cleaning)
        model, before = self.source.model, self.controller.choice
        if model is None:
            self.controller.choose(None)
        else:
            if before is not None and before.model != model:
                self.advanced.forget()
            touched = tuple(self.advanced.touched.items())
            choice = Choice(model, self.source.device, touched, self.source.written)
            self.controller.choose(choice)
            if before is not None and not choice.same_model(before):
                self.status.setText("")
                self.controller.load()
        self._refresh()

    def _on_contrast(self, choice: str) -> None:
        self.clicking.readers.contrast = self.channels.contrast = choice
        self.clicking.readers.clear()

    def _on_lost(self, role: str) -> None:
        if role == "objects":
            self.recovery.look(self.source.image)
        elif role == "image":  # whoever removes it may be removing more layers
            QTimer.singleShot(0, self.clicking.tidy)

    def _on_reverted(self) -> None:
        choice = self.controller.choice
        self.source.choose_model(choice.model, choice.device, choice.written)

    def _refresh(self) -> None:
        if self._closed:
            return
        state, active, controls = self.state, self.clicking.active, self.controls
        self._bind_keys(active)
        read = self.controller.read if state is State.LOADING else 0.0
        self.pill.show_state(state.value, read)
        self.lines.show_hint(state)
        controls.start.setText("Stop clicking" if active else "Start clicking")
        controls.start.setEnabled(active or state not in (State.NO_IMAGE, State.NO_MODEL))
        self.source.image_box.setEnabled(not active)
        clicks = self.controller.clicks
        enabled = dict.fromkeys(("positive", "negative", "accept", "accept_part"), active) | {
            "undo": active and self.clicking.objects.can_undo,
            "redo": active and self.clicking.objects.can_redo,
            "reset": active and bool(clicks),
            "cancel": self.controller.busy is not None or self.actions.opened,
        }
        for name, on in enabled.items():
            getattr(controls, name).setEnabled(on)
        (controls.positive if self.clicking.positive else controls.negative).setChecked(True)
        self.tools.refresh()
        controls.show_threshold(self.controller.threshold)
        self.advanced.show_model(self.controller.spec, self.controller.profile)
        self.source.show_loaded(self.controller.spec)
        self.actions.show_colour()
        self.lines.show_roi()
        self.lines.show_details()

    def _bind_keys(self, active: bool) -> None:
        own = self.clicking.layers.own if active else ()
        key_layers = [layer for layer in own if layer is not self.clicking.layers.objects]
        self.keys.follow(self._viewer, key_layers)

    # ------------------------------------------------------------------ closing
    def sizeHint(self) -> QSize:
        """The width that the texts need in the viewer's style; less in a small window."""
        width = min(WIDEST, self._column.needed_width)
        small = self.window().width() < SMALL_WINDOW
        return QSize(NARROWEST if small else width, super().sizeHint().height())

    def showEvent(self, event: Any) -> None:
        """Follow the width of the window."""
        super().showEvent(event)
        self._width.follow()

    def let_go(self) -> None:
        """Cancel the worker, disconnect from the viewer, unbind keys."""
        self._width.leave()
        self._threshold.cancel()
        self.keys.unbind()
        self.folder.shut_down()
        self.runner.close()
        self.source.shut_down()
        self.channels.shut_down()
        self.tools.shut_down()
        self.starting.shut_down()
        self.clicking.layers.lost.disconnect(self._on_lost)
        self.actions.shut_down()
        self.autosave.shut_down()
        self.signatures.forget()
        self.clicking.close()
