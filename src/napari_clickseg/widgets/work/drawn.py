"""Shapes-layer events to strokes, contours and boxes, and those back to a Shapes layer.

As with clicks (see `clicks`), the interactions of the session are the truth and the layer is a view
of them: whatever the user does to it becomes a `DrawnEdit`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from ...geometry import Box
from ...interactions import BoxPrompt, Contour, Interaction, Stroke
from ..image.plane import Plane

if TYPE_CHECKING:
    from napari.layers import Shapes

__all__ = ["Drawn", "DrawnEdit", "DrawnEvents", "as_drawn"]

KINDS = {"path": Stroke, "line": Stroke, "polygon": Contour, "ellipse": Contour}
SHAPES = {"stroke": "path", "contour": "polygon", "box": "rectangle"}
ELLIPSE = 32  # corners that an ellipse is drawn with


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stroke, contour or box as the layer shows it.

    Parameters
    ----------
    plane : Plane
        Where it lies.
    order : int
        Its place among the interactions of that plane's object.
    item : Interaction
    """

    plane: Plane
    order: int
    item: Interaction

    @property
    def vertices(self) -> np.ndarray:
        """Data coordinates ``(N, ndim)``."""
        points: Sequence[tuple[float, float]] = self.item.points
        if isinstance(self.item, BoxPrompt):
            b = self.item.box
            top, left, bottom, right = (side - 0.5 for side in (b.top, b.left, b.bottom, b.right))
            points = ((top, left), (top, right), (bottom, right), (bottom, left))
        return np.array([self.plane.coordinates(row, col) for row, col in points])

    @property
    def sort(self) -> str:
        """What the colour of its edge is called."""
        if isinstance(self.item, BoxPrompt):
            return "box"
        return "positive" if self.item.positive else "negative"


@dataclass(frozen=True, slots=True)
class DrawnEdit:
    """What the user did to the Shapes layer.

    Parameters
    ----------
    added : tuple of (str, array)
        Types and data coordinates ``(N, ndim)`` of new shapes.
    removed : tuple of Drawn
    moved : tuple of (Drawn, str, array)
        Shapes and what they are now.
    other_sign : bool
        They were drawn with the right mouse button.
    """

    added: tuple[tuple[str, np.ndarray], ...] = ()
    removed: tuple[Drawn, ...] = ()
    moved: tuple[tuple[Drawn, str, np.ndarray], ...] = ()
    other_sign: bool = False


