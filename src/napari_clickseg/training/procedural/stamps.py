"""Scenes of separate shapes, drawn one over the other: blobs, polygons, rings and leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from .drawing import Drawing

__all__ = ["blobs", "leaf", "plants", "polygons", "rings"]

Outline = Callable[[np.random.Generator], np.ndarray]
TURNS = np.linspace(0, 2 * np.pi, 72, endpoint=False)


def places(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N, 2) and radii (N,) of the objects of a scene whose side is 1, large ones first.

    One alone, a few, or many on a grid shaken so that they are apart, touch or overlap.
    """
    crowd = rng.random()
    if crowd < 0.35:
        return rng.uniform(0.25, 0.75, (1, 2)), rng.uniform(0.12, 0.42, 1)
    side = int(rng.integers(2, 4)) if crowd < 0.65 else int(rng.integers(4, 9))
    grid = (np.indices((side, side)).reshape(2, -1).T + 0.5) / side
    grid = grid + rng.normal(0, 0.22 / side, grid.shape)
    grid = grid[rng.random(len(grid)) < rng.uniform(0.4, 1.0)]
    if not len(grid):
        grid = rng.uniform(0.3, 0.7, (1, 2))
    spread = rng.uniform(0.05, 0.5)
    radii = rng.uniform(0.28, 0.62) / side * np.exp(rng.normal(0, spread, len(grid)))
    order = rng.permutation(len(grid)) if rng.random() < 0.5 else np.argsort(-radii)
    return grid[order], radii[order]


def stamp(rng: np.random.Generator, size: int, outline: Outline) -> Image.Image:
    """A label image with one `outline`, of radius about 1 around 0, at each of the `places`.

    Half of the scenes leave a gap of background where one lies over another.
    """
    gap = round(size / 160 * rng.uniform(1, 2.5)) if rng.random() < 0.5 else 0
    canvas = Image.new("I", (size, size))
    pen = ImageDraw.Draw(canvas)
    for number, (centre, radius) in enumerate(zip(*places(rng), strict=True), start=1):
        _fill(pen, size * (centre + radius * turned(rng, outline(rng))), number, gap)
    return canvas


def turned(rng: np.random.Generator, points: np.ndarray, angle: float | None = None) -> np.ndarray:
    """Points (N, 2) turned around 0 by `angle` in radians, by a random one by default."""
    angle = rng.uniform(0, 2 * np.pi) if angle is None else angle
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, -sin], [sin, cos]])


def _fill(pen: ImageDraw.ImageDraw, points: np.ndarray, value: int, gap: int = 0) -> None:
    corners = [tuple(point) for point in points.tolist()]
    pen.polygon(corners, fill=value, outline=0 if gap else value, width=max(gap, 1))


def star_convex(rough: float, stretch: float) -> Outline:
    """Outlines whose radius is a random Fourier series (compare N. Dey et al., AnyStar, 2024)."""

    def outline(rng: np.random.Generator) -> np.ndarray:
        waves = np.arange(2, 10)
        strength = rng.normal(0, rough, (2, len(waves))) / waves
        angles = waves[:, None] * TURNS
        log = strength[0] @ np.cos(angles) + strength[1] @ np.sin(angles)
        radius = np.exp(np.clip(log, -1.2, 0.7))
        long = stretch ** rng.uniform(0.5, 1.0)
        return np.stack([np.cos(TURNS) * radius * long, np.sin(TURNS) * radius / long], axis=1)

    return outline


def rod(length: float) -> Outline:
    """Bent rods with round ends, like bacteria; `length` in widths."""

    def outline(rng: np.random.Generator) -> np.ndarray:
        long = length * rng.uniform(0.7, 1.0)
        x, y = np.cos(TURNS), np.sin(TURNS)
        x = x + np.sign(x) * (long - 1)
        bend = rng.normal(0, 0.12)
        return np.stack([x, y + bend * x**2 / long], axis=1) / np.sqrt(long)

    return outline


def corners(least: int, most: int, uneven: float, stretch: float) -> Outline:
    """Outlines with straight edges and between `least` and `most` corners."""

    def outline(rng: np.random.Generator) -> np.ndarray:
        count = int(rng.integers(least, most + 1))
        angles = (np.arange(count) + rng.uniform(-0.3, 0.3, count) * uneven) * 2 * np.pi / count
        radius = np.exp(rng.normal(0, 0.4 * uneven, count))
        return np.stack(
            [np.cos(angles) * radius * stretch, np.sin(angles) * radius / stretch], axis=1
        )

    return outline


