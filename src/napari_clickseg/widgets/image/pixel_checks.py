"""Whether there is anything to see where the model looked. No Qt, no napari."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...geometry import Box
from .. import messages

if TYPE_CHECKING:
    from ...engine.session import Session

__all__ = ["pixel_warning"]

LOOKED_AT = 1024
"""Pixels along the longer side that are read at most."""


def pixel_warning(session: Session) -> str | None:
    """A sentence if the region looked at last holds NaN or infinite values, or no contrast."""
    reader = session.reader
    roi = session.roi or Box.of_shape(session.shape)
    sizes = reader.levels
    scales = [max(roi.shape) * max(size) / max(sizes[0]) for size in sizes]
    level = next((i for i, side in enumerate(scales) if side <= LOOKED_AT), len(sizes) - 1)
    rows, cols = (size / full for size, full in zip(sizes[level], sizes[0], strict=True))
    box = Box(roi.top * rows, roi.left * cols, roi.bottom * rows, roi.right * cols)
    if max(box.shape) > LOOKED_AT:  # no level is small enough: the middle has to do
        top, left = (box.top + box.bottom - LOOKED_AT) // 2, (box.left + box.right - LOOKED_AT) // 2
        box = Box(top, left, top + LOOKED_AT, left + LOOKED_AT).intersect(box)
    pixels = reader.read(box.clip(sizes[level]), level)
    if pixels.size == 0:
        return None
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        return messages.NOT_FINITE
    low, high = pixels.min(), pixels.max()
    return messages.no_contrast(float(low)) if low == high else None
