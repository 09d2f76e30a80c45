"""What lies near the outline of a mask, block by block: most of a large mask is far from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..geometry import Box
from .contrast import to_rgb
from .edges import RADIUS, follow_edges

__all__ = ["distance_within", "outline_follows_edges"]

BLOCK = 256  # pixels per side
HALO = 3 * RADIUS  # pixels around a block that the filter of its edges looks at


def distance_within(mask: np.ndarray, limit: float) -> np.ndarray:
    """Distance of every pixel to the nearest one of a mask.

    Parameters
    ----------
    mask : (H, W) bool array
    limit : float
        Pixels; what is farther away counts as infinitely far.

    Returns
    -------
    (H, W) float32 array
        0 on the mask.
    """
    found = np.full(mask.shape, np.inf, np.float32)
    for block, wide in _blocks(mask.shape, int(np.ceil(limit))):
        own, around = mask[block.slices], mask[wide.slices]
        if own.all():
            found[block.slices] = 0
        elif around.any():
            near = distance_transform_edt(~around)[block.shift(-wide.top, -wide.left).slices]
            found[block.slices] = np.where(near <= limit, near, np.inf)
    return found


def outline_follows_edges(
    pixels: np.ndarray, limits: tuple[float, float], probabilities: np.ndarray
) -> np.ndarray:
    """The same as `follow_edges`, where there is an outline; see there for what comes back.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3 or 4) array
        Of the image, as they were read.
    limits : (float, float)
        Values of black and white.
    probabilities : (H, W) float32 array
        0..1.
    """
    followed = (probabilities > 0.5).astype(np.float32)
    for block, wide in _blocks(probabilities.shape, HALO):
        around = probabilities[wide.slices] > 0.5
        if around.any() and not around.all():
            moved = follow_edges(to_rgb(pixels[wide.slices], limits), probabilities[wide.slices])
            followed[block.slices] = moved[block.shift(-wide.top, -wide.left).slices]
    return followed


def _blocks(shape: tuple[int, ...], halo: int) -> Iterator[tuple[Box, Box]]:
    """Boxes that cover an array, and each with what is around it."""
    for top in range(0, shape[0], BLOCK):
        for left in range(0, shape[1], BLOCK):
            block = Box(top, left, top + BLOCK, left + BLOCK).clip(shape)
            wide = Box(top - halo, left - halo, block.bottom + halo, block.right + halo)
            yield block, wide.clip(shape)
