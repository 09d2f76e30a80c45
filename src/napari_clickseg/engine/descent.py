"""From a coarse answer down to full resolution, along the boundary only.

An object that was shown to the network at a small scale gets a boundary of whole steps of that
scale. Level by level, each of twice the resolution, the cells of a grid that hold a part of the
boundary are filtered so that it follows the edges of the image. The work grows with the length of
the boundary, not with the area of the object or of the image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from ..cancel import stop_if
from ..data.readers import ImageReader
from ..geometry import Box
from ..interactions import Click
from .edges import RADIUS, follow_edges
from .tiles import TILE, Key, TileMap, cell_box, cells
from .views import CentreView

__all__ = ["Descent"]

HALO = 2 * RADIUS  # pixels around a cell that its own result depends on
CHILDREN = ((0, 0), (0, 1), (1, 0), (1, 1))
MOST_CELLS = 4000  # of full resolution, for one answer; longer boundaries stay coarse beyond


class Descent:
    """The way of one answer from its scale to full resolution.

    Parameters
    ----------
    reader : ImageReader
    limits : (float, float)
        Image values of black and white.
    probabilities : TileMap
        The answer, at full resolution but without its detail.
    coarse : mapping of (int, int) to float
        Tiles that wait for detail, and the scale (network pixels per image pixel) of each.
    clicks : sequence of Click
        Their pixels keep their label.
    first : sequence of Box
        What is refined first, such as what the user looks at.
    """

    def __init__(
        self,
        reader: ImageReader,
        limits: tuple[float, float],
        probabilities: TileMap,
        coarse: Mapping[Key, float],
        clicks: Sequence[Click],
        first: Sequence[Box] = (),
    ) -> None:
        self.reader, self.limits, self.probabilities = reader, limits, probabilities
        self.coarse, self.clicks, self.first = coarse, clicks, first
        self._done: list[dict[Key, np.ndarray]] = []  # of each level, the finished cells

    def run(self, cancelled: Callable[[], bool] | None = None) -> Iterator[tuple[Box, np.ndarray]]:
        """Boxes of full resolution and their probabilities, as they are ready.

        Raises
        ------
        Cancelled
            If `cancelled`, asked before each cell, answered true.
        """
        top = max((_levels(scale) for scale in self.coarse.values()), default=0)
        self._done = [{} for _ in range(top + 1)]
        waiting = self._starting(top)
        for level in range(top, -1, -1):
            for cell in self._ordered(waiting, level)[:MOST_CELLS]:
                stop_if(cancelled)
                found = self._filter(cell, level)
                if found is None:
                    continue
                if level == 0:
                    yield self._box(cell, 0), self._with_clicks(cell, found)
                else:  # a quarter of the memory, and exact where the filter is sure
                    self._done[level][cell] = np.round(found * 255).astype(np.uint8)
            if level:
                below = {(2 * i + a, 2 * j + b) for i, j in self._done[level] for a, b in CHILDREN}
                waiting = (below & self._allowed(level - 1)) | self._starting(level - 1)

    # ------------------------------------------------------------------ which cells
    def _starting(self, level: int) -> set[Key]:
        """Cells of a level whose answer has just that scale."""
        return self._around([k for k, s in self.coarse.items() if _levels(s) == level], level)

    def _allowed(self, level: int) -> set[Key]:
        """Cells of a level that may hold a boundary that waits for detail."""
        return self._around(self.coarse, level)

    @staticmethod
    def _around(tiles: Iterable[Key], level: int) -> set[Key]:
        """Cells of a level that hold tiles or those beside them, where a boundary may move to."""
        beside = {(i + a, j + b) for i, j in tiles for a in (-1, 0, 1) for b in (-1, 0, 1)}
        return {(i >> level, j >> level) for i, j in beside}

    def _ordered(self, cells: set[Key], level: int) -> list[Key]:
        """Those inside the image; what is in view first, then what is near the latest click."""
        inside = [cell for cell in cells if not self._box(cell, level).empty]
        latest = self.clicks[-1] if self.clicks else None

        def rank(cell: Key) -> tuple[bool, float, Key]:
            box = self._native(self._box(cell, level), level)
            hidden = not any(not box.intersect(view).empty for view in self.first)
            if latest is None:
                return hidden, 0.0, cell
            rows, cols = (box.top + box.bottom) / 2, (box.left + box.right) / 2
            return hidden, math.hypot(rows - latest.row, cols - latest.col), cell

        return sorted(inside, key=rank)

    # ------------------------------------------------------------------ one cell
    def _shape(self, level: int) -> tuple[int, int]:
        height, width = self.probabilities.shape
        return -(-height >> level), -(-width >> level)

    def _box(self, cell: Key, level: int) -> Box:
        """A cell in pixels of its level."""
        return cell_box(cell, self._shape(level))

    def _native(self, box: Box, level: int) -> Box:
        """A box of a level in pixels of the image."""
        wide = Box(*(side << level for side in (box.top, box.left, box.bottom, box.right)))
        return wide.clip(self.probabilities.shape)

    def _filter(self, cell: Key, level: int) -> np.ndarray | None:
        """Probabilities of a cell that follow the image; None where there is no boundary."""
        box = self._box(cell, level)
        wide = Box(box.top - HALO, box.left - HALO, box.bottom + HALO, box.right + HALO)
        wide = wide.clip(self._shape(level))
        before = self._read(wide, level)
        if before is None or not _divided(before):
            return None
        view = CentreView(self._native(wide, level), wide.shape)
        image = view.read_image(self.reader, self.limits, lean=True)[0].permute(1, 2, 0).numpy()
        after = follow_edges(image, before)
        return after[box.shift(-wide.top, -wide.left).slices]

    def _read(self, box: Box, level: int) -> np.ndarray | None:
        """Probabilities before the filter of a level: those of the level above, enlarged.

        None where there is surely no boundary.
        """
        if level + 1 == len(self._done):
            return self._sampled(box, level)
        above = Box(
            (box.top >> 1) - 1, (box.left >> 1) - 1, (box.bottom + 3) >> 1, (box.right + 3) >> 1
        ).clip(self._shape(level + 1))
        found = self._sampled(above, level + 1)
        overlaid = False
        for cell, common in cells(above):
            values = self._done[level + 1].get(cell)
            if values is not None:
                overlaid = True
                part = values[common.shift(-cell[0] * TILE, -cell[1] * TILE).slices]
                found[common.shift(-above.top, -above.left).slices] = part / np.float32(255)
        if not overlaid:
            return self._sampled(box, level)
        if not _divided(found):
            return None
        place = box.shift(-2 * above.top, -2 * above.left)
        return _doubled(_doubled(found).T).T[place.slices]

    def _sampled(self, box: Box, level: int) -> np.ndarray:
        """The answer in the middle of each pixel of a level."""
        if level == 0:
            return self.probabilities.read(box)
        half = (1 << level) >> 1
        rows, cols = (
            np.minimum(np.arange(start, stop) * (1 << level) + half, length - 1)
            for start, stop, length in (
                (box.top, box.bottom, self.probabilities.shape[0]),
                (box.left, box.right, self.probabilities.shape[1]),
            )
        )
        return self.probabilities.sample(rows, cols)

    def _with_clicks(self, cell: Key, values: np.ndarray) -> np.ndarray:
        """The values of a full-resolution cell with clicked pixels at their labels."""
        box = self._box(cell, 0)
        for click in self.clicks:
            row, col = click.pixel
            if box.contains(row, col):
                values[row - box.top, col - box.left] = float(click.positive)
        return values


def _divided(probabilities: np.ndarray) -> bool:
    """Whether there are pixels on both sides of 0.5."""
    mask = probabilities > 0.5
    return bool(mask.any()) and not mask.all()


def _doubled(values: np.ndarray) -> np.ndarray:
    """Twice as many rows, linearly interpolated between the middles of the given ones."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    out = np.empty((2 * len(values), values.shape[1]), np.float32)
    out[0::2] = 0.75 * values + 0.25 * padded[:-2]
    out[1::2] = 0.75 * values + 0.25 * padded[2:]
    return out


def _levels(scale: float) -> int:
    """Halvings of the resolution at which an answer of some scale is filtered first.

    The first filter works at more than the answer's own resolution, at most at twice it.
    """
    return max(0, math.ceil(math.log2(1 / scale)) - 1)
