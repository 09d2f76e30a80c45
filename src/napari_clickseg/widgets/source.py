"""The upper part of the dock: which image, which model, which device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)
from superqt import QElidingLabel

from ..models.zoo import ModelCard, list_models
from .layers import bare
from .predictors import list_devices
from .tooltips import tooltip

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

__all__ = ["SourcePanel"]

LAYER_EVENTS = ("inserted", "removed", "reordered", "renamed")


class SourcePanel(QWidget):
    """Combo boxes for image, model and device.

    Parameters
    ----------
    viewer : napari Viewer
        Its image layers are offered; they are held as objects, so that renaming is harmless.

    Signals
    -------
    edited
        Another image, model or device was chosen.
    refused : str
        Why a chosen model file cannot be used.
    """

    edited = Signal()
    refused = Signal(str)

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._images: list[Image] = []
        self._cards: list[ModelCard] = []
        self.image_box = _combo("image")
        self.model_box = _combo("model")
        self.device_box = _combo("device")
        self.device_box.addItems(list_devices())
        self.browse = QPushButton("Browse...")
        self.browse.setToolTip(tooltip("model"))
        self.about = QElidingLabel("")
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.about.setStyleSheet("font-size: 11px; color: palette(mid);")
        self._lay_out()
        self._add_models()
        self._add_images()
        for name in LAYER_EVENTS:
            getattr(viewer.layers.events, name).connect(self._add_images)
        self.image_box.currentIndexChanged.connect(self._on_edit)
        self.model_box.currentIndexChanged.connect(self._on_edit)
        self.device_box.currentIndexChanged.connect(self._on_edit)
        self.browse.clicked.connect(self._on_browse)
        self._on_edit()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        about_row = QHBoxLayout()
        about_row.setSpacing(4)
        about_row.addWidget(self.about, 1)
        about_row.addWidget(self.browse)
        form.addRow("Image", self.image_box)
        form.addRow("Model", self.model_box)
        form.addRow("", about_row)
        form.addRow("Device", self.device_box)

    def disconnect_viewer(self) -> None:
        """Stop following the layer list."""
        for name in LAYER_EVENTS:
            getattr(self._viewer.layers.events, name).disconnect(self._add_images)

    # ------------------------------------------------------------------ what is chosen
    @property
    def image(self) -> Image | None:
        """The chosen image layer."""
        index = self.image_box.currentIndex()
        return self._images[index] if 0 <= index < len(self._images) else None

    @property
    def card(self) -> ModelCard | None:
        """Card of the chosen model."""
        index = self.model_box.currentIndex()
        return self._cards[index] if 0 <= index < len(self._cards) else None

    @property
    def model(self) -> str | None:
        """Zoo name or path of the chosen model."""
        return None if self.card is None else str(self.card.path)

    @property
    def device(self) -> str:
        """Name of the chosen device."""
        return self.device_box.currentText()

    def choose_image(self, layer: Any) -> None:
        """Choose an image layer of the viewer."""
        self.image_box.setCurrentIndex(self._images.index(bare(layer)))

    def choose_model_file(self, path: str | Path) -> None:
        """Offer a model file and choose it.

        Raises
        ------
        ValueError
            If the file is not a model.
        """
        self._cards.append(ModelCard.of_file(path))
        self.model_box.addItem(self._cards[-1].name)
        self.model_box.setCurrentIndex(len(self._cards) - 1)

    # ------------------------------------------------------------------ filling
    def _add_models(self) -> None:
        self._cards = list_models()
        self.model_box.addItems([card.name for card in self._cards])

    def _add_images(self, event: Any = None) -> None:
        from napari.layers import Image

        chosen = self.image
        layers = (bare(layer) for layer in self._viewer.layers)
        self._images = [layer for layer in layers if isinstance(layer, Image)][::-1]
        blocked = self.image_box.blockSignals(True)
        self.image_box.clear()
        self.image_box.addItems([layer.name for layer in self._images])
        if chosen in self._images:
            self.image_box.setCurrentIndex(self._images.index(chosen))
        self.image_box.blockSignals(blocked)
        if self.image is not chosen:
            self._on_edit()

    def _on_edit(self, *_: Any) -> None:
        card = self.card
        if card is None:
            self.about.setText("no model: choose a file with Browse...")
        else:
            trained = ", ".join(card.trained_on) or "not stated"
            self.about.setText(
                f"{card.architecture} · {card.size / 1e6:.1f} MB · trained on {trained}"
            )
            self.about.setToolTip(
                f"{card.path}\nArchitecture: {card.architecture}\nTrained on: {trained}\n"
                f"Licence of the weights: {card.licence}"
            )
        self.edited.emit()

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a model", "", "Models (*.safetensors);;All files (*)"
        )
        if path:
            try:
                self.choose_model_file(path)
            except ValueError as error:
                self.refused.emit(str(error))


def _combo(name: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setToolTip(tooltip(name))
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box
