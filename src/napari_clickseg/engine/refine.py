"""An existing mask of an object, moved to the object's edges by the network.

The network is shown the mask as the mask so far, with a click in the middle of each of its
components, and looks again at its own answer where the profile has a cascade. Ours has none here:
further looks drift away from masks that were nearly right (``benchmarks/refine_masks.py``). Without
clicks of a user the mask is trusted as far as it goes: its outline moves within a band, and no part
of it is dropped altogether.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage as ndi

from ..geometry import Box, bounding_box
from ..interactions import Click, Interaction
from ..models.base import ClickModel
from .as_clicks import interior_points
from .edges import RADIUS
from .fitted_zoom_in import FittedZoomIn
from .mask_rule import MaskRule
from .near_outline import distance_within, outline_follows_edges
from .segmenter import Segmenter
from .session import Session, set_pixels
from .tiles import TileMap

__all__ = ["MaskRefiner", "RefinedMask", "band_width", "near_mask"]

LOOK = 512  # network pixels along the longer side of an object and what is around it
BAND = 14  # pixels to either side of the outline, within which it moves at least
STEPS = 1.75  # half width of the band in steps of a mask that was enlarged
LARGEST_STEP, FEWEST_EDGES = 64, 8  # what counts as enlarged: pixels, and places of steps seen
TRUST = 0.7  # probability that speaks for the mask at the border of the band, up to `MOST`
MOST = 0.45
KEPT = 0.25  # part of a component that is left at least; otherwise all of it stays
TINY = 9  # pixels of a component that does not get smaller
EIGHT = np.ones((3, 3), bool)  # neighbours that make a component
Stop = Callable[[], bool] | None


@dataclass(frozen=True, eq=False)
class RefinedMask:
    """What became of a mask.

    Attributes
    ----------
    box : Box
        In image pixels; nothing of the mask lies outside.
    mask : (h, w) bool array
        In the box.
    probabilities : (h, w) float32 array
        What the network answered there, 0..1; 0 where it was not asked.
    doubt : float
        0..1: how little the network's answer and the mask agree, and how unsure it was.
    """

    box: Box
    mask: np.ndarray
    probabilities: np.ndarray
    doubt: float


class MaskRefiner:
    """Refines masks of an image, one object after the other.

    Parameters
    ----------
    model : ClickModel, str or path
        As for `Segmenter`; one that looks at the mask so far.
    profile, **overrides
        As for `Segmenter`.

    Raises
    ------
    ValueError
        If the model cannot start from a mask, or an option is impossible.
    """

    def __init__(
        self,
        model: ClickModel | str | os.PathLike[str],
        profile: str | None = None,
        **overrides: Any,
    ) -> None:
        segmenter = Segmenter(model, profile, **overrides)
        zoom_in = segmenter.profile.zoom_in
        if isinstance(zoom_in, FittedZoomIn) and "zoom_in" not in overrides:
            closer = {**overrides, "zoom_in": {"target_size": LOOK}}
            segmenter = Segmenter(segmenter.predictor.model, profile, **closer)
        self._segmenter = segmenter
        self.predictor, self.profile = segmenter.predictor, segmenter.profile
        self._rule = MaskRule.of(self.profile)
        self.predictor.keeps_detail = False  # the outline is what is in question
        spec = self.predictor.model.spec
        if not spec.takes_prev_mask:
            raise ValueError(
                f"The model {spec.architecture} does not look at an existing mask. "
                "Choose one that takes the previous mask."
            )

    def set_image(self, image: Any, contrast_limits: Sequence[float] | None = None) -> None:
        """Take an image, as `Segmenter.set_image` does."""
        self._segmenter.set_image(image, contrast_limits)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self._segmenter.history.present.shape

    def refine(
        self,
        mask: np.ndarray,
        place: tuple[int, int] = (0, 0),
        interactions: Sequence[Interaction] = (),
        cancelled: Stop = None,
    ) -> RefinedMask:
        """Refine one object.

        Parameters
        ----------
        mask : (h, w) array
            At least one pixel of it is neither 0 nor NaN.
        place : (int, int)
            Row and column of its first pixel in the image.
        interactions : sequence of Interaction
            What a user said about the object, in image pixels. With any, the mask may change
            everywhere; without, a click per component is made and the outline moves a little.
        cancelled : callable, optional
            Asked before each call of the network.

        Raises
        ------
        ValueError
            If the mask is empty, no plane or not inside the image, or an interaction is outside.
        Cancelled
            If `cancelled` answered true.
        """
        mask = set_pixels(mask)
        if mask.ndim != 2:
            raise ValueError(f"A mask is (H, W), and this one {mask.shape}. Give one plane of it.")
        whole = Box.of_shape(mask.shape).shift(*place)
        inner = bounding_box(mask)
        if inner is None or whole.clip(self.shape) != whole:
            raise ValueError(
                f"A mask at {whole} has no pixel, or does not fit the image of {self.shape[0]} x "
                f"{self.shape[1]} pixels. Give masks of the image's objects."
            )
        mask, box = mask[inner.slices], inner.shift(*place)
        if interactions:
            return self._with_clicks(mask, box, interactions, cancelled)
        band = band_width(mask)
        window = _grown(box, band + 2 * RADIUS, self.shape)
        start = _placed(mask, box, window)
        answer = self._answer(start, window, band, cancelled)
        refined = near_mask(start, answer, band, self.profile.threshold)
        refined = self._cleaned(refined, window)
        return RefinedMask(window, refined, answer, _doubt(start, refined, answer))

    def _answer(self, mask: np.ndarray, window: Box, band: int, cancelled: Stop) -> np.ndarray:
        """Probabilities in a window, half of them made to follow the edges of the image."""
        answer = np.zeros(window.shape, np.float32)
        for inside, part in _parts(mask, band):
            box = inside.shift(window.top, window.left)
            clicks = [Click(row + box.top, col + box.left) for row, col in _centres(part)]
            session = self._look(part, box, clicks, cancelled)
            near = _grown(inside, band + 2 * RADIUS, window.shape)
            found = session.probabilities.read(near.shift(window.top, window.left))
            answer[near.slices] = np.maximum(answer[near.slices], found)
        pixels = session.reader.read(window)
        return (answer + outline_follows_edges(pixels, session.contrast_limits, answer)) / 2

    def _look(
        self, mask: np.ndarray, box: Box, interactions: Sequence[Interaction], cancelled: Stop
    ) -> Session:
        """The network's answer to a mask in a box of the image and to interactions."""
        tiles = TileMap(self.shape).paste(box, mask)
        session = replace(self._segmenter.history.present, start_mask=tiles).restart()
        for interaction in interactions:
            session = session.add(interaction)
        session = self.predictor.run(session, cancelled)
        for finer in self.predictor.follow_edges(session, cancelled):
            session = finer
        return session

    def _with_clicks(
        self, mask: np.ndarray, box: Box, interactions: Sequence[Interaction], cancelled: Stop
    ) -> RefinedMask:
        """What a user said counts more than where the mask was."""
        session = self._look(mask, box, interactions, cancelled)
        threshold = self.profile.threshold
        found = session.probabilities.bounding_box(threshold) or box
        window = found.union(box)
        answer = session.probabilities.read(window)
        refined = answer > threshold
        start = _placed(mask, box, window)
        if not refined.any():
            refined = start
        refined = self._cleaned(refined, window, interactions)
        return RefinedMask(window, refined, answer, _doubt(start, refined, answer))

    def _cleaned(
        self, mask: np.ndarray, window: Box, said: Sequence[Interaction] = ()
    ) -> np.ndarray:
        """A mask in a window with holes, parts and outline as the profile wants them."""
        if self._rule.only_threshold:
            return mask
        session = replace(
            self._segmenter.history.present,
            probabilities=TileMap(self.shape).paste(window, mask),
            interactions=tuple(said),
            predicted=len(said),
        )
        return self._rule.view(session).read(window)


