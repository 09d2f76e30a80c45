"""Clicking in a viewer: layers, planes and the controller brought together. No widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ..geometry import Box
from ..interactions import Click
from . import messages
from .accepting import Accepting
from .clicks import ClickEvents, Edit, Mark
from .controller import Controller
from .layers import ClickLayers, bare
from .masks import KEEP
from .plane import (
    Plane,
    PlaneError,
    PlaneMap,
    contrast_limits,
    displayed_plane,
    in_plane,
    level_shape,
    plane_reader,
    visible_box,
)
from .preview import Preview
from .state import State

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from ..data.readers import ImageReader

__all__ = ["Clicking"]

BUSY = {state.value: state for state in (State.LOADING, State.RUNNING, State.REFINING)}
DIMS_EVENTS = ("current_step", "order", "ndisplay", "ndim")


class Clicking:
    """Start, stop, click, accept.

    Parameters
    ----------
    viewer : napari Viewer
    controller : Controller
    """

    changed = Signal()

    def __init__(self, viewer: Viewer, controller: Controller) -> None:
        self._viewer = viewer
        self._controller = controller
        self.layers = ClickLayers(viewer)
        self._events: list[ClickEvents] = []
        self._readers: dict[Plane, ImageReader] = {}
        self._preview = Preview(self.layers, controller)
        self._accepting = Accepting(viewer, self.layers, controller, self._preview)
        self.accepted = self._accepting.accepted
        controller.look = self._look
        self.active = False
        self.pause: str | None = None
        controller.clicks_changed.connect(self._show_clicks)
        self.layers.lost.connect(self._on_lost)
        self.layers.image_changed.connect(self._on_image_data)
        for name in DIMS_EVENTS:
            getattr(viewer.dims.events, name).connect(self._on_dims)
        viewer.layers.selection.events.active.connect(self._on_active)

    # ------------------------------------------------------------------ start and stop
    @property
    def image(self) -> Image | None:
        """The image that is clicked on."""
        return self.layers.image

    @property
    def state(self) -> State:
        """What goes on; every control's enabled state follows from it."""
        if self._controller.error is not None:
            return State.ERROR
        if self._controller.busy is not None:
            return BUSY[self._controller.busy]
        if not self.active:
            return State.READY
        return State.PAUSED if self.pause else State.CLICKING

    def start(self, image: Image) -> None:
        """Create the layers that are missing, listen to clicks and load the model.

        Raises
        ------
        ValueError
            If the image cannot be used; nothing is created then.
        """
        image = bare(image)
        self.stop()
        try:
            plane = displayed_plane(image, self._viewer.dims)
        except PlaneError:
            plane = None
        if plane is not None:
            plane_reader(image, plane)
        if self.image is not image:
            self._leave_image()
        made = self.layers.create(image)
        if "objects" in made:
            self._accepting.labels.clear()
        if "preview" in made:
            self._preview.begin(self.layers.preview)
        for layer, positive in ((self.layers.positive, True), (self.layers.negative, False)):
            self._events.append(ClickEvents(layer, positive, self._on_edit))
            layer.mode = "add"
        self.active = True
        self._show_clicks()
        for plane in self._controller.planes:
            self._preview.show(plane)
        self._viewer.layers.selection.active = self.layers.positive
        self._on_dims()
        if not self._controller.model_loaded and self._controller.busy is None:
            self._controller.request()
        self.changed.emit()

    def stop(self) -> None:
        """Listen no more; unfinished objects stay and go on at the next start."""
        self._controller.cancel(quiet=True)
        for events in self._events:
            events.close()
        self._events = []
        for layer in self.layers.points:
            layer.mode = "pan_zoom"
        self.active = False
        self.changed.emit()

    def close(self) -> None:
        """Stop, remove preview and points, and let go of the viewer; objects stay."""
        self.stop()
        self._controller.clicks_changed.disconnect(self._show_clicks)
        self._preview.disconnect()
        self._accepting.disconnect()
        self.layers.lost.disconnect(self._on_lost)
        self.layers.image_changed.disconnect(self._on_image_data)
        for name in DIMS_EVENTS:
            getattr(self._viewer.dims.events, name).disconnect(self._on_dims)
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._forget_image()
        self.layers.close()

    def _leave_image(self) -> None:
        self._forget_image()
        self.layers.release()

    def _forget_image(self) -> None:
        """Let go of the image's pixels and of all that was made from them."""
        self._readers.clear()
        self._controller.forget()
        self._controller.go_to(None)
        self._accepting.labels.clear()

    @property
    def positive(self) -> bool:
        """Sign of the left button: that of the Points layer in use."""
        active = bare(self._viewer.layers.selection.active)
        return active is None or active is not self.layers.negative

    def set_positive(self, positive: bool) -> None:
        """Let the left button place this sign."""
        layer = self.layers.positive if positive else self.layers.negative
        if self.active and layer is not None:
            self._viewer.layers.selection.active = layer

    def swap(self) -> None:
        """Let the left button place the other sign."""
        self.set_positive(not self.positive)

    def _on_active(self, event: Any = None) -> None:
        self.changed.emit()

    def click(self, row: float, col: float, positive: bool = True) -> None:
        """Place a click at a pixel of the displayed plane, as a click in the canvas does.

        Raises
        ------
        ValueError
            If the pixel is outside the image or clicking is not on.
        """
        layer = self.layers.positive if positive else self.layers.negative
        if not self.active or layer is None or self.pause:
            raise ValueError(self.pause or messages.PRESS_START)
        plane = displayed_plane(self.image, self._viewer.dims)
        if not self._extent(plane).contains(row, col):
            raise ValueError(messages.OUTSIDE)
        layer.add(plane.coordinates(row, col))

    def _extent(self, plane: Plane) -> Box:
        return Box.of_shape(plane.shape_in(level_shape(self.image)))

    def _on_edit(self, edit: Edit) -> None:
        try:
            for mark_plane, clicks in self._edited(edit).items():
                self._controller.replace(mark_plane, clicks)
            for world in edit.added:
                self._add(world, edit.positive)
        except ValueError as error:
            self._controller.said.emit(messages.one_sentence(error), "warning")
        finally:
            self._show_clicks()

    def _add(self, world: np.ndarray, positive: bool) -> None:
        image = self.image
        if image is None:
            raise ValueError(messages.NO_IMAGE)
        plane = displayed_plane(image, self._viewer.dims)
        if not in_plane(image, plane, world):
            raise ValueError(messages.OTHER_SLICE)
        row, col = PlaneMap(image, plane).pixel(world)
        if not self._extent(plane).contains(row, col):
            raise ValueError(messages.OUTSIDE)
        self._controller.go_to(plane)
        self._controller.begin(self._reader(plane), contrast_limits(image))
        self._controller.add(Click(row, col, positive))

    def _look(self, plane: Plane) -> Box | None:
        """What the user sees of a plane; None if that is all of it or not known."""
        # objects lie on the image and are never multiscale: theirs is the view to the pixel
        layer = self.image if self.layers.objects is None else self.layers.objects
        return None if layer is None else visible_box(layer, plane)

    def _reader(self, plane: Plane) -> ImageReader:
        """The same reader for all objects of a plane, so that image features are kept."""
        if plane not in self._readers:
            self._readers[plane] = plane_reader(self.image, plane)
        return self._readers[plane]

    def _edited(self, edit: Edit) -> dict[Plane, tuple[Click, ...]]:
        """New click lists of the planes where clicks were removed or moved."""
        gone = {(mark.plane, mark.order) for mark in edit.removed}
        moved = {}
        for mark, coordinates in edit.moved:
            row, col = coordinates[list(mark.plane.axes)]
            if not self._extent(mark.plane).contains(row, col):
                raise ValueError(messages.OUTSIDE)
            moved[mark.plane, mark.order] = Click(row, col, mark.click.positive)
        planes = {plane for plane, _ in (*gone, *moved)}
        return {
            plane: tuple(
                moved.get((plane, order), click)
                for order, click in enumerate(self._controller.planes[plane])
                if (plane, order) not in gone
            )
            for plane in planes
        }

    def _show_clicks(self) -> None:
        marks = [
            Mark(plane, order, click)
            for plane, clicks in self._controller.planes.items()
            for order, click in enumerate(clicks)
        ]
        for events in self._events:
            events.show([mark for mark in marks if mark.click.positive == events.positive])

    def accept(self, label: int, policy: str = KEEP) -> None:
        """Write the preview into the objects and begin the next object; see `Accepting.accept`.

        Raises
        ------
        ValueError
            If clicking is not on, or the object cannot be accepted.
        """
        if not self.active or self.image is None or self.layers.preview is None:
            raise ValueError(messages.PRESS_START)
        self._accepting.accept(label, policy)

    # ------------------------------------------------------------------ the viewer changes
    def _on_dims(self, event: Any = None) -> None:
        if not self.active or self.image is None:
            return
        try:
            plane, self.pause = displayed_plane(self.image, self._viewer.dims), None
        except PlaneError as error:
            plane, self.pause = None, str(error)
        self._controller.go_to(plane)
        self.changed.emit()

    def _on_image_data(self, event: Any = None) -> None:
        """The user gave the image layer other pixels: what was seen of it is stale."""
        planes = list(self._controller.planes)
        self._readers.clear()
        self._controller.forget()
        if planes:
            for plane in planes:
                self._preview.clear(plane)
            self._controller.said.emit(messages.IMAGE_CHANGED, "warning")
        preview = self.layers.preview
        if preview is not None and self.layers.shape != level_shape(self.image):
            self.stop()
            self._leave_image()
            self.changed.emit()

    def _on_lost(self, role: str) -> None:
        if role == "image":
            self._lose(messages.image_removed(len(self._accepting.labels)))
            self._forget_image()
        elif role == "preview":
            self._lose(messages.PREVIEW_REMOVED)
        elif role in ("positive", "negative"):
            self._lose(messages.LAYERS_REMOVED)
        self.changed.emit()

    def _lose(self, sentence: str) -> None:
        if self.active:
            self.stop()
            self._controller.said.emit(sentence, "warning")
