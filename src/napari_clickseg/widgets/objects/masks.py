"""What accepting a mask writes into the objects layer, under a policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ...geometry import Box, bounding_box
from .. import messages
from ..image.plane import Plane
from ..layers.patches import Patch

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["INSIDE", "KEEP", "OVERWRITE", "POLICIES", "mask_patch"]

KEEP, OVERWRITE, INSIDE = "keep existing", "overwrite", "inside selected label"
POLICIES = (KEEP, OVERWRITE, INSIDE)
NOTABLE = 0.01
"""Part of a mask that is worth a word if a policy keeps it out."""


def mask_patch(
    parts: Iterable[tuple[Box, np.ndarray]], objects: Labels, plane: Plane, label: int, policy: str
) -> tuple[Patch, str | None]:
    """The patch that puts a mask into the objects layer; nothing is written yet.

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
        `KEEP` (pixels of other objects stay), `OVERWRITE`, or `INSIDE` (only pixels of the label
        that is selected in the layer are taken).

    Returns
    -------
    Patch
        What is to be written.
    str or None
        A sentence worth showing (labels were widened, or the policy kept pixels out), else None.

    Raises
    ------
    ValueError
        If the label is out of range, the mask is empty, or every pixel is taken.
    """
    if not 1 <= label <= np.iinfo(np.uint32).max:
        raise ValueError(messages.NEGATIVE_LABEL)
    note, whole, kept = None, 0, 0
    patch, selected = Patch(plane), int(objects.selected_label)
    for box, mask in parts:
        tight = bounding_box(mask)
        if tight is None:
            continue
        mask, here = mask[tight.slices], tight.shift(box.top, box.left)
        old = np.asarray(objects.data[plane.index(here)])
        free = mask & _free(old, label, policy, selected)
        whole, kept = whole + np.count_nonzero(mask), kept + np.count_nonzero(free)
        if not free.any():
            continue
        if label > np.iinfo(objects.data.dtype).max:
            objects.data = np.asarray(objects.data).astype(np.uint32)
            note, old = messages.WIDENED, old.astype(np.uint32)
        patch = patch.put(here, free, old, label)
    if not whole:
        raise ValueError(messages.NOTHING_TO_ACCEPT)
    if not kept:
        raise ValueError(
            messages.outside_label(selected) if policy == INSIDE else messages.ALL_TAKEN
        )
    if note is None and whole - kept >= NOTABLE * whole:
        outside = selected if policy == INSIDE else None
        note = messages.left_out(label, whole - kept, whole, outside)
    return patch, note


def _free(old: np.ndarray, label: int, policy: str, selected: int) -> np.ndarray | bool:
    """Which pixels a policy lets an object take."""
    if policy == OVERWRITE:
        return True
    if policy == INSIDE:
        return (old == selected) | (old == label)
    return (old == 0) | (old == label)
