"""ZoomIn as `clickseg` does it: the region holds mask and clicks, grows, and forgets nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..geometry import Box
from ..interactions import Interaction
from .fields import check_fields, make_whole
from .session import Session
from .tiles import TileMap
from .zoom_in import ZoomIn, around, fit_size, pixels_of

__all__ = ["FittedZoomIn"]

NOTHING = Box(0, 0, 0, 0)
SURE = 0.75  # mean probability inside a mask from which on the network has recognised something
SAMPLES = 256  # pixels along the longer side that this is measured on


@dataclass(frozen=True)
class FittedZoomIn(ZoomIn):
    """Our rule: the region holds the mask and the clicks, grows with the mask, and forgets nothing.

    Differences from the published rule: in large images the object is looked for around the click
    or in what the user sees; negative clicks near the object belong to the region too; overlap is
    measured by area; a region that cuts the new mask grows and is looked at again; small regions
    are not enlarged without limit; and what lies outside the region is kept.

    Parameters
    ----------
    max_enlargement : float
        Largest factor by which a region is enlarged.
    max_growths : int
        How often one click may make its region grow.
    first_window : int
        Side in image pixels of the square in which an object is looked for, in images that are
        larger and where it is not known what the user sees. It grows while it cuts the mask, or
        while the network is not sure of what it sees.
    search_size : int
        Longest side in network pixels of the views in such a window, which are glances: not
        mirrored, not refined, and replaced by the answer of a full look.
    """

    skip_clicks: int = 0
    target_size: int | tuple[int, int] = 256
    min_crop_size: int = 64
    max_enlargement: float = 2.0
    max_growths: int = 2
    first_window: int = 2048
    search_size: int = 192
    limited: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        make_whole(self, "max_growths", "first_window", "search_size")
        check_fields(
            type(self).__name__,
            (
                (self.max_enlargement, lambda x: x > 0, "max_enlargement (above 0)"),
                (
                    self.max_growths,
                    lambda x: isinstance(x, int) and x >= 0,
                    "max_growths (0 or more)",
                ),
                (
                    self.first_window,
                    lambda x: isinstance(x, int) and x >= 64,
                    "first_window (64 or more pixels)",
                ),
                (
                    self.search_size,
                    lambda x: isinstance(x, int) and x >= 64,
                    "search_size (64 or more pixels)",
                ),
            ),
        )

    def choose(self, session: Session, counted: Sequence[Interaction]) -> Box | None:
        """See `ZoomIn.choose`."""
        if session.probabilities.bounding_box(self.threshold) is None:
            return self._search(session, counted)
        return self._fit(session, counted)

    def settle(
        self, looked: Session, counted: Sequence[Interaction], zoomed: int, searching: bool = False
    ) -> tuple[Box | None, bool]:
        """See `ZoomIn.settle`; a region that cuts the mask grows on the sides that do."""
        roi = looked.roi
        if roi is None or roi == looked.region:
            return (self._fit(looked, counted) if zoomed == 0 else roi), False
        grown = self._grown(looked, roi)
        if searching and looked.viewport is None and grown == roi and not self._sure(looked, roi):
            grown = self._outwards(roi, (True,) * 4, looked.shape)
        if searching:
            return (grown, True) if grown != roi else (self._fit(looked, counted), False)
        return (roi if zoomed > self.max_growths else grown), False

    def _grown(self, looked: Session, roi: Box) -> Box | None:
        """The region with those sides farther out that cut the mask; None for the whole image."""
        lines = (
            Box(roi.top, roi.left, roi.top + 1, roi.right),
            Box(roi.top, roi.left, roi.bottom, roi.left + 1),
            Box(roi.bottom - 1, roi.left, roi.bottom, roi.right),
            Box(roi.top, roi.right - 1, roi.bottom, roi.right),
        )
        cut = [(looked.probabilities.read(line) > self.threshold).any() for line in lines]
        return self._outwards(roi, cut, looked.shape)

    @staticmethod
    def _outwards(roi: Box, sides: Sequence[bool], shape: tuple[int, int]) -> Box | None:
        """The region with top, left, bottom, right half its size farther out, where asked for."""
        rows, cols = (roi.height + 1) // 2, (roi.width + 1) // 2
        grown = Box(
            roi.top - rows * sides[0],
            roi.left - cols * sides[1],
            roi.bottom + rows * sides[2],
            roi.right + cols * sides[3],
        ).clip(shape)
        return None if grown == Box.of_shape(shape) else grown

    def _sure(self, looked: Session, roi: Box) -> bool:
        """Whether the network is; inside of something larger than the region it is not."""
        values = looked.probabilities.read(roi, max(1, max(roi.shape) // SAMPLES))
        inside = values[values > self.threshold]
        return inside.size > 0 and bool(inside.mean() >= SURE)

    def _search(self, session: Session, counted: Sequence[Interaction]) -> Box | None:
        """Where to look for an object: what the user sees, or around the click in large images."""
        whole = Box.of_shape(session.shape)
        if session.viewport is not None:
            seen = session.viewport.clip(session.shape)
            return None if seen == whole or seen.empty else self._expand(seen, session.shape)
        clicks = pixels_of([item for item in counted if item.positive][-1:])
        if max(session.shape) <= self.first_window or not clicks:
            return None
        row, col = clicks[0]
        half, (height, width) = self.first_window // 2, session.shape
        top = max(0, min(row - half, height - 2 * half))
        left = max(0, min(col - half, width - 2 * half))
        return Box(top, left, top + 2 * half, left + 2 * half).clip(session.shape)

    def _fit(self, session: Session, counted: Sequence[Interaction]) -> Box | None:
        """The region around the mask and the clicks, or the old one if it still does."""
        shape = session.probabilities.shape
        if len(session.interactions) <= self.skip_clicks:
            return None
        positive = pixels_of([item for item in counted if item.positive])
        negative = pixels_of([item for item in counted if not item.positive])
        mask = session.probabilities.bounding_box(self.threshold)
        core = around(mask or NOTHING, positive, shape)
        if core.empty:
            return None
        reach = self._expand(self._expand(core, shape), shape)
        near = [*positive, *(pixel for pixel in negative if reach.contains(*pixel))]
        needed = around(core, near, shape)
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
        longest = self.target_size or max(roi.shape)
        return fit_size(roi.shape, longest, self.max_enlargement, least=32)

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
