"""Pictures of training: image with points, target and prediction side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from .examples import Batch, Example
from .rounds import State

__all__ = [
    "draw_points",
    "heat",
    "picture_of_answer",
    "save_picture",
    "save_preview",
    "side_by_side",
]

GREEN, RED, IGNORED = (80, 255, 80), (255, 60, 60), (128, 128, 128)
GAP, PAPER = 8, 255  # pixels between examples, and their grey
QUALITY = 85  # of JPEG


def heat(values: np.ndarray) -> np.ndarray:
    """Numbers 0..1 ``(H, W)`` as black, red, yellow and white, ``(H, W, 3)`` uint8."""
    channels = [np.clip(3 * values - start, 0, 1) for start in (0, 1, 2)]
    return np.round(255 * np.stack(channels, axis=-1)).astype(np.uint8)


def draw_points(
    image: np.ndarray, points: np.ndarray, drawn: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """An (H, W, 3) uint8 image with points ``(2N, 3)`` and maps ``(2, H, W)`` on it.

    Positive ones are green, negative ones red.
    """
    shown = image.astype(np.float32)
    for maps in drawn:
        for region, tint in zip(maps, (GREEN, RED), strict=True):
            shown[region > 0] = 0.5 * shown[region > 0] + 0.5 * np.array(tint)
    picture = Image.fromarray(shown.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    half = len(points) // 2
    radius = max(2, min(image.shape[:2]) // 60)
    for i, (row, col) in enumerate(points[:, :2]):
        if row >= 0:
            box = (col - radius, row - radius, col + radius, row + radius)
            pen.ellipse(box, fill=GREEN if i < half else RED, outline=(0, 0, 0))
    return np.asarray(picture)


def side_by_side(
    image: np.ndarray,
    points: np.ndarray,
    target: np.ndarray,
    probabilities: np.ndarray | None = None,
    drawn: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Image with interactions, target and, if given, prediction; ``(H, 2 or 3 times W, 3)``."""
    truth = heat((target == 1).astype(np.float32))
    truth[target < 0] = IGNORED
    parts = [draw_points(image, points, drawn), truth]
    if probabilities is not None:
        parts.append(heat(probabilities))
    return np.concatenate(parts, axis=1)


def picture_of_answer(batch: Batch, shown: State, logits: Tensor) -> np.ndarray:
    """The first example of a batch, with what was said about it last and the answer to that."""
    image = (batch.image[0].permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    target = batch.target[0, 0].cpu().numpy()
    answer = torch.sigmoid(logits[0, 0]).float().cpu().numpy()
    drawn = [maps[0].cpu().numpy() for maps in shown.drawn.values()]
    return side_by_side(image, shown.points[0].cpu().numpy(), target, answer, drawn)


def save_preview(examples: Sequence[Example], path: Path) -> None:
    """Save examples below each other, two in a row."""
    strips = [
        side_by_side(e.image, e.points, e.target, None, [*e.drawn.values()]) for e in examples
    ]
    edge = ((0, GAP), (0, GAP), (0, 0))
    strips = [np.pad(strip, edge, constant_values=PAPER) for strip in strips]
    if len(strips) % 2:
        strips.append(np.full_like(strips[0], PAPER))
    rows = [np.concatenate(strips[i : i + 2], axis=1) for i in range(0, len(strips), 2)]
    save_picture(np.concatenate(rows)[:-GAP, :-GAP], path)


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Save an (H, W, 3) uint8 array as JPEG or PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=QUALITY)
