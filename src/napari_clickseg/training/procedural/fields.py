"""Scenes cut out of random fields: metaballs, islands, touching cells and soft plumes."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from .drawing import Drawing
from .noise import fractal, smooth

__all__ = ["cells", "islands", "metaballs", "plumes"]


def bumps(size: int, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """A sum of Gaussians, (size, size) float32; centres (N, 2) and radii (N,) in sides."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    rows, cols = (
        np.exp(-(((axis[:, None] - centres[:, a]) / radii) ** 2)).astype(np.float32) for a in (0, 1)
    )
    return rows @ cols.T


def pieces(mask: np.ndarray) -> np.ndarray:
    """The connected pieces of an (S, S) mask numbered from 1, specks of holes closed."""
    holes = label(~mask)[0]
    small = np.bincount(holes.ravel()) < 0.001 * mask.size
    small[0] = False
    return label(mask | small[holes])[0].astype(np.int32)


def metaballs(rng: np.random.Generator, size: int) -> Drawing:
    """Lumps grown out of round ones: aggregates, droplets that merge, organs."""
    groups = int(rng.choice((1, 1, 3, 8, 16)))
    reach = 0.22 / np.sqrt(groups)
    middle = rng.uniform(0.15, 0.85, (groups, 2)) if groups > 1 else np.full((1, 2), 0.5)
    each = int(rng.integers(2, 8))
    centres = (middle[:, None] + rng.normal(0, reach, (groups, each, 2))).reshape(-1, 2)
    radii = reach * rng.uniform(0.35, 0.85, len(centres))
    field = bumps(size, centres, radii) + rng.uniform(0, 0.12) * fractal(rng, size, 6, 3, 0.6)
    return Drawing(pieces(field > rng.uniform(0.35, 0.6)))


def islands(rng: np.random.Generator, size: int) -> Drawing:
    """Where a rough field is high: lakes, spills, patches of vegetation, phases of a material."""
    field = fractal(
        rng, size, int(rng.integers(2, 7)), int(rng.integers(1, 6)), rng.uniform(0.35, 0.7)
    )
    return Drawing(pieces(field > np.quantile(field[::4, ::4], rng.uniform(0.5, 0.85))))


def cells(rng: np.random.Generator, size: int) -> Drawing:
    """Touching cells: the Voronoi cells of shaken grid points, bent, some of them missing.

    Each pixel looks at the points of its own square of the grid and of the eight around it.
    """
    side = int(rng.integers(2, 10))
    shake, bend = rng.uniform(0.15, 0.5), float(rng.choice((0.0, 0.1, 0.3))) * rng.random()
    points = (
        np.indices((side + 2, side + 2)) - 0.5 + rng.uniform(-shake, shake, (2, side + 2, side + 2))
    )
    weight = rng.uniform(0, 0.2) * rng.random((side + 2, side + 2))
    axis = (np.arange(size, dtype=np.float32) + 0.5) * side / size
    rows = axis[:, None] + bend * smooth(rng, size, 2 * side)
    cols = axis[None] + bend * smooth(rng, size, 2 * side)
    own = [np.clip(np.floor(x).astype(np.intp) + 1, 1, side) for x in (rows, cols)]
    points, weight = points.astype(np.float32), weight.astype(np.float32)
    nearest = np.full((size, size), np.inf, np.float32)
    second, labels = nearest.copy(), np.zeros((size, size), np.int32)
    flat_points, flat_weight = points.reshape(2, -1), weight.ravel()
    home = (own[0] * (side + 2) + own[1]).astype(np.int32)
    for step in range(9):
        index = home + ((step // 3 - 1) * (side + 2) + step % 3 - 1)
        far = (rows - flat_points[0].take(index)) ** 2 + (cols - flat_points[1].take(index)) ** 2
        far += flat_weight.take(index)
        np.minimum(second, np.maximum(far, nearest), out=second)
        np.copyto(labels, index + 1, where=far < nearest)
        np.minimum(nearest, far, out=nearest)
    gap = second - nearest
    gone = rng.random(flat_weight.size + 1) < rng.choice((0.0, 0.15, 0.5, 0.75))
    apart = rng.choice((0.0, 0.0, 0.12, 0.35))
    labels[gone[labels] | (gap < apart)] = 0
    parts = None
    if rng.random() < 0.4:
        parts = (nearest - flat_weight[labels - 1] < rng.uniform(0.01, 0.07)) & (labels > 0)
    return Drawing(labels, parts, outlined=0.6 if apart == 0 else 0.3)


def plumes(rng: np.random.Generator, size: int) -> Drawing:
    """One ragged shape whose edge fades: avalanches, smoke, clouds, landslides, stains.

    A chain of bumps along a bent line, wider at one end, disturbed by a rough field.
    """
    count = int(rng.integers(1, 7))
    along = np.linspace(-0.5, 0.5, count) if count > 1 else np.zeros(1)
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.9)
    bend = np.cumsum(rng.normal(0, 0.25, count))
    path = np.stack([along * length, 0.3 * length * (bend - bend.mean())], axis=1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centres = 0.5 + rng.normal(0, 0.08, 2) + path @ turn
    radii = rng.uniform(0.08, 0.2) * np.exp(rng.uniform(-0.8, 0.8) * along)
    field = bumps(size, centres, radii)
    rough = fractal(rng, size, int(rng.integers(3, 8)), 5, rng.uniform(0.45, 0.75))
    field = np.minimum(field, 1.2) + rng.uniform(0.04, 0.3) * rough
    field -= rng.uniform(0.3, 0.5)
    slope = float(np.exp(rng.uniform(np.log(0.03), np.log(0.7))))
    soft = 1 / (1 + np.exp(np.clip(-4 * field / slope, -30, 30)))
    return Drawing(pieces(field > 0), soft=soft.astype(np.float32), outlined=0.03)
