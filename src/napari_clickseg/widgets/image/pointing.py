"""Where the viewer looks and points, in planes of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import messages
from .plane import Plane, PlaneMap, displayed_plane, level_shape

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

__all__ = ["centre_on", "show_plane", "under_pointer"]


def show_plane(viewer: Viewer, image: Image, plane: Plane) -> None:
    """Move the sliders to a plane of the image."""
    point = image.data_to_world(plane.coordinates(0, 0))
    offset = viewer.dims.ndim - image.ndim
    shared = None if plane.channel is None else plane.channel[0]  # any channel will do
    moved = [axis for axis, s in enumerate(plane.steps) if s is not None and axis != shared]
    viewer.dims.set_point([axis + offset for axis in moved], [point[axis] for axis in moved])


def centre_on(viewer: Viewer, image: Image, plane: Plane, middle: tuple[float, float]) -> None:
    """Bring a row and column of a plane into the middle of the canvas; the zoom stays."""
    if viewer.dims.ndisplay == 2:
        world = image.data_to_world(plane.coordinates(*middle))
        offset = viewer.dims.ndim - len(world)
        centre = tuple(world[axis - offset] for axis in viewer.dims.displayed)
        viewer.scene.camera.center = centre


def under_pointer(viewer: Viewer, image: Image | None) -> tuple[Plane, int, int]:
    """Plane, row and column under the mouse pointer.

    Raises
    ------
    ValueError
        If that is not on the image.
    """
    if image is None:
        raise ValueError(messages.NO_IMAGE)
    plane = displayed_plane(image, viewer.dims)
    row, col = (round(place) for place in PlaneMap(image, plane).pixel(viewer.cursor.position))
    height, width = plane.shape_in(level_shape(image))
    if not (0 <= row < height and 0 <= col < width):
        raise ValueError(messages.NO_OBJECT_HERE)
    return plane, row, col
