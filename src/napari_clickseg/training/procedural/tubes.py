"""Scenes of thin things: branching tubes, filaments and cracks."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .drawing import Drawing

__all__ = ["filaments", "strands", "tubes"]

Branch = tuple[np.ndarray, float, float, float, int]


def walk(
    rng: np.random.Generator, start: np.ndarray, angle: float, length: float, wild: float
) -> np.ndarray:
    """A bent line, (N, 2) in sides, from `start` at `angle`; `wild` radians per step of 0.02."""
    steps = max(2, int(length / 0.02))
    turns = np.cumsum(rng.normal(0, wild, steps))
    turns = angle + turns - 0.5 * (turns.mean() if wild < 0.2 else 0)
    moves = 0.02 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.concatenate([start[None], start + np.cumsum(moves, axis=0)])


def trace(
    pen: ImageDraw.ImageDraw, size: int, line: np.ndarray, first: float, last: float, value: int
) -> None:
    """Draw a line whose width goes from `first` to `last`, in sides, with round joints."""
    points = [tuple(point) for point in (size * line).tolist()]
    widths = size * np.linspace(first, last, len(points))
    for a, b, width in zip(points, points[1:], widths, strict=False):
        pen.line([a, b], fill=value, width=max(1, round(width)))
        if width > 2.5:
            half = width / 2 - 0.5
            pen.ellipse([b[0] - half, b[1] - half, b[0] + half, b[1] + half], fill=value)


def tree(rng: np.random.Generator, pen: ImageDraw.ImageDraw, size: int, value: int) -> None:
    """One branching tube that starts at an edge of the scene or within it."""
    edge = rng.random() < 0.6
    start = np.array([rng.uniform(0.1, 0.9), 0.0]) if edge else rng.uniform(0.3, 0.7, 2)
    angle = np.pi / 2 + rng.normal(0, 0.4) if edge else rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.5:
        start, angle = start[::-1], np.pi / 2 - angle
    width = np.exp(rng.uniform(np.log(0.012), np.log(0.07)))
    wild, spread = rng.uniform(0.03, 0.3), rng.uniform(0.3, 1.0)
    waiting: list[Branch] = [(start, angle, width, rng.uniform(0.3, 0.6), 0)]
    drawn = 0
    while waiting and drawn < 24:
        start, angle, width, length, depth = waiting.pop(0)
        line = walk(rng, start, angle, length, wild)
        trace(pen, size, line, width, 0.75 * width, value)
        drawn += 1
        if depth == 4 or 0.7 * width * size < 1.0:
            continue
        for side in (-1, 1):
            at = -1 if side < 0 else int(rng.integers(len(line) // 3, len(line)))
            turn = side * spread * rng.uniform(0.4, 1.2)
            waiting.append(
                (line[at], angle + turn, width * rng.uniform(0.5, 0.75), length * 0.75, depth + 1)
            )


def tubes(rng: np.random.Generator, size: int) -> Drawing:
    """Vessels, roots, rivers, lightning: one tree is one object."""
    canvas = Image.new("I", (size, size))
    pen = ImageDraw.Draw(canvas)
    for number in range(1, int(rng.choice((2, 2, 3, 4)))):
        tree(rng, pen, size, number)
    return Drawing(np.array(canvas), outlined=0.1)


def strands(rng: np.random.Generator, size: int, most: int, thick: float) -> Image.Image:
    """A label image of up to `most` lines, about `thick` sides wide, that cross the scene."""
    canvas = Image.new("I", (size, size))
    pen = ImageDraw.Draw(canvas)
    wild = rng.choice((0.02, 0.08, 0.3))
    for number in range(1, int(rng.integers(1, most + 1)) + 1):
        angle = rng.uniform(0, 2 * np.pi)
        length = rng.uniform(0.5, 1.6)
        start = (
            0.5 + rng.normal(0, 0.2, 2) - 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
        )
        width = thick * np.exp(rng.normal(0, 0.25))
        trace(pen, size, walk(rng, start, angle, length, wild), width, width, number)
    return canvas


def filaments(rng: np.random.Generator, size: int) -> Drawing:
    """Fibres, hairs, roads, cracks, worms: each line is one object."""
    thick = np.exp(rng.uniform(np.log(0.012), np.log(0.06)))
    return Drawing(np.array(strands(rng, size, 7, thick)), outlined=0.15)
