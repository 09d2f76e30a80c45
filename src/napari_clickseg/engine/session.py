"""One object being segmented, as a value, and its past and future."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.readers import ImageReader
from ..geometry import Box
from ..interactions import BoxPrompt, Click, Interaction
from .tiles import TILE, Key, MaskView, TileMap

if TYPE_CHECKING:
    from .brs import Refinement

__all__ = ["History", "Session", "only_inside", "set_pixels", "within"]


@dataclass(frozen=True, eq=False)
class Session:
    """One object: the image, what the user said, and what the network answered so far.

    Attributes
    ----------
    reader : ImageReader
    contrast_limits : (float, float)
        Image values that the network sees as black and white.
    probabilities : TileMap
        ``(H, W)``, 0..1.
    interactions : tuple of Interaction
        Oldest first, in image pixels.
    predicted : int
        How many of the interactions the probabilities know of.
    asked : tuple of int
        After which numbers of interactions the network was asked, to do the same again.
    given : TileMap or None
        A finished mask that the object was opened with; it counts as it is until it changes.
    known : int
        How many of the interactions the start mask knows of: it was painted over what they gave.
    roi : Box or None
        The region that was looked at last; None for the whole image.
    start_mask : TileMap or None
        The mask that the object was started from, as probabilities of 0 and 1.
    refinement : Refinement or None
        What the last backpropagating refinement found; the next one starts from it.
    region : Box or None
        The part of the image that the object is confined to; None for all of it.
    viewport : Box or None
        What the user looked at with the first click; None if that is not known.
    coarse : mapping of (int, int) to float
        Tiles whose boundary waits for the detail of full resolution, with the scale (network
        pixels per image pixel) that they were answered at.
    """

    reader: ImageReader
    contrast_limits: tuple[float, float]
    probabilities: TileMap
    interactions: tuple[Interaction, ...] = ()
    predicted: int = 0
    roi: Box | None = None
    start_mask: TileMap | None = None
    refinement: Refinement | None = None
    region: Box | None = None
    viewport: Box | None = None
    coarse: Mapping[Key, float] = field(default_factory=dict)
    asked: tuple[int, ...] = ()
    known: int = 0
    given: TileMap | None = None

    @classmethod
    def of_image(cls, reader: ImageReader, contrast_limits: tuple[float, float]) -> Session:
        """A new object without a mask."""
        return cls(reader, contrast_limits, TileMap(reader.shape[:2]))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.probabilities.shape

    @property
    def offset(self) -> int:
        """The number of the first interaction, as published: a start mask counts like one."""
        return 0 if self.start_mask is None else 1

    def add(self, interaction: Interaction) -> Session:
        """The session with one interaction more, not yet predicted.

        Raises
        ------
        ValueError
            If it does not touch the image.
        """
        self._check_inside(interaction)
        return replace(self, interactions=(*self.interactions, interaction))

    def replace_interactions(self, interactions: Iterable[Interaction]) -> Session:
        """The session with these interactions instead.

        If they only add to the ones there are, the probabilities stay; otherwise the object starts
        again from its start mask, or from nothing.

        Raises
        ------
        ValueError
            If one does not touch the image.
        """
        wanted = tuple(interactions)
        for interaction in wanted:
            self._check_inside(interaction)
        if wanted[: self.predicted] == self.interactions[: self.predicted]:
            return replace(self, interactions=wanted)
        return replace(self.restart(), interactions=wanted)

    def _check_inside(self, interaction: Interaction) -> None:
        """Raise ValueError if an interaction does not touch the image, or the region."""
        allowed = self.region or Box.of_shape(self.shape)
        if isinstance(interaction, BoxPrompt):
            if interaction.box.empty:
                raise ValueError(
                    f"{interaction.box} holds no pixel. Give its top above its bottom, and its "
                    "left before its right."
                )
            inside = not interaction.box.intersect(allowed).empty
        else:
            inside = any(allowed.contains(row, col) for row, col in interaction.points)
        if inside:
            return
        what = interaction.kind
        if isinstance(interaction, Click):
            what = f"click at row {interaction.row:g}, column {interaction.col:g}"
        of = f"image of {self.shape[0]} x {self.shape[1]} pixels"
        if self.region is not None:
            of = f"box that the object is confined to ({allowed})"
        raise ValueError(f"The {what} lies outside the {of}. Place it inside.")

    def restart(self) -> Session:
        """The session before its first interaction."""
        start = TileMap(self.shape) if self.start_mask is None else self.start_mask
        return replace(
            self,
            probabilities=start,
            interactions=(),
            predicted=0,
            roi=None,
            refinement=None,
            coarse={},
            asked=(),
            known=0,
        )

    def with_mask(self, mask: np.ndarray | Sequence[Sequence[float]]) -> Session:
        """A session of the same image that starts from a mask.

        Parameters
        ----------
        mask : (H, W) array
            Anything sliceable of the image's shape, or nested lists; non-zero is object, but not
            NaN. What is outside the box that the object is confined to does not count.

        Raises
        ------
        ValueError
            If it holds no numbers, or the shape differs from the image's.
        """
        mask = _as_mask(mask)
        if tuple(mask.shape) != self.shape:
            raise ValueError(
                f"The mask has shape {tuple(mask.shape)} and the image {self.shape}. "
                "Give a mask of the image's height and width."
            )
        height, width = self.shape
        strips = (Box(top, 0, min(top + TILE, height), width) for top in range(0, height, TILE))
        start = TileMap(self.shape).paste_parts(
            (strip, set_pixels(mask[strip.top : strip.bottom])) for strip in strips
        )
        if self.region is not None:
            start = only_inside(start, self.region)
        return replace(self, start_mask=start).restart()

    def confine(self, region: Box | None) -> Session:
        """The session with its object confined to a box; what was outside of it is gone.

        Parameters
        ----------
        region : Box or None
            In image pixels, cut to the image; None allows the whole image again.

        Raises
        ------
        ValueError
            If it is no box or lies outside the image, or a click lies outside the box.
        """
        if region is None:
            return replace(self, region=None)
        if not isinstance(region, Box):
            raise ValueError(f"{region!r:.80} is no Box. Give Box(top, left, bottom, right).")
        inside = region.clip(self.shape)
        if inside.empty:
            raise ValueError(
                f"The box {region} lies outside the image of {self.shape[0]} x {self.shape[1]} "
                "pixels. Draw it inside."
            )
        confined = replace(self, region=inside)
        for interaction in self.interactions:
            confined._check_inside(interaction)
        start = None if self.start_mask is None else only_inside(self.start_mask, inside)
        kept = only_inside(self.probabilities, inside)
        return replace(confined, probabilities=kept, start_mask=start, roi=None)

    def mask(self, threshold: float, box: Box | None = None) -> np.ndarray:
        """Where the probability is above a threshold, in a box or the whole image; dense bool."""
        view = MaskView(self.probabilities, threshold)
        return view.read(Box.of_shape(self.shape) if box is None else box)


def set_pixels(mask: Any) -> np.ndarray:
    """Where a mask is neither 0 nor NaN; bool."""
    values = np.asarray(mask)
    return (values != 0) & (values == values)


def _as_mask(mask: Any) -> Any:
    """What can be sliced as it is, other things as numpy arrays; ValueError for no numbers."""
    array = mask
    if not hasattr(mask, "shape"):
        try:
            array = np.asarray(mask)
        except ValueError:
            array = np.asarray(None)
    dtype = getattr(array, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind not in "biuf":
        raise ValueError(
            f"This value of type {type(mask).__name__} is not a mask: it holds no real numbers. "
            "Give an array of the image's height and width; non-zero is object."
        )
    return array


def only_inside(tiles: TileMap, box: Box) -> TileMap:
    """A map that is 0 outside a box."""
    height, width = tiles.shape
    for outside in (
        Box(0, 0, box.top, width),
        Box(box.bottom, 0, height, width),
        Box(box.top, 0, box.bottom, box.left),
        Box(box.top, box.right, box.bottom, width),
    ):
        tiles = tiles.clear(outside)
    return tiles


def within(region: Box | None, roi: Box | None) -> Box | None:
    """The part of a region of interest inside the region that an object is confined to."""
    if region is None or roi is None:
        return region if roi is None else roi
    inside = roi.intersect(region)
    return region if inside.empty else inside


@dataclass(frozen=True, eq=False)
class History:
    """Sessions before and after the present one; undo and redo only point elsewhere, so are exact.

    Attributes
    ----------
    present : Session
    past : tuple of Session
        Oldest first.
    future : tuple of Session
        Next first.
    """

    present: Session
    past: tuple[Session, ...] = field(default=())
    future: tuple[Session, ...] = field(default=())

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to undo."""
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is anything to redo."""
        return bool(self.future)

    def do(self, session: Session) -> History:
        """A new present; the old one can be undone to, what was undone is forgotten."""
        return History(session, (*self.past, self.present))

    def amend(self, session: Session) -> History:
        """Another present in place of this one, such as the same one predicted."""
        return replace(self, present=session)

    def undo(self) -> History:
        """One step back; the same history if there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> History:
        """One step forward; the same history if there is none."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])
