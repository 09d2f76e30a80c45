"""ZoomIn: looking at the object instead of the whole image.

`ZoomIn` and `TypedZoomIn` are the published rules with their oddities, which published scores
depend on; `fitted_zoom_in` holds ours. All answer the same four questions: where to look first
(`choose`), whether the new mask asks for another look (`settle`), how large to show a region
(`view_size`), and what the answer is pasted onto (`canvas`).

References
----------
K. Sofiiuk, I. Petrov, O. Barinova, A. Konushin, "f-BRS: Rethinking backpropagating refinement for
interactive segmentation", CVPR 2020, section 3.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..geometry import Box
from ..interactions import Click, Contour, Interaction, Stroke
from .fields import check_fields, is_size, make_whole, whole_sides
from .session import Session
from .tiles import TileMap

__all__ = ["TypedZoomIn", "ZoomIn", "around", "fit_size", "pixels_of"]


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


def truncated(interactions: Sequence[Interaction]) -> list[tuple[int, int]]:
    """Rows and columns of clicks and points of lines without their fractions, as published."""
    return [(int(row), int(col)) for item in interactions for row, col in item.points]


def pixels_of(interactions: Sequence[Interaction]) -> list[tuple[int, int]]:
    """Row and column of each pixel that holds a click or a point of a line."""
    return [
        (math.floor(row + 0.5), math.floor(col + 0.5))
        for interaction in interactions
        for row, col in interaction.points
    ]


def around(box: Box, pixels: Sequence[tuple[int, int]], shape: tuple[int, int]) -> Box:
    """Smallest box around a box and pixels, of which those outside the image do not count."""
    for row, col in pixels:
        box = box.union(Box(row, col, row + 1, col + 1).clip(shape))
    return box


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
        whole image while there is no mask (as in RITM and later; f-BRS's own code shows the image
        at its own resolution then); 0 looks again when the first mask turns out small.
    target_size : int or (int, int)
        Longest side of the zoomed view in network pixels, or its exact height and width; 0 shows
        regions at the image's own resolution.
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

    search_size: ClassVar[int | None] = None  # of views that only search, in network pixels
    limited: ClassVar[bool] = True  # whether a profile's `network_size` limits regions, too

    def __post_init__(self) -> None:
        make_whole(self, "target_size", "min_crop_size", "skip_clicks")
        if isinstance(self.target_size, Iterable):
            object.__setattr__(self, "target_size", whole_sides(self.target_size))
        check_fields(
            type(self).__name__,
            (
                (
                    self.target_size,
                    lambda x: is_size(x) or x == 0,
                    "target_size (one or two sides in pixels, or 0)",
                ),
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

    def choose(self, session: Session, counted: Sequence[Interaction]) -> Box | None:
        """The region for the first look; None for the whole image as it is.

        Parameters
        ----------
        session : Session
        counted : sequence of Interaction
            Those of its interactions that count.
        """
        skip = self._skip(session)
        if len(session.interactions) <= skip:
            return None
        wanted = self._wanted(session, counted)
        if wanted is None:
            return None if skip >= 0 else Box.of_shape(session.probabilities.shape)
        old = session.roi
        kept = old is not None and self._holds(old, counted)
        return old if kept and _box_iou(wanted, old) >= self.recompute_iou else wanted

    def settle(
        self, looked: Session, counted: Sequence[Interaction], zoomed: int, searching: bool = False
    ) -> tuple[Box | None, bool]:
        """The region that the new mask asks for, and whether the search for the object goes on.

        It is the region just looked at if that was right.

        Parameters
        ----------
        looked : Session
            With the new probabilities and the region they were seen in.
        counted : sequence of Interaction
            See `choose`.
        zoomed : int
            How often a region around the mask was looked at for this click; here one look is
            always enough.
        searching : bool
            Whether the look was one of a search, because there was no mask before.
        """
        if looked.roi is None and self._skip(looked) <= 0:
            mask = looked.probabilities.bounding_box(self.threshold)
            whole = Box.of_shape(looked.shape)
            if mask and _box_iou(self._expand(mask, looked.shape), whole) < self.recompute_iou:
                return self.choose(looked, counted), False
        return looked.roi, False

    def view_size(self, roi: Box) -> tuple[int, int]:
        """Height and width in network pixels at which a region is shown."""
        if isinstance(self.target_size, tuple):
            return self.target_size
        return fit_size(roi.shape, self.target_size or max(roi.shape))

    def canvas(self, probabilities: TileMap) -> TileMap:
        """What the answer is pasted onto: zeros, so that all outside the region is lost."""
        return TileMap(probabilities.shape)

    def _skip(self, session: Session) -> int:
        """How many interactions are answered from the whole image."""
        return self.skip_clicks

    def _wanted(self, session: Session, counted: Sequence[Interaction]) -> Box | None:
        """The region that the mask and positive clicks ask for; None while there is no mask."""
        mask = session.probabilities.bounding_box(self.threshold)
        if mask is None:
            return None
        positive = [item for item in counted if item.positive]
        return self._expand(around(mask, truncated(positive), session.shape), session.shape)

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

    def _holds(self, roi: Box, counted: Sequence[Interaction]) -> bool:
        """Whether all that has to be is inside; the last row and column do not count, as published.

        Of clicks only the positive ones have to be.
        """
        needed = [item for item in counted if item.positive or not isinstance(item, Click)]
        return all(
            roi.top <= row < roi.bottom - 1 and roi.left <= col < roi.right - 1
            for item in needed
            for row, col in item.points
        )


@dataclass(frozen=True)
class TypedZoomIn(ZoomIn):
    """The published rule of SAIC-IS: it knows strokes and contours, which show where to look.

    Parameters
    ----------
    skip_contours, skip_strokes : int
        As `skip_clicks`, where the latest interaction is one of these.

    """

    skip_contours: int = -1
    skip_strokes: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        make_whole(self, "skip_contours", "skip_strokes")
        check_fields(
            type(self).__name__,
            (
                (value, lambda x: isinstance(x, int) and x >= -1, f"{name} (-1 or more)")
                for name, value in (
                    ("skip_contours", self.skip_contours),
                    ("skip_strokes", self.skip_strokes),
                )
            ),
        )

    def _skip(self, session: Session) -> int:
        latest = session.interactions[-1]
        if isinstance(latest, Contour):
            return self.skip_contours
        return self.skip_strokes if isinstance(latest, Stroke) else self.skip_clicks

    def _wanted(self, session: Session, counted: Sequence[Interaction]) -> Box | None:
        """The region around the mask and what was drawn; a stroke asks for a band of the image."""
        box = session.probabilities.bounding_box(self.threshold) or Box(0, 0, 0, 0)
        for item in counted:
            if item.positive:
                drawn = around(Box(0, 0, 0, 0), truncated([item]), session.shape)
                if isinstance(item, Stroke):
                    drawn = self._band(drawn, session.shape)
                box = box.union(drawn)
        return None if box.empty else self._expand(box, session.shape)

    @staticmethod
    def _band(drawn: Box, shape: tuple[int, int]) -> Box:
        """All columns beside a high stroke, all rows above and below a wide one."""
        if drawn.height > drawn.width:
            return Box(drawn.top, 0, drawn.bottom, shape[1])
        return Box(0, drawn.left, shape[0], drawn.right)
