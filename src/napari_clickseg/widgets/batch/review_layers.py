"""Layers around batch refinement: what is read from them, and what is shown to be reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...commands.refine_matching import Files
from ...data.datasets.reading import read_labels
from ...data.readers import ImageReader, open_image
from ...geometry import Box
from ..export.labels import one_plane
from ..image.plane import Plane, contrast_limits, displayed_plane, level_shape, plane_reader

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

__all__ = ["LayerTarget", "ReviewLayers"]

LIKE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
DENSE_PIXELS = 2**28  # of images that are opened for a look


@dataclass(eq=False)
class LayerTarget:
    """The plane of a Labels layer that is refined, and where the result is shown.

    Attributes
    ----------
    source : Labels layer
        Only read.
    plane : Plane
    reader : ImageReader
    limits : (float, float) or None
    labels : (H, W) array
        A copy of the plane.
    corrected : (H, W) array or None
        A copy of it with some objects corrected.
    image : array
        All of the image.
    image_plane : Plane
        Which plane of it the labels are of.
    layer : Labels layer or None
        The refined objects.
    """

    source: Labels
    plane: Plane
    reader: ImageReader
    limits: tuple[float, float] | None
    labels: np.ndarray
    corrected: np.ndarray | None
    image: Any
    image_plane: Plane
    layer: Labels | None = None

    @classmethod
    def of(
        cls, labels: Labels, image: Image, dims: Dims, corrected: Labels | None = None
    ) -> LayerTarget:
        """Read what is chosen, at the plane that is shown.

        Parameters
        ----------
        labels : Labels layer
        image : Image layer
        dims : napari Dims
        corrected : Labels layer, optional
            The same objects, some of them corrected.

        Raises
        ------
        ValueError
            If there is no such plane, or the shapes differ.
        """
        plane, here = displayed_plane(labels, dims), displayed_plane(image, dims)
        reader = plane_reader(image, here)
        shape = plane.shape_in(level_shape(labels))
        if reader.shape[:2] != shape:
            raise ValueError(
                f"The plane of '{labels.name}' has {shape[0]} x {shape[1]} pixels and that of "
                f"'{image.name}' {reader.shape[0]} x {reader.shape[1]}. Choose the image that the "
                "objects are of."
            )
        copy, fixed = _copied(labels, plane), None
        if corrected is not None:
            if level_shape(corrected) != level_shape(labels):
                raise ValueError(
                    f"'{corrected.name}' has the shape {level_shape(corrected)} and "
                    f"'{labels.name}' {level_shape(labels)}. Choose a corrected copy of the "
                    "objects."
                )
            fixed = _copied(corrected, plane)
        whole = image.data[0] if image.multiscale else image.data
        return cls(labels, plane, reader, contrast_limits(image), copy, fixed, whole, here)

    def show(self, viewer: Viewer, refined: np.ndarray) -> Labels:
        """Add a layer that differs from the source in the plane only."""
        data = self.source.data[0] if self.source.multiscale else self.source.data
        whole = np.array(data)
        whole[self.plane.index(Box.of_shape(refined.shape))] = refined
        self.layer = viewer.add_labels(
            whole,
            name=f"{self.source.name} refined",
            **{name: getattr(self.source, name) for name in LIKE},
        )
        return self.layer

    def go_to(self, viewer: Viewer, label: int, place: tuple[int, int]) -> None:
        """Bring an object into the middle of the view and select it."""
        if self.layer is not None and self.layer in viewer.layers:
            _go_to(viewer, self.layer, label, self.plane.coordinates(*place))


class ReviewLayers:
    """An image of a folder and its refined mask, opened to be looked at; one pair at a time.

    Parameters
    ----------
    viewer : napari Viewer
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._files: Files | None = None
        self._layers: list[Any] = []

    def go_to(self, files: Files, label: int, place: tuple[int, int]) -> None:
        """Show an object; the pair before is closed.

        Raises
        ------
        ValueError
            If the files cannot be read any more, or are too large to be opened for a look.
        """
        open_still = self._layers and all(layer in self._viewer.layers for layer in self._layers)
        if files != self._files or not open_still:
            self._open(files)
        _go_to(self._viewer, self._layers[1], label, np.asarray(place, float))

    def _open(self, files: Files) -> None:
        reader = open_image(files.image)
        whole = Box.of_shape(reader.shape)
        if whole.area > DENSE_PIXELS:
            raise ValueError(
                f"{files.image.name} has {whole.height} x {whole.width} pixels, too many to be "
                "opened for a look. Open it with File > Open, and the mask from the output folder."
            )
        image, mask = reader.read(whole), read_labels(files.out)
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers = [
            self._viewer.add_image(image, name=files.name, rgb=image.ndim == 3),
            self._viewer.add_labels(mask, name=f"{files.name} refined"),
        ]
        self._files = files


def _copied(labels: Labels, plane: Plane) -> np.ndarray:
    shape = plane.shape_in(level_shape(labels))
    return np.array(one_plane(labels, plane)[Box.of_shape(shape).slices])


def _go_to(viewer: Viewer, layer: Labels, label: int, place: np.ndarray) -> None:
    world = np.asarray(layer.data_to_world(place))
    dims = viewer.dims
    offset = dims.ndim - len(world)
    for axis in set(range(offset, dims.ndim)) - set(dims.displayed):
        dims.set_point(axis, world[axis - offset])
    layer.selected_label = label
    viewer.scene.camera.center = tuple(world[axis - offset] for axis in dims.displayed)
