"""The layers the dock makes: created with the image's transform, held as objects, never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ..image.plane import Plane, objects_shape
from .class_colours import object_colours
from .placing import TRANSFORM, placed, transform
from .redraw import undrawn
from .window import Window, is_large
from .zeros import zeros

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer, Points, Shapes
    from napari.viewer import Viewer

__all__ = ["COLOURS", "ClickLayers", "bare", "is_preview"]

ROLES = ("objects", "preview", "positive", "negative")
PREVIEW = "clickseg preview"
COLOURS = {
    "green and red": {
        "positive": "#3ddc4c",
        "negative": "#ff4b3e",
        "box": "#ffd23f",
        "preview": "#00a6ff",
    },
    "blue and orange": {
        "positive": "#1450d2",
        "negative": "#ff8c1a",
        "box": "#ffffff",
        "preview": "#f0e442",
    },
}
"""Of what is said and of the mask; the second set is safe for colour-blind people."""
PAGE = 4096
"""Bytes of memory that the system gives at a time, at least."""
ON_SCREEN = 17.0
"""Diameter of a click's symbol in screen pixels, whatever the zoom."""


def bare(layer: Any) -> Any:
    """A layer without the proxy that napari wraps around what plugins look up."""
    return getattr(layer, "__wrapped__", layer)


def is_preview(layer: Layer) -> bool:
    """Whether a layer is the preview of an object in work, which is not to be chosen as labels."""
    return PREVIEW in layer.metadata


