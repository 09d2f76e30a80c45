"""What exports need to know of a Labels layer: its plane, pixel size, class names and source."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.pixel_size import PixelSize

if TYPE_CHECKING:
    from ..image.plane import Plane

__all__ = [
    "OnePlane",
    "class_names",
    "feature_columns",
    "one_plane",
    "pixel_size",
    "plane_pixel_size",
    "source_file",
]

CLASS_COLUMNS = ("class", "class_name", "name")


def class_names(features: Any) -> dict[int, str]:
    """Class names of labels, from the columns ``index`` and ``class`` of a layer's features."""
    columns = list(getattr(features, "columns", ()))
    name = next((column for column in CLASS_COLUMNS if column in columns), None)
    if name is None or "index" not in columns:
        return {}
    pairs = zip(features["index"], features[name], strict=True)
    return {int(label): str(text) for label, text in pairs if isinstance(text, str) and text}


def feature_columns(classes: Mapping[int, str]) -> dict[str, list[Any]]:
    """The features of a Labels layer that `class_names` reads again."""
    rows = sorted(classes.items())
    return {"index": [label for label, _ in rows], "class": [name for _, name in rows]}


def pixel_size(scale: Sequence[float], units: Sequence[Any], axes: Sequence[int]) -> PixelSize:
    """The size of a pixel along two axes of a layer.

    Parameters
    ----------
    scale : sequence of float
        Of the layer; signs do not count.
    units : sequence of (unit or str)
        Of the layer, as many as there are axes; those of the two axes are one, or none counts.
    axes : (int, int)
        Of rows and columns.
    """
    row, col = (abs(float(scale[axis])) or 1.0 for axis in axes)
    names = {str(units[axis]) for axis in axes} if len(units) == len(scale) else set()
    return PixelSize(row, col, names.pop() if len(names) == 1 else "")


def plane_pixel_size(layer: Any, plane: Plane, source: Path | None) -> PixelSize:
    """The size of a pixel of a plane: the layer's, or else what the image's file says.

    napari opens files without their pixel size. A size in inches is that of a print and does not
    count.

    Parameters
    ----------
    layer : napari layer
    plane : Plane
        Of the layer.
    source : Path or None
        File of the image.
    """
    size = pixel_size(layer.scale, layer.units, plane.axes)
    if size.known or source is None or tuple(plane.axes) != (layer.ndim - 2, layer.ndim - 1):
        return size
    told = PixelSize.of_file(source)
    return size if told is None or told.unit == "in" else told


def one_plane(layer: Any, plane: Plane) -> Any:
    """The labels of one plane, sliced when they are asked for."""
    array = layer.data[0] if layer.multiscale else layer.data
    return array if len(plane.steps) == 2 else OnePlane(array, plane)


class OnePlane:
    """One plane of a stack of labels, to be sliced like an array."""

    def __init__(self, array: Any, plane: Plane) -> None:
        self._array, self._plane = array, plane
        self.shape, self.dtype = plane.shape_in(array.shape), np.dtype(array.dtype)

    def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
        parts = dict(zip(self._plane.axes, index, strict=True))
        steps = enumerate(self._plane.steps)
        return np.asarray(self._array[tuple(parts.get(axis, step) for axis, step in steps)])


def source_file(layer: Any) -> Path | None:
    """The file that a layer was read from, None if there is none."""
    path = getattr(getattr(layer, "source", None), "path", None)
    return Path(path) if isinstance(path, str | os.PathLike) and Path(path).exists() else None
