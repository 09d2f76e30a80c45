"""A table of values in Qt, sorted by a click on a column's head."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtWidgets import QAbstractItemView, QTableView, QWidget

from ..data.exports.tables import Table

__all__ = ["TableView"]

Role = Qt.ItemDataRole
NONE = QModelIndex()


class _Model(QAbstractTableModel):
    def __init__(self, table: Table, parent: QWidget) -> None:
        super().__init__(parent)
        self._table = table

    def rowCount(self, parent: QModelIndex = NONE) -> int:
        return 0 if parent.isValid() else len(self._table.rows)

    def columnCount(self, parent: QModelIndex = NONE) -> int:
        return 0 if parent.isValid() else len(self._table.columns)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        value = self._table.rows[index.row()][index.column()]
        if role == Role.DisplayRole:
            return f"{value:.5g}" if isinstance(value, float) else str(value)
        if role == Role.UserRole:  # for sorting
            return value
        if role == Role.TextAlignmentRole and not isinstance(value, str):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if role != Role.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return self._table.columns[section].replace("_", " ")


class TableView(QTableView):
    """Shows a `Table`; it cannot be edited."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        self.setSortingEnabled(True)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSortRole(Role.UserRole)
        self.setModel(self._sorted)

    def show_table(self, table: Table) -> None:
        """Show another table, in its own order."""
        before = self._sorted.sourceModel()
        self._sorted.setSourceModel(_Model(table, self))
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.resizeColumnsToContents()
        if before is not None:
            before.deleteLater()
