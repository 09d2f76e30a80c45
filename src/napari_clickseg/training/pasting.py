"""Objects pasted into other images, and images mixed, as CFR-ICL trains.

S. Sun et al., "CFR-ICL: cascade-forward refinement with iterative click loss for interactive image
segmentation", AAAI 2024.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter

from .targets import Choice

__all__ = ["mix_images", "onto", "paste_object"]

LEAST_LEFT = 0.25  # of the target, or nothing is pasted over it


def _blend(front: np.ndarray, back: np.ndarray, alpha: np.ndarray | float) -> np.ndarray:
    """``alpha front + (1 - alpha) back`` of two (H, W, 3) uint8 images."""
    mixed = alpha * front.astype(np.float32) + (1 - alpha) * back.astype(np.float32)
    return np.round(mixed).astype(np.uint8)


def paste_object(
    image: np.ndarray,
    choice: Choice,
    other_image: np.ndarray,
    other: Choice,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Choice]:
    """Put the target into another image, or an object of the other image beside or before it.

    Half of the time the target is pasted onto the other image. Otherwise an object that is not
    asked for comes into the target's image: covering part of it, or shining through, or behind it.

    Parameters
    ----------
    image, other_image : (H, W, 3) uint8 array
        Of the same size.
    choice, other : Choice
        The target and the other image's object.
    rng : numpy Generator

    Returns
    -------
    (H, W, 3) uint8 array, Choice
    """
    alpha = float(rng.uniform(0.5, 1.0))
    if rng.random() < 0.5:
        pasted = _blend(image, other_image, alpha * choice.mask[..., None])
        return pasted, replace(
            choice, others=choice.mask | other.others, ignore=choice.ignore & choice.mask
        )
    way = int(rng.integers(3))
    front = other.mask.copy()
    if way == 2:  # behind
        front &= ~choice.mask
    if way == 0 and (choice.mask & ~front).sum() < LEAST_LEFT * choice.mask.sum():
        way = 1  # nothing much would be left
    pasted = _blend(other_image, image, (1.0 if way != 1 else 1 - alpha / 2) * front[..., None])
    if way == 0:
        choice = replace(
            choice,
            mask=choice.mask & ~front,
            positive=tuple(region & ~front for region in choice.positive),
        )
    return pasted, replace(choice, others=choice.others | front)


def mix_images(image: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another image of the same size shines through, (H, W, 3) uint8."""
    return _blend(image, other, float(rng.uniform(0.5, 1.0)))


def onto(
    image: np.ndarray, mask: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """An object before another image of the same size, its edge softened, (H, W, 3) uint8.

    Parameters
    ----------
    image, other : (H, W, 3) uint8 array
    mask : (H, W) bool array
        The object in `image`.
    rng : numpy Generator
    """
    cover = gaussian_filter(mask.astype(np.float32), rng.uniform(0.4, 1.4), truncate=3)
    return _blend(image, other, cover[..., None])
