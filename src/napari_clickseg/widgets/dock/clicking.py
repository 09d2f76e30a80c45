"""Clicking in a viewer: layers, planes and the controller brought together. No widgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from ...geometry import Box
from ...interactions import Interaction
from .. import messages
from ..image.plane import (
    ChannelsDisplayed,
    Plane,
    PlaneError,
    channel_axis,
    choose_channel_axis,
    displayed_plane,
    extent,
    objects_shape,
    plane_reader,
    visible_box,
)
from ..image.pointing import show_plane, under_pointer
from ..layers.own import bare
from ..objects.accepting import Accepting
from ..objects.masks import KEEP
from ..work.controller import Controller
from ..work.point_edits import PointEdits
from ..work.tools import Tools
from ..work.work import touches
from .state import State
from .worked_image import WorkedImage

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


__all__ = ["Clicking"]

BUSY = {state.value: state for state in (State.LOADING, State.RUNNING, State.REFINING)}
DIMS_EVENTS = ("current_step", "order", "ndisplay", "ndim")


class Clicking(WorkedImage):
    """Start, stop, click, accept.

    Parameters
    ----------
    viewer : napari Viewer
    controller : Controller
    """

    changed = Signal()

    def __init__(self, viewer: Viewer, controller: Controller) -> None:
        super().__init__(viewer, controller)
        self.objects.went.connect(self.show_plane)
        self._accepting = Accepting(viewer, self.layers, controller, self._preview, self.objects)
        self.accepted = self._accepting.accepted
        self.tools = Tools(viewer, self.layers, controller, self._place)
        self._points = PointEdits(viewer, self.layers, controller, self._place, self.objects.id_of)
        controller.look = self._look
        self.first: Callable[[Plane, Interaction], None] = lambda plane, interaction: None
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
    def state(self) -> State:
        """What goes on; every control's enabled state follows from it."""
        if self._controller.error is not None:
            return State.ERROR
        if self._controller.busy is not None:
            return BUSY[self._controller.busy]
        if not self.active:
            return State.READY
        return State.PAUSED if self.pause else State.CLICKING

    def start(self, image: Image, keep: bool = False) -> None:
        """Create the layers that are missing, listen to clicks and load the model.

        Parameters
        ----------
        image : napari Image layer
        keep : bool
            Keep the unfinished objects of the image before until that one is started again.

        Raises
        ------
        ValueError
            If the image cannot be used; nothing is created then.
        """
        image = bare(image)
        self.stop()
        try:
            plane_reader(image, displayed_plane(image, self._viewer.dims))
        except ChannelsDisplayed:
            raise
        except PlaneError:
            pass  # it is said as long as it is so
        if self.image is not image:
            self._leave_image(keep)
        made = self.layers.create(image)
        self._controller.put_all(self._kept.take(image))
        if "preview" in made:
            self._preview.begin(self.layers.preview)
        self._points.begin()
        self.tools.plane = lambda: displayed_plane(self.image, self._viewer.dims)
        self.active = True
        self._show_clicks()
        for plane in self._controller.planes:
            self._preview.show(plane)
        self._viewer.layers.selection.active = self.layers.positive
        self._on_dims()
        if not self._controller.model_loaded and self._controller.busy is None:
            self._controller.request()
        else:
            self._controller.resume()
        self.changed.emit()

    def stop(self) -> None:
        """Listen no more; unfinished objects stay and go on at the next start."""
        self._controller.cancel(quiet=True)
        self._points.stop()
        self.tools.stop()
        self.active = False
        self.changed.emit()

    def close(self) -> None:
        """Stop, remove preview and points, and let go of the viewer; objects stay."""
        self.stop()
        self._controller.clicks_changed.disconnect(self._show_clicks)
        self._preview.disconnect()
        self._accepting.disconnect()
        self.objects.disconnect()
        self.layers.lost.disconnect(self._on_lost)
        self.layers.image_changed.disconnect(self._on_image_data)
        for name in DIMS_EVENTS:
            getattr(self._viewer.dims.events, name).disconnect(self._on_dims)
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._forget_image()
        self._kept.close()
        self.layers.close()

    @property
    def positive(self) -> bool:
        """Sign of the left button: that of the Points layer in use, or of what is drawn."""
        return self.tools.positive

    def set_positive(self, positive: bool) -> None:
        """Let the left button place this sign."""
        layer = self.layers.positive if positive else self.layers.negative
        if self.active and layer is not None:
            self.tools.set_positive(positive)
            if self.tools.tool.mode is None:
                self._viewer.layers.selection.active = layer
            self.changed.emit()

    def swap(self) -> None:
        """Let the left button place the other sign."""
        self.set_positive(not self.positive)

    def _on_active(self, event: Any = None) -> None:
        active = bare(self._viewer.layers.selection.active)
        if active is not None and active in self.layers.points:
            self.tools.set_positive(active is self.layers.positive)
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
        if not extent(self.image, plane).contains(row, col):
            raise ValueError(messages.OUTSIDE)
        layer.add(plane.coordinates(row, col))

    def _place(self, plane: Plane, interaction: Interaction) -> None:
        """Add an interaction to the object of a plane; ValueError if it does not touch it."""
        if not touches(interaction, extent(self.image, plane)):
            raise ValueError(messages.outside(interaction.kind))
        self.begin(plane)
        session = self._controller.session
        if not session.interactions and session.start_mask is None:
            self.first(plane, interaction)
        self._controller.add(interaction)

    def share(self, image: Image | None, axis: int | None) -> None:
        """Other channels are chosen: those of an axis share objects, unless there are some."""
        self.readers.clear()
        if image is None or axis is None or channel_axis(image) is not None:
            return
        here = self.image is image
        if here and (self.objects.items or self.unfinished):
            self._controller.said.emit(messages.OBJECTS_ON_CHANNELS, "info")
            return
        active = self.active
        if here:
            self.stop()
            self.layers.drop_objects()
            self._leave_image()
        choose_channel_axis(image, axis)
        if here and active:
            self.start(image)

    def begin(self, plane: Plane) -> None:
        """Begin an object on a plane, unless there is one."""
        self._controller.go_to(plane)
        self._controller.begin(self.readers.reader(plane), self.readers.limits(plane))

    def _look(self, plane: Plane) -> Box | None:
        """What the user sees of a plane; None if that is all of it or not known."""
        # objects lie on the image and are never multiscale: theirs is the view to the pixel
        layer = self.image if self.layers.objects is None else self.layers.objects
        return None if layer is None else visible_box(layer, plane)

    def show_plane(self, plane: Plane) -> None:
        """Move the sliders to a plane of the image."""
        if self.image is not None:
            show_plane(self._viewer, self.image, plane)

    def under_pointer(self) -> tuple[Plane, int, int]:
        """Plane, row and column under the mouse pointer; ValueError outside the image."""
        return under_pointer(self._viewer, self.image)

    def _show_clicks(self) -> None:
        self._points.show()
        if self.active:
            self.tools.show()

    def accept(self, label: int, policy: str = KEEP, name: str = "") -> None:
        """Write the preview into the objects and begin the next object; see `Accepting.accept`.

        Raises
        ------
        ValueError
            If clicking is not on, or the object cannot be accepted.
        """
        if not self.active or self.image is None or self.layers.preview is None:
            raise ValueError(messages.PRESS_START)
        self._accepting.accept(label, policy, name)

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
        self.objects.forget_steps()
        self.readers.clear()
        self._controller.forget()
        if planes:
            for plane in planes:
                self._preview.clear(plane)
            self._controller.said.emit(messages.IMAGE_CHANGED, "warning")
        preview = self.layers.preview
        if preview is not None and self.layers.shape != objects_shape(self.image):
            self.stop()
            self._leave_image()
            self.changed.emit()

    def _on_lost(self, role: str) -> None:
        if role == "image":
            self._lose_image()
        elif role == "preview":
            self._lose(messages.PREVIEW_REMOVED)
        elif role in ("positive", "negative"):
            self._lose(messages.LAYERS_REMOVED)
        elif role == "shapes" and self.active:
            self.tools.stop()
            self._controller.said.emit(messages.SHAPES_REMOVED, "info")
        self.changed.emit()

    def _lose_image(self) -> None:
        unfinished = len(self.unfinished)
        count, back = len(self.objects.items), self.recoverable()
        known = self.active or unfinished
        self.stop()
        self._forget_image()
        if known:
            sentence = messages.image_removed(count, unfinished, back)
            self._controller.said.emit(sentence, "warning")

    def _lose(self, sentence: str) -> None:
        if self.active:
            self.stop()
            self._controller.said.emit(sentence, "warning")