class ClickLayers:
    """Positive and negative Points, preview and objects Labels of one image.

    A layer that the user deletes becomes None here and `lost` is emitted; `create` brings it back.
    Of the image, `leaving` is emitted before; `image_changed`, when it is given other data.
    Renaming and reordering change nothing, for no layer is looked up by its name.

    Parameters
    ----------
    viewer : napari Viewer

    Attributes
    ----------
    colours : dict
        One of `COLOURS`, for the layers made next.
    """

    leaving = Signal()
    lost = Signal(str)
    image_changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self.image: Image | None = None
        self._made_for: Image | None = None
        self.positive: Points | None = None
        self.negative: Points | None = None
        self.shapes: Shapes | None = None
        self.roi: Shapes | None = None
        self.preview: Labels | None = None
        self.outline: Labels | None = None
        self.objects: Labels | None = None
        self.colours = COLOURS["green and red"]
        self.shape: tuple[int, ...] = ()
        self.window = Window((), ())
        self._spare: np.ndarray | None = None
        self._objects_of: list[tuple[Image, Labels]] = []
        viewer.layers.events.removed.connect(self._on_removed)

    # ------------------------------------------------------------------ making and dropping
    @property
    def points(self) -> tuple[Points, ...]:
        """The Points layers that exist, positive first."""
        return tuple(layer for layer in (self.positive, self.negative) if layer is not None)

    @property
    def own(self) -> tuple[Layer, ...]:
        """All of our layers that exist."""
        return (*self._marks, *(() if self.objects is None else (self.objects,)))

    @property
    def _marks(self) -> tuple[Layer, ...]:
        ours = (*self.points, self.shapes, self.roi, self.preview, self.outline)
        return tuple(layer for layer in ours if layer is not None)

    @property
    def all_objects(self) -> tuple[Labels, ...]:
        """The objects layers of all images that exist."""
        return tuple(objects for _, objects in self._objects_of)

    def create(self, image: Image) -> tuple[str, ...]:
        """Make the layers that are missing for an image and return their roles.

        Layers of another image are removed first; its objects stay.
        """
        image = bare(image)
        shape = objects_shape(image)
        if self._made_for is not image:
            self.release()
            known = (obj for img, obj in self._objects_of if img is image)
            self.objects = next((obj for obj in known if obj.data.shape == shape), None)
        if self.image is not image:
            self.image = self._made_for = image
            self.shape = shape
            self._watch_image(True)
        made = [role for role in ROLES if getattr(self, role) is None]
        for role in made:
            layer = getattr(self, f"_make_{role}")(shape)
            setattr(self, role, layer)
            if role == "objects":
                self._objects_of.insert(0, (image, layer))
            self._viewer.add_layer(layer)
        return tuple(made)

    def adopt(self, image: Image, layer: Labels | None) -> None:
        """Let a layer of the user hold the objects of the image clicked on; None: a new one."""
        self._objects_of = [(img, obj) for img, obj in self._objects_of if obj is not layer]
        if layer is not None:
            self._objects_of.insert(0, (image, layer))
        self.objects = layer
        self.create(image)

    def drop_objects(self) -> None:
        """Remove the objects layer from the viewer."""
        if self.objects is not None:
            self._viewer.layers.remove(self.objects)

    def release(self) -> None:
        """Remove points and preview from the viewer and let go of the image; objects stay."""
        if self.image is not None:
            self._watch_image(False)
        self.image = self._made_for = self.objects = None
        self.drop_marks()

    def drop_marks(self) -> None:
        """Remove points and preview, which mean nothing without the image, from the viewer."""
        gone = [mark for mark in self._marks if mark in self._viewer.layers]
        self.positive = self.negative = self.shapes = self.roi = None
        self.preview = self.outline = self._spare = None
        if gone:
            with self._viewer.layers.batched_update():  # the viewer tidies up once, not for each
                for mark in gone:
                    self._viewer.layers.remove(mark)

    def close(self) -> None:
        """Remove the preview and the points and stop listening to the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.release()

    def cover(self, window: Window | None) -> None:
        """Let the preview of a large image cover another window; what both cover is kept.

        None gives its memory back. The preview of other images covers all of them, always. Nothing
        is drawn before the layer is refreshed.
        """
        if not is_large(self.shape) or self.preview is None:
            return
        before, after = self.window, window or Window.of_shape(self.shape)
        if after == before:
            return
        data, self._spare = self._spare, None
        if data is None or data.shape != after.shape:
            data = np.zeros(after.shape, np.uint8)
        mine, theirs = after.common(before)
        data[mine] = self.preview.data[theirs]
        self.window = after
        with undrawn(self.preview):
            self.preview.data = data
            self.preview.translate = placed(self.image, self.shape, after.start)

    def provide(self, window: Window, plane: Plane) -> None:
        """Have memory ready for a preview that covers a window; the worker may call this.

        Getting it from the system takes longer than filling it: a tenth of a second for 100 MP.
        """
        spare = self._spare
        if spare is None or spare.shape != window.shape:
            spare = np.zeros(window.shape, np.uint8)
            spare[window.index(plane, window.box(plane))][:, ::PAGE] = 0
            self._spare = spare

    def _make_objects(self, shape: tuple[int, ...]) -> Labels:
        from napari.layers import Labels

        return Labels(
            zeros(shape, np.uint16),
            name="clickseg objects",
            opacity=0.65,
            colormap=object_colours(),
            **transform(self.image, self.shape),
        )

    def _make_preview(self, shape: tuple[int, ...]) -> Labels:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        colour = self.colours["preview"]
        colours = {0: "transparent", 1: colour, None: colour}
        self.window = Window.of_shape(shape)
        return Labels(
            np.zeros(self.window.shape, np.uint8),
            name=PREVIEW,
            metadata={PREVIEW: True},
            opacity=0.5,
            colormap=DirectLabelColormap(color_dict=colours),
            **transform(self.image, self.shape),
        )

    def _make_positive(self, shape: tuple[int, ...]) -> Points:
        return self._make_points(len(shape), "clickseg positive", "disc", self.colours["positive"])

    def _make_negative(self, shape: tuple[int, ...]) -> Points:
        return self._make_points(len(shape), "clickseg negative", "cross", self.colours["negative"])

    def make_shapes(self) -> Shapes:
        """Make the layer of strokes, contours and boxes, which only their tools need."""
        from napari.layers import Shapes

        self.shapes = Shapes(
            ndim=len(self.shape),
            name="clickseg shapes",
            face_color="transparent",
            **transform(self.image, self.shape),
        )
        self._viewer.add_layer(self.shapes)
        return self.shapes

    def make_roi(self) -> Shapes:
        """Make the layer of what the model looked at; the layer in use stays so."""
        from napari.layers import Shapes

        self.roi = Shapes(
            ndim=len(self.shape),
            name="clickseg roi",
            edge_color="white",
            face_color="transparent",
            opacity=0.8,
            **transform(self.image, self.shape),
        )
        self._add_to_look_at(self.roi)
        return self.roi

    def make_outline(self, cells: np.ndarray, **place: Any) -> Labels:
        """Make the layer that shows the outline of the preview's masks; the layer in use stays so.

        Parameters
        ----------
        cells : np.ndarray
            Labels of a grid that is as fine as the screen.
        **place
            Scale and translation of the grid.
        """
        from napari.layers import Labels

        self.outline = Labels(
            cells,
            name="clickseg outline",
            metadata={PREVIEW: True},
            colormap=self.preview.colormap,
            **{**transform(self.image, self.shape), **place},
        )
        self._add_to_look_at(self.outline)
        return self.outline

    def _add_to_look_at(self, layer: Layer) -> None:
        selection = self._viewer.layers.selection
        active = selection.active
        self._viewer.add_layer(layer)
        layer.editable = False
        if active is not None:
            selection.active = active

    def _make_points(self, ndim: int, name: str, symbol: str, colour: str) -> Points:
        from napari.layers import Points

        ring = symbol == "disc"
        return Points(
            np.empty((0, ndim)),
            ndim=ndim,
            name=name,
            symbol=symbol,
            size=ON_SCREEN,
            canvas_size_limits=(ON_SCREEN, ON_SCREEN),
            face_color="#ffffff30" if ring else colour,
            border_color=colour,
            border_width=0.25 if ring else 0.0,
            **transform(self.image, self.shape),
        )

    # ------------------------------------------------------------------ following the viewer
    def _on_removed(self, event: Any) -> None:
        layer = bare(event.value)
        if layer is self.image:
            self.leaving.emit()
        self._objects_of = [
            (img, obj) for img, obj in self._objects_of if obj is not layer and img is not layer
        ]
        if layer is self.image:
            # removing more layers in here would upset whoever is removing this one
            self._watch_image(False)
            self.image = self._made_for = None
            self.lost.emit("image")
            return
        for role in (*ROLES, "shapes", "roi", "outline"):
            if layer is getattr(self, role):
                setattr(self, role, None)
                self.lost.emit(role)

    def _watch_image(self, on: bool) -> None:
        for name in ("data", *TRANSFORM):
            emitter = getattr(self.image.events, name, None)
            follow = self._on_data if name == "data" else self._on_transform
            if emitter is not None:
                (emitter.connect if on else emitter.disconnect)(follow)

    def _on_data(self, event: Any = None) -> None:
        self.image_changed.emit()

    def _on_transform(self, event: Any = None) -> None:
        for layer in self.own:
            for name, value in transform(self.image, self.shape).items():
                setattr(layer, name, value)
        if self.preview is not None:
            self.preview.translate = placed(self.image, self.shape, self.window.start)
