"""A choice of a model: those on this machine, files opened before, and any other file."""

from __future__ import annotations

import contextlib
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QWidget

from ...models.zoo import find_card, list_models
from .. import messages
from ..dock.source import MODEL_FILES
from ..remembered import remember_model, remembered_models

__all__ = ["ModelChoice"]


class ModelChoice(QWidget):
    """A combo box of models, by name or file, with a button for other files.

    Parameters
    ----------
    none : str, optional
        Text of a first row that stands for no model.

    Signals
    -------
    edited
        Another model was chosen.
    said : str
        Why a file cannot be used.
    """

    edited = Signal()
    said = Signal(str)

    def __init__(self, none: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QComboBox()
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.setMinimumContentsLength(8)
        self.browse = QPushButton("Browse...")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.box, 1)
        row.addWidget(self.browse)
        if none is not None:
            self.box.addItem(none, "")
        for card in list_models():
            self._add(card.name, card.name, card.path)
        for path in remembered_models():
            if self._row(path) < 0:
                with contextlib.suppress(ValueError, OSError):
                    self._add(find_card(path).name, str(path), path)
        self.box.currentIndexChanged.connect(lambda *_: self.edited.emit())
        self.browse.clicked.connect(self._on_browse)

    @property
    def model(self) -> str:
        """Name or file of the chosen model; empty for none."""
        return self.box.currentData() or ""

    def choose(self, path: str | Path) -> None:
        """Choose the model of a file, which is offered from now on.

        Raises
        ------
        ValueError
            If the file is not a model.
        """
        path = Path(path).absolute()
        if self._row(path) < 0:
            self._add(find_card(path).name, str(path), path)
        self.box.setCurrentIndex(self._row(path))

    def _row(self, path: Path) -> int:
        return self.box.findData(str(path), Qt.ItemDataRole.ToolTipRole)

    def _add(self, name: str, model: str, path: Path) -> None:
        self.box.addItem(name, model)
        tip = Qt.ItemDataRole.ToolTipRole
        self.box.setItemData(self.box.count() - 1, str(path), tip)

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", MODEL_FILES)
        if path:
            try:
                self.choose(path)
                remember_model(Path(path).absolute())
            except (ValueError, OSError) as error:
                self.said.emit(messages.one_sentence(error))
