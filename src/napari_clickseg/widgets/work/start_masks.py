"""Masks that objects start from: a Labels layer or a file, brought to the plane of the image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from ...data.readers import read_image
from .. import messages
from ..image.plane import Plane, level_shape, objects_shape

if TYPE_CHECKING:
    from napari.layers import Image, Labels

__all__ = ["component", "file_mask", "layer_mask", "masked_centres", "same_place"]

MOST_PARTS = 20
"""Parts of a mask that get a click of their own, the largest first."""


def layer_mask(layer: Labels, image: Image, plane: Plane) -> tuple[np.ndarray, str | None]:
    """The labels in a plane of the image, and a sentence if they had to be resampled.

    Parameters
    ----------
    layer : napari Labels layer
        Of the image's shape, or placed in the world so that it covers it.
    image : napari Image layer
    plane : Plane
        Of the image.

    Returns
    -------
    (H, W) int array, str or None

    Raises
    ------
    ValueError
        If the shape differs, and so does not the transform.
    """
    shape, wanted = level_shape(layer), level_shape(image)
    data = layer.data[0] if layer.multiscale else layer.data
    shared = shape == objects_shape(image) and shape != wanted  # by all channels
    here = same_place(layer, image, plane.channel[0] if shared else None)
    if here and (shared or shape == wanted):
        steps = plane.steps if shared else plane.seen
        index = tuple(slice(None) if step is None else step for step in steps)
        return np.asarray(data[index]), None
    if shape == plane.shape_in(wanted) and len(wanted) > 2:
        return np.asarray(data), None  # one mask for every slice
    if layer.ndim != image.ndim or (shape != wanted and here):
        raise ValueError(messages.mask_misfit(layer.name, shape, wanted))
    return _resampled(data, layer, image, plane), messages.mask_resampled(_turned(layer, image))


def file_mask(path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """The labels in a file, ``(H, W)``; of colours, what is not black.

    Raises
    ------
    ValueError
        If it cannot be read, or is of another shape.
    """
    array = read_image(path)
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        array = array[..., :3].max(axis=-1)
    if array.shape != shape:
        raise ValueError(messages.mask_misfit(Path(path).name, array.shape, shape))
    return array


def component(labels: np.ndarray, row: int, col: int) -> np.ndarray | None:
    """The connected pixels of the label at a pixel, ``(H, W)`` bool; None on background."""
    value = labels[row, col]
    if value == 0:
        return None
    parts, _ = ndimage.label(labels == value)
    return parts == parts[row, col]


def masked_centres(mask: np.ndarray) -> list[tuple[int, int]]:
    """The deepest pixel of each part of a mask, of the largest parts first."""
    from ...engine.as_clicks import interior_points

    parts, count = ndimage.label(mask)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    boxes = ndimage.find_objects(parts)
    found = []
    for number in np.argsort(-sizes, kind="stable")[:MOST_PARTS]:
        rows, cols = boxes[number]
        [(row, col)] = interior_points(parts[rows, cols] == number + 1)
        found.append((rows.start + row, cols.start + col))
    return found


def _corners(layer: Any) -> np.ndarray:
    """World coordinates of the origin and of one step along each axis."""
    points = np.vstack([np.zeros(layer.ndim), np.eye(layer.ndim)])
    return np.array([layer.data_to_world(point) for point in points])


def same_place(layer: Any, image: Any, but: int | None = None) -> bool:
    """Whether a layer lies where another does, along all axes but one."""
    if layer.ndim != image.ndim:
        return False
    axes = [axis for axis in range(layer.ndim) if axis != but]
    mine, theirs = (_corners(each)[[0, *(1 + a for a in axes)]][:, axes] for each in (layer, image))
    return np.allclose(mine, theirs, atol=1e-6)


def _turned(layer: Any, image: Any) -> bool:
    """Whether a layer is rotated or sheared relative to another."""
    steps = [
        np.diff(_corners(each)[[0, i + 1]], axis=0)[0]
        for i in range(layer.ndim)
        for each in (layer, image)
    ]
    return any(
        abs(a @ b) < (1 - 1e-6) * np.linalg.norm(a) * np.linalg.norm(b)
        for a, b in zip(steps[::2], steps[1::2], strict=True)
    )


def _resampled(data: Any, layer: Labels, image: Image, plane: Plane) -> np.ndarray:
    """Nearest labels at the pixels of a plane, row by row; 0 outside of the layer."""
    height, width = plane.shape_in(level_shape(image))
    world = _corners(image)
    origin = np.asarray(layer.world_to_data(world[0]))
    steps = np.array([np.asarray(layer.world_to_data(w)) - origin for w in world[1:]])
    start = origin + plane.coordinates(0, 0) @ steps
    down, along = (steps[axis] for axis in plane.axes)
    limits = np.array(data.shape[: layer.ndim]) - 1
    found = np.zeros((height, width), data.dtype)
    pixels = np.asarray(data)
    for row in range(height):
        places = start + row * down + np.arange(width)[:, None] * along
        places = np.floor(places + 0.5).astype(np.int64)
        inside = ((places >= 0) & (places <= limits)).all(axis=1)
        found[row, inside] = pixels[tuple(places[inside].T)]
    return found
