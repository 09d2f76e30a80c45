"""The row of the dock that says what a new object starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QWidget

from ..form import wide_form
from ..layers.own import bare, is_preview
from ..tooltips import tooltip
from .controls import labelled_button

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Labels
    from napari.viewer import Viewer

__all__ = ["EMPTY", "StartPanel"]

EMPTY, SELECTED, FILE = "empty", "selected object", "mask file..."
ALWAYS = (EMPTY, SELECTED)
"""Above the layers."""
PARTS = ("the part clicked", "all of it")
LAYER_EVENTS = ("inserted", "removed", "renamed")


class StartPanel(QWidget):
    """Nothing, an accepted object, a Labels layer or a file.

    All of its mask is meant, or the part that the first click falls on.

    Signals
    -------
    wanted
        All of the mask is to become the object in work now.
    """

    wanted = Signal()

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layers: list[Labels] = []
        self.path: Path | None = None
        self.source = QComboBox()
        self.part = QComboBox()
        self.part.addItems(PARTS)
        self.part.setAccessibleName("Part of the mask")
        self.take = labelled_button("start_take", "Take")
        self.take.setMinimumWidth(44)
        self.part.setMinimumWidth(1)
        for name in ("source", "part"):
            getattr(self, name).setObjectName(f"start_{name}")
            getattr(self, name).setToolTip(tooltip(f"start_{name}"))
        self.source.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.source.setMinimumContentsLength(8)
        form = wide_form(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.part, 1)
        row.addWidget(self.take)
        form.addRow("Start from", self.source)
        form.addRow("", row)
        for name in LAYER_EVENTS:
            getattr(viewer.layers.events, name).connect(self._fill)
        self.source.activated.connect(self._on_source)
        self.part.currentIndexChanged.connect(lambda _: self._enable())
        self.take.clicked.connect(self.wanted)
        self._fill()

    def shut_down(self) -> None:
        """Stop following the layer list."""
        for name in LAYER_EVENTS:
            getattr(self._viewer.layers.events, name).disconnect(self._fill)

    @property
    def layer(self) -> Labels | None:
        """The Labels layer chosen."""
        index = self.source.currentIndex() - len(ALWAYS)
        return self._layers[index] if 0 <= index < len(self._layers) else None

    @property
    def empty(self) -> bool:
        """Whether objects start from nothing."""
        return self.layer is None and self.path is None and not self.selected

    @property
    def selected(self) -> bool:
        """Whether objects start from the one selected in the table."""
        return self.source.currentIndex() == ALWAYS.index(SELECTED)

    @property
    def whole(self) -> bool:
        """Whether all of the mask is meant, not only the part clicked."""
        return self.part.currentIndex() == 1

    def choose_layer(self, layer: Any) -> None:
        """Choose a Labels layer of the viewer."""
        self.path = None
        self.source.setCurrentIndex(len(ALWAYS) + self._layers.index(bare(layer)))
        self._enable()

    def choose_file(self, path: Path) -> None:
        """Choose a file."""
        self.path = path
        self._fill()

    def _fill(self, event: Any = None) -> None:
        from napari.layers import Labels

        chosen, selected = self.layer, self.selected
        layers = (bare(layer) for layer in self._viewer.layers)
        ours = (layer for layer in layers if isinstance(layer, Labels))
        self._layers = [layer for layer in ours if not is_preview(layer)][::-1]
        self.source.clear()
        self.source.addItems([*ALWAYS, *(layer.name for layer in self._layers), FILE])
        if self.path is not None:
            self.source.setItemText(self.source.count() - 1, self.path.name)
            self.source.setCurrentIndex(self.source.count() - 1)
        elif selected:
            self.source.setCurrentIndex(ALWAYS.index(SELECTED))
        elif chosen in self._layers:
            self.source.setCurrentIndex(len(ALWAYS) + self._layers.index(chosen))
        self._enable()

    def _on_source(self, index: int) -> None:
        from pathlib import Path

        self.path = None
        if index == self.source.count() - 1:
            path, _ = QFileDialog.getOpenFileName(self, "Open a mask")
            self.path = Path(path) if path else None
            if not path:
                self.source.setCurrentIndex(0)
        self._fill()

    def _enable(self) -> None:
        self.part.setEnabled(not self.empty)
        self.take.setEnabled(self.whole and not self.empty)
