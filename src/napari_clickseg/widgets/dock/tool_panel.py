"""Buttons of the tools, and when the model runs. Only widgets; `tool_actions` joins them."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..tooltips import tooltip
from ..work.tools import POINTS, TOOLS
from .controls import labelled_button

__all__ = ["ToolPanel"]

WIDE = 230
"""Pixels from which the names of tools are as large as other texts."""


class ToolPanel(QWidget):
    """One button per tool, auto-run and Run.

    Attributes
    ----------
    worded : callable
        ``worded(text)``: the text with the keys that are set.

    Signals
    -------
    chosen : str
        Name of the tool whose button was pressed.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools: dict[str, QPushButton] = {}
        self.worded: Callable[[str], str] = str
        group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(2)
        for tool in TOOLS:
            button = labelled_button(f"tool_{tool.name}", f"{tool.text}\n{tool.key}")
            button.setCheckable(True)
            button.setMinimumHeight(36)
            button.clicked.connect(lambda *_, name=tool.name: self.chosen.emit(name))
            group.addButton(button)
            row.addWidget(button, 1)
            self.tools[tool.name] = button
        self.auto_run = QCheckBox("Auto-run (Q)")
        self.auto_run.setObjectName("auto_run")
        self.auto_run.setToolTip(tooltip("auto_run"))
        self.auto_run.setChecked(True)
        self.run = labelled_button("run", "Run (G)")
        second = QHBoxLayout()
        second.setSpacing(4)
        second.addWidget(self.auto_run, 1)
        second.addWidget(self.run, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addLayout(second)
        self.show_tool(POINTS.name, False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write smaller in a narrow dock."""
        super().resizeEvent(event)
        size = 11 if self.width() >= WIDE else 9
        for button in self.tools.values():
            button.setStyleSheet(f"padding: 2px 0px; font-size: {size}px;")

    def show_tool(self, name: str, active: bool) -> None:
        """Show which tool is in use, and whether any can be."""
        self.tools[name].setChecked(True)
        for button in self.tools.values():
            button.setEnabled(active)

    def show_waiting(self, count: int, can_run: bool) -> None:
        """Say on the button how many clicks wait for it."""
        self.run.setText(self.worded(f"Run {count} (G)" if count else "Run (G)"))
        self.run.setEnabled(can_run)