def leaf(width: float, toothed: float = 0.0) -> np.ndarray:
    """A leaf from (0, 0) to (1, 0), `width` wide, with or without teeth, (N, 2)."""
    along = np.linspace(0, 1, 24)
    half = width / 2 * np.sin(np.pi * along**0.8) * (1 + toothed * np.resize((1, -1), len(along)))
    upper, lower = np.stack([along, half], axis=1), np.stack([along, -half], axis=1)
    return np.concatenate([upper, lower[::-1]])


def blobs(rng: np.random.Generator, size: int) -> Drawing:
    """Round, ragged or rod-like objects: nuclei, particles, lesions, bacteria."""
    if rng.random() < 0.2:
        outline = rod(rng.uniform(1.5, 5.0))
    else:
        rough = rng.choice((0.08, 0.3, 0.7)) * rng.uniform(0.6, 1.4)
        outline = star_convex(rough, np.exp(rng.uniform(0, 0.5)))
    return Drawing(np.array(stamp(rng, size, outline)))


def polygons(rng: np.random.Generator, size: int) -> Drawing:
    """Crystals, tiles, houses, fields."""
    stretch = np.exp(rng.uniform(0, 0.6))
    if rng.random() < 0.3:
        outline = corners(4, 4, 0.0, stretch)  # diamonds and squares
    else:
        outline = corners(int(rng.integers(3, 6)), int(rng.integers(6, 11)), rng.random(), stretch)
    return Drawing(np.array(stamp(rng, size, outline)), outlined=0.15)


def rings(rng: np.random.Generator, size: int) -> Drawing:
    """Objects with a hole, or with a core: rings, tubes cut across, cells with a nucleus."""
    cores = rng.random() < 0.55
    canvas, inner = Image.new("I", (size, size)), Image.new("L", (size, size))
    pen, inner_pen = ImageDraw.Draw(canvas), ImageDraw.Draw(inner)
    outer = star_convex(rng.uniform(0.05, 0.4), np.exp(rng.uniform(0, 0.35)))
    hole = star_convex(0.15, 1.1)
    share = rng.uniform(0.3, 0.8) if not cores else rng.uniform(0.3, 0.6)
    for number, (centre, radius) in enumerate(zip(*places(rng), strict=True), start=1):
        around = radius * turned(rng, outer(rng))
        aside = centre + radius * rng.normal(0, 0.08, 2)
        within = radius * share * rng.uniform(0.8, 1.1) * turned(rng, hole(rng))
        _fill(pen, size * (centre + around), number)
        _fill(inner_pen, size * (centre + around), 0)
        _fill(inner_pen, size * (aside + within), 1)
    labels, parts = np.array(canvas), np.array(inner) > 0
    if cores:
        return Drawing(labels, parts & (labels > 0), outlined=0.4)
    labels[parts] = 0
    return Drawing(labels, outlined=0.15)


def plants(rng: np.random.Generator, size: int) -> Drawing:
    """Leaves around a centre, each plant one object."""
    canvas = Image.new("I", (size, size))
    pen = ImageDraw.Draw(canvas)
    width, toothed = rng.uniform(0.12, 0.65), rng.choice((0.0, 0.0, 0.15, 0.3))
    stalk, leaves = rng.uniform(0.0, 0.5), int(rng.integers(2, 13))
    for number, (centre, radius) in enumerate(zip(*places(rng), strict=True), start=1):
        angles = (np.arange(leaves) + rng.normal(0, 0.25, leaves)) * 2 * np.pi / leaves
        reach = 1.3 * radius * rng.uniform(0.5, 1.0, leaves)[:, None]
        blade = leaf(width * rng.uniform(0.7, 1.2), toothed) * (1 - stalk) + (stalk, 0)
        spokes = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        across = np.stack([-spokes[:, 1], spokes[:, 0]], axis=1)
        around = blade[:, :1] * (reach * spokes)[:, None] + blade[:, 1:] * (reach * across)[:, None]
        tips = centre + (stalk + 0.1) * reach * spokes
        thick = max(1, round(size * radius * 0.06))
        for points, tip in zip(centre + around, tips, strict=True):
            _fill(pen, size * points, number)
            pen.line([tuple(size * centre), tuple(size * tip)], fill=number, width=thick)
    return Drawing(np.array(canvas), outlined=0.1)
