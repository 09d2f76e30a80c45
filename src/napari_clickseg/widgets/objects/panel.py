"""The section of the dock with the accepted objects and what can be done to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..dock.controls import labelled_button
from ..section import Section
from ..tooltips import tooltip
from .accepted import Key
from .objects import Objects
from .table import ObjectsTable

__all__ = ["ObjectsPanel"]

SPOKEN = {
    "objects_table": "Accepted objects",
    "next_class": "Class of the next objects",
    "class_colour": "Colour of this class",
}
"""Names for screen readers of what has no text of its own."""


class ObjectsPanel(Section):
    """Table, class of the next object, and buttons to open again, merge and delete.

    Parameters
    ----------
    objects : Objects
    colour : callable
        Colour of a label in the objects layer, None without a layer.

    Signals
    -------
    wanted : Key
        An object is to be clicked on again.
    chosen : Key
        An object is to be shown.
    said : (str, str)
        A sentence and its level.
    """

    wanted = Signal(object)
    chosen = Signal(object)
    said = Signal(str, str)

    def __init__(
        self, objects: Objects, colour: Callable[[int], Any], parent: QWidget | None = None
    ) -> None:
        super().__init__("Objects", parent)
        self._objects, self._colour = objects, colour
        self.layer_row = QHBoxLayout()
        self.table = ObjectsTable()
        self.next_class = QComboBox()
        self.next_class.setEditable(True)
        self.next_class.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.class_colour = QPushButton()
        self.class_colour.setFixedWidth(28)
        self.by_class = QCheckBox("colours by class")
        self.open_again = labelled_button("open_again", "Reopen")
        self.merge = labelled_button("merge", "Merge")
        self.delete = labelled_button("delete", "Delete")
        self.save_session = labelled_button("save_session", "Save session...")
        self.open_session = labelled_button("open_session", "Open session...")
        named = {
            "objects_table": self.table,
            "next_class": self.next_class,
            "class_colour": self.class_colour,
            "by_class": self.by_class,
        }
        for name, widget in named.items():
            widget.setObjectName(name)
            widget.setToolTip(tooltip(name))
            widget.setAccessibleName(SPOKEN.get(name, ""))
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(4, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(QLabel("Class of next"))
        row.addWidget(self.next_class, 1)
        row.addWidget(self.class_colour)
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, button in enumerate((self.open_again, self.merge, self.delete)):
            grid.addWidget(button, 0, place)
            grid.setColumnStretch(place, 1)
        column.addLayout(self.layer_row)
        column.addWidget(self.table)
        column.addLayout(grid)
        column.addLayout(row)
        column.addWidget(self.by_class)
        files = QHBoxLayout()
        files.setSpacing(4)
        files.addWidget(self.save_session, 1)
        files.addWidget(self.open_session, 1)
        column.addLayout(files)
        self.addWidget(body)

    def _connect(self) -> None:
        self._objects.changed.connect(self.refresh)
        self.table.wanted.connect(self.wanted)
        self.table.chosen.connect(self._on_chosen)
        self.table.named.connect(self._on_named)
        self.open_again.clicked.connect(lambda: self.wanted.emit(self.table.keys[0]))
        self.merge.clicked.connect(self._on_merge)
        self.delete.clicked.connect(lambda: self._objects.delete(self.table.keys))
        self.by_class.toggled.connect(self._objects.colour_by_class)
        self.class_colour.clicked.connect(self._on_colour)
        self.next_class.currentTextChanged.connect(self._show_colour)

    def shut_down(self) -> None:
        """Follow the objects no more."""
        self._objects.changed.disconnect(self.refresh)

    def refresh(self) -> None:
        """Show the objects as they are now."""
        items = list(self._objects.items.values())
        opened = frozenset(item.key for item in self._objects.all_opened)
        classes = self._objects.classes
        self.save_session.setEnabled(bool(items))
        self.table.show_objects(items, opened, self._colour, classes)
        self.setText(f"Objects ({len(items)})" if items else "Objects")
        text, blocked = self.next_class.currentText(), self.next_class.blockSignals(True)
        self.next_class.clear()
        self.next_class.addItems(["", *classes])
        self.next_class.setCurrentText(text)
        self.next_class.blockSignals(blocked)
        self._show_colour()
        self._enable()

    def _enable(self) -> None:
        count = len(self.table.keys)
        self.open_again.setEnabled(count == 1)
        self.merge.setEnabled(count > 1)
        self.delete.setEnabled(count > 0)

    def _show_colour(self, *_: Any) -> None:
        colour = self._objects.classes.get(self._class, "transparent")
        self.class_colour.setEnabled(bool(self._class))
        self.class_colour.setStyleSheet(f"background: {colour}; border-radius: 4px;")

    @property
    def _class(self) -> str:
        return " ".join(self.next_class.currentText().split())

    @property
    def class_name(self) -> str:
        """Class of the next object; empty for none."""
        return self._class

    def _on_chosen(self, keys: tuple[Key, ...]) -> None:
        self._enable()
        if len(keys) == 1:
            self.chosen.emit(keys[0])

    def _on_named(self, key: Key, name: str) -> None:
        keys = self.table.keys
        self._objects.set_class(keys if key in keys else (key,), name)

    def _on_merge(self) -> None:
        try:
            self._objects.merge(self.table.keys)
        except ValueError as error:
            self.said.emit(str(error), "warning")

    def _on_colour(self) -> None:
        before = QColor(self._objects.classes.get(self._class, "#888888"))
        colour = QColorDialog.getColor(before, self, f"Colour of the class '{self._class}'")
        if colour.isValid():
            self._objects.set_colour(self._class, colour.name())
