"""Writing accepted masks into the objects layer: only the changed box, under a policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..geometry import Box, bounding_box
from . import messages
from .plane import Plane

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["KEEP", "OVERWRITE", "POLICIES", "accept_mask"]

KEEP, OVERWRITE = "keep existing", "overwrite"
POLICIES = (KEEP, OVERWRITE)


def accept_mask(
    parts: Iterable[tuple[Box, np.ndarray]], objects: Labels, plane: Plane, label: int, policy: str
) -> str | None:
    """Write a mask into the objects layer; the layer's own undo knows nothing of it.

    Parameters
    ----------
    parts : iterable of (Box, bool array)
        The mask in boxes of the plane.
    objects : napari Labels layer
        Of the image's shape; single-scale, writable.
    plane : Plane
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
        If the label is out of range, the mask is empty, or every pixel is taken.
    """
    if not 1 <= label <= np.iinfo(np.uint32).max:
        raise ValueError(messages.NEGATIVE_LABEL)
    note, empty, taken = None, True, True
    for box, mask in parts:
        tight = bounding_box(mask)
        if tight is None:
            continue
        empty = False
        mask, index = mask[tight.slices], plane.index(tight.shift(box.top, box.left))
        old = np.array(objects.data[index])
        free = mask if policy == OVERWRITE else mask & ((old == 0) | (old == label))
        if not free.any():
            continue
        taken = False
        if label > np.iinfo(objects.data.dtype).max:
            objects.data = np.asarray(objects.data).astype(np.uint32)
            note, old = messages.WIDENED, old.astype(np.uint32)
        old[free] = label
        objects.data[index] = old
    if taken:
        raise ValueError(messages.NOTHING_TO_ACCEPT if empty else messages.ALL_TAKEN)
    objects.refresh()
    return note
