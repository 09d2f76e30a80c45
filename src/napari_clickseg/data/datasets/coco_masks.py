"""Masks of objects in COCO's and LVIS's annotations, at the size of their image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exports.coco import segmentation_mask
from ..scenes import DatasetError

__all__ = ["annotation_mask"]


def annotation_mask(segmentation: Any, shape: tuple[int, int], what: str) -> np.ndarray:
    """The mask of an annotation's ``segmentation``.

    Parameters
    ----------
    segmentation : list or dict
        Polygons ``[[x0, y0, x1, y1, ...], ...]``, or ``{"size": [H, W], "counts": ...}`` with
        counts as numbers or in COCO's compressed text.
    shape : (int, int)
        H, W of the image.
    what : str
        Names the annotation in errors.

    Returns
    -------
    (H, W) bool array
        Of polygons the pixels whose centres lie in any of them.

    Raises
    ------
    DatasetError
        If it is neither, or of another size.
    """
    try:
        box, part = segmentation_mask(segmentation, shape)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise DatasetError(
            f"The segmentation of {what} is no list of polygons and no run lengths: {error}"
        ) from error
    mask = np.zeros(shape, bool)
    mask[box.slices] = part
    return mask
