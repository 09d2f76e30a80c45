"""The unfinished object of one plane: its history, and what the preview shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..engine.session import History, Session
from ..engine.tiles import TILE, MaskView, TileMap
from ..geometry import Box
from ..interactions import Click, Interaction

__all__ = ["MaskChange", "Work", "needs_prediction", "painted", "unfinished", "without_opposite"]

NOTHING = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class MaskChange:
    """What has to be written so that a session's mask is shown.

    Parameters
    ----------
    session : Session
    threshold : float
    before, box : Box or None
        Around the mask that was shown, and around the one to show.
    parts : tuple of Box
        Tiles that may differ, cut to both masks.
    """

    session: Session
    threshold: float
    before: Box | None
    box: Box | None
    parts: tuple[Box, ...]

    def pieces(self) -> Iterator[tuple[Box, np.ndarray]]:
        """The parts and the mask in each, ``box.shape`` bool, one after the other."""
        for part in self.parts:
            yield part, self.session.mask(self.threshold, part)


@dataclass
class Work:
    """History of an object, the session before its first click, and what is shown.

    Parameters
    ----------
    history : History
    blank : Session
    shown : (Session, float, Box or None) or None
        What the preview shows, at which threshold, and the box around that; None: nothing.
    seconds : float or None
        How long the last prediction took.
    """

    history: History
    blank: Session
    shown: tuple[Session, float, Box | None] | None = None
    seconds: float | None = None

    def mask_change(self, threshold: float) -> MaskChange | None:
        """What differs from what is shown, None if nothing does; counts as shown afterwards."""
        session = self.history.present
        before, known, old = self.shown or (self.blank, threshold, None)
        box = self.count_as_shown(session, threshold)
        tiles = session.probabilities.changed_tiles(before.probabilities)
        if known != threshold:
            tiles |= session.probabilities.changed_tiles(self.blank.probabilities)
        reach = (old or NOTHING).union(box or NOTHING)
        cells = (Box(i * TILE, j * TILE, (i + 1) * TILE, (j + 1) * TILE) for i, j in sorted(tiles))
        parts = tuple(part for cell in cells if not (part := cell.intersect(reach)).empty)
        return MaskChange(session, threshold, old, box, parts) if parts else None

    def count_as_shown(self, session: Session, threshold: float) -> Box | None:
        """Take it that the preview shows this session; the box around its mask."""
        box = session.probabilities.bounding_box(threshold)
        self.shown = (session, threshold, box)
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
    return replace(start, interactions=session.interactions, predicted=session.predicted)


def without_opposite(interactions: Sequence[Interaction], click: Click) -> tuple[Interaction, ...]:
    """The interactions but for clicks of the other sign on the same pixel."""
    return tuple(
        old
        for old in interactions
        if not (isinstance(old, Click) and old.pixel == click.pixel)
        or old.positive == click.positive
    )
