"""The planes of a Labels layer that are refined, and the layer that the result is shown in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...geometry import Box
from ..image.every_plane import planes_of
from ..image.plane import Plane, contrast_limits, level_shape, reader_of
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
        for plane, here in planes_of(labels, image, dims, every):
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


def _data(layer: Layer) -> Any:
    return layer.data[0] if layer.multiscale else layer.data
