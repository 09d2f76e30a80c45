"""The dock's widgets one below the other, scrolled where the window is too low for them."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

__all__ = ["Column"]


class Column(QScrollArea):
    """A scrolled column that may be narrower than its texts, but never wider than the dock.

    Parameters
    ----------
    rows : iterable of QWidget or (QWidget, QWidget)
        Of a pair, the first one takes the room that the second one leaves.
    """

    def __init__(
        self, rows: Iterable[QWidget | tuple[QWidget, QWidget]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(6)
        for row in rows:
            if isinstance(row, tuple):
                pair = QHBoxLayout()
                pair.addWidget(row[0], 1)
                pair.addWidget(row[1], 0, Qt.AlignmentFlag.AlignTop)
                column.addLayout(pair)
            else:
                column.addWidget(row)
                row.setMinimumWidth(1)  # texts are cut and fields wrapped in a narrow dock
        for form in body.findChildren(QFormLayout):
            form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        column.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(body)

    @property
    def needed_width(self) -> int:
        """Pixels in which all texts have room."""
        return self.widget().sizeHint().width() + self.verticalScrollBar().sizeHint().width()
