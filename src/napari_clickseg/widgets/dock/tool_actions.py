"""What the user does with tools and keys besides clicking: run, queue, delete, hide, outline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import messages
from ..layers.mask_outline import MaskOutline
from ..layers.region import RegionOutline
from ..work.controller import Controller
from ..work.tools import TOOLS
from ..work.work import needs_prediction
from .clicking import Clicking
from .controls import labelled_button
from .keys import KEYS, shortcuts
from .queueing import CtrlKey
from .tool_panel import ToolPanel
from .view_panel import ViewPanel

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

__all__ = ["ToolActions"]


class ToolActions:
    """Joins tools, auto-run and the view of the preview with their widgets and keys.

    Parameters
    ----------
    viewer : napari Viewer
    clicking : Clicking
    controller : Controller
    parent : QWidget
        The dock.
    """

    def __init__(
        self, viewer: Viewer, clicking: Clicking, controller: Controller, parent: QWidget
    ) -> None:
        self._clicking, self._controller, self._parent = clicking, controller, parent
        self.panel, self.view = ToolPanel(), ViewPanel()
        self.all_keys = labelled_button("all_keys", "All keys (F1)")
        self.all_keys.clicked.connect(lambda: self.help())
        self.set_keys: Mapping[str, str] = KEYS
        self._ctrl = CtrlKey(parent)
        self._ctrl.held.connect(self._on_ctrl)
        self.panel.chosen.connect(self.choose)
        self.panel.auto_run.toggled.connect(self.set_auto_run)
        self.panel.run.clicked.connect(lambda: self.run())
        self.view.edited.connect(self._apply_view)
        self.outline = MaskOutline(viewer, clicking.layers)
        self.region = RegionOutline(clicking.layers, controller)
        self.view.region.toggled.connect(self.region.switch)
        self.view.region.toggled.connect(controller.want_pictures)
        self.view.region.toggled.connect(self._show_picture)
        clicking.layers.lost.connect(self._on_lost)
        self.view.hide_preview.pressed.connect(lambda: self._show_preview(False))
        self.view.hide_preview.released.connect(lambda: self._show_preview(True))

    def shut_down(self) -> None:
        """Let go of the application and the layers."""
        self.outline.shut_down()
        self.region.shut_down()
        self._clicking.layers.lost.disconnect(self._on_lost)
        self._ctrl.close()

    @property
    def keys(self) -> dict[str, Callable[[], Any]]:
        """What keys do, by the names of `keys.KEYS`."""
        tools = {tool.name: lambda name=tool.name: self.choose(name) for tool in TOOLS}
        return {
            **tools,
            "auto_run": self.panel.auto_run.toggle,
            "run": self.run,
            "nearest": self.delete_nearest,
            "hide": self.hide,
            "outline": self.view.outline.toggle,
            "help": self.help,
        }

    # ------------------------------------------------------------------ verbs
    def choose(self, name: str) -> None:
        """Take up a tool."""
        if self._clicking.active:
            self._clicking.tools.choose(name)
            self._clicking.changed.emit()  # of two drawing tools, only the layer's mode differs

    def set_auto_run(self, on: bool) -> None:
        """Let each click run the model, or wait for `run`."""
        self._controller.set_auto_run(on)
        if not on:
            self._controller.said.emit(messages.AUTO_RUN_OFF, "info")

    def run(self) -> None:
        """Run the clicks that wait, or the whole object again with the options as they are now."""
        if self._clicking.active:
            self._controller.run()

    def delete_nearest(self) -> None:
        """Delete what was said nearest to the mouse pointer."""
        controller = self._controller
        try:
            plane, row, col = self._clicking.under_pointer()
        except ValueError:
            plane = None
        if plane is None or not controller.clicks or plane != controller.plane:
            controller.said.emit(messages.NOTHING_NEAR, "info")
            return
        far = [
            min(np.hypot(r - row, c - col) for r, c in item.points) for item in controller.clicks
        ]
        nearest = int(np.argmin(far))
        rest = tuple(item for i, item in enumerate(controller.clicks) if i != nearest)
        controller.replace(controller.plane, rest)

    def hide(self) -> Iterator[None]:
        """Hide the preview while a key is held."""
        self._show_preview(False)
        yield
        self._show_preview(True)

    def help(self) -> None:
        """Show all keys."""
        from qtpy.QtWidgets import QMessageBox

        box = QMessageBox(self._parent)
        box.setWindowTitle("Keys of Click segmentation")
        rows = "".join(
            f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>"
            for key, what in shortcuts(self.set_keys)
        )
        box.setText(f"<table>{rows}</table>")
        box.setModal(False)
        box.show()

    def _on_lost(self, role: str) -> None:
        if role == "roi":
            self.view.region.setChecked(False)
        elif role == "outline":
            self.view.outline.setChecked(False)

    def _on_ctrl(self, down: bool) -> None:
        self._controller.hold(down and self._clicking.active)

    # ------------------------------------------------------------------ showing
    def refresh(self) -> None:
        """Show the tool in use and what waits."""
        controller, active = self._controller, self._clicking.active
        self.panel.show_tool(self._clicking.tools.tool.name, active)
        session = controller.session
        waiting = 0
        if session is not None and controller.busy is None and needs_prediction(session):
            waiting = len(session.interactions) - session.predicted
        self.panel.show_waiting(waiting, active and bool(controller.clicks))
        self._show_picture()

    def begin(self) -> None:
        """Show new layers as the view panel says."""
        self._apply_view()

    def _apply_view(self) -> None:
        self.view.apply(self._clicking.layers)
        self.outline.show(self.view.outline.isChecked(), self.view.opacity.value())
        self._clicking.tools.set_width(float(self.view.line_width.value()))

    def _show_picture(self, *_: Any) -> None:
        """Show what the model saw for the present object, if that is wanted."""
        work = self._controller.work
        known = work is not None and work.picture is not None and self.view.region.isChecked()
        roi, pixels = work.picture if known else (None, None)
        session = self._controller.session
        seen = session is not None and session.predicted and session.roi == roi
        self.view.show_picture(pixels if seen else None)

    def _show_preview(self, visible: bool) -> None:
        if self._clicking.layers.preview is not None:
            self._clicking.layers.preview.visible = visible
