"""A list to choose from that finds what is typed anywhere in its entries."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QCompleter, QWidget

from ..still_box import StillBox

__all__ = ["SearchBox"]


class SearchBox(StillBox):
    """Typing offers the entries that contain the text; anything else that is left there goes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = self.completer()
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.lineEdit().setPlaceholderText("type to search")
        self.lineEdit().editingFinished.connect(self._settle)

    @property
    def chosen(self) -> str:
        """The entry that is chosen, whatever is being typed; empty for none."""
        return self.itemText(self.currentIndex())

    def _settle(self) -> None:
        """Choose what was typed if there is one such entry only; else show what is chosen."""
        typed = self.currentText().strip()
        if typed and typed != self.chosen:
            rows = [i for i in range(self.count()) if typed.lower() in self.itemText(i).lower()]
            if len(rows) == 1:
                self.setCurrentIndex(rows[0])
        self.setEditText(self.chosen)
        self.lineEdit().setCursorPosition(0)
