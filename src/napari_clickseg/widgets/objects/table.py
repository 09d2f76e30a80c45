"""The table of accepted objects: id, class, clicks, area, time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QTableView,
)

from .accepted import AcceptedObject, Key

__all__ = ["ObjectsTable"]

COLUMNS = ("id", "class", "clicks", "area", "time", "slice")
CLASS, SLICE = 1, 5
ROWS = 6
"""Rows that are seen without scrolling."""

Colour = Callable[[int], "tuple[float, ...] | None"]


class _Model(QAbstractTableModel):
    """Rows of objects; only class names can be edited."""

    named = Signal(object, str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.items: list[AcceptedObject] = []
        self.open: frozenset[Key] = frozenset()
        self.colour: Colour = lambda label: None
        self.classes: Mapping[str, str] = {}

    def show(self, items: list[AcceptedObject], open_keys: frozenset[Key]) -> None:
        """Show other objects."""
        self.beginResetModel()
        self.items, self.open = items, open_keys
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self.items)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def flags(self, index: QModelIndex) -> Any:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == CLASS else flags

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        item, column = self.items[index.row()], COLUMNS[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return _text(item, column, item.key in self.open)
        if role == Qt.ItemDataRole.UserRole:  # to sort by
            return _number(item, column)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._swatch(item, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _about(item)
        if role == Qt.ItemDataRole.TextAlignmentRole and column not in ("id", "class"):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _swatch(self, item: AcceptedObject, column: str) -> QColor | None:
        if column == "class" and item.name in self.classes:
            return QColor(self.classes[item.name])
        colour = self.colour(item.label) if column == "id" else None
        return None if colour is None else QColor.fromRgbF(*(float(c) for c in colour[:3]))

    def setData(self, index: QModelIndex, value: Any, role: int = 0) -> bool:
        item = self.items[index.row()]
        if str(value) != item.name:
            self.named.emit(item.key, str(value))
        return True


class _Classes(QStyledItemDelegate):
    """Edits a class name, offering those in use."""

    def createEditor(self, parent: Any, option: Any, index: QModelIndex) -> QComboBox:
        box = QComboBox(parent)
        box.setEditable(True)
        box.addItems(["", *self.parent().model().sourceModel().classes])
        return box

    def setEditorData(self, editor: QComboBox, index: QModelIndex) -> None:
        editor.setCurrentText(index.data() or "")
        editor.lineEdit().selectAll()

    def setModelData(self, editor: QComboBox, model: Any, index: QModelIndex) -> None:
        model.setData(index, editor.currentText())


class ObjectsTable(QTableView):
    """Accepted objects, to select, open again and name.

    Signals
    -------
    chosen : tuple of Key
        The user selected other rows.
    wanted : Key
        The user wants to click on this object again.
    named : (Key, str)
        The user gave an object's class another name.
    """

    chosen = Signal(tuple)
    wanted = Signal(object)
    named = Signal(object, str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._model = _Model(self)
        self._model.named.connect(self.named)
        self._filling = False
        order = QSortFilterProxyModel(self)
        order.setSourceModel(self._model)
        order.setSortRole(Qt.ItemDataRole.UserRole)
        self.setModel(order)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setItemDelegateForColumn(CLASS, _Classes(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        rows, head = self.verticalHeader(), self.horizontalHeader()
        rows.setVisible(False)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 8)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(CLASS, QHeaderView.ResizeMode.Stretch)
        head.setMinimumSectionSize(30)
        self.setMinimumHeight((ROWS + 1) * rows.defaultSectionSize() + 6)
        self.setColumnHidden(SLICE, True)
        self.doubleClicked.connect(self._on_double_click)
        self.selectionModel().selectionChanged.connect(self._on_selection)

    @property
    def keys(self) -> tuple[Key, ...]:
        """Keys of the selected objects, as sorted."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return tuple(self._item(self.model().index(row, 0)).key for row in rows)

    def show_objects(
        self,
        items: list[AcceptedObject],
        opened: frozenset[Key],
        colour: Colour,
        classes: Mapping[str, str],
    ) -> None:
        """Show these objects; those selected before stay so.

        Parameters
        ----------
        items : list of AcceptedObject
        opened : frozenset of Key
            Those that are being clicked on again.
        colour : callable
            Colour of a label.
        classes : mapping
            Colours of class names.
        """
        selected = self.keys
        self._filling = True
        self._model.colour, self._model.classes = colour, classes
        self._model.show(items, opened)
        self.setColumnHidden(SLICE, not any(len(item.plane.steps) > 2 for item in items))
        self.select(selected)
        self._filling = False

    def select(self, keys: tuple[Key, ...]) -> None:
        """Select objects without telling so."""
        filling, self._filling = self._filling, True
        chosen = self.selectionModel()
        chosen.clearSelection()
        wanted = set(keys)
        flags = chosen.SelectionFlag.Select | chosen.SelectionFlag.Rows
        for row in range(self.model().rowCount() if wanted else 0):
            index = self.model().index(row, 0)
            if self._item(index).key in wanted:
                chosen.select(index, flags)
                self.scrollTo(index)
        self._filling = filling

    def neighbour(self, key: Key | None, step: int) -> Key | None:
        """The object so many rows further, round the ends; None if there are no objects."""
        rows = [self._item(self.model().index(r, 0)).key for r in range(self.model().rowCount())]
        if not rows:
            return None
        if key not in rows:
            return rows[0 if step > 0 else -1]
        return rows[(rows.index(key) + step) % len(rows)]

    def _item(self, index: QModelIndex) -> AcceptedObject:
        return self._model.items[self.model().mapToSource(index).row()]

    def _on_selection(self, *_: Any) -> None:
        if not self._filling:
            self.chosen.emit(self.keys)

    def _on_double_click(self, index: QModelIndex) -> None:
        if index.column() != CLASS:
            self.wanted.emit(self._item(index).key)


def _text(item: AcceptedObject, column: str, opened: bool) -> str:
    return {
        "id": f"{item.label}{' ✎' if opened else ''}",
        "class": item.name,
        "clicks": str(len(item.interactions)),
        "area": f"{item.area:,}".replace(",", "\u2009"),
        "time": duration(item.seconds),
        "slice": ", ".join(str(step) for step in item.plane.steps if step is not None),
    }[column]


def _number(item: AcceptedObject, column: str) -> Any:
    return {
        "id": item.label,
        "class": item.name.lower(),
        "clicks": len(item.interactions),
        "area": item.area,
        "time": item.seconds,
        "slice": next((step for step in item.plane.steps if step is not None), 0),
    }[column]


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min"


def _about(item: AcceptedObject) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.edited))
    return (
        f"Object {item.label}{f' ({item.name})' if item.name else ''}: {item.area} px, accepted "
        f"{when}.\nDouble-click to click on it again; double-click its class to name it."
    )
