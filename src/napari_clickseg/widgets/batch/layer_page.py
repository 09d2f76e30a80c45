"""The part of the batch dock that chooses a Labels layer and what goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QWidget

from ...data.session_file import SUFFIX
from ..form import wide_form
from ..image.plane import level_shape
from ..layer_box import LayerBox
from .fields import named
from .folder_line import PathEdit
from .layer_target import LayerTarget

if TYPE_CHECKING:
    import napari

__all__ = ["LayerPage"]


class LayerPage(QWidget):
    """Chooses objects of a layer, their image, and what a user said about them.

    Parameters
    ----------
    viewer : napari Viewer

    Signals
    -------
    edited
        Something else is chosen.
    """

    edited = Signal()

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.labels_box = named(LayerBox(viewer, "Labels"), "labels")
        self.planes = named(QComboBox(), "planes")
        self.planes.addItems(["This plane", "All planes"])
        self.image_box = named(LayerBox(viewer, "Image"), "image")
        self.session = named(PathEdit(f"Sessions (*{SUFFIX})"), "session")
        self.corrected_box = named(LayerBox(viewer, "Labels", "none"), "corrected_layer")
        self.only = named(QCheckBox("Only the selected label"), "only")
        form = wide_form(self)
        form.addRow("Objects", self.labels_box)
        form.addRow("Planes", self.planes)
        form.addRow("Image", self.image_box)
        form.addRow("Clicks", self.session)
        form.addRow("Corrected", self.corrected_box)
        form.addRow("", self.only)
        self._planes_label = form.labelForField(self.planes)
        self.labels_box.chosen.connect(self._on_labels)
        self.image_box.chosen.connect(self.edited)
        self._on_labels()

    @property
    def ready(self) -> bool:
        """Whether there are objects and an image."""
        return self.labels_box.layer is not None and self.image_box.layer is not None

    @property
    def label(self) -> int | None:
        """The one object to refine; None for all."""
        return int(self.labels_box.layer.selected_label) if self.only.isChecked() else None

    def target(self) -> LayerTarget:
        """What is chosen; see `LayerTarget.of` for what is raised."""
        every = not self.planes.isHidden() and self.planes.currentIndex() == 1
        return LayerTarget.of(
            self.labels_box.layer,
            self.image_box.layer,
            self._viewer.dims,
            self.corrected_box.layer,
            every,
        )

    def shut_down(self) -> None:
        """Follow the viewer's layers no more."""
        for box in (self.labels_box, self.image_box, self.corrected_box):
            box.shut_down()

    def _on_labels(self) -> None:
        """Take it that the objects are of the topmost image of their shape."""
        labels = self.labels_box.layer
        shape = () if labels is None else level_shape(labels)
        fits = [image for image in self.image_box.layers if level_shape(image) == shape]
        if fits:
            self.image_box.choose(fits[0])
        for widget in (self.planes, self._planes_label):
            widget.setVisible(len(shape) > 2)
        self.edited.emit()