def as_drawn(shape_type: str, corners: np.ndarray, positive: bool) -> Interaction:
    """The interaction that a shape in a plane stands for.

    Parameters
    ----------
    shape_type : str
        napari's.
    corners : (N, 2) array
        Rows and columns in pixels.
    positive : bool

    Raises
    ------
    ValueError
        If there are too few corners, or a box holds no pixel.
    """
    if shape_type == "rectangle":
        (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
        box = Box(*(math.floor(side + 0.5 + 0.5) for side in (top, left, bottom, right)))
        if box.empty:
            raise ValueError("The box holds no pixel. Draw it larger.")
        return BoxPrompt(box)
    if shape_type == "ellipse":
        centre, (down, along) = (
            corners.mean(axis=0),
            (corners[1] - corners[0], corners[3] - corners[0]),
        )
        angles = np.linspace(0, 2 * np.pi, ELLIPSE, endpoint=False)
        corners = centre + np.outer(np.cos(angles), down / 2) + np.outer(np.sin(angles), along / 2)
    points = tuple((float(row), float(col)) for row, col in corners)
    return KINDS[shape_type](points, positive)


class DrawnEvents:
    """Watches the Shapes layer.

    Parameters
    ----------
    layer : napari Shapes layer
    on_edit : callable
        Called with a `DrawnEdit` after each change that the user or a script made.
    colours : mapping
        Of the edges: ``"positive"``, ``"negative"`` and ``"box"``.
    """

    def __init__(
        self,
        layer: Shapes,
        on_edit: Callable[[DrawnEdit], None],
        colours: Mapping[str, str],
    ) -> None:
        self.layer, self._colours = layer, colours
        self._on_edit = on_edit
        self._marks: tuple[Drawn, ...] = ()
        self._button = 1
        self._writing = self._new = self._drawing = False
        self._open = True
        self.width = 3.0
        layer.events.data.connect(self._on_data)
        layer.mouse_drag_callbacks.append(self._on_press)

    def close(self) -> None:
        """Stop listening."""
        self._open = False
        self.layer.events.data.disconnect(self._on_data)
        if self._on_press in self.layer.mouse_drag_callbacks:
            self.layer.mouse_drag_callbacks.remove(self._on_press)

    def show(self, marks: Sequence[Drawn]) -> None:
        """Write shapes into the layer; nothing happens if it shows them already."""
        self._marks = tuple(marks)
        if self._drawing and not self._shows(marks):
            QTimer.singleShot(0, self._show_late)
            return
        self._writing = True
        try:
            if not self._shows(marks):
                self._write(marks)
            elif marks and self.layer.selected_data and self._new:
                self.layer.selected_data = set()  # its highlight would hide the colour of the sign
                self.layer.edge_color = [self._colours[mark.sort] for mark in marks]
        finally:
            self._writing = self._new = False

    def _show_late(self) -> None:
        """Show what napari did not let be shown while it finished a drawing."""
        if self._open:
            self.show(self._marks)

    def _write(self, marks: Sequence[Drawn]) -> None:
        self.layer.selected_data = set()
        self.layer.data = []
        if marks:
            self.layer.add(
                [mark.vertices for mark in marks],
                shape_type=[SHAPES[mark.item.kind] for mark in marks],
                edge_color=[self._colours[mark.sort] for mark in marks],
                face_color=["transparent"] * len(marks),
                edge_width=self.width,
            )
        self.layer.selected_data = set()

    def thicken(self, width: float) -> None:
        """Draw all lines this wide, in data pixels."""
        self.width = width
        self.layer.current_edge_width = width
        if len(self.layer.data):
            self.layer.edge_width = [width] * len(self.layer.data)

    def _shows(self, marks: Sequence[Drawn]) -> bool:
        data, types = self.layer.data, self.layer.shape_type
        return len(data) == len(marks) and all(
            kind == SHAPES[mark.item.kind] and _same(shape, mark.vertices)
            for shape, kind, mark in zip(data, types, marks, strict=True)
        )

    def _on_press(self, layer: Shapes, event: Any) -> None:
        self._button = getattr(event, "button", 1)

    def _on_data(self, event: Any) -> None:
        action = getattr(event.action, "name", str(event.action)).upper()
        if self._writing or action not in ("ADDED", "REMOVED", "CHANGED"):
            return
        edit = self._edit()
        self._new = bool(edit.added)
        self._drawing = action == "ADDED"
        try:
            self._on_edit(edit)
        finally:
            self._drawing = False

    def _edit(self) -> DrawnEdit:
        now = list(zip(self.layer.shape_type, map(np.array, self.layer.data), strict=True))
        marks, other = self._marks, self._button == 2
        if len(now) == len(marks):
            pairs = zip(marks, now, strict=True)
            moved = ((m, *shape) for m, shape in pairs if not _same(shape[1], m.vertices))
            return DrawnEdit(moved=tuple(moved), other_sign=other)
        removed = []
        for mark in marks:
            found = [i for i, (_, shape) in enumerate(now) if _same(shape, mark.vertices)]
            if found:
                del now[found[0]]
            else:
                removed.append(mark)
        return DrawnEdit(tuple(now), tuple(removed), other_sign=other)


def _same(shape: np.ndarray, vertices: np.ndarray) -> bool:
    return shape.shape == vertices.shape and np.allclose(shape, vertices, atol=1e-6)
