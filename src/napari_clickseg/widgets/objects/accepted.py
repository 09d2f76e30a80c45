"""Accepted objects as values: how each was made, and what it is called. No Qt, no napari."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.saved_session import SavedObject, StartMask
from ...engine.session import History, Session
from ...engine.tiles import TileMap
from ...geometry import Box
from ...interactions import Interaction
from ..image.plane import Plane
from ..work.work import Work

if TYPE_CHECKING:
    from ...data.readers import ImageReader

__all__ = [
    "AcceptedObject",
    "Key",
    "areas_after",
    "as_saved",
    "from_saved",
    "from_work",
    "opened_again",
]

Key = tuple[int, Plane]


@dataclass(frozen=True, eq=False)
class AcceptedObject:
    """An object of the objects layer; its pixels are those of its label in its plane.

    Attributes
    ----------
    label : int
        Its id; several planes may have objects of one id.
    plane : Plane
    box : Box
        Around its pixels.
    area : int
        Number of its pixels.
    interactions : tuple of Interaction
        Oldest first.
    limits : (float, float) or None
        Image values shown as black and white; None if not known.
    start : TileMap or None
        The mask that it was started from, or that was painted over it.
    after : int
        How many interactions that mask knows of.
    asked : tuple of int
        After which numbers of interactions the network was asked; empty: after each.
    confined, viewport : Box or None
        As in a `Session`.
    settings : mapping
        The profile's name and the fields of it that were overridden.
    seconds : float
        From the first interaction until it was accepted.
    name : str
        Its class; empty for none.
    overwrites : bool
        Whether it took pixels of other objects.
    edited : float
        When it was accepted last, seconds since 1970.
    since : float
        When it took its place: of objects that overlap, those accepted later keep off its pixels.
        An object that is opened again keeps its place, unless it then takes pixels of others.
    """

    label: int
    plane: Plane
    box: Box
    area: int
    interactions: tuple[Interaction, ...] = ()
    limits: tuple[float, float] | None = None
    start: TileMap | None = None
    after: int = 0
    confined: Box | None = None
    viewport: Box | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    name: str = ""
    overwrites: bool = False
    edited: float = field(default_factory=time.time)
    since: float = field(default_factory=time.time)
    asked: tuple[int, ...] = ()

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.label, self.plane

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the middle of its box."""
        return (self.box.top + self.box.bottom - 1) / 2, (self.box.left + self.box.right - 1) / 2

    def join(self, other: AcceptedObject, mask: TileMap) -> AcceptedObject:
        """Both as one object under this one's id and class, its mask given as where it starts."""
        interactions = (*self.interactions, *other.interactions)
        return replace(
            self,
            box=self.box.union(other.box),
            area=self.area + other.area,
            interactions=interactions,
            start=mask,
            after=len(interactions),
            asked=(),
            confined=None if self.confined != other.confined else self.confined,
            seconds=self.seconds + other.seconds,
            edited=time.time(),
        )


def from_work(
    work: Work | None, plane: Plane, label: int, box: Box, area: int, before: AcceptedObject | None
) -> AcceptedObject:
    """The object that a finished work makes.

    Parameters
    ----------
    work : Work or None
        None for a mask that was only painted.
    plane : Plane
    label : int
    box : Box
        Around its pixels.
    area : int
    before : AcceptedObject or None
        What was opened again for it.
    """
    if work is None:
        return AcceptedObject(label, plane, box, area)
    session = work.history.present
    now = time.time()
    return AcceptedObject(
        label,
        plane,
        box,
        area,
        tuple(session.interactions),
        session.contrast_limits,
        session.start_mask,
        session.known,
        session.region,
        session.viewport,
        asked=session.asked,
        seconds=time.monotonic() - work.begun + (0.0 if before is None else before.seconds),
        name="" if before is None else before.name,
        edited=now,
        since=now if before is None else before.since,
    )


