"""Probabilities that follow the edges of the image: the guided filter.

References
----------
K. He, J. Sun, X. Tang, "Guided image filtering", IEEE TPAMI 35 (6), 2013, equations 8, 11 to 13 and
19 to 21 (colour guide).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

__all__ = ["RADIUS", "follow_edges"]

RADIUS = 8  # pixels: half a window of the filter, and how far a boundary may move
EPSILON = 1e-4  # variance of colours (0..1) below which a window counts as flat
GAIN = 3.0  # what the filter softens is sharpened again by this factor
CHANCE, ENOUGH = 0.05, 0.25  # share of the variance explained by colour: none, all to be followed


def follow_edges(image: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Move the boundary of a mask to the edges of the image beside it.

    In every small window the probability is fitted as a linear function of the colour; where
    colours tell nothing, the boundary stays. What is farther than `RADIUS` from the boundary
    becomes 0 or 1 and does not move.

    Parameters
    ----------
    image : (H, W, 1 or 3) float32 array
        0..1.
    probabilities : (H, W) float32 array
        0..1; the boundary is where they cross 0.5.

    Returns
    -------
    (H, W) float32 array
        Exact up to ``2 * RADIUS`` pixels from the border; nearer to it, what is outside counts as
        if it were mirrored.
    """
    mask = probabilities > 0.5
    near = _near_boundary(mask)
    if not near.any():
        return mask.astype(np.float32)
    soft = np.where(near, probabilities, mask).astype(np.float32)
    guide = [np.ascontiguousarray(image[..., c]) for c in range(image.shape[-1])]
    fitted, explained = _guided(guide, soft)
    sharp = np.clip((fitted - 0.5) * GAIN + 0.5, 0, 1)
    trust = np.clip((explained - CHANCE) / (ENOUGH - CHANCE), 0, 1)
    return np.where(near, soft + trust * (sharp - soft), mask).astype(np.float32)


def _mean(x: np.ndarray) -> np.ndarray:
    """Mean over the window of every pixel."""
    return uniform_filter(x, 2 * RADIUS + 1, mode="reflect")


def _near_boundary(mask: np.ndarray) -> np.ndarray:
    """Pixels whose window holds both object and background."""
    share = _mean(mask.astype(np.float32))
    tiny = 0.5 / (2 * RADIUS + 1) ** 2
    return (share > tiny) & (share < 1 - tiny)


def _guided(guide: list[np.ndarray], p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The guided filter of `p`, and the share of its variance that the guide explains."""
    mean_p, means = _mean(p), [_mean(g) for g in guide]
    covariances = [_mean(g * p) - m * mean_p for g, m in zip(guide, means, strict=True)]
    slopes = _slopes(guide, means, covariances)
    offset = mean_p - sum(a * m for a, m in zip(slopes, means, strict=True))
    fitted = _mean(offset)
    for a, g in zip(slopes, guide, strict=True):
        fitted += _mean(a) * g
    variance = _mean(p * p) - mean_p**2
    explained = sum(a * c for a, c in zip(slopes, covariances, strict=True))
    return fitted, _mean(explained) / (_mean(variance) + 1e-6)


def _slopes(
    guide: list[np.ndarray], means: list[np.ndarray], covariances: list[np.ndarray]
) -> list[np.ndarray]:
    """Slope of the fit for each channel.

    It is the inverse of the guide's covariance matrix times its covariances with `p`.
    """

    def entry(i: int, j: int) -> np.ndarray:
        value = _mean(guide[i] * guide[j]) - means[i] * means[j]
        return value + EPSILON if i == j else value

    if len(guide) == 1:
        return [covariances[0] / entry(0, 0)]
    a, b, c = entry(0, 0), entry(0, 1), entry(0, 2)
    d, e, f = entry(1, 1), entry(1, 2), entry(2, 2)
    # cofactors of the symmetric matrix [[a, b, c], [b, d, e], [c, e, f]]
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * ab + c * ac
    x, y, z = covariances
    return [
        (aa * x + ab * y + ac * z) / determinant,
        (ab * x + bb * y + bc * z) / determinant,
        (ac * x + bc * y + cc * z) / determinant,
    ]
