"""The dock's widgets one below the other: what to do, a column that scrolls, what happened."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ..keyboard import in_order

__all__ = ["Column", "lay_out"]


class Column(QScrollArea):
    """A scrolled column that may be narrower than its texts, but never wider than the dock.

    Parameters
    ----------
    rows : iterable of QWidget
    """

    def __init__(self, rows: Iterable[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(6)
        for row in rows:
            column.addWidget(row)
            row.setMinimumWidth(1)  # texts are cut and fields wrapped in a narrow dock
        for form in body.findChildren(QFormLayout):
            form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        column.addStretch(1)
        for before, after in pairwise(in_order(column)):
            self.setTabOrder(before, after)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(body)

    @property
    def needed_width(self) -> int:
        """Pixels in which all texts have room."""
        return self.widget().sizeHint().width() + self.verticalScrollBar().sizeHint().width()


def lay_out(
    dock: QWidget, head: tuple[QWidget, QWidget], column: Column, foot: Iterable[QWidget]
) -> None:
    """Lay out a dock whose first and last lines are in view wherever the column is scrolled to.

    Of the head, the first one takes the room that the second one leaves.
    """
    outer = QVBoxLayout(dock)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.setSpacing(0)
    first, last = QHBoxLayout(), QVBoxLayout()
    first.addWidget(head[0], 1)
    first.addWidget(head[1], 0, Qt.AlignmentFlag.AlignTop)
    for row in foot:
        last.addWidget(row)
    for line in (first, last):
        line.setContentsMargins(8, 4, 8, 4)
    outer.addLayout(first)
    outer.addWidget(column, 1)
    outer.addLayout(last)
    for row in (*head[:1], *foot):
        row.setMinimumWidth(1)
