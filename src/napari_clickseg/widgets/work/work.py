"""The unfinished object of one plane: its history, and what the preview shows of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...engine.mask_rule import MaskRule
from ...engine.session import History, Session
from ...engine.tiles import TILE, MaskView, TileMap
from ...geometry import Box
from ...interactions import BoxPrompt, Click, Interaction
from .. import messages
from .ready_masks import ReadyMask

__all__ = [
    "MaskChange",
    "Work",
    "check_in_box",
    "needs_prediction",
    "painted",
    "touches",
    "unfinished",
    "without_opposite",
]

NOTHING = Box(0, 0, 0, 0)
LARGE = 2**22
"""Pixels around a mask above which the worker makes it under another rule: that takes a while."""


@dataclass(frozen=True)
class MaskChange:
    """What has to be written so that a session's mask is shown.

    Parameters
    ----------
    session : Session
    rule : MaskRule
    before, box : Box or None
        Around the mask that was shown, and around the one to show.
    parts : tuple of Box
        Tiles that may differ, cut to both masks.
    ready : ReadyMask
        What is made already of the mask to show.
    """

    session: Session
    rule: MaskRule
    before: Box | None
    box: Box | None
    parts: tuple[Box, ...]
    ready: ReadyMask

    def pieces(self) -> Iterator[tuple[Box, np.ndarray]]:
        """The parts and the mask in each, ``box.shape`` bool, one after the other."""
        for part in self.parts:
            yield part, self.ready.read(part)


@dataclass
class Work:
    """History of an object, the session before its first click, and what is shown.

    Parameters
    ----------
    history : History
    blank : Session
    shown : (TileMap, float, Box or None) or None
        What the preview shows, at which threshold, and the box around that; None: nothing.
    seconds : float or None
        How long the last prediction took.
    begun : float
        When it was begun, by the monotonic clock.
    ready : ReadyMask or None
        What the worker made of the next mask to show.
    picture : (Box or None, array) or None
        The region that the model looked at last, and the image there as it saw it, ``(h, w, 3)``
        uint8.
    stale : bool
        Whether what is shown was made under another rule, and the worker has to make it anew.
    """

    history: History
    blank: Session
    shown: tuple[TileMap, float, Box | None] | None = None
    seconds: float | None = None
    begun: float = field(default_factory=time.monotonic)
    ready: ReadyMask | None = None
    picture: tuple[Box | None, np.ndarray] | None = None
    stale: bool = False

    @property
    def large(self) -> bool:
        """Whether what is shown is a mask that takes long to make."""
        box = None if self.shown is None else self.shown[2]
        return box is not None and box.area > LARGE

    def known_mask(self, rule: MaskRule) -> TileMap:
        """What of the mask under a rule need not be made, because it is shown."""
        if self.shown is None or self.shown[1] != rule.threshold:
            return TileMap(self.blank.shape)
        return self.shown[0]

    def mask_change(self, rule: MaskRule) -> MaskChange | None:
        """What differs from what is shown, None if nothing does; counts as shown afterwards."""
        session = self.history.present
        nothing = TileMap(session.shape)
        before, known, old = self.shown or (nothing, rule.threshold, None)
        box = self.count_as_shown(session, rule)
        now = self.shown[0]
        tiles = now.changed_tiles(before)
        if known != rule.threshold:
            tiles |= now.changed_tiles(nothing)
        reach = (old or NOTHING).union(box or NOTHING)
        cells = (Box(i * TILE, j * TILE, (i + 1) * TILE, (j + 1) * TILE) for i, j in sorted(tiles))
        parts = tuple(part for cell in cells if not (part := cell.intersect(reach)).empty)
        ready, self.ready = self.ready, None
        if ready is None or ready.session is not session or ready.rule != rule:
            ready = ReadyMask(session, rule, {})
        return MaskChange(session, rule, old, box, parts, ready) if parts else None

    def count_as_shown(self, session: Session, rule: MaskRule) -> Box | None:
        """Take it that the preview shows this session; the box around its mask."""
        mask = rule.apply(session)
        box = mask.bounding_box(rule.threshold)
        self.shown, self.stale = (mask, rule.threshold, box), False
        return box


def needs_prediction(session: Session) -> bool:
    """Whether there are interactions that the probabilities do not know of."""
    return session.predicted < len(session.interactions)


def unfinished(session: Session) -> bool:
    """Whether there is work left: interactions to predict, or edges to refine."""
    return needs_prediction(session) or bool(session.coarse)


def painted(session: Session, box: Box, mask: np.ndarray) -> Session:
    """The session with a mask painted by hand as the mask so far; its clicks stay.

    The mask is given in a box outside of which there is none. Clicks without a prediction still
    have none. Edges stay as they were painted.
    """
    whole = MaskView(TileMap(session.shape).paste(box, mask != 0), 0.5)
    start = session.with_mask(whole)
    known = session.predicted
    return replace(start, interactions=session.interactions, predicted=known, known=known)


def touches(item: Interaction, box: Box) -> bool:
    """Whether something said reaches into a box."""
    if isinstance(item, BoxPrompt):
        return not item.box.intersect(box).empty
    return any(box.contains(row, col) for row, col in item.points)


def check_in_box(session: Session, item: Interaction) -> None:
    """Raise ValueError if something said lies outside the latest box drawn."""
    boxes = [old.box for old in session.interactions if isinstance(old, BoxPrompt)]
    if not boxes or isinstance(item, BoxPrompt):
        return
    if not touches(item, boxes[-1]):
        raise ValueError(messages.outside_box(item.kind))


def without_opposite(
    interactions: Sequence[Interaction], click: Interaction
) -> tuple[Interaction, ...]:
    """The interactions but for what a new one replaces.

    That is a click of the other sign on the same pixel, or a box.
    """
    if isinstance(click, BoxPrompt):
        return tuple(old for old in interactions if not isinstance(old, BoxPrompt))
    if not isinstance(click, Click):
        return tuple(interactions)
    return tuple(
        old
        for old in interactions
        if not (isinstance(old, Click) and old.pixel == click.pixel)
        or old.positive == click.positive
    )
