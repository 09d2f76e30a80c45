"""The preview as an outline that is as wide on the screen whatever the zoom."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from ...geometry import Box
from ..image.plane import Plane, PlaneError, displayed_plane
from .edge_cells import edge_cells
from .own import ClickLayers
from .placing import placed, transform
from .redraw import undrawn

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer

__all__ = ["MaskOutline"]

PAUSE_MS = 80
"""Without a movement of the view until its outline is made."""
ROOM = 0.125
"""Of what is seen, that much more on each side has its outline already when the view is moved."""
MOST_CELLS = 2**24
LINE_OPACITY = 2.0
"""Of that of a filled preview, for lines cover little."""
CHANGES = ("set_data", "labels_update", "visible")
"""Events of the preview at which its outline is another one."""


@dataclass(frozen=True)
class _Grid:
    """Cells on a part of the preview that are about as large as pixels of the screen.

    Attributes
    ----------
    plane : Plane
    box : Box
        In pixels of the image, of which each cell has `down` and each has `up` cells.
    down, up : (int, int)
        Along rows and columns.
    """

    plane: Plane
    box: Box
    down: tuple[int, int]
    up: tuple[int, int]

    def serves(self, seen: _Grid) -> bool:
        """Whether what is seen needs no other one."""
        alike = (self.plane, self.down, self.up) == (seen.plane, seen.down, seen.up)
        return alike and self.box.union(seen.box) == self.box


class MaskOutline:
    """Shows the outline of the preview instead of filling it, if that is wanted.

    Napari's own outlines of labels are as wide as pixels of the image, so that those of a large
    image cannot be seen when all of it is, and are made for all of a layer at once. Here a layer
    of ours shows the outline of what is seen, in pixels of the screen, and the preview itself is
    transparent meanwhile. In 3D, where there are no outlines, the preview is filled.

    Parameters
    ----------
    viewer : napari Viewer
    layers : ClickLayers
    """

    def __init__(self, viewer: Viewer, layers: ClickLayers) -> None:
        self._viewer, self._layers = viewer, layers
        self._on, self._opacity = False, 0.5
        self._preview: Labels | None = None
        self._grid: _Grid | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.update)
        layers.lost.connect(self._on_change)

    def shut_down(self) -> None:
        """Follow nothing any more."""
        self._follow(None)
        self._timer.stop()
        self._layers.lost.disconnect(self._on_change)

    def show(self, on: bool, opacity: float) -> None:
        """Outline or fill the preview.

        Parameters
        ----------
        on : bool
            Outline it.
        opacity : float
            Of the preview when it is filled, 0..1.
        """
        self._on, self._opacity = on, opacity
        self.update()

    def update(self) -> None:
        """Bring the outline up to date with the preview and the view."""
        self._timer.stop()
        layers, preview, plane = self._layers, self._layers.preview, self._plane()
        outlined = self._on and preview is not None and plane is not None
        self._follow(preview if self._on else None)
        if preview is not None:
            _show(preview, 0.0 if outlined else self._opacity, preview.visible)
        if not outlined:
            if layers.outline is not None:
                outline, layers.outline = layers.outline, None
                self._viewer.layers.remove(outline)
            return
        seen = self._seen(preview, plane, 0.0)
        if layers.outline is None or self._grid is None or not self._grid.serves(seen):
            self._draw(preview, self._seen(preview, plane, ROOM))
        _show(layers.outline, min(1.0, LINE_OPACITY * self._opacity), preview.visible)

    def _plane(self) -> Plane | None:
        """The plane that is seen; None in 3D and where there is no preview."""
        image = self._layers.image
        try:
            return None if image is None else displayed_plane(image, self._viewer.dims)
        except PlaneError:
            return None

    # ------------------------------------------------------------------ what to draw
    def _seen(self, preview: Labels, plane: Plane, room: float) -> _Grid:
        """The grid for what was seen when it was drawn last, with some room around it."""
        axes, here = list(plane.axes), self._layers.window.box(plane)
        (top, left), (bottom, right) = preview.corner_pixels[:, axes].tolist()
        rows, cols = ceil(room * (bottom - top)), ceil(room * (right - left))
        box = Box(top - rows, left - cols, bottom + 1 + rows, right + 1 + cols)
        box = box.shift(here.top, here.left).intersect(here)
        origin = np.asarray(preview.data_to_world((0,) * preview.ndim))
        steps = np.eye(preview.ndim)[axes]
        lengths = [np.linalg.norm(preview.data_to_world(step) - origin) for step in steps]
        sides = [preview.scale_factor / length for length in lengths]  # of a cell, in pixels
        down = [max(1, round(side)) for side in sides]
        up = [max(1, round(1 / side)) for side in sides]
        cells = box.area / prod(down) * prod(up)
        if cells > MOST_CELLS:  # before it is drawn for the first time, nobody knows what is seen
            down, up = [n * ceil(sqrt(cells / MOST_CELLS)) for n in down], [1, 1]
        top, bottom = _whole(box.top - here.top, box.bottom - here.top, down[0], here.height)
        left, right = _whole(box.left - here.left, box.right - here.left, down[1], here.width)
        box = Box(top, left, bottom, right).shift(here.top, here.left)
        return _Grid(plane, box, tuple(down), tuple(up))

    def _draw(self, preview: Labels, grid: _Grid) -> None:
        layers, plane, box = self._layers, grid.plane, grid.box
        cells = np.zeros((1, 1), np.uint8)
        if not box.empty:
            mask = np.asarray(preview.data[layers.window.index(plane, box)])
            cells = edge_cells(mask, grid.down, grid.up)
        shape = [1] * preview.ndim
        start = plane.coordinates(box.top, box.left)
        scale = np.array(transform(layers.image, layers.shape)["scale"], dtype=float)
        for axis, count, down, up in zip(plane.axes, cells.shape, grid.down, grid.up, strict=True):
            shape[axis] = count
            scale[axis] *= down / up
            start[axis] += down / up / 2 - 0.5  # the middle of the first cell
        cells, translate = cells.reshape(shape), placed(layers.image, layers.shape, start)
        self._grid = grid
        if layers.outline is None:
            layers.make_outline(cells, scale=scale, translate=translate)
            return
        with undrawn(layers.outline):
            layers.outline.data = cells
            layers.outline.scale, layers.outline.translate = scale, translate
            layers.outline.editable = False  # which napari forgets with new data
        layers.outline.refresh()

    # ------------------------------------------------------------------ when to draw
    def _follow(self, preview: Labels | None) -> None:
        """Watch a preview and the view, or nothing."""
        if preview is self._preview:
            return
        camera, canvas = self._viewer.scene.camera.events, self._viewer.canvas.events
        view = (camera.zoom, camera.center, canvas.size)
        before, self._preview, self._grid = self._preview, preview, None
        if before is not None:
            for emitter in view:
                emitter.disconnect(self._on_view)
            before.events.scale_factor.disconnect(self._on_view)
            for name in CHANGES:
                before.events[name].disconnect(self._on_change)
        if preview is not None:
            for emitter in view:
                emitter.connect(self._on_view)
            preview.events.scale_factor.connect(self._on_view)
            for name in CHANGES:
                preview.events[name].connect(self._on_change)
            self._timer.start(PAUSE_MS)  # it may not have been drawn yet

    def _on_view(self, event: Any = None) -> None:
        self._timer.start(PAUSE_MS)

    def _on_change(self, event: Any = None) -> None:
        self._grid = None
        self._timer.start(0)


def _show(layer: Labels, opacity: float, visible: bool) -> None:
    """Show a layer so; napari draws it anew even if nothing changes."""
    if layer.opacity != opacity:
        layer.opacity = opacity
    if layer.visible != visible:
        layer.visible = visible


def _whole(first: int, last: int, side: int, length: int) -> tuple[int, int]:
    """The span of whole cells of a side that holds another one, as far as an axis is long."""
    return first // side * side, min(-(-last // side), length // side) * side
