"""ZoomIn: looking at the object instead of the whole image.

`ZoomIn` is the published rule with its oddities, which published scores depend on; `FittedZoomIn`
is ours. Both answer the same four questions: where to look first (`choose`), whether the new mask
asks for another look (`settle`), how large to show a region (`view_size`), and what the answer is
pasted onto (`canvas`).

References
----------
K. Sofiiuk, I. Petrov, O. Barinova, A. Konushin, "f-BRS: Rethinking backpropagating refinement for
interactive segmentation", CVPR 2020, section 3.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..geometry import Box
from ..interactions import Interaction
from .fields import check_fields, make_whole, whole
from .session import Session
from .tiles import TileMap

__all__ = ["FittedZoomIn", "ZoomIn", "fit_size"]


def fit_size(
    shape: tuple[int, int], longest: float, max_enlargement: float = math.inf, least: int = 1
) -> tuple[int, int]:
    """Size that brings the longest side to `longest` pixels and keeps the proportions.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    longest : float
        Wanted longest side.
    max_enlargement : float
        Largest factor allowed.
    least : int
        A side is not reduced below this many pixels (proportions of very thin images give way).
    """
    scale = min(longest / max(shape), max_enlargement)
    height, width = (max(round(side * scale), min(side, least), 1) for side in shape)
    return height, width


def _is_size(value: object) -> bool:
    """Whether this is a side or two sides in pixels."""
    sides = value if isinstance(value, tuple) else (value, value)
    return len(sides) == 2 and all(isinstance(side, int) and side >= 1 for side in sides)


def _pixels(interactions: Sequence[Interaction]) -> list[tuple[int, int]]:
    """Row and column of each pixel that holds a click or a point of a line."""
    return [
        (math.floor(row + 0.5), math.floor(col + 0.5))
        for interaction in interactions
        for row, col in interaction.points
    ]


def _around(box: Box | None, pixels: Sequence[tuple[int, int]], shape: tuple[int, int]) -> Box:
    """Smallest box around a box and pixels, of which those outside the image do not count."""
    found = Box(0, 0, 0, 0) if box is None else box
    for row, col in pixels:
        found = found.union(Box(row, col, row + 1, col + 1).clip(shape))
    return found


def _interval_iou(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Length in common over length from the first start to the last end, of half-open intervals."""
    common = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    union = max(1, max(a[1], b[1]) - min(a[0], b[0]))
    return common / union


def _box_iou(a: Box, b: Box) -> float:
    """Product of the IoUs of rows and of columns, which the published rule takes for the IoU."""
    rows = _interval_iou((a.top, a.bottom), (b.top, b.bottom))
    return rows * _interval_iou((a.left, a.right), (b.left, b.right))


