"""The Labels layer that accepted objects are written into: ours, or one of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtWidgets import QLabel

from .. import messages
from ..dock.clicking import Clicking
from ..image.plane import objects_shape
from ..layer_box import LayerBox
from ..layers.own import bare
from ..layers.window import is_large
from ..tooltips import tooltip
from ..work.controller import Controller
from ..work.start_masks import same_place
from .painted import counted

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

__all__ = ["LayerChoice", "check_layer"]

NEW = "a new layer"


class LayerChoice:
    """Joins the list of Labels layers with the objects of the image that is clicked on.

    Parameters
    ----------
    viewer : napari Viewer
    clicking : Clicking
    controller : Controller

    Signals
    -------
    used : int
        Objects go into another layer from now on; the first id that is above all in it.
    """

    used = Signal(int)

    def __init__(self, viewer: Viewer, clicking: Clicking, controller: Controller) -> None:
        self._clicking, self._controller = clicking, controller
        self.title, self.box = QLabel("Layer"), LayerBox(viewer, "Labels", NEW)
        self.title.setBuddy(self.box)
        self.box.setObjectName("objects_layer")
        self.box.setToolTip(tooltip("objects_layer"))
        self.box.activated.connect(self._on_chosen)
        clicking.changed.connect(self._show)
        self._show()

    def shut_down(self) -> None:
        """Follow nothing any more."""
        self._clicking.changed.disconnect(self._show)
        self.box.shut_down()

    def _show(self) -> None:
        layer = self._clicking.layers.objects
        if layer is not self.box.layer and (layer is None or layer in self.box.layers):
            blocked = self.box.blockSignals(True)
            self.box.choose(layer)
            self.box.blockSignals(blocked)
        self.box.setEnabled(self._clicking.image is not None)

    def _on_chosen(self, *_: Any) -> None:
        try:
            self.use(self.box.layer)
        except ValueError as error:
            self._controller.said.emit(messages.one_sentence(error), "error")
        self._show()

    def use(self, layer: Labels | None) -> None:
        """Write objects into another layer from now on; None: a new one.

        Objects of the layer before stay in it. What the layer shows of this plane is listed.

        Raises
        ------
        ValueError
            If nothing is clicked on, or objects cannot be written into the layer.
        """
        clicking, layers = self._clicking, self._clicking.layers
        image, plane = clicking.image, self._controller.plane
        if image is None or not clicking.active:
            raise ValueError(messages.PRESS_START)
        layer = None if layer is None else bare(layer)
        if layer is layers.objects:
            return
        if layer is not None:
            check_layer(layer, image)
        clicking.objects.close(plane)
        layers.adopt(image, layer)
        clicking.changed.emit()
        clicking.objects.changed.emit()
        if layer is not None and plane is not None and not is_large(plane.shape_in(layers.shape)):
            known = {i.label: i for i in clicking.objects.items.values() if i.plane == plane}
            clicking.objects.restore(counted(layer, plane, known))
        self.used.emit(1 if layer is None else int(np.max(layer.data, initial=0)) + 1)


def check_layer(layer: Labels, image: Image) -> None:
    """Raise ValueError if objects of an image cannot be written into a layer."""
    data, shape = layer.data, objects_shape(image)
    if layer.multiscale or not isinstance(data, np.ndarray) or not data.flags.writeable:
        raise ValueError(messages.not_writable(layer.name))
    if data.shape != shape:
        raise ValueError(messages.mask_misfit(layer.name, data.shape, shape))
    if not same_place(layer, image):
        raise ValueError(messages.other_place(layer.name))
