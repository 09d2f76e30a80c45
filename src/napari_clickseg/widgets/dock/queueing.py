"""While Ctrl is held, clicks wait; when it is let go they run together."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QApplication

__all__ = ["CtrlKey"]

ENDS = (QEvent.Type.ApplicationStateChange, QEvent.Type.WindowDeactivate)


class CtrlKey(QObject):
    """Watches the Ctrl key (Command on a Mac) of the whole application.

    Signals
    -------
    held : bool
        It was pressed or let go; leaving the window counts as letting go.
    """

    held = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._down = False
        QApplication.instance().installEventFilter(self)

    def close(self) -> None:
        """Watch no more."""
        QApplication.instance().removeEventFilter(self)

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        """See every event and stop none."""
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            if event.key() == Qt.Key.Key_Control and not event.isAutoRepeat():
                self._set(kind == QEvent.Type.KeyPress)
        elif kind in ENDS:
            self._set(False)
        return False

    def _set(self, down: bool) -> None:
        if down != self._down:
            self._down = down
            self.held.emit(down)