@dataclass(frozen=True)
class ZoomIn:
    """The published rule.

    Parameters
    ----------
    skip_clicks : int
        This many interactions are answered from the whole image first; -1 zooms at once, into the
        whole image while there is no mask; 0 looks again when the first mask turns out small.
    target_size : int or (int, int)
        Longest side of the zoomed view in network pixels, or its exact height and width.
    expansion_ratio : float
        Sides of the region over those of the object.
    min_crop_size : int
        Least side of the region in image pixels.
    recompute_iou : float
        A region is kept while its overlap with the one wanted now is at least this.
    threshold : float
        Probability above which a pixel counts as object here.
    """

    skip_clicks: int = 1
    target_size: int | tuple[int, int] = 400
    expansion_ratio: float = 1.4
    min_crop_size: int = 200
    recompute_iou: float = 0.5
    threshold: float = 0.5

    def __post_init__(self) -> None:
        make_whole(self, "target_size", "min_crop_size", "skip_clicks")
        if isinstance(self.target_size, Iterable):
            object.__setattr__(self, "target_size", tuple(map(whole, self.target_size)))
        check_fields(
            type(self).__name__,
            (
                (self.target_size, _is_size, "target_size (one or two sides in pixels)"),
                (
                    self.expansion_ratio,
                    lambda x: 1 <= x < math.inf,
                    "expansion_ratio (1 or more)",
                ),
                (
                    self.min_crop_size,
                    lambda x: isinstance(x, int) and x >= 1,
                    "min_crop_size (1 or more pixels)",
                ),
                (
                    self.skip_clicks,
                    lambda x: isinstance(x, int) and x >= -1,
                    "skip_clicks (-1 or more)",
                ),
                (self.recompute_iou, lambda x: 0 <= x <= 1, "recompute_iou (0 to 1)"),
                (self.threshold, lambda x: 0 < x < 1, "threshold (between 0 and 1)"),
            ),
        )

    def choose(self, session: Session) -> Box | None:
        """The region for the first look; None for the whole image as it is."""
        if len(session.interactions) <= self.skip_clicks:
            return None
        positive = [item for item in session.interactions if item.positive]
        wanted = self._around_mask(session, _pixels(positive))
        if wanted is None:
            if self.skip_clicks >= 0:
                return None
            wanted = Box.of_shape(session.probabilities.shape)
        old = session.roi
        kept = old is not None and self._holds(old, positive)
        if kept and _box_iou(wanted, old) >= self.recompute_iou:
            return old
        return wanted

    def settle(self, looked: Session, zoomed: int) -> Box | None:
        """The region that the new mask asks for; the one just looked at if that was right.

        Parameters
        ----------
        looked : Session
            With the new probabilities and the region they were seen in.
        zoomed : int
            How often a region was looked at for this click; here one look is always enough.
        """
        if looked.roi is None and self.skip_clicks <= 0:
            wanted = self._around_mask(looked, [])
            whole = Box.of_shape(looked.probabilities.shape)
            if wanted is not None and _box_iou(wanted, whole) < self.recompute_iou:
                return self.choose(looked)
        return looked.roi

    def view_size(self, roi: Box) -> tuple[int, int]:
        """Height and width in network pixels at which a region is shown."""
        if isinstance(self.target_size, tuple):
            return self.target_size
        return fit_size(roi.shape, self.target_size)

    def canvas(self, probabilities: TileMap) -> TileMap:
        """What the answer is pasted onto: zeros, so that all outside the region is lost."""
        return TileMap(probabilities.shape)

    def _around_mask(self, session: Session, pixels: list[tuple[int, int]]) -> Box | None:
        """The expanded box around the mask and pixels; None while there is no mask."""
        shape = session.probabilities.shape
        mask = session.probabilities.bounding_box(self.threshold)
        return None if mask is None else self._expand(_around(mask, pixels, shape), shape)

    def _expand(self, box: Box, shape: tuple[int, int]) -> Box:
        """Grow a box about its centre. One row and column more than asked for, as published."""
        spans = []
        for first, last, length in (
            (box.top, box.bottom - 1, shape[0]),
            (box.left, box.right - 1, shape[1]),
        ):
            half = 0.5 * max(self.expansion_ratio * (last - first + 1), self.min_crop_size)
            centre = 0.5 * (first + last)
            spans.append((max(0, round(centre - half)), min(length - 1, round(centre + half)) + 1))
        (top, bottom), (left, right) = spans
        return Box(top, left, bottom, right)

    @staticmethod
    def _holds(roi: Box, positive: Sequence[Interaction]) -> bool:
        """Whether all points are inside; the last row and column do not count, as published."""
        return all(
            roi.top <= row < roi.bottom - 1 and roi.left <= col < roi.right - 1
            for row, col in _pixels(positive)
        )


