"""Strokes and contours drawn as masks, pixel for pixel as the published systems draw them.

SAIC-IS drew the maps that its networks were trained on with OpenCV's ``polylines`` (8-connected)
and ``fillPoly``. The same pixels come out here from the same arithmetic in whole numbers, also of
shapes that leave the canvas: those as in OpenCV 4.13 to 5.0, since earlier versions cut them
otherwise. Inside the canvas all agree, but for contours in 4.8 to 4.10.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

__all__ = ["draw_contour", "draw_stroke"]

Point = tuple[float, float]
Place = tuple[int, int]  # (row, col) in pixels, or in steps of 1 / ONE pixel

PLACES = 16
ONE = 1 << PLACES
HALF = ONE >> 1
FARTHEST = 1 << 30  # pixels; coordinates beyond are moved here


def draw_stroke(canvas: np.ndarray, points: Sequence[Point], thickness: int) -> None:
    """Set the pixels along an open line to 1.

    A segment is a rectangle with a disk at both ends. SAIC-IS leaves out strokes of two points;
    here they are drawn like longer ones.

    Parameters
    ----------
    canvas : (H, W) array
        Is changed. The stroke may lie outside.
    points : sequence of (row, col)
        In pixels, finite, two or more; truncated to whole numbers towards zero.
    thickness : int
        In pixels, 1 or more.
    """
    places = _whole(points)
    if thickness > 1:
        _fill_disk(canvas, places[0], thickness)
    for start, end in zip(places[:-1], places[1:], strict=True):
        if thickness == 1:
            _draw_line(canvas, start, end)
        else:
            _draw_thick_line(canvas, start, end, thickness)


def draw_contour(canvas: np.ndarray, points: Sequence[Point]) -> None:
    """Set the pixels on a closed line, and those that it encloses an odd number of times, to 1.

    Parameters
    ----------
    canvas : (H, W) array
        Is changed. The contour may lie outside.
    points : sequence of (row, col)
        In pixels, finite; truncated to whole numbers towards zero. The last joins the first.
    """
    places = _whole(points)
    crossings = [np.zeros((2, 0), np.int64)]  # rows of pixels and where edges cross them
    for start, end in zip(places[-1:] + places[:-1], places, strict=True):
        _draw_line(canvas, start, end)
        first, stop = sorted((start[0], end[0]))
        rows = np.arange(max(first, 0), min(stop, canvas.shape[0]))
        if rows.size:
            (row, col), (to_row, to_col), _ = _cut(canvas.shape, start, end)
            if row == to_row:  # columns stay cut, as in OpenCV
                row, to_row = start[0], end[0]
            slope = _divide((to_col - col) * ONE, to_row - row)
            crossings.append(np.stack([rows, col * ONE + (rows - row) * slope]))
    rows, cols = np.concatenate(crossings, axis=1)
    order = np.lexsort((cols, rows))  # each row is crossed an even number of times
    left, right = cols[order[::2]], cols[order[1::2]]
    _fill_spans(canvas, rows[order[::2]], (left + ONE - 1) >> PLACES, right >> PLACES)


def _whole(points: Sequence[Point]) -> list[Place]:
    """Coordinates truncated towards zero."""
    whole = np.clip(np.asarray(points, np.float64).reshape(-1, 2), -FARTHEST, FARTHEST)
    return [(row, col) for row, col in whole.astype(np.int64).tolist()]


def _divide(a: int, b: int) -> int:
    """Quotient rounded towards zero."""
    return a // b if (a < 0) == (b < 0) else -(-a // b)


def _cut(shape: Sequence[int], start: Place, end: Place) -> tuple[Place, Place, bool]:
    """The ends of a segment moved along it to the borders of a canvas, and whether any is left.

    Rows are cut before columns, each cut is rounded and the next begins from it, so the slope may
    change a little; a segment known to miss the canvas stays as it was.
    """
    height, width = shape
    ends = [list(start), list(end)]

    def sides(axis: int) -> list[int]:
        last = (height, width)[axis] - 1
        return [(point[axis] > last) - (point[axis] < 0) for point in ends]

    def misses() -> bool:
        return any(a == b != 0 for a, b in (sides(0), sides(1)))

    for axis in (0, 1):
        if misses():
            break
        for point, side in zip(ends, sides(axis), strict=True):
            if side:
                border = ((height, width)[axis] - 1) if side > 0 else 0
                run = ends[1][axis] - ends[0][axis]
                rise = ends[1][1 - axis] - ends[0][1 - axis]
                point[1 - axis] += int(float(border - point[axis]) * rise / run)
                point[axis] = border
    inside = sides(0) == sides(1) == [0, 0]
    return (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1]), inside


def _draw_line(canvas: np.ndarray, start: Place, end: Place) -> None:
    """Set one pixel for each step along the longer axis of a segment between pixels."""
    (row, col), (to_row, to_col), inside = _cut(canvas.shape, start, end)
    if not inside:
        return
    if to_col < col:
        row, col, to_row, to_col = to_row, to_col, row, col
    down, right = abs(to_row - row), to_col - col
    longer, shorter = max(down, right, 1), min(down, right)
    along = np.arange(max(down, right) + 1)
    across = -((longer - 2 * shorter * along) // (2 * longer))  # ties go to the first pixel
    by_row, by_col = (along, across) if down > right else (across, along)
    canvas[row + by_row * (1 if to_row > row else -1), col + by_col] = 1


def _draw_fine_line(canvas: np.ndarray, start: Place, end: Place) -> None:
    """Set one pixel for each step along the longer axis of a segment between fine places."""
    height, width = canvas.shape
    start, end, inside = _cut((height * ONE, width * ONE), start, end)
    if not inside:
        return
    run = np.subtract(end, start)
    axis = 1 if abs(run[1]) > abs(run[0]) else 0
    if run[axis] < 0:
        start, end, run = end, start, -run
    slope = _divide(int(run[1 - axis]) * ONE, int(run[axis]) | 1)
    along = np.arange((int(run[axis]) >> PLACES) + 1)
    places = np.empty((2, along.size + 1), np.int64)
    places[axis, :-1] = (start[axis] + HALF >> PLACES) + along
    places[1 - axis, :-1] = start[1 - axis] + HALF + along * slope >> PLACES
    places[:, -1] = [end[0] + HALF >> PLACES, end[1] + HALF >> PLACES]
    rows, cols = places[:, ((places >= 0) & (places < [[height], [width]])).all(0)]
    canvas[rows, cols] = 1


def _draw_thick_line(canvas: np.ndarray, start: Place, end: Place, thickness: int) -> None:
    """Fill a rectangle around a segment, and a disk at its end."""
    height, width = canvas.shape
    *ends, near = _cut(  # within a margin wide enough that disks at cut ends stay unseen
        (height + 2 * thickness, width + 2 * thickness),
        (start[0] + thickness, start[1] + thickness),
        (end[0] + thickness, end[1] + thickness),
    )
    if not near:
        return
    start, end = ((row - thickness, col - thickness) for row, col in ends)
    if start != end:
        _fill_rectangle(canvas, start, end, thickness)
    _fill_disk(canvas, end, thickness)


def _fill_rectangle(canvas: np.ndarray, start: Place, end: Place, thickness: int) -> None:
    """Fill the rectangle around a segment, border included."""
    down, right = float(end[0] - start[0]), float(end[1] - start[1])
    scale = (thickness * HALF + (thickness & 1) * HALF) / math.sqrt(right * right + down * down)
    aside = (round(-right * scale), round(down * scale))
    a, b = (tuple(ONE * x for x in place) for place in (start, end))
    corners = [
        (a[0] + aside[0], a[1] + aside[1]),
        (a[0] - aside[0], a[1] - aside[1]),
        (b[0] - aside[0], b[1] - aside[1]),
        (b[0] + aside[0], b[1] + aside[1]),
    ]
    for i in range(4):
        _draw_fine_line(canvas, corners[i - 1], corners[i])
    levels = [row + HALF >> PLACES for row, _ in corners]
    rows = np.arange(max(min(levels), 0), min(max(levels), canvas.shape[0]))
    if not rows.size:
        return
    top = min(range(4), key=lambda i: corners[i][0])
    borders = []
    for turn in (1, -1):  # both ways down from the highest corner
        border = np.empty(rows.size, np.int64)
        for k in range(3):
            i, j = (top + turn * k) % 4, (top + turn * (k + 1)) % 4
            drop = levels[j] - levels[i]
            if drop > 0:
                twice = 2 * (corners[j][1] - corners[i][1]) + drop
                slope = _divide(twice, 2 * drop)
                part = (rows >= levels[i]) & (rows < levels[j])
                border[part] = corners[i][1] + (rows[part] - levels[i]) * slope
        borders.append(border + HALF >> PLACES)
    _fill_spans(canvas, rows, np.minimum(*borders), np.maximum(*borders))


def _fill_disk(canvas: np.ndarray, center: Place, thickness: int) -> None:
    """Fill the disk at an end of a thick line, border included."""
    rows, half = _disk((thickness + 1) // 2)
    rows = center[0] + rows
    seen = (rows >= 0) & (rows < canvas.shape[0])
    _fill_spans(canvas, rows[seen], center[1] - half[seen], center[1] + half[seen])


@lru_cache(maxsize=8)
def _disk(radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a circle drawn by the midpoint rule, and half the width of each; center at 0."""
    x, y, error = radius, 0, 0
    half = np.zeros(2 * radius + 1, np.int64)
    while x >= y:
        for row, width in ((y, x), (x, y)):
            for at in (radius - row, radius + row):
                half[at] = max(half[at], width)
        error += 2 * y + 1
        y += 1
        if error > 0:
            error -= 2 * x - 1
            x -= 1
    return np.arange(-radius, radius + 1), half


def _fill_spans(canvas: np.ndarray, rows: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Set pixels of rows from one column to another, both included."""
    left = np.maximum(left, 0)
    stop = np.maximum(right + 1, 0)
    for row, first, behind in zip(rows.tolist(), left.tolist(), stop.tolist(), strict=True):
        canvas[row, first:behind] = 1