def opened_again(
    item: AcceptedObject,
    mask: TileMap,
    reader: ImageReader,
    limits: tuple[float, float],
) -> Work:
    """The object as a work that shows its mask as it is, its clicks counting as predicted.

    Taking one of the clicks away begins again from where the object was started from.

    Parameters
    ----------
    item : AcceptedObject
    mask : TileMap
        Its pixels, 1 where they are.
    reader : ImageReader
        Of its plane.
    limits : (float, float)
        Black and white for an object that does not know its own.
    """
    blank = replace(
        Session.of_image(reader, item.limits or limits),
        region=item.confined,
        viewport=item.viewport,
        start_mask=item.start,
    )
    if item.start is None and not item.interactions:  # painted by hand
        blank = replace(blank, start_mask=mask)
    present = replace(
        blank,
        probabilities=mask,
        given=mask,
        interactions=item.interactions,
        predicted=len(item.interactions),
        asked=item.asked or tuple(range(item.after + 1, len(item.interactions) + 1)),
        known=item.after,
    )
    return Work(History(present), blank.restart())


def as_saved(item: AcceptedObject) -> SavedObject:
    """The object as it is kept in files."""
    start = None
    box = None if item.start is None else item.start.bounding_box(0.5)
    if box is not None:
        start = StartMask.of(item.start.read(box) > 0.5, (box.top, box.left), after=item.after)
    limits = item.limits
    one_by_one = tuple(range(item.after + 1, len(item.interactions) + 1))
    return SavedObject(
        item.label,
        item.name,
        item.plane.seen,
        item.interactions,
        item.confined,
        start,
        dict(item.settings),
        item.area,
        item.seconds,
        contrast_limits=limits if limits is not None and limits[0] < limits[1] else None,
        viewport=item.viewport,
        overwrites=item.overwrites,
        predicted=() if item.asked == one_by_one else item.asked,
    )


def from_saved(saved: SavedObject, box: Box, area: int, shape: tuple[int, ...]) -> AcceptedObject:
    """The object that a file has kept.

    Parameters
    ----------
    saved : SavedObject
    box, area
        Around its pixels, and their number.
    shape : tuple of int
        Of the objects layer.
    """
    steps = saved.plane or (None,) * 2
    plane = _plane(steps, shape)
    start = None
    if saved.start_mask is not None:
        mask = saved.start_mask.mask.astype(np.float32)
        start = TileMap(plane.shape_in(shape)).paste(saved.start_mask.box, mask)
    return AcceptedObject(
        saved.id,
        plane,
        box,
        area,
        saved.interactions,
        saved.contrast_limits,
        start,
        0 if saved.start_mask is None else saved.start_mask.after,
        saved.confined,
        saved.viewport,
        saved.settings,
        saved.seconds,
        saved.class_name,
        saved.overwrites,
        asked=saved.predicted,
    )


def _plane(steps: tuple[int | None, ...], shape: tuple[int, ...]) -> Plane:
    """The plane of an objects layer; what has one step there only may be channels of the image."""
    rows, cols = (axis for axis, step in enumerate(steps) if step is None)
    shared = [(axis, s) for axis, s in enumerate(steps) if s is not None and shape[axis] == 1]
    channel = max(shared, key=lambda pair: pair[1], default=None)
    if channel is not None:
        steps = (*steps[: channel[0]], 0, *steps[channel[0] + 1 :])
    return Plane((rows, cols), steps, channel)


def areas_after(
    items: Iterable[AcceptedObject], counts: Mapping[int, int], plane: Plane
) -> list[tuple[AcceptedObject, AcceptedObject | None]]:
    """Objects of a plane whose number of pixels changes, and what becomes of them (None: gone)."""
    changed = []
    for item in items:
        growth = counts.get(item.label, 0) if item.plane == plane else 0
        if growth:
            area = item.area + growth
            changed.append((item, replace(item, area=area) if area > 0 else None))
    return changed
