"""A widget that shuts down once, when its dock or window is closed."""

from __future__ import annotations

import re
from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow, QWidget

__all__ = ["Docked"]

PLUGIN = re.compile(r"(?<=.) \([^()]*\)$")
"""What napari appends to the titles of docks."""


class Docked(QWidget):
    """Base of the docks: `let_go` is called when the dock is closed or the viewer goes.

    Docks of ours in one area of the window are tabs: one above the other, none would have room.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        self._docked = self._shown = False

    def event(self, event: QEvent) -> bool:
        """Notice when napari takes the widget out of its dock, which closes it."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                self._docked = True
            elif self._docked:
                self.shut_down()
        return super().event(event)

    def showEvent(self, event: Any) -> None:
        """Become a tab, and leave the plugin's name, for which there is no room, out of the title."""
        super().showEvent(event)
        dock = self.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        bar = None if dock is None else dock.titleBarWidget()
        for title in () if bar is None else bar.findChildren(QLabel):
            title.setText(PLUGIN.sub("", title.text()))
        if dock is not None and not self._shown:
            self._shown = True
            _become_tab(dock)

    def closeEvent(self, event: Any) -> None:
        """Shut down with the window."""
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Stop what runs and follow the viewer no more; safe to call twice."""
        if not self._closed:
            self._closed = True
            self.let_go()

    def let_go(self) -> None:
        """Stop what runs and follow the viewer no more."""
        raise NotImplementedError


def _become_tab(dock: QDockWidget) -> None:
    """Put a dock in front of another one of ours, if there is one in its area of the window."""
    window = dock.parent()
    if not isinstance(window, QMainWindow) or dock.isFloating():
        return
    area = window.dockWidgetArea(dock)
    for other in window.findChildren(QDockWidget):
        ours = other is not dock and other.findChild(Docked) is not None
        if ours and other.isVisible() and window.dockWidgetArea(other) == area:
            window.tabifyDockWidget(other, dock)
            dock.raise_()
            return
