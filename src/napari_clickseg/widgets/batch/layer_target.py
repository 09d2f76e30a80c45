"""The planes of a Labels layer that are refined, and the layer that the result is shown in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ...geometry import Box
from .. import messages
from ..image.plane import (
    Plane,
    PlaneError,
    contrast_limits,
    displayed_plane,
    level_shape,
    reader_of,
)
from .jobs import PlaneOfLayers

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels, Layer
    from napari.viewer import Viewer

__all__ = ["LayerTarget", "go_to_object"]

LIKE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


@dataclass(eq=False)
class LayerTarget:
    """Planes of a Labels layer that are refined, and where the result is shown.

    Attributes
    ----------
    source : Labels layer
        Only read.
    planes : dict of tuple of int to Plane
        By their indices along the axes of the layer but rows and columns.
    parts : tuple of PlaneOfLayers
        The same planes, for the worker.
    limits : (float, float) or None
    labels : array
        Of all planes.
    corrected : array or None
        The same with some objects corrected.
    image : array
        All of the image.
    layer : Labels layer or None
        The refined objects.
    """

    source: Labels
    planes: dict[tuple[int, ...], Plane]
    parts: tuple[PlaneOfLayers, ...]
    limits: tuple[float, float] | None
    labels: Any
    corrected: Any
    image: Any
    layer: Labels | None = None

    @classmethod
    def of(
        cls,
        labels: Labels,
        image: Image,
        dims: Dims,
        corrected: Labels | None = None,
        every: bool = False,
    ) -> LayerTarget:
        """Take what is chosen.

        Parameters
        ----------
        labels : Labels layer
        image : Image layer
        dims : napari Dims
        corrected : Labels layer, optional
            The same objects, some of them corrected.
        every : bool
            All planes, each with the plane of the image that is shown with it; otherwise the one
            that is shown.

        Raises
        ------
        ValueError
            If there is no such plane, or the shapes differ.
        """
        levels = list(image.data) if image.multiscale else [image.data]
        planes: dict[tuple[int, ...], Plane] = {}
        parts = []
        for plane, here in _planes(labels, image, dims, every):
            shape = plane.shape_in(level_shape(labels))
            there = here.shape_in(level_shape(image))
            if there != shape:
                raise ValueError(
                    f"The plane of '{labels.name}' has {shape[0]} x {shape[1]} pixels and that of "
                    f"'{image.name}' {there[0]} x {there[1]}. Choose the image that the objects "
                    "are of."
                )
            index = tuple(step for step in plane.steps if step is not None)
            at = plane.index(Box.of_shape(shape))
            planes[index] = plane
            parts.append(PlaneOfLayers(index, at, here.seen, partial(reader_of, levels, here)))
        reader_of(levels, here)  # refuses what is no image
        if corrected is not None and level_shape(corrected) != level_shape(labels):
            raise ValueError(
                f"'{corrected.name}' has the shape {level_shape(corrected)} and '{labels.name}' "
                f"{level_shape(labels)}. Choose a corrected copy of the objects."
            )
        fixed = None if corrected is None else _data(corrected)
        limits = contrast_limits(image)
        return cls(labels, planes, tuple(parts), limits, _data(labels), fixed, levels[0])

    def show(self, viewer: Viewer, refined: np.ndarray) -> Labels:
        """Add a layer of the refined labels where the source is."""
        self.layer = viewer.add_labels(
            refined,
            name=f"{self.source.name} refined",
            **{name: getattr(self.source, name) for name in LIKE},
        )
        return self.layer

    def go_to(
        self, viewer: Viewer, label: int, index: tuple[int, ...], place: tuple[int, int]
    ) -> None:
        """Show the plane of an object, bring it into the middle of the view and select it."""
        if self.layer is not None and self.layer in viewer.layers:
            go_to_object(viewer, self.layer, label, self.planes[index].coordinates(*place))


def go_to_object(viewer: Viewer, layer: Labels, label: int, place: np.ndarray) -> None:
    """Bring a label into the middle of the view and select it; `place` is in data coordinates."""
    world = np.asarray(layer.data_to_world(place))
    dims = viewer.dims
    offset = dims.ndim - len(world)
    for axis in set(range(offset, dims.ndim)) - set(dims.displayed):
        dims.set_point(axis, world[axis - offset])
    layer.selected_label = label
    viewer.scene.camera.center = tuple(world[axis - offset] for axis in dims.displayed)


@dataclass(frozen=True)
class _Shown:
    """What `displayed_plane` needs of napari's Dims, with the sliders elsewhere."""

    ndim: int
    ndisplay: int
    displayed: tuple[int, ...]
    point: tuple[float, ...]


def _planes(labels: Labels, image: Image, dims: Dims, every: bool) -> Iterator[tuple[Plane, Plane]]:
    """Planes of the labels, and those of the image that are shown with them."""
    if not every:
        yield displayed_plane(labels, dims), displayed_plane(image, dims)
        return
    shape, offset = level_shape(labels), dims.ndim - labels.ndim
    others = [axis for axis in range(labels.ndim) if axis + offset not in dims.displayed]
    for index in product(*(range(shape[axis]) for axis in others)):
        place = np.zeros(labels.ndim)
        place[others] = index
        world, point = labels.data_to_world(place), list(dims.point)
        for axis in others:
            point[axis + offset] = float(world[axis])
        shown = _Shown(dims.ndim, dims.ndisplay, tuple(dims.displayed), tuple(point))
        plane = displayed_plane(labels, shown)
        try:
            yield plane, displayed_plane(image, shown)
        except PlaneError as error:
            if str(error) != messages.OFF_PLANE:
                raise
            raise ValueError(
                f"'{image.name}' has no plane where plane {', '.join(map(str, index))} of "
                f"'{labels.name}' is. Choose the image that the objects are of, or refine the "
                "plane shown."
            ) from error


def _data(layer: Layer) -> Any:
    return layer.data[0] if layer.multiscale else layer.data
