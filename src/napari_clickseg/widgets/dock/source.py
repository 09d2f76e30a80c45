"""The upper part of the dock: which image, which model, which device."""

from __future__ import annotations

import contextlib
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QWidget,
)

from ...models.zoo import ModelCard, find_card, list_models
from .. import messages
from ..image.contrast_choice import CONTRASTS
from ..layers.own import bare
from ..model.card_dialog import CardDialog
from ..model.predictors import list_devices
from ..model.zoo_dialog import ZooDialog
from ..remembered import remember_model, remembered_models
from ..section import Section
from ..still_box import StillBox
from ..tooltips import tooltip
from .controls import labelled_button
from .search_box import SearchBox

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from ...models.base import ModelSpec

__all__ = ["SourcePanel"]

MODEL_FILES = "Models (*.safetensors *.pth *.pt *.params);;All files (*)"
TITLE = "Image and model"
NAME_LENGTH = 20
LICENCE_LENGTH = 46  # characters; the tooltip has it all
LAYER_EVENTS = ("inserted", "removed", "reordered", "renamed")

_open: WeakSet[SourcePanel] = WeakSet()
"""The panels of all viewers."""


class SourcePanel(Section):
    """Combo boxes for image, model and device; folded, a line that names the first two.

    Parameters
    ----------
    viewer : napari Viewer
        Its image layers are offered; they are held as objects, so that renaming is harmless.

    Signals
    -------
    edited
        Another image, model or device was chosen.
    said : (str, str)
        A sentence and its level: why a file cannot be used, or that a model has arrived.
    """

    edited = Signal()
    said = Signal(str, str)

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(TITLE, parent)
        self._viewer = viewer
        self._images: list[Image] = []
        self._cards: list[ModelCard] = []
        self._written: dict[str, int] = {}
        self._zoo: ZooDialog | None = None
        _open.add(self)
        self._card_dialog: CardDialog | None = None
        self.image_box = _combo("image")
        self.model_box = _combo("model", SearchBox())
        self.contrast_box = _combo("contrast")
        self.contrast_box.addItems(CONTRASTS)
        self.device_box = _combo("device")
        self.device_box.addItems(list_devices())
        self.browse = labelled_button("browse", "Browse...")
        self.more = labelled_button("more", "More models...")
        self.read_card = labelled_button("read_card", "Card")
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setStyleSheet("font-size: 11px;")
        self._lay_out()
        self._add_remembered()
        self._add_models()
        self._add_images()
        for name in LAYER_EVENTS:
            getattr(viewer.layers.events, name).connect(self._add_images)
        self.image_box.currentIndexChanged.connect(self._on_edit)
        self.model_box.currentIndexChanged.connect(self._on_edit)
        self.device_box.currentIndexChanged.connect(self._on_edit)
        self.browse.clicked.connect(self._on_browse)
        self.more.clicked.connect(self._on_more)
        self.read_card.clicked.connect(self._on_card)
        self._on_edit()

    def _lay_out(self) -> None:
        form = self.add_form()
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button, share in ((self.browse, 3), (self.more, 5), (self.read_card, 2)):
            button.setStyleSheet("padding: 4px 0px; font-size: 11px;")
            buttons.addWidget(button, share)
        form.addRow("Image", self.image_box)
        form.addRow("Contrast", self.contrast_box)
        form.addRow("Model", self.model_box)
        form.addRow("", self.about)
        form.addRow("", buttons)
        form.addRow("Device", self.device_box)
        self.expand(animate=False)
        self.toggled.connect(self._name)

    def _name(self, *_: Any) -> None:
        parts = [text for text in (self.image_box.currentText(), self.model_box.chosen) if text]
        chosen = " · ".join(p if len(p) <= NAME_LENGTH else f"{p[:NAME_LENGTH]}..." for p in parts)
        self.setText(TITLE if self.isExpanded() or not chosen else chosen)
        self.toggleButton().setToolTip("" if self.isExpanded() else "\n".join(parts))

    def shut_down(self) -> None:
        """Stop following the layer list; stop a download."""
        _open.discard(self)
        if self._zoo is not None:
            self._zoo.shut_down()
        if self._card_dialog is not None:
            self._card_dialog.close()
        for name in LAYER_EVENTS:
            getattr(self._viewer.layers.events, name).disconnect(self._add_images)

    # ------------------------------------------------------------------ what is chosen
    @property
    def image(self) -> Image | None:
        """The chosen image layer."""
        index = self.image_box.currentIndex()
        return self._images[index] if 0 <= index < len(self._images) else None

    @property
    def images(self) -> tuple[Image, ...]:
        """All image layers, topmost first."""
        return tuple(self._images)

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """Cards of all models offered."""
        return tuple(self._cards)

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
    def written(self) -> int:
        """When the chosen model's file had been written as it was opened, in ns; 0 for others."""
        return self._written.get(self.model or "", 0)

    @property
    def device(self) -> str:
        """Name of the chosen device."""
        return self.device_box.currentText()

    def choose_image(self, layer: Any) -> None:
        """Choose an image layer of the viewer."""
        self.image_box.setCurrentIndex(self._images.index(bare(layer)))

    def choose_model_file(self, path: str | Path) -> None:
        """Offer a model file and choose it; one that was written anew is loaded anew.

        Raises
        ------
        ValueError
            If the file is not a model.
        """
        card = find_card(Path(path).absolute())
        paths = [known.path for known in self._cards]
        if card.path in paths:
            self._cards[paths.index(card.path)] = card
        else:
            self._cards.append(card)
        remember_model(card.path)
        self._add_models()
        self.choose_model(str(card.path), written=card.path.stat().st_mtime_ns)

    def choose_model(
        self, model: str, device: str | None = None, written: int | None = None
    ) -> None:
        """Choose one of the models offered, by its path, and a device; `edited` tells of both."""
        paths = [str(card.path) for card in self._cards]
        if written is not None:
            self._written[model] = written
        blocked = self.device_box.blockSignals(True), self.model_box.blockSignals(True)
        if device is not None:
            self.device_box.setCurrentText(device)
        self.model_box.setCurrentIndex(paths.index(model))
        self.device_box.blockSignals(blocked[0])
        self.model_box.blockSignals(blocked[1])
        self._on_edit()

    def show_loaded(self, spec: ModelSpec | None) -> None:
        """Say what the chosen model is; None: it is not loaded, so that only its card is known."""
        card = self.card
        if card is None:
            self.about.setText(messages.NO_MODEL)
            self.about.setToolTip("")
            return
        network = card.architecture if spec is None or card.file else spec.architecture
        profile = card.profile if spec is None else spec.profile
        trained = ", ".join(card.trained_on) or "not stated"
        facts = [network, card.size_text] + [f"profile: {profile}"] * bool(profile)
        licence = shorten(card.licence, LICENCE_LENGTH, placeholder="...")
        self.about.setText(f"{' · '.join(facts)}\nlicence: {licence}")
        self.about.setToolTip(
            f"{card.path}\nFrom: {card.system}\nArchitecture: {network}\n"
            f"Trained on: {trained}\nLicence of the weights: {card.licence}. {card.terms}"
        )

    # ------------------------------------------------------------------ filling
    def _add_remembered(self) -> None:
        """Offer the model files opened in earlier sessions; damaged ones are left out."""
        for path in remembered_models():
            with contextlib.suppress(ValueError, OSError):
                self._cards.append(find_card(path))

    def _add_models(self) -> None:
        """Offer the models on this machine and those offered before; the chosen one stays so."""
        chosen = self.model
        known = list_models()
        paths = {card.path for card in known}
        own = [card for card in self._cards if card.file is None]  # not of the folder of models
        self._cards = known + [card for card in own if card.path not in paths]
        blocked = self.model_box.blockSignals(True)
        self.model_box.clear()
        for card in self._cards:
            self.model_box.addItem(card.name)
            row = self.model_box.count() - 1
            self.model_box.setItemData(row, str(card.path), Qt.ItemDataRole.ToolTipRole)
            if str(card.path) == chosen:
                self.model_box.setCurrentIndex(row)
        self.model_box.blockSignals(blocked)

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
        self._name()
        if self.image is not chosen:
            self._on_edit()

    def _on_edit(self, *_: Any) -> None:
        self._name()
        self.contrast_box.setEnabled(self.image is not None and not self.image.rgb)
        self.show_loaded(None)
        self.edited.emit()

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", MODEL_FILES)
        if path:
            try:
                self.choose_model_file(path)
            except (ValueError, OSError) as error:
                self.said.emit(messages.one_sentence(error), "error")

    def _on_more(self) -> None:
        if self._zoo is None:
            self._zoo = ZooDialog(_in_use, self)
            self._zoo.arrived.connect(self._on_arrived)
            self._zoo.gone.connect(_offer_anew)
        self._zoo.show()
        self._zoo.raise_()

    def _on_card(self) -> None:
        """Show what there is to know about the chosen model."""
        if self.card is None:
            return
        if self._card_dialog is None:
            self._card_dialog = CardDialog(self)
        try:
            self._card_dialog.show_card(self.card)
        except (ValueError, OSError) as error:
            self.said.emit(messages.one_sentence(error), "error")

    def _on_arrived(self, name: str) -> None:
        """Offer a published model that is here now; it is chosen if the user waited for it."""
        self._add_models()
        card = find_card(name)
        if self._zoo is not None and self._zoo.isVisible() or self.model is None:
            self.choose_model(str(card.path))
        else:
            self.said.emit(messages.arrived(name), "info")


def _in_use(path: Path) -> bool:
    """Whether a model file is the chosen one in the dock of any viewer."""
    return any(panel.model == str(path) for panel in _open)


def _offer_anew(*_: Any) -> None:
    """Let the docks of all viewers offer the models that are there now."""
    for panel in tuple(_open):
        panel._add_models()


def _combo(name: str, box: QComboBox | None = None) -> QComboBox:
    box = StillBox() if box is None else box
    box.setObjectName(name)
    box.setToolTip(tooltip(name))
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box
