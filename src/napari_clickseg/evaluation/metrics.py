"""How good a mask is, and how many clicks it took: IoU, boundary IoU, number of clicks (NoC)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy import ndimage

__all__ = [
    "boundary_iou",
    "clicks_at_limit",
    "failures",
    "harmful_clicks",
    "iou",
    "mean_interval",
    "mean_iou_at",
    "mean_noc",
    "noc",
    "noc_thresholds",
]


def iou(prediction: np.ndarray, target: np.ndarray) -> float:
    """Intersection over union outside of the ignored pixels.

    Parameters
    ----------
    prediction : (H, W) bool array
    target : (H, W) int array
        1 object, 0 background, -1 ignore.

    Returns
    -------
    float
        0..1; 1 if neither has a pixel (the published code gives NaN there, which spoils means).
    """
    return _ratio(prediction.astype(bool, copy=False), target == 1, target != -1)


def boundary_iou(
    prediction: np.ndarray, target: np.ndarray, dilation_ratio: float = 0.005
) -> float:
    """Intersection over union of the two masks' inner boundaries, outside of the ignored pixels.

    Parameters
    ----------
    prediction : (H, W) bool array
    target : (H, W) int array
        1 object, 0 background, -1 ignore.
    dilation_ratio : float
        Width of the boundary: below 1 as a part of the image's diagonal (at least one pixel), from
        1 on in pixels.

    Returns
    -------
    float
        0..1; 1 if neither has a boundary pixel.

    Raises
    ------
    ValueError
        If `dilation_ratio` is not positive.

    References
    ----------
    Cheng et al., Boundary IoU, CVPR 2021; width and defaults as in the SAIC-IS evaluation.
    """
    if not dilation_ratio > 0:
        raise ValueError(
            f"A boundary of width {dilation_ratio} is empty. Give a part of the diagonal such as "
            "0.005, or a number of pixels."
        )
    width = dilation_ratio
    if dilation_ratio < 1:
        width = max(1, round(dilation_ratio * float(np.hypot(*target.shape))))
    found, wanted = (_boundary(mask, int(width)) for mask in (prediction.astype(bool), target == 1))
    return _ratio(found, wanted, target != -1)


def _boundary(mask: np.ndarray, width: int) -> np.ndarray:
    """Pixels of the mask at most `width` (chessboard distance) from its outside or the image's."""
    core = ndimage.minimum_filter(mask, size=2 * width + 1, mode="constant", cval=0)
    return mask & ~core


def _ratio(first: np.ndarray, second: np.ndarray, valid: np.ndarray) -> float:
    either = np.count_nonzero((first | second) & valid)
    return np.count_nonzero(first & second & valid) / either if either else 1.0


def noc_thresholds(target_iou: float) -> tuple[float, ...]:
    """The IoUs at which NoC is reported: 0.80, 0.85, 0.90, 0.95, up to the target of the run."""
    return tuple(t for t in (0.80, 0.85, 0.90, 0.95) if t <= target_iou + 0.001)


def noc(ious: Sequence[float] | np.ndarray, threshold: float, limit: int) -> int:
    """Number of clicks until the IoU first reaches `threshold`, `limit` if it never does.

    Parameters
    ----------
    ious : sequence of float
        IoU after the first, second, ... click; compared as float32, as published.
    threshold : float
    limit : int
        The largest number of clicks of the run.
    """
    reached = np.flatnonzero(np.asarray(ious, np.float32) >= np.float32(threshold))
    return int(reached[0]) + 1 if reached.size else limit


def mean_noc(ious: Sequence[Sequence[float]], threshold: float, limit: int) -> float:
    """Mean of `noc` over objects."""
    return float(np.mean([noc(each, threshold, limit) for each in ious]))


def clicks_at_limit(ious: Sequence[Sequence[float]], threshold: float, limit: int) -> int:
    """Objects whose NoC equals the limit: the published ``>=20``, success at click 20 included."""
    return sum(noc(each, threshold, limit) == limit for each in ious)


def failures(ious: Sequence[Sequence[float]], threshold: float) -> int:
    """Objects that never reached the threshold (NoF)."""
    return sum(not np.any(np.asarray(each, np.float32) >= np.float32(threshold)) for each in ious)


def harmful_clicks(ious: Sequence[Sequence[float]], drop: float = 0.01) -> float:
    """Part of all clicks after which the IoU fell by more than `drop`.

    Parameters
    ----------
    ious : sequence of sequences of float
        After each click, one sequence per object. A first click cannot do harm, but is counted.
    drop : float
    """
    falls = [np.diff(np.asarray(each, np.float32)) < -np.float32(drop) for each in ious]
    clicks = sum(len(each) for each in ious)
    return sum(int(np.count_nonzero(each)) for each in falls) / clicks if clicks else 0.0


def mean_iou_at(ious: Sequence[Sequence[float]], click: int) -> float:
    """Mean IoU after a number of clicks.

    An object whose clicks ended earlier, because the target was reached, counts with its last IoU.

    Parameters
    ----------
    ious : sequence of sequences of float
        One per object.
    click : int
        Counted from 1.
    """
    return float(np.mean([each[min(click, len(each)) - 1] for each in ious]))


def mean_interval(
    values: Sequence[float],
    groups: Sequence[Hashable],
    level: float = 0.95,
    rounds: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of a mean, by drawing whole groups with replacement.

    Objects of one image are not independent of each other, so images are drawn, not objects.

    Parameters
    ----------
    values : sequence of float
        One per object.
    groups : sequence
        The image of each object.
    level : float
        Part of the drawn means inside of the interval.
    rounds : int
        Number of draws.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    (float, float)
    """
    index: dict[Hashable, int] = {}
    of_value = [index.setdefault(group, len(index)) for group in groups]
    totals = np.bincount(of_value, weights=values)
    counts = np.bincount(of_value)
    rng = np.random.default_rng(seed)
    means = np.empty(rounds)
    for k in range(rounds):
        drawn = rng.integers(len(counts), size=len(counts))
        means[k] = totals[drawn].sum() / counts[drawn].sum()
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
