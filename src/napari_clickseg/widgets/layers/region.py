"""A thin outline of the part of the image that the model looked at last."""

from __future__ import annotations

from typing import Any

from ..work.controller import Controller
from .own import ClickLayers

__all__ = ["RegionOutline"]

PART, LEAST = 0.005, 0.5
"""Width of the line: a part of the region's longer side, and in pixels of the image."""


class RegionOutline:
    """Follows the object in work; it is off until it is switched on.

    Parameters
    ----------
    layers : ClickLayers
    controller : Controller
    """

    def __init__(self, layers: ClickLayers, controller: Controller) -> None:
        self._layers, self._controller = layers, controller
        self._on = False
        self._shown: Any = None
        controller.changed.connect(self.show)

    def shut_down(self) -> None:
        """Follow nothing any more."""
        self._controller.changed.disconnect(self.show)

    def switch(self, on: bool) -> None:
        """Show it or not."""
        self._on = on
        self.show()

    def show(self) -> None:
        """Draw the region of the present object, or nothing if all of the image was looked at."""
        session, plane, layers = self._controller.session, self._controller.plane, self._layers
        roi = session.roi if self._on and session is not None else None
        wanted = None if roi is None else (plane, roi)
        if layers.image is None or (layers.roi is None and wanted is None):
            return
        if plane is None:  # as in 3-D, where napari breaks 2-D shapes that are written
            return
        layer = layers.make_roi() if layers.roi is None else layers.roi
        if wanted == self._shown and (wanted is None) == (not layer.data):
            return
        self._shown = wanted
        layer.data = []
        if wanted is not None:
            top, left, bottom, right = roi.top, roi.left, roi.bottom - 1, roi.right - 1
            corners = ((top, left), (top, right), (bottom, right), (bottom, left))
            corners = [plane.coordinates(*corner) for corner in corners]
            layer.add_rectangles(corners, edge_width=max(LEAST, PART * max(roi.shape)))
