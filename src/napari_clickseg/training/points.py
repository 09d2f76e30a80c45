"""Points that stand for clicks at the start of a training example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from ..evaluation.mixed import of_likely_depth
from .targets import Pools

__all__ = ["PADDING", "PointOptions", "sample_points"]

PADDING = -1.0
LATER = 100.0  # the order of every point but a first one in the centre
STRATEGIES = ("background", "other", "border")


@dataclass(frozen=True)
class PointOptions:
    """How many points there are and where.

    Attributes
    ----------
    most : int
        Points of each sign at most; there is always a positive one.
    gamma : float
        Each further point is less likely than the one before by this factor.
    negatives : mapping of str to float
        Probability of each strategy for a negative point: ``background``, ``other``, ``border``.
    one_strategy : bool
        One strategy for all negative points of an example (f-BRS); otherwise one for each.
    no_negatives : float
        Probability that there are none at all (SAIC-IS).
    first : {"anywhere", "centre", "near_centre"}
        Where the first point lies: ``centre`` takes the pixels more than 1 / `inner` times as deep
        as the deepest; ``near_centre`` draws the depth from a normal distribution around the
        greatest (SAIC-IS).
    only_one_first : bool
        Of several regions only one gets such a point.
    inner : float
    sigma_ratio : float
        The range of depths over the standard deviation of ``near_centre``.
    """

    most: int = 24
    gamma: float = 0.8
    negatives: Mapping[str, float] = field(
        default_factory=lambda: {"background": 0.1, "other": 0.4, "border": 0.5}
    )
    one_strategy: bool = False
    no_negatives: float = 0.0
    first: str = "anywhere"
    only_one_first: bool = False
    inner: float = 1.7
    sigma_ratio: float = 1.0

    def __post_init__(self) -> None:
        if self.first not in ("anywhere", "centre", "near_centre"):
            raise ValueError(f"the first point lies anywhere, centre or near_centre: {self.first}")
        if set(self.negatives) - set(STRATEGIES) or not sum(self.negatives.values()) > 0:
            raise ValueError(f"strategies of negative points are {', '.join(STRATEGIES)}")
        if self.most < 1:
            raise ValueError(f"there has to be one point at least, not {self.most}")


def sample_points(pools: Pools, options: PointOptions, rng: np.random.Generator) -> np.ndarray:
    """Draw points.

    Parameters
    ----------
    pools : Pools
        Where they may lie.
    options : PointOptions
    rng : numpy Generator

    Returns
    -------
    (2 * most, 3) float32 array
        Rows ``(row, col, order)`` in pixels: positive ones first, padded with -1.

    References
    ----------
    Sofiiuk, Petrov, Konushin, RITM, 2021: the published sampler of points.
    """
    names = [name for name in STRATEGIES if options.negatives.get(name, 0) > 0]
    shares = np.array([options.negatives[name] for name in names])
    shares = shares / shares.sum()
    if options.one_strategy:
        chosen = int(rng.choice(len(names), p=shares))
        names, shares = names[chosen : chosen + 1], np.ones(1)
    elsewhere = [(pools.elsewhere[name], p) for name, p in zip(names, shares, strict=True)]
    positive = _from_regions([[(r, 1.0)] for r in pools.positive], [True] * 99, options, rng)
    negative: list[list[float]] = []
    if rng.random() >= options.no_negatives:
        regions = [*([(r, 1.0)] for r in pools.required), elsewhere]
        must = [True] * len(pools.required) + [False]
        negative = _from_regions(regions, must, options, rng, first="anywhere")
    points = np.full((2, options.most, 3), PADDING, np.float32)
    for side, found in zip(points, (positive, negative), strict=True):
        if found:
            side[: len(found)] = found
    return points.reshape(-1, 3)


Mix = Sequence[tuple[np.ndarray, float]]


def _from_regions(
    regions: Sequence[Mix],
    must: Sequence[bool],
    options: PointOptions,
    rng: np.random.Generator,
    first: str | None = None,
) -> list[list[float]]:
    """One point of each region, then more of all of them together."""
    first = options.first if first is None else first
    regions = regions[: options.most]
    each = []
    for i, (mix, one) in enumerate(zip(regions, must, strict=False)):
        rule = first if i == 0 or not options.only_one_first else "anywhere"
        each.append(_draw(mix, one, rule, options, rng))
    each = [points for points in each if points]
    if len(each) <= 1:
        return each[0] if each else []
    points = [found[0] for found in each]
    together = [(pool, p / len(regions)) for mix in regions for pool, p in mix]
    more = _draw(together, False, "anywhere", options, rng)
    room = options.most - len(points)
    if len(more) > room:
        more = [more[i] for i in rng.permutation(len(more))[:room]]
    return points + more


def _draw(
    mix: Mix, one: bool, first: str, options: PointOptions, rng: np.random.Generator
) -> list[list[float]]:
    """A random number of points of a mixture of pools; at least one if it must be."""
    number = _count(options.most if one else options.most + 1, options.gamma, rng) + one
    places = [np.flatnonzero(pool) for pool, _ in mix]
    shares = np.array([p for _, p in mix])
    points = []
    for k in range(number):
        where = int(rng.choice(len(mix), p=shares / shares.sum())) if len(mix) > 1 else 0
        pool = mix[where][0]
        candidates, order = places[where], LATER
        if k == 0 and first != "anywhere" and candidates.size:
            candidates = _central(pool, first, options, rng)
            order = 0.0 if first == "centre" else LATER
        if candidates.size:
            row, col = np.unravel_index(int(rng.choice(candidates)), pool.shape)
            points.append([float(row), float(col), order])
    return points


def _count(kinds: int, gamma: float, rng: np.random.Generator) -> int:
    """0 .. kinds - 1, each less likely than the one before by `gamma`."""
    shares = gamma ** np.arange(kinds)
    return int(rng.choice(kinds, p=shares / shares.sum()))


def _central(
    pool: np.ndarray, rule: str, options: PointOptions, rng: np.random.Generator
) -> np.ndarray:
    """Flat indices of the pixels near the centre of a region."""
    depth = ndimage.distance_transform_edt(np.pad(pool, 1))[1:-1, 1:-1]
    if rule == "centre":
        return np.flatnonzero(depth > depth.max() / options.inner)
    return np.flatnonzero(of_likely_depth(depth, rng, options.sigma_ratio))
