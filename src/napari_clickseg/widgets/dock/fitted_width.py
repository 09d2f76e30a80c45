"""How wide a dock is: as narrow as it can be in a small window, so that the image has room."""

from __future__ import annotations

from weakref import ref

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

__all__ = ["SMALL_WINDOW", "FittedWidth"]

SMALL_WINDOW = 1000
"""Pixels; of windows narrower than this, a dock takes as little as it can."""


class FittedWidth(QObject):
    """Makes a dock narrow when its window becomes small, and as wide as before when it grows.

    Parameters
    ----------
    dock : QWidget
        What is docked; its `minimumWidth` and `sizeHint` are the widths to choose from.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self._window: ref[QMainWindow] | None = None  # which outlives no viewer for it
        self._before = 0

    def follow(self) -> None:
        """Follow the window that the dock is in now."""
        window = self._dock.window()
        if isinstance(window, QMainWindow) and window is not self._followed:
            self.leave()
            self._window = ref(window)
            window.installEventFilter(self)

    def leave(self) -> None:
        """Follow no window any more."""
        if self._followed is not None:
            self._followed.removeEventFilter(self)
        self._window = None

    @property
    def _followed(self) -> QMainWindow | None:
        return None if self._window is None else self._window()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice when the window becomes small or grows; nothing is kept from it."""
        if event.type() == QEvent.Type.Resize and event.oldSize().isValid():
            was_small = event.oldSize().width() < SMALL_WINDOW
            is_small = event.size().width() < SMALL_WINDOW
            if is_small and not was_small:
                self._before = self._dock.width()
            if is_small != was_small:
                QTimer.singleShot(0, self._fit)  # when the window has laid out its docks
        return False

    def _fit(self) -> None:
        frame, window = self._dock.parent(), self._followed
        if window is None or not isinstance(frame, QDockWidget) or frame.isFloating():
            return
        width = self._before or self._dock.sizeHint().width()
        if window.width() < SMALL_WINDOW:
            width = self._dock.minimumWidth()
        window.resizeDocks([frame], [width], Qt.Orientation.Horizontal)
