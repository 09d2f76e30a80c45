"""The tools that say what belongs to the object: points, strokes, contours and boxes. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...interactions import Click, Interaction
from .. import messages
from ..image.plane import Plane, in_plane
from ..layers.own import ClickLayers, bare
from .controller import Controller
from .drawn import Drawn, DrawnEdit, DrawnEvents, as_drawn

if TYPE_CHECKING:
    from napari.viewer import Viewer

__all__ = ["POINTS", "TOOLS", "Tool", "Tools"]

SCREEN = 800
"""Pixels along the longer side of a usual canvas."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One way of saying something.

    Parameters
    ----------
    name : str
    text : str
        On its button.
    key : str
    mode : str or None
        napari's mode of the Shapes layer; None for the Points layers.
    """

    name: str
    text: str
    key: str
    mode: str | None = None


POINTS = Tool("points", "Points", "F2")
TOOLS = (
    POINTS,
    Tool("stroke", "Stroke", "F3", "add_path"),
    Tool("contour", "Contour", "F4", "add_polygon_lasso"),
    Tool("polygon", "Polygon", "F5", "add_polygon"),
    Tool("box", "Box", "F6", "add_rectangle"),
)
"""All tools; their keys are free on every layer of napari."""


class Tools:
    """Which tool is in use, and what is drawn in the Shapes layer.

    Parameters
    ----------
    viewer : napari Viewer
    layers : ClickLayers
    controller : Controller
    place : callable
        ``place(plane, interaction)`` adds what was drawn to the object of a plane; ValueError if it
        cannot be.
    """

    def __init__(
        self,
        viewer: Viewer,
        layers: ClickLayers,
        controller: Controller,
        place: Callable[[Plane, Interaction], None],
    ) -> None:
        self._viewer, self._layers, self._controller = viewer, layers, controller
        self._place = place
        self._events: DrawnEvents | None = None
        self.positive = True
        self.plane: Callable[[], Plane] | None = None
        self._width = 3.0

    @property
    def tool(self) -> Tool:
        """The tool in use: that of the active layer and its mode."""
        shapes = self._layers.shapes
        if shapes is None or bare(self._viewer.layers.selection.active) is not shapes:
            return POINTS
        return next((tool for tool in TOOLS if tool.mode == str(shapes.mode)), TOOLS[1])

    def choose(self, name: str) -> None:
        """Take up a tool; its layer is made if it is missing."""
        tool = next(tool for tool in TOOLS if tool.name == name)
        active = self._layers.positive if self.positive else self._layers.negative
        if tool.mode is not None:
            active = self._begin()
            active.mode = tool.mode
        self._viewer.layers.selection.active = active

    def set_positive(self, positive: bool) -> None:
        """Let what is drawn next show the object, or background."""
        self.positive = positive
        if self._layers.shapes is not None:
            colour = self._layers.colours["positive" if positive else "negative"]
            self._layers.shapes.selected_data = set()
            self._layers.shapes.current_edge_color = colour

    def set_width(self, width: float) -> None:
        """Draw lines this wide, in pixels of a screen that shows the whole image."""
        self._width = width
        if self._events is not None:
            self._events.thicken(self.width)

    @property
    def width(self) -> float:
        """Of the lines, in data pixels."""
        return self._width * max(self._layers.shape, default=SCREEN) / SCREEN

    def stop(self) -> None:
        """Listen no more."""
        if self._events is not None:
            self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
            self._events.close()
            if self._layers.shapes is not None:
                self._layers.shapes.mode = "pan_zoom"
        self._events = None

    def show(self) -> None:
        """Show the strokes, contours and boxes of all planes."""
        marks = [
            Drawn(plane, order, item)
            for plane, items in self._controller.planes.items()
            for order, item in enumerate(items)
            if not isinstance(item, Click)
        ]
        if marks and self.plane is not None and self._layers.image is not None:
            self._begin()
        # napari breaks 2-D shapes that are written in a 3-D view: they wait until it is left
        if self._events is not None and self._viewer.dims.ndisplay == 2:
            self._events.show(marks)

    def _on_ndisplay(self, event: Any = None) -> None:
        self.show()

    def _begin(self) -> Any:
        """The Shapes layer, listened to; made if it is missing."""
        shapes = self._layers.shapes
        if shapes is None:
            active = self._viewer.layers.selection.active
            shapes = self._layers.make_shapes()
            self._viewer.layers.selection.active = active
        if self._events is None or self._events.layer is not shapes:
            if self._events is None:  # after the layers know of it
                self._viewer.dims.events.ndisplay.connect(self._on_ndisplay, position="last")
            self._events = DrawnEvents(shapes, self._on_edit, self._layers.colours)
            self._events.thicken(self.width)
            self.set_positive(self.positive)
            self.show()
        return shapes

    def _on_edit(self, edit: DrawnEdit) -> None:
        try:
            for plane, items in self._edited(edit).items():
                self._controller.replace(plane, items)
            for shape_type, vertices in edit.added:
                self._add(shape_type, vertices, self.positive ^ edit.other_sign)
        except ValueError as error:
            self._controller.said.emit(messages.one_sentence(error), "info")
        finally:
            self.show()

    def _add(self, shape_type: str, vertices: np.ndarray, positive: bool) -> None:
        image, shapes = self._layers.image, self._layers.shapes
        if image is None or self.plane is None:
            raise ValueError(messages.NO_IMAGE)
        plane = self.plane()
        if not in_plane(image, plane, shapes.data_to_world(vertices[0])):
            raise ValueError(messages.OTHER_SLICE)
        self._place(plane, as_drawn(shape_type, vertices[:, list(plane.axes)], positive))

    def _edited(self, edit: DrawnEdit) -> dict[Plane, tuple[Interaction, ...]]:
        """New interactions of the planes where shapes were removed or moved."""
        gone = {(mark.plane, mark.order) for mark in edit.removed}
        moved = {
            (mark.plane, mark.order): as_drawn(
                kind, vertices[:, list(mark.plane.axes)], mark.item.positive
            )
            for mark, kind, vertices in edit.moved
        }
        return self._controller.exchanged(gone, moved)
