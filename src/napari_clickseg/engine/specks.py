"""Specks: what following the edges left over beside a boundary, and nobody asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from scipy.ndimage import find_objects, label

from ..cancel import stop_if
from ..geometry import Box
from ..interactions import Click
from .tiles import Key, TileMap, cell_box

__all__ = ["without_specks"]

ANSWER_PIXELS = 2  # side of the square of answer pixels into which a speck fits
SIDES = np.ones((3, 3), int)  # islands of object and of background alike join at corners


def without_specks(
    refined: TileMap,
    answer: TileMap,
    cells: Iterable[Key],
    scales: Mapping[Key, float],
    clicks: Sequence[Click],
    cancelled: Callable[[], bool] | None = None,
) -> list[tuple[Box, np.ndarray]]:
    """Islands and holes that came with the refinement, filled with what is around them.

    A speck fits into a square of two pixels of the answer, which could not show it; it holds no
    click, and meets nothing as small that the answer has itself. In textures the refined boundary
    is surrounded by such specks.

    Parameters
    ----------
    refined : TileMap
        Probabilities at full resolution.
    answer : TileMap
        The probabilities before they were refined.
    cells : iterable of (int, int)
        Tiles that were refined.
    scales : mapping of (int, int) to float
        Network pixels per image pixel that tiles were answered at; other tiles count as the
        coarsest of them.
    clicks : sequence of Click
    cancelled : callable, optional
        Asked before each tile.

    Returns
    -------
    list of (Box, (h, w) float32 array)
        The tiles that change, and their new probabilities.

    Raises
    ------
    Cancelled
        If `cancelled` answered true.
    """
    shape, coarsest = refined.shape, min(scales.values(), default=1.0)
    changed = []
    for cell in cells:
        stop_if(cancelled)
        side = math.ceil(ANSWER_PIXELS / scales.get(cell, coarsest))
        box = cell_box(cell, shape)
        wide = Box(box.top - side, box.left - side, box.bottom + side, box.right + side)
        wide = wide.clip(shape)
        mask = refined.read(wide) > 0.5
        specks = _small(mask, side, wide, shape)
        if not specks.any():
            continue
        kept = _small(answer.read(wide) > 0.5, side, wide, shape)
        for click in clicks:
            row, col = click.pixel
            if wide.contains(row, col):
                kept[row - wide.top, col - wide.left] = True
        filled = _filled(mask, specks, kept)[box.shift(-wide.top, -wide.left).slices]
        values = refined.read(box)
        different = filled != (values > 0.5)
        if different.any():
            values[different] = filled[different]
            changed.append((box, values))
    return changed


def _small(mask: np.ndarray, side: int, window: Box, shape: tuple[int, int]) -> np.ndarray:
    """Pixels of islands and holes that fit into a square; those that the window cuts are none."""
    found = np.zeros_like(mask)
    for part in (mask, ~mask):
        labels, _ = label(part, SIDES)
        for number, (rows, cols) in enumerate(find_objects(labels), start=1):
            if rows.stop - rows.start > side or cols.stop - cols.start > side:
                continue
            whole = (
                (rows.start > 0 or window.top == 0)
                and (cols.start > 0 or window.left == 0)
                and (rows.stop < mask.shape[0] or window.bottom == shape[0])
                and (cols.stop < mask.shape[1] or window.right == shape[1])
            )
            if whole:
                found[rows, cols] |= labels[rows, cols] == number
    return found


def _filled(mask: np.ndarray, specks: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """A mask whose specks are as what is around them, but those that touch a kept pixel.

    An island in a hole is one speck with it; the first pixel of the two, row by row, belongs to
    the outer one.
    """
    labels, _ = label(specks, SIDES)
    numbers, first = np.unique(labels, return_index=True)
    gone = (numbers > 0) & ~np.isin(numbers, labels[kept])
    return np.where(gone[labels], ~mask.ravel()[first][labels], mask)