@dataclass(frozen=True)
class FittedZoomIn(ZoomIn):
    """Our rule: the region holds the mask and the clicks, grows with the mask, and forgets nothing.

    Differences from the published rule: negative clicks near the object belong to the region too;
    overlap is measured by area; a region that cuts the new mask grows and is looked at again; small
    regions are not enlarged without limit; and what lies outside the region is kept.

    Parameters
    ----------
    max_enlargement : float
        Largest factor by which a region is enlarged.
    max_growths : int
        How often one click may make its region grow.
    """

    skip_clicks: int = 0
    target_size: int | tuple[int, int] = 256
    min_crop_size: int = 64
    max_enlargement: float = 2.0
    max_growths: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        make_whole(self, "max_growths")
        check_fields(
            type(self).__name__,
            (
                (self.max_enlargement, lambda x: x > 0, "max_enlargement (above 0)"),
                (
                    self.max_growths,
                    lambda x: isinstance(x, int) and x >= 0,
                    "max_growths (0 or more)",
                ),
            ),
        )

    def choose(self, session: Session) -> Box | None:
        """See `ZoomIn.choose`."""
        if session.probabilities.bounding_box(self.threshold) is None:
            return None
        return self._fit(session)

    def settle(self, looked: Session, zoomed: int) -> Box | None:
        """See `ZoomIn.settle`; a region that cuts the mask grows on the sides that do."""
        roi = looked.roi
        if roi is None:
            return self._fit(looked) if zoomed == 0 else None
        if zoomed > self.max_growths:
            return roi
        lines = (
            Box(roi.top, roi.left, roi.top + 1, roi.right),
            Box(roi.top, roi.left, roi.bottom, roi.left + 1),
            Box(roi.bottom - 1, roi.left, roi.bottom, roi.right),
            Box(roi.top, roi.right - 1, roi.bottom, roi.right),
        )
        cut = [(looked.probabilities.read(line) > self.threshold).any() for line in lines]
        rows, cols = (roi.height + 1) // 2, (roi.width + 1) // 2
        grown = Box(
            roi.top - rows * cut[0],
            roi.left - cols * cut[1],
            roi.bottom + rows * cut[2],
            roi.right + cols * cut[3],
        ).clip(looked.probabilities.shape)
        return None if grown == Box.of_shape(looked.probabilities.shape) else grown

    def _fit(self, session: Session) -> Box | None:
        """The region around the mask and the clicks, or the old one if it still does."""
        shape = session.probabilities.shape
        if len(session.interactions) <= self.skip_clicks:
            return None
        positive = _pixels([item for item in session.interactions if item.positive])
        negative = _pixels([item for item in session.interactions if not item.positive])
        core = _around(session.probabilities.bounding_box(self.threshold), positive, shape)
        if core.empty:
            return None
        reach = self._expand(self._expand(core, shape), shape)
        near = [*positive, *(pixel for pixel in negative if reach.contains(*pixel))]
        needed = _around(core, near, shape)
        wanted = self._expand(needed, shape)
        whole = Box.of_shape(shape)
        old = whole if session.roi is None else session.roi
        common = old.intersect(wanted).area
        similar = common >= self.recompute_iou * (old.area + wanted.area - common)
        held = all(old.contains(*pixel) for pixel in near if needed.contains(*pixel))
        roi = old if similar and held else wanted
        return None if roi == whole else roi

    def view_size(self, roi: Box) -> tuple[int, int]:
        """See `ZoomIn.view_size`."""
        if isinstance(self.target_size, tuple):
            return self.target_size
        return fit_size(roi.shape, self.target_size, self.max_enlargement, least=32)

    def canvas(self, probabilities: TileMap) -> TileMap:
        """What the answer is pasted onto: the map so far, which stays as it is outside."""
        return probabilities

    def _expand(self, box: Box, shape: tuple[int, int]) -> Box:
        """Grow a box about its centre to the whole pixels asked for, cut to the image."""
        spans = []
        for start, stop in ((box.top, box.bottom), (box.left, box.right)):
            side = max(self.expansion_ratio * (stop - start), self.min_crop_size)
            more = max(0.0, side - (stop - start)) / 2
            spans.append((math.floor(start - more), math.ceil(stop + more)))
        (top, bottom), (left, right) = spans
        return Box(top, left, bottom, right).clip(shape)
