"""The unfinished object of one plane: its history, and what the preview shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..engine.session import History, Session
from ..geometry import Box
from ..interactions import Click, Interaction

__all__ = ["Work", "needs_prediction", "painted", "without_opposite"]


@dataclass
class Work:
    """History of an object, the session before its first click, and what is shown.

    Parameters
    ----------
    history : History
    blank : Session
    shown : (Session, float) or None
        What the preview shows, and at which threshold; None: nothing.
    seconds : float or None
        How long the last prediction took.
    """

    history: History
    blank: Session
    shown: tuple[Session, float] | None = None
    seconds: float | None = None

    def mask_change(self, threshold: float) -> tuple[Box, np.ndarray] | None:
        """The box of the mask that may differ from what is shown, and the mask in it.

        What this returns counts as shown afterwards.
        """
        session = self.history.present
        before, known = self.shown or (self.blank, threshold)
        self.shown = (session, threshold)
        box = session.probabilities.changed_box(before.probabilities)
        if known != threshold:
            content = session.probabilities.changed_box(self.blank.probabilities)
            box = content if box is None else box if content is None else box.union(content)
        if box is None or box.empty:
            return None
        return box, session.mask(threshold, box)


def needs_prediction(session: Session) -> bool:
    """Whether there are interactions that the probabilities do not know of."""
    return session.predicted < len(session.interactions)


def painted(session: Session, mask: np.ndarray) -> Session:
    """The session with a mask painted by hand as the mask so far; its clicks stay.

    Clicks without a prediction still have none.
    """
    start = session.with_mask(mask)
    return replace(start, interactions=session.interactions, predicted=session.predicted)


def without_opposite(interactions: Sequence[Interaction], click: Click) -> tuple[Interaction, ...]:
    """The interactions but for clicks of the other sign on the same pixel."""
    return tuple(
        old
        for old in interactions
        if not (isinstance(old, Click) and old.pixel == click.pixel)
        or old.positive == click.positive
    )
