"""A combo box that scrolling the dock does not change."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QComboBox

__all__ = ["StillBox"]


class StillBox(QComboBox):
    """Leaves the mouse wheel to the dock, so that scrolling it chooses nothing."""

    def wheelEvent(self, event: Any) -> None:
        """Leave it to what the box lies in."""
        event.ignore()
