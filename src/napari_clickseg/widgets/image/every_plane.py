"""Planes of a layer of objects with those of the image that are shown with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from .. import messages
from .plane import Plane, PlaneError, displayed_plane, level_shape

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels

__all__ = ["planes_of"]


@dataclass(frozen=True)
class _Shown:
    """What `displayed_plane` needs of napari's Dims, with the sliders elsewhere."""

    ndim: int
    ndisplay: int
    displayed: tuple[int, ...]
    point: tuple[float, ...]


def planes_of(
    labels: Labels, image: Image | None, dims: Dims, every: bool
) -> Iterator[tuple[Plane, Plane | None]]:
    """Planes of labels, and those of an image (None without one) that are shown with them.

    Parameters
    ----------
    labels : Labels layer
    image : Image layer or None
    dims : napari Dims
    every : bool
        All planes along the sliders' axes, the last one the fastest; otherwise the one shown.

    Raises
    ------
    ValueError
        If there is no such plane.
    """
    if not every:
        yield displayed_plane(labels, dims), _of(image, dims)
        return
    shape, offset = level_shape(labels), dims.ndim - labels.ndim
    others = [axis for axis in range(labels.ndim) if axis + offset not in dims.displayed]
    for index in product(*(range(shape[axis]) for axis in others)):
        place = np.zeros(labels.ndim)
        place[others] = index
        world, point = labels.data_to_world(place), list(dims.point)
        for axis in others:
            if shape[axis] > 1:  # of a channel axis that all channels share, the one shown counts
                point[axis + offset] = float(world[axis])
        shown = _Shown(dims.ndim, dims.ndisplay, tuple(dims.displayed), tuple(point))
        plane = displayed_plane(labels, shown)
        try:
            yield plane, _of(image, shown)
        except PlaneError as error:
            if str(error) != messages.OFF_PLANE:
                raise
            raise ValueError(
                f"'{image.name}' has no plane where plane {', '.join(map(str, index))} of "
                f"'{labels.name}' is. Choose the image that the objects are of, or take the "
                "plane shown only."
            ) from error


def _of(image: Image | None, dims: Dims | _Shown) -> Plane | None:
    return None if image is None else displayed_plane(image, dims)
