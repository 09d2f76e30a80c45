"""What readers of other programs' files give: labels, and what their objects are called."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ...geometry import Box
from .errors import ExportError

__all__ = ["MOST_PIXELS", "ReadLabels", "blank", "paint_all"]

MOST_PIXELS = 2**34


@dataclass(frozen=True, eq=False)
class ReadLabels:
    """Labels of one image.

    Attributes
    ----------
    name : str
        Of the image that they belong to.
    labels : (..., H, W) array
        uint16, or uint32 above 65535.
    classes : dict of int to str
        Class names of those labels that have one.
    """

    name: str
    labels: np.ndarray
    classes: dict[int, str] = field(default_factory=dict)


def blank(shape: tuple[int, ...], largest: int) -> np.ndarray:
    """Labels without objects.

    Raises
    ------
    ExportError
        If the image would be empty, too large to be one, or too large for the memory.
    """
    if min(shape) < 1 or math.prod(shape) > MOST_PIXELS:
        size = " x ".join(map(str, shape))
        raise ExportError(
            f"These objects belong to an image of {size} pixels, which cannot be opened as labels. "
            "Check that their coordinates are pixels."
        )
    dtype = np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32
    try:
        return np.zeros(shape, dtype)
    except MemoryError as error:
        raise ExportError(
            f"Labels of {' x '.join(map(str, shape))} pixels do not fit into memory. Open them on "
            "a larger machine."
        ) from error


def paint_all(labels: np.ndarray, objects: Iterable[tuple[int, Box, np.ndarray]]) -> None:
    """Write masks ``(id, box, mask)`` into labels, the largest first so that none disappears."""
    for label, box, mask in sorted(objects, key=lambda item: -np.count_nonzero(item[2])):
        inside = box.clip(labels.shape)
        if not inside.empty:
            part = mask[inside.shift(-box.top, -box.left).slices]
            labels[inside.slices][part] = label