def band_width(mask: np.ndarray) -> int:
    """How far the outline of a mask may move, in pixels: farther for one that was enlarged.

    An enlarged mask (nearest pixel) has its steps at places that lie regularly apart.
    """
    step = LARGEST_STEP
    for axis in (0, 1):
        changes = np.diff(mask, axis=axis).any(axis=1 - axis)
        places = np.flatnonzero(changes)
        if len(places) < FEWEST_EDGES:
            return BAND
        step = min(step, int(np.diff(places).min()))
    return max(BAND, round(STEPS * step))


def near_mask(
    start: np.ndarray, answer: np.ndarray, band: int = BAND, threshold: float = 0.5
) -> np.ndarray:
    """An answer where it is near the outline of a mask, the mask itself elsewhere.

    The farther from the outline, the surer the answer has to be. Parts of the mask that the answer
    would drop altogether stay as they were, such as thin ones and small components; parts of the
    answer that do not touch the mask do not count.

    Parameters
    ----------
    start : (H, W) bool array
    answer : (H, W) float32 array
        Probabilities, 0..1.
    band : int
        Pixels to either side of the outline, within which it moves.
    threshold : float
        Of the answer, right at the outline.

    Returns
    -------
    (H, W) bool array
    """
    outside, inside = distance_within(start, band), distance_within(~start, band)
    for_mask = np.clip((inside - outside) * (TRUST / band), -MOST, MOST)
    refined = np.where(np.maximum(outside, inside) <= band, answer > threshold - for_mask, start)
    joined, _ = ndi.label(refined, EIGHT)
    refined &= np.isin(joined, np.unique(joined[start & refined]))
    parts, count = ndi.label(start, EIGHT)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    left = np.bincount(parts[refined], minlength=count + 1)
    dropped = (left < KEPT * sizes) | (sizes < TINY)
    dropped[0] = False
    refined |= dropped[parts]
    lost = start & (distance_within(refined, band) > band)
    return refined | (start & (distance_within(lost, band) <= band)) if lost.any() else refined


