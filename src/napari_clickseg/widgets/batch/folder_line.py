"""A line for the path of a folder or a file, with a button to choose it."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

__all__ = ["PathEdit"]


class PathEdit(QWidget):
    """The path of a folder or a file; empty for none.

    Parameters
    ----------
    files : str, optional
        Which files are offered, such as ``"Images (*.png)"``; folders by default.

    Signals
    -------
    edited
        Another path was typed or chosen.
    """

    edited = Signal()

    def __init__(self, files: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._files = files
        self.line = QLineEdit()
        self.browse = QPushButton("Browse...")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse)
        self.line.textChanged.connect(lambda *_: self.edited.emit())
        self.browse.clicked.connect(self._on_browse)

    @property
    def path(self) -> Path | None:
        """The path; None if nothing is written."""
        text = self.line.text().strip()
        return Path(text).expanduser() if text else None

    def choose(self, path: str | Path) -> None:
        """Write a path into the line."""
        self.line.setText(str(path))

    def _on_browse(self) -> None:
        if self._files is None:
            chosen = QFileDialog.getExistingDirectory(self, "Choose a folder", self.line.text())
        else:
            chosen, _ = QFileDialog.getOpenFileName(
                self, "Choose a file", self.line.text(), self._files
            )
        if chosen:
            self.choose(chosen)
