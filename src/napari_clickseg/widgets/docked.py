"""A widget that shuts down once, when its dock or window is closed."""

from __future__ import annotations

import re
from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QMainWindow,
    QTextEdit,
    QWidget,
)

from .keyboard import FOCUS, name_fields

__all__ = ["Docked", "bring_forward"]

PLUGIN = re.compile(r"(?<=.) \([^()]*\)$")
"""What napari appends to the titles of docks."""
FIELDS = (QAbstractSpinBox, QComboBox, QLineEdit, QTextEdit)
"""Where one types."""


class Docked(QWidget):
    """Base of the docks: `let_go` is called when the dock is closed or the viewer goes.

    Docks of ours in one area of the window are tabs: one above the other, none would have room.

    Attributes
    ----------
    single : bool
        Whether a window has one dock of this class at most: a second one brings the first one to
        the front and goes. napari makes a second one where the first one has another name, as
        docks opened from the command line have.
    """

    single = False
    _viewer: Any

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setStyleSheet(FOCUS)
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
        """Become a tab, and leave the name of the plugin, which has no room, out of the title."""
        super().showEvent(event)
        name_fields(self)
        dock = self.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        bar = None if dock is None else dock.titleBarWidget()
        for title in () if bar is None else bar.findChildren(QLabel):
            title.setText(PLUGIN.sub("", title.text()))
        if dock is not None and not self._shown:
            self._shown = True
            if self.single and _others(dock, type(self)):
                QTimer.singleShot(0, self._give_way)
            else:
                _become_tab(dock)

    def _give_way(self) -> None:
        """Bring the dock of this class that is there already to the front, and go."""
        dock = self.parent()
        if isinstance(dock, QDockWidget):
            bring_forward(_others(dock, type(self))[0])
            self._viewer.window.remove_dock_widget(self)
            self.deleteLater()

    def keyPressEvent(self, event: Any) -> None:
        """Let Enter and Escape end what is typed here, and not do what they do in the canvas."""
        typed = isinstance(self.focusWidget(), FIELDS)
        if typed and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            event.accept()
        else:
            super().keyPressEvent(event)

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
    for other in _others(dock, Docked):
        if other.isVisible() and window.dockWidgetArea(other) == area:
            window.tabifyDockWidget(other, dock)
            bring_forward(dock)
            return


def _others(dock: QDockWidget, kind: type[Docked]) -> list[QDockWidget]:
    """Docks of the same window that hold a widget of some kind that is not shut down."""
    window = dock.parent()
    docks = window.findChildren(QDockWidget) if isinstance(window, QMainWindow) else []
    held = [(other, other.findChild(kind)) for other in docks if other is not dock]
    return [other for other, widget in held if widget is not None and not widget._closed]


def bring_forward(dock: QWidget) -> None:
    """Show a dock, or the one that holds a widget, in front of those it shares its place with."""
    frame = dock if isinstance(dock, QDockWidget) else dock.parent()
    if isinstance(frame, QDockWidget):
        frame.show()
        frame.raise_()