def _parts(mask: np.ndarray, band: int) -> Iterator[tuple[Box, np.ndarray]]:
    """Boxes and pixels of the parts that are farther from each other than their bands reach."""
    joined, _ = ndi.label(distance_within(mask, band) <= band, EIGHT)
    for number, place in enumerate(ndi.find_objects(joined), start=1):
        part = mask[place] & (joined[place] == number)
        inner = bounding_box(part)
        yield inner.shift(place[0].start, place[1].start), part[inner.slices]


def _centres(mask: np.ndarray) -> list[tuple[int, int]]:
    """The deepest pixel of each component."""
    parts, _ = ndi.label(mask, EIGHT)
    found = []
    for number, place in enumerate(ndi.find_objects(parts), start=1):
        [(row, col)] = interior_points(parts[place] == number)
        found.append((row + place[0].start, col + place[1].start))
    return found


def _doubt(start: np.ndarray, refined: np.ndarray, answer: np.ndarray) -> float:
    """How far a result may be off, as a part of its area: what the network would have otherwise."""
    near = distance_within(start | refined, BAND) <= BAND
    against = np.where(refined, 1 - answer, answer)
    return float(np.clip(against[near].sum() / max(1, np.count_nonzero(refined)), 0, 1))


def _grown(box: Box, by: int, shape: tuple[int, int]) -> Box:
    return Box(box.top - by, box.left - by, box.bottom + by, box.right + by).clip(shape)


def _placed(mask: np.ndarray, box: Box, window: Box) -> np.ndarray:
    """A mask in a box as part of a larger window."""
    placed = np.zeros(window.shape, bool)
    placed[box.shift(-window.top, -window.left).slices] = mask
    return placed
