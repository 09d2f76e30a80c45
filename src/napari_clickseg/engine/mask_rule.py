"""From probabilities to the mask that is shown: threshold, holes, parts, outline.

This is the last step of the pipe, and a view: what the network answered stays as it is, so that
undo is exact and the rule may change at any time without asking the network again. What the user
said or painted is never cleaned away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from scipy.ndimage import gaussian_filter

from ..geometry import Box
from ..interactions import BoxPrompt, Click, Contour, Interaction, Stroke
from .as_clicks import stand_ins
from .regions import Regions
from .session import Session
from .tiles import TILE, Key, MaskView, TileMap, cells

if TYPE_CHECKING:
    from .profiles import Profile

__all__ = ["MaskRule"]

NEAR = 2  # pixels from a click within which a part counts as touched
TAIL = 3  # standard deviations that smoothing reaches
Pixel = tuple[int, int]

_known: WeakKeyDictionary[Session, tuple[MaskRule, TileMap]] = WeakKeyDictionary()


@dataclass(frozen=True)
class MaskRule:
    """What of the probabilities is mask. The fields are those of `Profile`."""

    threshold: float
    fill_holes: bool = False
    keep_parts: str = "all"
    min_size: int = 0
    smooth: float = 0.0

    @classmethod
    def of(cls, profile: Profile) -> MaskRule:
        """The rule of a profile."""
        return cls(
            profile.threshold,
            profile.fill_holes,
            profile.keep_parts,
            profile.min_size,
            profile.smooth,
        )

    @property
    def only_threshold(self) -> bool:
        """Whether nothing is cleaned."""
        return self == MaskRule(self.threshold)

    def apply(self, session: Session) -> TileMap:
        """Probabilities of which those above the threshold are the mask.

        They are the session's own but where something is cleaned: 1 for what comes to the mask, 0
        for what leaves it. A mask that was painted, opened or taken from elsewhere is left as it is
        until the network has answered. The last result of each session is remembered.
        """
        source = session.probabilities
        if self.only_threshold or source is session.start_mask or source is session.given:
            return source
        known = _known.get(session)
        if known is None or known[0] != self:
            known = _known[session] = self, _Cleaning(self, session).run()
        return known[1]

    def view(self, session: Session) -> MaskView:
        """The mask, ``(H, W)`` bool, kept as tiles."""
        return MaskView(self.apply(session), self.threshold)


class _Cleaning:
    """The steps, one after the other, of one session under one rule."""

    def __init__(self, rule: MaskRule, session: Session) -> None:
        self._rule, self._session = rule, session
        self._tiles = session.probabilities
        said = session.interactions[: session.predicted]
        self._on = {pixel for item in said if item.positive for pixel in _pixels(item, session)}
        self._off = {
            pixel for item in said if not item.positive for pixel in _pixels(item, session)
        }

    def run(self) -> TileMap:
        rule = self._rule
        if rule.fill_holes:
            self._fill_holes()
        if rule.keep_parts != "all" or rule.min_size > 1:
            self._drop_parts()
        if rule.smooth:
            self._smooth()
        return self._tiles

    @property
    def _mask(self) -> MaskView:
        return MaskView(self._tiles, self._rule.threshold)

    def _swap(self, changes: Iterable[tuple[Box, np.ndarray]]) -> None:
        """Make object of background, and the other way round: pixels as bool in boxes of tiles."""
        parts = []
        for box, where in changes:
            values = self._tiles.read(box)
            values[where] = values[where] <= self._rule.threshold
            parts.append((box, values))
        self._tiles = self._tiles.paste_parts(parts)

    def _fill_holes(self) -> None:
        """Background that the object surrounds, unless it was said or painted to be background."""
        holes = _holes(self._mask)
        if holes is None:
            return
        regions, filled = holes
        for pixel in self._off:
            filled[list(regions.at(*pixel))] = False
        start = self._session.start_mask
        before = None if start is None else _holes(MaskView(start, 0.5))
        if before is not None:
            open_ones = TileMap(start.shape).paste_parts(before[0].pixels(before[1]))
            filled &= regions.overlap(MaskView(open_ones, 0.5).read) == 0
        self._swap(regions.pixels(filled))

    def _drop_parts(self) -> None:
        """Parts that are too small, or not among those to keep."""
        mask, rule = self._mask, self._rule
        box = mask.bounding_box()
        if box is None:
            return
        regions = Regions(mask.read, cells(box), corners=True)
        said = np.zeros(len(regions.sizes), bool)
        for pixel in self._on:
            said[list(regions.at(*pixel, NEAR))] = True
        clicked = said.any()
        if self._session.start_mask is not None:
            said |= regions.overlap(MaskView(self._session.start_mask, 0.5).read) > 0
        dropped = regions.sizes < rule.min_size
        if rule.keep_parts == "largest":
            dropped |= regions.sizes < regions.sizes.max()
        elif rule.keep_parts == "clicked" and clicked:
            dropped[:] = True
        dropped &= ~said
        dropped[0] = False
        if not dropped[1:].all():  # a mask is not cleaned away altogether
            self._swap(regions.pixels(dropped))

    def _smooth(self) -> None:
        """Round the outline; what was said stays as it was, and no part is lost altogether."""
        flips, mask = dict(self._flips()), self._mask
        if not flips:
            return
        parts = Regions(mask.read, cells(mask.bounding_box()), corners=True)
        gone = parts.overlap(lambda box: _in_tile(flips, box)) == parts.sizes
        gone[0] = False
        for box, where in parts.pixels(gone):
            _in_tile(flips, box)[where] = False
        for was, said in ((True, self._on), (False, self._off)):
            if any(_flipped(flips, pixel) for pixel in said):
                self._keep(flips, was, said)
        self._swap(flips.values())

    def _flips(self) -> Iterator[tuple[Key, tuple[Box, np.ndarray]]]:
        """Tiles in which smoothing changes the mask, and where."""
        mask, sigma = self._mask, self._rule.smooth
        box, shape = mask.bounding_box(), mask.shape
        reach = math.ceil(TAIL * sigma)
        for key, cell in cells(Box(0, 0, 0, 0) if box is None else _grown(box, reach, shape)):
            window = _grown(cell, reach, shape)
            piece = mask.read(window)
            if piece.all() or not piece.any():
                continue
            smooth = gaussian_filter(piece.astype(np.float32), sigma, truncate=TAIL) > 0.5
            flip = (smooth != piece)[cell.shift(-window.top, -window.left).slices]
            if flip.any():
                yield key, (cell, flip)

    def _keep(
        self, flips: dict[Key, tuple[Box, np.ndarray]], was: bool, pixels: set[Pixel]
    ) -> None:
        """Take back the changes that are connected with what was said."""
        mask = self._mask

        def changed(box: Box) -> np.ndarray:
            return _in_tile(flips, box) & (mask.read(box) == was)

        regions = Regions(changed, [(key, box) for key, (box, _) in flips.items()], corners=True)
        kept = np.zeros(len(regions.sizes), bool)
        for pixel in pixels:
            kept[list(regions.at(*pixel))] = True
        for box, where in regions.pixels(kept):
            _in_tile(flips, box)[where] = False


def _holes(mask: MaskView) -> tuple[Regions, np.ndarray] | None:
    """Regions of background, and which of them the mask surrounds; None if there is no mask."""
    box = mask.bounding_box()
    if box is None:
        return None
    regions = Regions(lambda part: ~mask.read(part), cells(box), corners=False)
    inside = ~regions.cut_by(box)
    inside[0] = False
    return regions, inside


def _in_tile(flips: dict[Key, tuple[Box, np.ndarray]], box: Box) -> np.ndarray:
    """What is known of a box within a tile: a view of it, or nothing."""
    known = flips.get((box.top // TILE, box.left // TILE))
    if known is None or box.intersect(known[0]) != box:
        return np.zeros(box.shape, bool)
    return known[1][box.shift(-known[0].top, -known[0].left).slices]


def _flipped(flips: dict[Key, tuple[Box, np.ndarray]], pixel: Pixel) -> bool:
    row, col = pixel
    return bool(_in_tile(flips, Box(row, col, row + 1, col + 1)).any())


def _pixels(item: Interaction, session: Session) -> set[Pixel]:
    """Pixels of the image that something says about; a box says nothing about single ones."""
    image = Box.of_shape(session.shape)
    if isinstance(item, Click):
        found = {item.pixel}
    elif isinstance(item, BoxPrompt):
        found = set()
    else:
        points = item.points if isinstance(item, Stroke) else (*item.points, item.points[0])
        found = {p for a, b in zip(points, points[1:], strict=False) for p in _line(a, b)}
        if isinstance(item, Contour):
            found |= {click.pixel for click in stand_ins(item, session.shape)}
    return {pixel for pixel in found if image.contains(*pixel)}


def _line(a: tuple[float, float], b: tuple[float, float]) -> Iterator[Pixel]:
    """The pixels from one point to another."""
    steps = max(1, math.ceil(max(abs(b[0] - a[0]), abs(b[1] - a[1]))))
    for part in np.linspace(0, 1, steps + 1):
        row, col = a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])
        yield math.floor(row + 0.5), math.floor(col + 0.5)


def _grown(box: Box, by: int, shape: tuple[int, int]) -> Box:
    return Box(box.top - by, box.left - by, box.bottom + by, box.right + by).clip(shape)
