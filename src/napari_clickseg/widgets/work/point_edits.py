"""Clicks as points of layers: what the user adds, moves and deletes there counts, and is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ...interactions import Click, Interaction
from .. import messages
from ..image.plane import Plane, PlaneMap, displayed_plane, extent, in_plane
from ..layers.own import ClickLayers
from .clicks import ClickEvents, Edit, Mark
from .controller import Controller

if TYPE_CHECKING:
    from napari.viewer import Viewer

__all__ = ["PointEdits"]


class PointEdits:
    """Joins the two Points layers with the objects in work.

    Parameters
    ----------
    viewer : napari Viewer
    layers : ClickLayers
    controller : Controller
    place : callable
        ``place(plane, interaction)`` adds one; ValueError if that is refused.
    id_of : callable
        ``id_of(plane)``: id of the accepted object that is in work there again, 0 for a new one.
    """

    def __init__(
        self,
        viewer: Viewer,
        layers: ClickLayers,
        controller: Controller,
        place: Callable[[Plane, Interaction], None],
        id_of: Callable[[Plane], int],
    ) -> None:
        self._viewer, self._layers, self._controller = viewer, layers, controller
        self._place, self._id_of = place, id_of
        self._events: list[ClickEvents] = []

    def begin(self) -> None:
        """Listen to both layers, which take clicks of the mouse from now on."""
        for layer, positive in ((self._layers.positive, True), (self._layers.negative, False)):
            self._events.append(ClickEvents(layer, positive, self._on_edit))
            layer.mode = "add"

    def stop(self) -> None:
        """Listen no more."""
        for events in self._events:
            events.close()
        self._events = []
        for layer in self._layers.points:
            layer.mode = "pan_zoom"

    def show(self) -> None:
        """Let the layers show the clicks that there are."""
        marks = [
            Mark(plane, order, click, self._id_of(plane))
            for plane, clicks in self._controller.planes.items()
            for order, click in enumerate(clicks)
            if isinstance(click, Click)
        ]
        for events in self._events:
            events.show([mark for mark in marks if mark.click.positive == events.positive])

    def _on_edit(self, edit: Edit) -> None:
        try:
            for mark_plane, clicks in self._edited(edit).items():
                self._controller.replace(mark_plane, clicks)
            for world in edit.added:
                self._add(world, edit.positive)
        except ValueError as error:
            self._controller.said.emit(messages.one_sentence(error), "info")
        finally:
            self.show()

    def _add(self, world: np.ndarray, positive: bool) -> None:
        image = self._layers.image
        if image is None:
            raise ValueError(messages.NO_IMAGE)
        plane = displayed_plane(image, self._viewer.dims)
        if not in_plane(image, plane, world):
            raise ValueError(messages.OTHER_SLICE)
        row, col = PlaneMap(image, plane).pixel(world)
        self._place(plane, Click(row, col, positive))

    def _edited(self, edit: Edit) -> dict[Plane, tuple[Interaction, ...]]:
        """New click lists of the planes where clicks were removed or moved."""
        gone = {(mark.plane, mark.order) for mark in edit.removed}
        moved = {}
        for mark, coordinates in edit.moved:
            row, col = coordinates[list(mark.plane.axes)]
            if not extent(self._layers.image, mark.plane).contains(row, col):
                raise ValueError(messages.OUTSIDE)
            moved[mark.plane, mark.order] = Click(row, col, mark.click.positive)
        return self._controller.exchanged(gone, moved)
