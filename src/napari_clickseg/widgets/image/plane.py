"""The displayed plane of an image layer: which slice, its pixels, where world points fall.

Everything is in level-0 data coordinates of the layer. A plane always has its rows along the lower
of its two data axes, so that a transposed view of an image gives the same masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ...data.readers import ImageReader, as_reader
from ...geometry import Box
from .. import messages

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels, Layer

__all__ = [
    "CHANNEL_NAMES",
    "MOST_CHANNELS",
    "ChannelsDisplayed",
    "Plane",
    "PlaneError",
    "PlaneMap",
    "channel_axis",
    "choose_channel_axis",
    "contrast_limits",
    "displayed_plane",
    "extent",
    "in_plane",
    "level_shape",
    "objects_shape",
    "plane_reader",
    "reader_of",
    "visible_box",
]

HALF_SLICE = 0.501
"""How far from a slice its points may lie, with room for rounding half-way."""


CHANNEL_NAMES = ("c", "channel", "channels")
MOST_CHANNELS = 8
"""Length of an axis up to which it may be one of channels, if no axis is named so."""
LEAST_SIDE = 32
"""Pixels along the axes of rows and columns of an image whose last axis may be one of channels."""

_chosen: WeakKeyDictionary[Image, int] = WeakKeyDictionary()


class PlaneError(ValueError):
    """No plane of the image can be clicked on in the present view; the text says why."""


class ChannelsDisplayed(PlaneError):
    """The channels of the image are displayed as rows or columns."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One 2D slice of an nD image.

    Parameters
    ----------
    axes : (int, int)
        Data axes of rows and columns, ascending.
    steps : tuple of int or None
        Index along each other data axis; None at the two axes of the plane, and 0 at an axis of
        channels, which share their objects.
    channel : (int, int) or None
        The axis of channels and the one that was shown. Planes that differ in it only are equal.
    """

    axes: tuple[int, int]
    steps: tuple[int | None, ...]
    channel: tuple[int, int] | None = field(default=None, compare=False)

    @property
    def seen(self) -> tuple[int | None, ...]:
        """The steps with the channel that was shown."""
        return _with_step(self.steps, *self.channel) if self.channel is not None else self.steps

    def coordinates(self, row: float, col: float) -> np.ndarray:
        """Data coordinates ``(ndim,)`` of a position in the plane."""
        point = np.array([0 if s is None else s for s in self.steps], dtype=float)
        point[list(self.axes)] = row, col
        return point

    def index(self, box: Box) -> tuple[int | slice, ...]:
        """Index of the pixels of a box, for an array with the image's axes (no colour axis)."""
        slices = dict(zip(self.axes, box.slices, strict=True))
        return tuple(slices.get(axis, step) for axis, step in enumerate(self.steps))

    def shape_in(self, shape: Sequence[int]) -> tuple[int, int]:
        """``(height, width)`` of the plane of an array of this shape."""
        return int(shape[self.axes[0]]), int(shape[self.axes[1]])


def _with_step(steps: Sequence[int | None], axis: int, step: int | None) -> tuple[int | None, ...]:
    return (*steps[:axis], step, *steps[axis + 1 :])


class PlaneMap:
    """Mapping from world points to pixels of a plane, as the viewer draws it.

    napari draws a slice with the part of the transform that belongs to the displayed axes; so does
    this mapping, for any scale, translation, rotation and shear.

    Parameters
    ----------
    layer : napari Layer
        Layer whose transform counts.
    plane : Plane
        Plane of that layer.
    """

    def __init__(self, layer: Layer, plane: Plane) -> None:
        ndim = len(plane.steps)
        origin = np.asarray(layer.data_to_world(np.zeros(ndim)))
        columns = [np.asarray(layer.data_to_world(basis)) - origin for basis in np.eye(ndim)]
        axes = list(plane.axes)
        self._ndim = ndim
        self._axes = axes
        self._origin = origin[axes]
        self._inverse = np.linalg.inv(np.stack(columns, axis=1)[np.ix_(axes, axes)])

    def pixel(self, world: Sequence[float]) -> tuple[float, float]:
        """Row and column (pixels) of a world point with at least as many axes as the layer."""
        point = np.asarray(world, dtype=float)[-self._ndim :][self._axes]
        row, col = self._inverse @ (point - self._origin)
        return float(row), float(col)


def displayed_plane(layer: Image, dims: Dims) -> Plane:
    """The plane of an image layer that the viewer shows now.

    Parameters
    ----------
    layer : napari Image layer
    dims : napari Dims
        ``viewer.dims``.

    Raises
    ------
    PlaneError
        If the viewer shows 3D, if the layer does not extend along a displayed axis or one of
        those is of channels, or if the sliders are outside the image.
    """
    if dims.ndisplay != 2:
        raise PlaneError(messages.PAUSED_3D)
    offset = dims.ndim - layer.ndim
    rows, cols = sorted(axis - offset for axis in dims.displayed)
    if rows < 0:
        raise PlaneError(messages.AXIS_MISSING)
    others = [axis for axis in range(layer.ndim) if axis not in (rows, cols)]
    steps: list[int | None] = [None] * layer.ndim
    shape = level_shape(layer)
    found = np.rint(_slices(layer, others, dims.point))
    for axis, step in zip(others, found, strict=True):
        if not 0 <= step < shape[axis]:
            raise PlaneError(messages.OFF_PLANE)
        steps[axis] = int(step)
    channels = channel_axis(layer) if hasattr(layer, "rgb") else None  # images have it
    if channels is None:
        return Plane((rows, cols), tuple(steps))
    shown = steps[channels]
    if shown is None:
        raise ChannelsDisplayed(messages.channels(shape[channels]))
    return Plane((rows, cols), _with_step(steps, channels, 0), (channels, shown))


