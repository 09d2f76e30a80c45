"""Unfinished objects as a journal keeps them, and brought back from there. No Qt, no napari."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...data.journal import RecordedWork
from ...data.saved_session import SavedObject, StartMask
from ...engine.started import started
from ...engine.tiles import TileMap
from ...interactions import Interaction
from ..image.plane import Plane
from ..work.work import Work

__all__ = ["Noted", "Works", "go_on"]

LARGEST = 2**24
"""Pixels around a start mask up to which it is written; of larger ones only the clicks are."""
Works = Sequence[tuple[Work, int | None]]
"""Objects of one plane, the one in work last; with the id of those that were opened again."""


@dataclass(frozen=True, eq=False)
class _Said:
    """What there is to know of an unfinished object."""

    interactions: tuple[Interaction, ...]
    start: TileMap | None
    known: int
    label: int | None

    @classmethod
    def of(cls, work: Work, label: int | None) -> _Said:
        session = work.history.present
        return cls(tuple(session.interactions), session.start_mask, session.known, label)

    def same(self, other: _Said) -> bool:
        """Whether there is nothing new; the same mask is the same object."""
        return self.start is other.start and (self.interactions, self.known, self.label) == (
            other.interactions,
            other.known,
            other.label,
        )


@dataclass(eq=False)
class Noted:
    """What a journal knows of unfinished objects; masks are packed once and not for each click."""

    _known: dict[Plane, list[_Said]] = field(default_factory=dict)
    _packed: tuple[TileMap, StartMask | None] | None = None

    def news(
        self, works: Mapping[Plane, Works]
    ) -> Iterator[tuple[Plane, tuple[RecordedWork, ...]]]:
        """Planes where something is new, and all that is unfinished there."""
        for plane in {**works, **self._known}:
            here = [pair for pair in works.get(plane, ()) if _to_lose(*pair)]
            said, known = [_Said.of(*pair) for pair in here], self._known.get(plane, [])
            old = len(said) == len(known)
            if old and all(a.same(b) for a, b in zip(said, known, strict=True)):
                continue
            self._known[plane] = said
            yield plane, tuple(self._record(plane, *pair) for pair in here)

    def _record(self, plane: Plane, work: Work, label: int | None) -> RecordedWork:
        session = work.history.present
        limits, start = session.contrast_limits, None
        if session.start_mask is not None:
            if self._packed is None or self._packed[0] is not session.start_mask:
                self._packed = session.start_mask, _packed(session.start_mask)
            packed = self._packed[1]
            start = None if packed is None else replace(packed, after=session.known)
        saved = SavedObject(
            1 if label is None else label,
            plane=plane.seen,
            interactions=tuple(session.interactions),
            start_mask=start,
            contrast_limits=limits if limits[0] < limits[1] else None,
            viewport=session.viewport,
        )
        return RecordedWork(saved, label is not None)


def _to_lose(work: Work, label: int | None) -> bool:
    """Whether the user did anything to an object that is kept nowhere else."""
    session = work.history.present
    if label is not None:
        return work.history.can_undo
    return bool(session.interactions) or session.start_mask is not None


def _packed(mask: TileMap) -> StartMask | None:
    """A mask run by run; None if that would take too long for a click."""
    box = mask.bounding_box(0.5)
    if box is not None and box.area > LARGEST:
        return None
    if box is None:
        return StartMask.of(np.zeros((0, 0), bool))
    return StartMask.of(mask.read(box) > 0.5, (box.top, box.left))


def go_on(work: Work, saved: SavedObject) -> None:
    """Do to an object what was done to it before; each click can be undone.

    Parameters
    ----------
    work : Work
        New, or an accepted object opened again.
    saved : SavedObject
        What was said of it.

    Raises
    ------
    ValueError
        If something of it lies outside the image.
    """
    history, start, wanted = work.history, saved.start_mask, saved.interactions
    session = history.present
    mine = None if session.start_mask is None else _packed(session.start_mask)
    if start is not None and (mine is None or replace(mine, after=session.known) != start):
        history = history.do(started(session, saved))
    session = history.present
    if session.interactions == wanted[: len(session.interactions)]:
        for item in wanted[len(session.interactions) :]:
            history = history.do(history.present.add(item))
    else:
        history = history.do(session.replace_interactions(wanted))
    work.history = history
