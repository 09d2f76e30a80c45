"""What contours enclose, and what lies near them, for models that do not know contours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..geometry import Box
from ..interactions import Contour
from ..models.drawing import draw_contour
from .session import Session
from .tiles import TileMap, cell_box

__all__ = ["box_around", "drawn_into", "filled", "only_near"]

REACH = 0.25  # of the square root of its area, to which a contour may be off
COARSE = 1024  # side in pixels up to which what is near a contour is found pixel by pixel


def box_around(contour: Contour, inside: Box) -> Box:
    """The pixels that a contour may enclose, cut to a box."""
    rows, cols = zip(*contour.points, strict=True)
    sides = min(rows), min(cols), max(rows) + 1, max(cols) + 1
    return Box(*(math.floor(side + 0.5) for side in sides)).intersect(inside)


def filled(contour: Contour, box: Box, step: int = 1) -> np.ndarray:
    """The inside of a contour, every `step`-th pixel of a box; bool."""
    if box.empty:
        return np.zeros((0, 0), bool)
    shape = -(-box.height // step), -(-box.width // step)
    canvas = np.zeros(shape, np.uint8)
    moved = [((r - box.top) / step + 0.5, (c - box.left) / step + 0.5) for r, c in contour.points]
    draw_contour(canvas, [(math.floor(r), math.floor(c)) for r, c in moved])
    return canvas != 0


def drawn_into(mask: TileMap, contour: Contour, allowed: Box) -> TileMap:
    """A mask with the inside of a contour added, or taken out."""
    box = box_around(contour, allowed)
    if box.empty:
        return mask
    inside, before = filled(contour, box), mask.read(box)
    return mask.paste(box, np.where(inside, np.float32(contour.positive), before))


def only_near(before: Session, after: Session, contours: Sequence[Contour]) -> Session:
    """A prediction that differs from the mask so far only inside and near the contours drawn.

    Nothing is taken back where anything but positive contours is new.

    Parameters
    ----------
    before, after : Session
        Without and with the answer to what is new.
    contours : sequence of Contour
        Those of the new interactions that the model was shown as a mask.
    """
    new = before.interactions[before.predicted :]
    if any(item not in contours or not item.positive for item in new):
        return after
    areas = [_Near(item, before.shape) for item in contours]
    kept = after.probabilities.paste_parts(_taken_back(before, after, areas))
    changed = kept.changed_tiles(before.probabilities)
    coarse = {k: v for k, v in after.coarse.items() if k in changed or k in before.coarse}
    return replace(after, probabilities=kept, coarse=coarse)


class _Near:
    """Where the inside of a contour is not far away, of a large one every few pixels."""

    def __init__(self, contour: Contour, shape: tuple[int, int]) -> None:
        box = box_around(contour, Box.of_shape(shape))
        self._step = step = max(1, math.ceil(max(box.shape) / COARSE))
        reach = REACH * step * math.sqrt(np.count_nonzero(filled(contour, box, step)))
        more = math.ceil(reach)
        wide = Box(box.top - more, box.left - more, box.bottom + more, box.right + more)
        self._box = wide.clip(shape)
        inside = filled(contour, self._box, step)
        self._near = distance_transform_edt(~inside) * step <= reach if inside.any() else inside

    def mark(self, cell: Box, marks: np.ndarray) -> None:
        """Set the pixels of a cell that are near to True."""
        part = cell.intersect(self._box)
        if not part.empty:
            rows = (np.arange(part.top, part.bottom) - self._box.top) // self._step
            cols = (np.arange(part.left, part.right) - self._box.left) // self._step
            marks[part.shift(-cell.top, -cell.left).slices] |= self._near[np.ix_(rows, cols)]


def _taken_back(
    before: Session, after: Session, areas: Sequence[_Near]
) -> Iterator[tuple[Box, np.ndarray]]:
    """Changed tiles in which not all is near, with what is far as it was before."""
    for key in after.probabilities.changed_tiles(before.probabilities):
        cell = cell_box(key, before.shape)
        near = np.zeros(cell.shape, bool)
        for area in areas:
            area.mark(cell, near)
        if not near.all():
            old, new = before.probabilities.read(cell), after.probabilities.read(cell)
            yield cell, np.where(near, new, old)