def in_plane(layer: Layer, plane: Plane, world: Sequence[float]) -> bool:
    """Whether a world point lies in the slice of a plane of a layer."""
    free = None if plane.channel is None else plane.channel[0]
    others = [axis for axis, step in enumerate(plane.steps) if step is not None and axis != free]
    steps = [plane.steps[axis] for axis in others]
    away = np.abs(_slices(layer, others, world) - np.array(steps, dtype=float))
    return bool((away <= HALF_SLICE).all())


def _slices(layer: Layer, others: Sequence[int], world: Sequence[float]) -> np.ndarray:
    """Position of a world point along the data axes that are not displayed, as napari slices."""
    others = list(others)
    if not others:
        return np.empty(0)
    point = np.asarray(world, dtype=float)[-layer.ndim :]
    zero = np.asarray(layer.world_to_data(np.zeros(layer.ndim)))
    basis = np.eye(layer.ndim)[others]
    linear = np.stack([np.asarray(layer.world_to_data(e)) - zero for e in basis], axis=1)
    return linear[others] @ point[others] + zero[others]


def extent(layer: Image | Labels, plane: Plane) -> Box:
    """All pixels of a plane of a layer."""
    return Box.of_shape(plane.shape_in(level_shape(layer)))


def level_shape(layer: Image | Labels) -> tuple[int, ...]:
    """Shape of a layer at full size, without the colour axis."""
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(int(n) for n in data.shape[: layer.ndim])


def channel_axis(image: Image) -> int | None:
    """The axis of channels: one named or chosen so, or a short last one behind two long ones."""
    shape = level_shape(image)
    for axis, name in enumerate(image.axis_labels):
        if str(name).lower() in CHANNEL_NAMES:
            return axis
    last = len(shape) == 3 and 2 <= shape[2] <= MOST_CHANNELS and min(shape[:2]) >= LEAST_SIDE
    return _chosen.get(image, 2 if last else None)


def choose_channel_axis(image: Image, axis: int) -> None:
    """Take an axis of an image as one of channels, as long as the layer lives."""
    _chosen[image] = axis


def objects_shape(image: Image) -> tuple[int, ...]:
    """Shape of the objects of an image: `level_shape`, but 1 along an axis of channels."""
    shape, axis = level_shape(image), channel_axis(image)
    return shape if axis is None else (*shape[:axis], 1, *shape[axis + 1 :])


class _PlaneArray:
    """One plane of a lazy array; reads nothing until it is indexed."""

    def __init__(self, array: Any, plane: Plane, full: tuple[int, ...]) -> None:
        self._array = array
        self._steps = tuple(
            None if step is None else _scaled(step, full[axis], int(array.shape[axis]))
            for axis, step in enumerate(plane.seen)
        )
        self._axes = plane.axes
        extra = tuple(int(n) for n in array.shape[len(plane.steps) :])
        self.shape = (*plane.shape_in(array.shape), *extra)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(array.dtype)

    def __getitem__(self, index: Any) -> np.ndarray:
        index = index if isinstance(index, tuple) else (index,)
        index = (*index, *[slice(None)] * (2 - len(index)))
        picked = dict(zip(self._axes, index[:2], strict=True))
        full = tuple(picked.get(axis, step) for axis, step in enumerate(self._steps))
        return np.asarray(self._array[(*full, *index[2:])])


def _scaled(step: int, full: int, size: int) -> int:
    """Index at a coarser level of the slice that holds `step` at full size."""
    return min(size - 1, int((step + 0.5) * size / full))


def plane_reader(layer: Image, plane: Plane) -> ImageReader:
    """Reader of one plane of an image layer, with all levels of a multiscale layer.

    Holds the layer's arrays, not the layer, so that a worker may read from it.

    Raises
    ------
    ValueError
        If the image cannot be used (complex, object, empty, wrong number of channels).
    """
    return reader_of(list(layer.data) if layer.multiscale else [layer.data], plane)


def reader_of(levels: Sequence[Any], plane: Plane) -> ImageReader:
    """Reader of one plane of an image layer's arrays, as `plane_reader`."""
    if len(plane.steps) > 2:
        full = tuple(levels[0].shape)
        levels = [_PlaneArray(level, plane, full) for level in levels]
    return as_reader(levels if len(levels) > 1 else levels[0])


def contrast_limits(layer: Image) -> tuple[float, float] | None:
    """The limits between which the viewer shows the layer; None for RGB."""
    if layer.rgb:
        return None
    low, high = layer.contrast_limits
    return float(low), float(high)


def visible_box(layer: Image | Labels, plane: Plane) -> Box | None:
    """The pixels of a plane that the canvas shows, in level-0 pixels.

    Parameters
    ----------
    layer : napari Image or Labels layer
        Of a multiscale one the view is known less well, as the part that was loaded.
    plane : Plane
        The displayed one.

    Returns
    -------
    Box or None
        None if all of it is seen, or nothing, or the layer was never drawn.
    """
    whole = Box.of_shape(plane.shape_in(level_shape(layer)))
    factors = layer.downsample_factors[layer.data_level] if layer.multiscale else 1
    (top, left), (bottom, right) = (layer.corner_pixels * factors)[:, list(plane.axes)]
    step = np.ones(len(plane.steps)) * factors
    rows, cols = step[list(plane.axes)]
    seen = Box(top, left, np.ceil(bottom + rows), np.ceil(right + cols)).clip(whole.shape)
    nothing = bottom <= top or right <= left or seen.empty
    return None if nothing or seen == whole else seen
