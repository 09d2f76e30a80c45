"""The section of the dock for a folder of images: list, previous, next, and where masks go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QBrush
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from ..dock.controls import labelled_button
from ..section import Section
from ..tooltips import tooltip
from .image_folder import MASK_NAME, FolderImage, MaskNames

__all__ = ["FolderPanel"]

ROWS = 6
"""Of the list that are seen at once."""
ROW = 16
"""Pixels, at least."""
BESIDE = "beside the images"


class FolderPanel(Section):
    """What the user sees of a folder.

    Signals
    -------
    opened : Path
        A folder was chosen.
    wanted : int
        An image of the list is to be opened.
    stepped : int
        1 for the next image, -1 for the previous one.
    renamed
        Masks are to be called otherwise, or are elsewhere.
    """

    opened = Signal(object)
    wanted = Signal(int)
    stepped = Signal(int)
    renamed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Folder of images", parent)
        self.folder: Path | None = None
        self._masks: Path | None = None
        self.open = labelled_button("folder_open", "Open folder...")
        self.path = QElidingLabel()
        self.path.setElideMode(Qt.TextElideMode.ElideLeft)
        self.previous = labelled_button("folder_previous", "◂ Previous (PageUp)")
        self.next = labelled_button("folder_next", "Next (PageDown) ▸")
        self.list = _named(QTreeWidget(), "folder_list")
        self.list.setAccessibleName("Images of the folder")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.written = QLabel()
        self.written.setWordWrap(True)
        self.options = Section("Masks")
        self.pattern = _named(QLineEdit(MASK_NAME), "folder_pattern")
        self.masks = labelled_button("folder_masks", BESIDE)
        self.correct = _named(QCheckBox("click again on a single object"), "folder_correct")
        self.clicks = _named(QCheckBox("save clicks beside the mask"), "folder_clicks")
        self._lay_out()
        self._connect()
        self.show_images((), (), None)

    def _lay_out(self) -> None:
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, self.list.header().ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, self.list.header().ResizeMode.ResizeToContents)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(4, 0, 0, 0)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(self.open)
        head.addWidget(self.path, 1)
        column.addLayout(head)
        self.shown = QWidget()
        inner = QVBoxLayout(self.shown)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        steps = QGridLayout()
        steps.setSpacing(4)
        for place, button in enumerate((self.previous, self.next)):
            steps.addWidget(button, 0, place)
            steps.setColumnStretch(place, 1)
        inner.addWidget(self.list)
        inner.addLayout(steps)
        column.addWidget(self.shown)
        column.addWidget(self.status)
        column.addWidget(self.written)
        form = self.options.add_form()
        form.addRow("Name", self.pattern)
        form.addRow("Folder", self.masks)
        form.addRow("Correct", self.correct)
        form.addRow("Clicks", self.clicks)
        column.addWidget(self.options)
        self.addWidget(body)

    def _connect(self) -> None:
        self.open.clicked.connect(self.ask)
        self.previous.clicked.connect(lambda: self.stepped.emit(-1))
        self.next.clicked.connect(lambda: self.stepped.emit(1))
        self.list.itemActivated.connect(self._on_item)
        self.list.itemClicked.connect(self._on_item)
        self.pattern.editingFinished.connect(self._on_pattern)
        self.masks.clicked.connect(self._on_masks)
        self._pattern = self.pattern.text()

    @property
    def names(self) -> MaskNames:
        """How masks are called; ValueError if they cannot be called that."""
        return MaskNames(self.pattern.text().strip(), self._masks)

    def ask(self) -> None:
        """Ask for a folder and open it."""
        start = "" if self.folder is None else str(self.folder)
        chosen = QFileDialog.getExistingDirectory(self, "Open a folder of images", start)
        if chosen:
            self.opened.emit(Path(chosen))

    def put_masks(self, folder: Path | None) -> None:
        """Let masks be in a folder, None for that of the images."""
        if folder != self._masks:
            self._masks = folder
            self.masks.setText(BESIDE if folder is None else f"in {folder.name}")
            self.renamed.emit()

    # ------------------------------------------------------------------ showing
    def show_folder(self, folder: Path) -> None:
        """Show which folder is open."""
        self.folder = folder
        self.path.setText(str(folder))
        self.path.setToolTip(str(folder))
        self.expand(animate=False)

    def show_images(
        self,
        images: Sequence[FolderImage],
        states: Sequence[str],
        current: int | None,
        refused: Mapping[Path, str] | None = None,
    ) -> None:
        """Show the images, what there is of each one, which is open, and why some cannot be."""
        refused = refused or {}
        if self.list.topLevelItemCount() != len(images):
            self.list.clear()
            self.list.addTopLevelItems([QTreeWidgetItem() for _ in images])
            rows = min(len(images), ROWS) * max(self.list.sizeHintForRow(0), ROW)
            self.list.setFixedHeight(rows + 2 * self.list.frameWidth() + 4)
        for row, (image, state) in enumerate(zip(images, states, strict=True)):
            item = self.list.topLevelItem(row)
            item.setText(0, image.path.name)
            item.setToolTip(0, str(image.path))
            item.setText(1, state)
            item.setToolTip(1, refused.get(image.path, ""))
            font = item.font(0)
            font.setBold(row == current)
            item.setFont(0, font)
            item.setForeground(0, self.palette().mid() if image.path in refused else QBrush())
        if current is not None:
            self.list.setCurrentItem(self.list.topLevelItem(current))
        self.shown.setVisible(bool(images))
        self.previous.setEnabled(bool(current))
        self.next.setEnabled(current is not None and current + 1 < len(images))

    def _on_item(self, item: QTreeWidgetItem) -> None:
        self.wanted.emit(self.list.indexOfTopLevelItem(item))

    def _on_pattern(self) -> None:
        if self.pattern.text() != self._pattern:
            self._pattern = self.pattern.text()
            self.renamed.emit()

    def _on_masks(self) -> None:
        if self._masks is not None:
            self.put_masks(None)
            return
        chosen = QFileDialog.getExistingDirectory(self, "Choose a folder for the masks")
        if chosen:
            self.put_masks(Path(chosen))


def _named(widget: Any, name: str) -> Any:
    widget.setObjectName(name)
    widget.setToolTip(tooltip(name))
    return widget
