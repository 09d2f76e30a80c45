"""The preview of one image: masks are shown in it, and what the user paints into it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..geometry import Box
from .controller import Controller
from .layers import ClickLayers
from .masks import clear_plane, read_box, write_box
from .plane import Plane

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["Preview"]


class Preview:
    """Follows the controller: shows its masks, and hands it brush edits before they are lost.

    A brush edit becomes a step of the object as soon as anything else would rewrite the preview:
    a click, a mask that was waited for, a threshold, undo or redo.

    Parameters
    ----------
    layers : ClickLayers
    controller : Controller
    """

    def __init__(self, layers: ClickLayers, controller: Controller) -> None:
        self._layers = layers
        self._controller = controller
        self._painted: set[Plane] = set()
        controller.shown.connect(self.show)
        controller.rewriting.connect(self._keep_painted)

    def disconnect(self) -> None:
        """Follow the controller no more."""
        self._controller.shown.disconnect(self.show)
        self._controller.rewriting.disconnect(self._keep_painted)

    def begin(self, layer: Labels) -> None:
        """Watch a new layer, which shows nothing yet."""
        self._painted.clear()
        self._controller.show_again()
        layer.events.paint.connect(self._on_paint)

    def show(self, plane: Plane) -> None:
        """Show the present mask of a plane."""
        if self._layers.preview is None:
            return
        change = self._controller.mask_change(plane)
        if change is not None:
            write_box(self._layers.preview, plane, change[0], change[1].astype(np.uint8))

    def clear(self, plane: Plane) -> None:
        """Show nothing in a plane and forget what was painted there."""
        if self._layers.preview is not None:
            clear_plane(self._layers.preview, plane, self._whole(plane))
        self._painted.discard(plane)

    def _whole(self, plane: Plane) -> Box:
        return Box.of_shape(plane.shape_in(self._layers.preview.data.shape))

    def _on_paint(self, event: Any = None) -> None:
        # only the user's strokes come here: `write_box` leaves no trace in the layer's history
        if self._controller.plane is not None:
            self._painted.add(self._controller.plane)
            self._controller.warn_of_mask()

    def _keep_painted(self, plane: Plane) -> None:
        layer = self._layers.preview
        if layer is None or plane not in self._painted or plane not in self._controller.planes:
            return
        self._painted.discard(plane)
        self._controller.paint(plane, read_box(layer, plane, self._whole(plane)))
