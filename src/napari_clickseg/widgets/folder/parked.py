"""Unfinished objects of an image that is not open, kept without its pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...engine.session import History, Session
from ..work.work import Work
from .image_files import PLANE

if TYPE_CHECKING:
    from ...data.readers import ImageReader
    from ..objects.objects import Objects
    from ..work.controller import Controller

__all__ = ["Parked", "park", "resume"]


@dataclass(frozen=True, eq=False)
class Parked:
    """An object in work, and the id of the accepted object that it was opened from."""

    work: Work
    label: int | None


def park(controller: Controller, objects: Objects, painted: bool) -> tuple[Parked, ...]:
    """Take the unfinished objects out of the present image; the one in work is the last.

    Objects that were opened again are given back as they were.

    Parameters
    ----------
    controller : Controller
    objects : Objects
    painted : bool
        Whether there is something in the preview, which may have been painted by hand.
    """
    found = []
    controller.cancel(quiet=True)
    if painted and controller.work_of(PLANE) is None:
        objects.begin(PLANE)
    controller.rewriting.emit(PLANE)
    while True:
        work, opened = controller.work_of(PLANE), objects.opened(PLANE)
        if work is not None and _begun(work, opened is not None):
            found.insert(0, Parked(_with_reader(work, None), opened and opened.label))
        if opened is None:
            return tuple(found)
        objects.close(PLANE)


def resume(
    parked: tuple[Parked, ...], controller: Controller, objects: Objects, reader: ImageReader
) -> None:
    """Go on with the unfinished objects of the image that is open now."""
    for each in parked:
        key = (each.label, PLANE)
        if each.label is not None and key in objects.items:
            objects.open_again(key)
        controller.exchange(PLANE, _with_reader(each.work, reader))


def _begun(work: Work, opened: bool) -> bool:
    """Whether the user did anything to an object."""
    history = work.history
    return history.can_undo or (not opened and history.present is not work.blank)


def _with_reader(work: Work, reader: Any) -> Work:
    """The work of another reader of the same pixels."""

    def moved(sessions: tuple[Session, ...]) -> tuple[Session, ...]:
        return tuple(replace(session, reader=reader) for session in sessions)

    history = work.history
    (present, blank), past, future = (
        moved((history.present, work.blank)),
        moved(history.past),
        moved(history.future),
    )
    return replace(work, history=History(present, past, future), blank=blank, shown=None)
