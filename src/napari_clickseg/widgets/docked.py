"""A widget that shuts down once, when its dock or window is closed."""

from __future__ import annotations

import re
from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QDockWidget, QLabel, QWidget

__all__ = ["Docked"]

PLUGIN = re.compile(r"(?<=.) \([^()]*\)$")
"""What napari appends to the titles of docks."""


class Docked(QWidget):
    """Base of the docks: `let_go` is called when the dock is closed or the viewer goes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        self._docked = False

    def event(self, event: QEvent) -> bool:
        """Notice when napari takes the widget out of its dock, which closes it."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                self._docked = True
            elif self._docked:
                self.shut_down()
        return super().event(event)

    def showEvent(self, event: Any) -> None:
        """Leave the plugin's name out of the dock's title, which has no room for it."""
        super().showEvent(event)
        dock = self.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        bar = None if dock is None else dock.titleBarWidget()
        for title in () if bar is None else bar.findChildren(QLabel):
            title.setText(PLUGIN.sub("", title.text()))

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
