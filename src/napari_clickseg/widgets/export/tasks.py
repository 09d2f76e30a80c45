"""What of a Labels layer is exported: the plane that is shown, or all planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.exports.errors import ExportError
from ..image.every_plane import planes_of
from ..image.plane import Plane, level_shape, plane_reader
from .labels import OnePlane, class_names, one_plane, pixel_size, plane_pixel_size
from .saving import Task

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels

__all__ = ["tasks_of", "tasks_of_data"]

COPIED_BYTES = 2**28  # labels up to this size may be painted on while they are written


def tasks_of(
    layer: Labels,
    image: Image | None,
    dims: Dims,
    every: bool = False,
    source: Path | None = None,
    name: str = "image",
) -> list[Task]:
    """What is written or measured of a layer, a task for each plane.

    Parameters
    ----------
    layer : Labels layer
    image : Image layer or None
        For intensities.
    dims : napari Dims
    every : bool
        All planes; otherwise the one that is shown.
    source : Path or None
        File of the image.
    name : str
        Of the image.

    Raises
    ------
    ValueError
        If there is no such plane, also of the image.
    """
    planes, shape = list(planes_of(layer, image, dims, every)), level_shape(layer)
    kept = [one_plane(layer, plane) for plane, _ in planes]
    bytes_each = kept[0].dtype.itemsize * kept[0].shape[0] * kept[0].shape[1]
    if isinstance(layer.data, np.ndarray) and bytes_each * len(kept) <= COPIED_BYTES:
        kept = [np.array(labels[0 : labels.shape[0], 0 : labels.shape[1]]) for labels in kept]
    colours, classes = layer.colormap, class_names(layer.features)
    size = plane_pixel_size(layer, planes[0][0], source)
    return [
        Task(
            labels,
            classes,
            size,
            source,
            None if image is None else plane_reader(image, there),
            name,
            lambda label: tuple(round(255 * c) for c in np.ravel(colours.map(label))[:3]),
            place=_place(layer.axis_labels, shape, plane) if every else {},
            steps=_steps(layer.axis_labels, shape, plane, layer.scale, layer.units),
        )
        for labels, (plane, there) in zip(kept, planes, strict=True)
    ]


def tasks_of_data(data: Any, attributes: Mapping[str, Any]) -> list[Task]:
    """All planes of a stack of labels that napari saves, a task for each.

    Parameters
    ----------
    data : (..., H, W) array
    attributes : mapping
        Of the layer, as in a layer data tuple.

    Raises
    ------
    ExportError
        If there are no planes.
    """
    shape = tuple(map(int, data.shape))
    if 0 in shape:
        raise ExportError("This layer has no pixels. Save a layer with pixels.")
    stacked = len(shape) - 2
    scale = attributes.get("scale", (1.0,) * len(shape))
    names, units = attributes.get("axis_labels") or (), attributes.get("units") or ()
    names = names if len(names) == len(shape) else [""] * len(shape)
    axes = stacked, stacked + 1
    planes = [Plane(axes, (*index, None, None)) for index in np.ndindex(shape[:-2])]
    return [
        Task(
            OnePlane(data, plane),
            class_names(attributes.get("features")),
            pixel_size(scale, units, axes),
            name=attributes.get("name", "image"),
            place=_place(names, shape, plane),
            steps=_steps(names, shape, plane, scale, units),
        )
        for plane in planes
    ]


def _place(names: Sequence[str], shape: Sequence[int], plane: Plane) -> dict[str, int]:
    """The index along each axis that has several, by names fit for a table's columns."""
    axes = _axes(shape, plane)
    return dict(zip(_named(names, axes), (plane.steps[axis] for axis in axes), strict=True))


def _steps(
    names: Sequence[str], shape: Sequence[int], plane: Plane, scale: Any, units: Any
) -> dict[str, tuple[float, str]]:
    """How far planes are from each other along those axes of `_place` that tell it."""
    axes = _axes(shape, plane)
    told = {
        name: (abs(float(scale[axis])) or 1.0, str(units[axis]) if len(units) else "pixel")
        for name, axis in zip(_named(names, axes), axes, strict=True)
    }
    return {name: step for name, step in told.items() if step != (1.0, "pixel")}


def _axes(shape: Sequence[int], plane: Plane) -> list[int]:
    """Axes across the plane with several indices."""
    return [a for a, step in enumerate(plane.steps) if step is not None and shape[a] > 1]


def _named(names: Sequence[str], axes: Sequence[int]) -> list[str]:
    found = [str(names[axis]) for axis in axes]
    if len(set(found)) < len(found) or not all(name[:1].isalpha() for name in found):
        return ["plane"] if len(found) == 1 else [f"axis_{axis}" for axis in axes]
    return found
