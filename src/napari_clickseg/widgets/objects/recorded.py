"""Objects that were recorded, put back into the objects layer and into the work. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.journal import RecordedObject, RecordedWork
from ...data.saved_session import SavedObject
from ...engine.session import History, Session
from ...geometry import Box
from ..dock.clicking import Clicking
from ..image.plane import Plane
from ..layers.own import bare
from ..layers.patches import Patch
from ..work.controller import Controller
from ..work.work import Work
from . import messages as texts
from .accepted import AcceptedObject, as_saved, from_saved
from .in_work import go_on

if TYPE_CHECKING:
    from napari.layers import Image, Labels

__all__ = ["check_free", "free_ids", "holds", "put_back", "work_again"]


def holds(clicking: Clicking, image: Image, recorded: Iterable[RecordedObject]) -> bool:
    """Whether objects of an image are among the accepted ones, whatever their ids are.

    They are if they were made by the same clicks; painted ones, if they look the same.
    """
    if bare(image) is not clicking.image:
        return False
    accepted = clicking.objects.items.values()
    mine = {_essence(as_saved(item), item.box, item.area) for item in accepted}
    for known in recorded:
        box, area = Box(0, 0, 0, 0), 0
        for piece, mask in known.pieces:
            box, area = box.union(piece), area + int(np.count_nonzero(mask))
        if _essence(known.saved, box, area) not in mine:
            return False
    return True


def free_ids(taken: Iterable[int], recorded: Iterable[RecordedObject]) -> dict[int, int]:
    """The id that recorded objects get, by the one they had: another one if that is taken."""
    taken, numbers = set(taken), {}
    for known in recorded:
        label = known.saved.id
        if label not in numbers:
            numbers[label] = label if label not in taken else max(taken) + 1
            taken.add(numbers[label])
    return numbers


def put_back(
    clicking: Clicking,
    recorded: Iterable[RecordedObject],
    classes: Mapping[str, str],
    final: bool = True,
) -> int:
    """Put objects into the objects layer; returns how many there were.

    Ids that are taken already get other ones.

    Parameters
    ----------
    clicking : Clicking
    recorded : iterable of RecordedObject
        In the order in which they were accepted; those without pixels are left out.
    classes : mapping
        Colours of class names.
    final : bool
        Their pixels are theirs; otherwise an object keeps off those before it, unless it took
        pixels of others when it was made.
    """
    layer, objects, recorded = clicking.layers.objects, clicking.objects, tuple(recorded)
    for name, colour in classes.items():
        objects.set_colour(name, colour)
    numbers, items = free_ids(objects.labels, recorded), []
    for known in recorded:
        item = from_saved(known.saved, Box(0, 0, 0, 0), 0, layer.data.shape)
        takes = final or item.overwrites
        written = _write(layer, item, numbers[known.saved.id], known.pieces, takes)
        if written.area:
            items.append(written)
    objects.restore(items)
    objects.returned.emit()
    return len(items)


def work_again(
    clicking: Clicking,
    controller: Controller,
    works: Iterable[RecordedWork],
    numbers: Mapping[int, int],
) -> int:
    """Go on with objects that were not accepted; returns how many there were.

    Parameters
    ----------
    clicking : Clicking
    controller : Controller
    works : iterable of RecordedWork
    numbers : mapping
        The ids that accepted objects have now, by those they had.

    Raises
    ------
    ValueError
        If something of it lies outside the image.
    """
    count = 0
    for known in works:
        plane = _plane(clicking, known)
        key = (numbers.get(known.saved.id, known.saved.id), plane)
        if known.opened and key in clicking.objects.items:
            clicking.objects.open_again(key)
            work = controller.exchange(plane, None)
        else:
            reader, limits = clicking.readers.source(plane)
            limits = known.saved.contrast_limits or limits
            blank = replace(Session.of_image(reader, limits), viewport=known.saved.viewport)
            work = Work(History(blank), blank)
        go_on(work, known.saved)
        controller.exchange(plane, work)
        count += 1
    return count


def check_free(clicking: Clicking, works: Iterable[RecordedWork]) -> None:
    """Raise ValueError if something is in work on a plane of these objects."""
    if {_plane(clicking, known) for known in works} & set(clicking.unfinished):
        raise ValueError(texts.RECOVER_LATER)


def _plane(clicking: Clicking, known: RecordedWork) -> Plane:
    return from_saved(known.saved, Box(0, 0, 0, 0), 0, clicking.layers.shape).plane


def _essence(saved: SavedObject, box: Box, area: int) -> tuple[Any, ...]:
    """What two objects that are the same have in common."""
    pixels = None if saved.interactions else (box, area)
    return saved.plane, saved.interactions, pixels


def _write(
    layer: Labels,
    item: AcceptedObject,
    label: int,
    pieces: tuple[tuple[Box, np.ndarray], ...],
    takes: bool,
) -> AcceptedObject:
    """Write an object's pixels and return it as it is then; other objects may give way."""
    if label > np.iinfo(layer.data.dtype).max:
        layer.data = np.asarray(layer.data).astype(np.uint32)
    plane: Plane = item.plane
    patch, box, area = Patch(plane), Box(0, 0, 0, 0), 0
    for piece, mask in pieces:
        old = np.asarray(layer.data[plane.index(piece)])
        mask = mask if takes else mask & (old == 0)
        patch = patch.put(piece, mask, old, label)
        box, area = box.union(piece), area + int(mask.sum())
    patch.apply(layer)
    return replace(item, label=label, box=box, area=area)
