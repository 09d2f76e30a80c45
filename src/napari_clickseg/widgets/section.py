"""A section of a dock that folds."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFormLayout, QSizePolicy, QWidget
from superqt import QCollapsible

from .form import wide_form

__all__ = ["Section"]

ALL = 2**24 - 1
"""Qt's largest height."""


class Section(QCollapsible):
    """Folds at once; open, it is as high as its content is in the width that there is."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent, expandedIcon="▾", collapsedIcon="▸")
        self.setDuration(0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.content().layout().setContentsMargins(0, 0, 0, 0)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.layout().setAlignment(Qt.AlignmentFlag(0))  # another one would not count wrapped rows
        self.toggleButton().setMinimumWidth(1)
        self.toggled.connect(self._on_toggled)

    def add_form(self) -> QFormLayout:
        """An empty form as the content, whose fields are as wide as there is room."""
        body = QWidget()
        form = wide_form(body)
        form.setContentsMargins(4, 0, 0, 0)
        self.addWidget(body)
        return form

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take no notice of the content's size; the base class would cut what is wrapped."""
        return False

    def _on_toggled(self, is_open: bool) -> None:
        if is_open:
            self.content().setMaximumHeight(ALL)
