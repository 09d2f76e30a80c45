"""What the user paints into the objects layer by hand is in the table and the journal too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import find_objects
from superqt.utils import qdebounced

from ...geometry import Box
from ..dock.clicking import Clicking
from ..image.plane import Plane
from ..layers.patches import owned
from ..layers.window import is_large
from ..work.controller import Controller
from .accepted import AcceptedObject

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["PaintedObjects", "counted"]

WAIT_MS = 300
MOST_LABEL = 2**22
"""Above this a table of all labels would be too large; objects are counted one by one then."""


class PaintedObjects:
    """Watches the objects layer in use.

    Parameters
    ----------
    clicking : Clicking
    controller : Controller
    """

    def __init__(self, clicking: Clicking, controller: Controller) -> None:
        self._clicking, self._controller = clicking, controller
        self._layer: Labels | None = None
        self._planes: set[Plane] = set()
        self._count = qdebounced(self.count, timeout=WAIT_MS)
        clicking.changed.connect(self._follow)

    def shut_down(self) -> None:
        """Count what was painted last, and watch no more."""
        self._count.cancel()
        self.count()
        self._clicking.changed.disconnect(self._follow)
        self._watch(None)

    def _follow(self) -> None:
        if self._clicking.layers.objects is not self._layer:
            self._watch(self._clicking.layers.objects)

    def _watch(self, layer: Labels | None) -> None:
        if self._layer is not None:
            self._layer.events.paint.disconnect(self._on_paint)
        self._layer = layer
        self._planes.clear()
        if layer is not None:
            layer.events.paint.connect(self._on_paint)

    def _on_paint(self, event: Any = None) -> None:
        if self._controller.plane is not None:
            self._planes.add(self._controller.plane)
            self._count()

    def count(self) -> None:
        """Look at the planes that were painted on."""
        objects, planes = self._clicking.objects, list(self._planes)
        self._planes.clear()
        layer = self._clicking.layers.objects
        if (
            layer is None
            or layer is not self._layer
            or layer.data.shape != (self._clicking.layers.shape)
        ):
            return
        changed: list[AcceptedObject] = []
        for plane in planes:
            here = {i.label: i for i in objects.items.values() if i.plane == plane}
            opened = objects.opened(plane)
            if opened is not None:
                here.pop(opened.label, None)
            changed += counted(layer, plane, here)
        if changed:
            objects.restore(changed)


def counted(layer: Labels, plane: Plane, items: dict[int, AcceptedObject]) -> list[AcceptedObject]:
    """Objects of a plane whose number of pixels is another one, and labels that are no object yet.

    Parameters
    ----------
    layer : napari Labels layer
    plane : Plane
    items : dict
        Objects by their labels; in large images only these are looked at, in their boxes.
    """
    shape = plane.shape_in(layer.data.shape)
    found: dict[int, tuple[Box, int]] = {}
    labels = None if is_large(shape) else np.asarray(layer.data[plane.index(Box.of_shape(shape))])
    if labels is not None and labels.max(initial=0) < MOST_LABEL:
        areas = np.bincount(labels.ravel())
        for label, where in enumerate(find_objects(labels.astype(np.int32)), start=1):
            if where is not None:
                rows, cols = where
                box = Box(rows.start, cols.start, rows.stop, cols.stop)
                found[label] = box, int(areas[label])
    else:
        for label, item in items.items():
            box, area = owned(layer, plane, label, item.box)
            if box is not None:
                found[label] = box, area
    changed = [
        replace(item, area=0) for label, item in items.items() if label not in found and item.area
    ]
    for label, (box, area) in found.items():
        item = items.get(label, AcceptedObject(label, plane, box, 0))
        if item.area != area:
            changed.append(replace(item, box=box, area=area))
    return changed
