"""Writing masks into Labels layers: only the changed box, and accepted objects under a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..geometry import Box, bounding_box
from . import messages
from .plane import Plane

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["KEEP", "OVERWRITE", "POLICIES", "accept_mask", "clear_plane", "read_box", "write_box"]

KEEP, OVERWRITE = "keep existing", "overwrite"
POLICIES = (KEEP, OVERWRITE)


def read_box(layer: Labels, plane: Plane, box: Box) -> np.ndarray:
    """Copy of the labels in a box of a plane, ``box.shape``."""
    return np.array(layer.data[plane.index(box)])


def write_box(layer: Labels, plane: Plane, box: Box, values: np.ndarray) -> None:
    """Replace the labels in a box of a plane and redraw; the layer's own undo knows nothing of it.

    Parameters
    ----------
    layer : napari Labels layer
        Single-scale, writable.
    plane : Plane
    box : Box
        Inside the plane; an empty one does nothing.
    values : ``box.shape`` array of int
    """
    if box.empty:
        return
    layer.data[plane.index(box)] = values
    layer.refresh()


def clear_plane(layer: Labels, plane: Plane, box: Box) -> None:
    """Set all labels in a box of a plane to 0, touching only the part that is not."""
    tight = bounding_box(np.asarray(layer.data[plane.index(box)]))
    if tight is not None:
        write_box(layer, plane, tight.shift(box.top, box.left), np.zeros(tight.shape, np.uint8))


def accept_mask(
    preview: Labels, objects: Labels, plane: Plane, box: Box, label: int, policy: str
) -> str | None:
    """Write what the preview shows into the objects layer.

    Parameters
    ----------
    preview, objects : napari Labels layers
        Of the same shape.
    plane : Plane
    box : Box
        Where to look for the mask.
    label : int
        1 to 4 294 967 295; `objects` grows to 32 bits above 65 535.
    policy : str
        `KEEP` (pixels of other objects stay) or `OVERWRITE`.

    Returns
    -------
    str or None
        A sentence worth showing (labels were widened), else None.

    Raises
    ------
    ValueError
        If the label is out of range, the preview is empty, or every pixel is taken.
    """
    if not 1 <= label <= np.iinfo(np.uint32).max:
        raise ValueError(messages.NEGATIVE_LABEL)
    mask = read_box(preview, plane, box) != 0
    tight = bounding_box(mask)
    if tight is None:
        raise ValueError(messages.NOTHING_TO_ACCEPT)
    mask = mask[tight.slices]
    tight = tight.shift(box.top, box.left)
    note = None
    if label > np.iinfo(objects.data.dtype).max:
        objects.data = np.asarray(objects.data).astype(np.uint32)
        note = messages.WIDENED
    old = read_box(objects, plane, tight)
    free = mask if policy == OVERWRITE else mask & ((old == 0) | (old == label))
    if not free.any():
        raise ValueError(messages.ALL_TAKEN)
    old[free] = label
    write_box(objects, plane, tight, old)
    return note
