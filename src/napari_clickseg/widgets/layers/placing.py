"""Where layers of ours lie: on the image whose pixels they have, or on a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.plane import channel_axis, level_shape

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["TRANSFORM", "placed", "transform"]

TRANSFORM = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


def transform(image: Image, shape: tuple[int, ...]) -> dict[str, Any]:
    """What makes a layer of an array of a shape, `objects_shape` of the image, lie on the image."""
    found = {name: getattr(image, name) for name in TRANSFORM}
    axis = _channels(image, shape)
    if axis is not None:
        found["scale"] = np.array(found["scale"], dtype=float)
        found["scale"][axis] *= level_shape(image)[axis]
        found["translate"] = placed(image, shape)
    return found


def placed(
    image: Image, shape: tuple[int, ...], start: Sequence[float] | None = None
) -> np.ndarray:
    """The translation of a layer whose first pixel lies at `start` of the image's.

    Along an axis of channels its only step lies in the middle of all of them.
    """
    axis = _channels(image, shape)
    start = np.zeros(len(shape)) if start is None else np.array(start, dtype=float)
    if axis is not None:
        start[axis] = (level_shape(image)[axis] - 1) / 2
    moved = np.subtract(image.data_to_world(start), image.data_to_world((0,) * len(start)))
    return image.translate + np.linalg.solve(image.affine.linear_matrix, moved)


def _channels(image: Image, shape: tuple[int, ...]) -> int | None:
    """The axis along which our layers have one step, as long as all channels."""
    axis = channel_axis(image)
    return None if axis is None or shape == level_shape(image) else axis
