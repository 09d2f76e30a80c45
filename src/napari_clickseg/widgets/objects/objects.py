"""The verbs of accepted objects: accept, open again, delete, merge, name. No Qt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.tiles import TileMap
from ...geometry import Box
from .. import messages
from ..export.labels import class_names, feature_columns
from ..image.plane import Plane
from ..layers.class_colours import ClassColours
from ..layers.own import ClickLayers
from ..layers.patches import Patch, owned, read_label, relabel
from ..layers.preview import Preview
from ..work.controller import Controller
from ..work.work import Work
from .accepted import AcceptedObject, Key, areas_after, from_work, opened_again
from .history import ObjectHistory
from .masks import OVERWRITE
from .steps import Opened, Step

if TYPE_CHECKING:
    from ...data.readers import ImageReader

__all__ = ["Objects"]

Source = Callable[[Plane], "tuple[ImageReader, tuple[float, float]]"]


class Objects(ObjectHistory):
    """Accepts, opens again, deletes, merges and names objects, each as a step that undo takes back.

    The objects layer is the truth about pixels; what is kept here is how the objects were made.

    Parameters
    ----------
    layers : ClickLayers
    controller : Controller
    preview : Preview
    source : callable
        ``source(plane) -> (ImageReader, (black, white))`` of the image clicked on.
    """

    def __init__(
        self, layers: ClickLayers, controller: Controller, preview: Preview, source: Source
    ) -> None:
        super().__init__(layers, controller, preview)
        self._source = source
        self._colours, self._by_class = ClassColours(), False
        self.changed.connect(self._recolour)

    # ------------------------------------------------------------------ verbs
    def accepted(
        self,
        plane: Plane,
        label: int,
        patch: Patch,
        policy: str,
        settings: Mapping[str, Any],
        name: str = "",
    ) -> AcceptedObject:
        """Write a finished object, remember it, and begin the next one.

        Its class is that of its id, if there is such an object, else `name`.
        """
        book, plane = self._book, self._controller.begun_on(plane)
        opened = book.opened.get(plane)
        old = None if opened is None else opened.item
        there = book.items.get((label, plane))
        there = None if there is old else there
        counts, reach = patch.counts(), patch.box or Box(0, 0, 0, 0)
        box, area = owned(
            book.layer, plane, label, reach if there is None else reach.union(there.box)
        )
        box, area = reach.union(box or reach), area + counts[label]
        new = from_work(self._controller.work_of(plane), plane, label, box, area, old)
        if there is not None:
            # each part has a mask of its own, which the clicks of both together do not give
            mask = TileMap(plane.shape_in(book.layer.data.shape))
            for parts in (read_label(book.layer, plane, label, there.box), patch.given(label)):
                for part, pixels in parts:
                    mask = mask.paste(part, (mask.read(part) > 0) | pixels)
            new = replace(there.join(new, mask), box=box, area=area)
        name = new.name or self._class_of(label) or name
        new = replace(new, name=name, settings=settings, overwrites=policy == OVERWRITE)
        new = replace(new, since=new.edited) if new.overwrites else new
        others = [item for item in book.items.values() if item not in (old, there)]
        pairs = areas_after(others, counts, plane)
        if there is not None and old is not None:
            pairs.append((old, None))
        pairs.append((old if there is None else there, new))
        parked = None if opened is None else opened.parked
        self._do(
            Step(messages.ACCEPTING.format(label), plane, (patch,), tuple(pairs), True, parked)
        )
        return new

    def open_again(self, key: Key) -> None:
        """Click on an accepted object again; what was in work waits until it is done.

        Raises
        ------
        ValueError
            If there is no such object.
        """
        item = self.items.get(key)
        if item is None:
            raise ValueError(messages.no_object(key[0]))
        plane, layer = item.plane, self._layers.objects
        self.went.emit(plane)
        self._controller.rewriting.emit(plane)
        opened = self._book.opened.get(plane)
        if opened is not None and opened.item is item:
            return
        self.close(plane)
        reader, limits = self._source(plane)
        shape = plane.shape_in(layer.data.shape)
        mask = TileMap(shape).paste_parts(read_label(layer, plane, item.label, item.box))
        work = opened_again(item, mask, reader, limits)
        removal = relabel(layer, plane, item.box, item.label, 0)
        opened = Opened(item, removal, self._controller.work_of(plane))
        what = messages.OPENING.format(item.label)
        self._do(Step(what, plane, (removal,), (), True, work, opened))

    def go_on(self, plane: Plane, work: Work) -> None:
        """Go on with an object on another plane, as a step that goes with the one before."""
        self._do(Step(messages.GOING_ON, plane, trades=True, work=work, joined=True))
        self._controller.shown.emit(plane)  # the mask that it starts from, until clicks are in it

    def close(self, plane: Plane | None) -> bool:
        """Give an object that was opened again back unchanged; False if none was."""
        opened = None if plane is None else self._book.opened.get(plane)
        if opened is None:
            return False
        self._controller.rewriting.emit(plane)
        what = messages.CLOSING.format(opened.item.label)
        self._do_and_say(Step(what, plane, (opened.removal.reversed,), (), True, opened.parked))
        return True

    def delete(self, keys: Iterable[Key]) -> None:
        """Remove objects and their pixels."""
        items = self._take(keys)
        if not items:
            return
        layer = self._layers.objects
        patches = tuple(relabel(layer, i.plane, i.box, i.label, 0) for i in items)
        pairs = tuple((item, None) for item in items)
        what = messages.DELETING.format(_ids(items))
        self._do_and_say(Step(what, self._plane_of(items), patches, pairs))

    def merge(self, keys: Iterable[Key]) -> int:
        """Make one object of several under the smallest id; returns that id.

        Raises
        ------
        ValueError
            If fewer than two are given.
        """
        items = sorted(self._take(keys), key=lambda item: item.label)
        if len(items) < 2:
            raise ValueError(messages.MERGE_TWO)
        first, layer = items[0], self._layers.objects
        patches, pairs = [], []
        for plane in dict.fromkeys(item.plane for item in items):
            here = [item for item in items if item.plane == plane]
            there = self.items.get((first.label, plane))
            if there is not None and there not in here:
                here.insert(0, there)
            mask = TileMap(plane.shape_in(layer.data.shape))
            for item in here:
                for box, part in read_label(layer, plane, item.label, item.box):
                    mask = mask.paste(box, (mask.read(box) > 0) | part)
            new = here[0]
            for item in here[1:]:
                new = new.join(item, mask)
                pairs.append((item, None))
            new = replace(new, label=first.label, name=first.name, edited=time.time())
            pairs.append((here[0], new))
            patches += [
                relabel(layer, plane, i.box, i.label, first.label)
                for i in here
                if i.label != first.label
            ]
        what = messages.MERGING.format(_ids(items))
        self._do_and_say(Step(what, self._plane_of(items), tuple(patches), tuple(pairs)))
        return first.label

    def set_class(self, keys: Iterable[Key], name: str) -> None:
        """Name the class of objects; an id has one class on all its planes."""
        labels, name = {label for label, _ in keys}, " ".join(name.split())
        items = [i for i in self.items.values() if i.label in labels and i.name != name]
        if items:
            pairs = tuple((item, replace(item, name=name)) for item in items)
            what = messages.NAMING.format(_ids(items))
            self._do(Step(what, self._plane_of(items), (), pairs))

    def set_colour(self, name: str, colour: str) -> None:
        """Give a class a colour ``#rrggbb``; this is no step."""
        self._book.classes[name] = colour
        self.changed.emit()

    def colour_by_class(self, on: bool) -> None:
        """Draw objects in the colours of their classes, or in their own again."""
        self._by_class = on
        layer = self._layers.objects
        if layer is not None and not on:
            self._colours.hide(layer)
        self._recolour()
        self.changed.emit()

    def _recolour(self) -> None:
        """Show classes in the layer, by colour and as the features that exports read."""
        layer = self._layers.objects
        names = {item.label: item.name for item in self.items.values() if item.name}
        if layer is not None and class_names(layer.features) != names:
            layer.features = feature_columns(names)
        if self._by_class and self._layers.objects is not None:
            self._colours.show(self._layers.objects, self.items.values(), self.classes)

    def at(self, place: tuple[Plane, int, int]) -> Key:
        """The object at a row and column of a plane; one painted by hand is one from now on.

        Raises
        ------
        ValueError
            If there is none.
        """
        plane, row, col = place
        layer = self._layers.objects
        here = plane.index(Box(row, col, row + 1, col + 1))
        label = 0 if layer is None else int(np.asarray(layer.data[here]).item())
        if label == 0:
            raise ValueError(messages.NO_OBJECT_HERE)
        if (label, plane) not in self.items:
            whole = Box.of_shape(plane.shape_in(layer.data.shape))
            box, area = owned(layer, plane, label, whole)
            self.restore([AcceptedObject(label, plane, box, area, name=self._class_of(label))])
        return label, plane

    def begin(self, plane: Plane) -> None:
        """Have an object in work on a plane, so that a mask that was only painted is kept."""
        if plane == self._controller.plane:
            reader, limits = self._source(plane)
            self._controller.begin(reader, limits)

    def restore(self, items: Iterable[AcceptedObject]) -> None:
        """Add objects that were written into the layer already; this is no step."""
        found = tuple(items)
        self._book.items.update({item.key: item for item in found})
        for item in found:
            self._know_class(item.name)
        self.kept.emit(found, ())
        self.changed.emit()

    # ------------------------------------------------------------------
    def _do_and_say(self, step: Step) -> None:
        self._do(step)
        self._controller.said.emit(messages.done(step.what), "info")

    def _take(self, keys: Iterable[Key]) -> list[AcceptedObject]:
        """The objects of some keys; those that were opened again are given back first."""
        keys = [key for key in dict.fromkeys(keys) if key in self.items]
        for label, plane in keys:
            opened = self.opened(plane)
            if opened is not None and opened.label == label:
                self.close(plane)
        return [self.items[key] for key in keys]

    def _class_of(self, label: int) -> str:
        return next((item.name for item in self.items.values() if item.label == label), "")

    def _plane_of(self, items: list[AcceptedObject]) -> Plane:
        """The plane shown if one of the objects is on it, else that of the last one."""
        here = self._controller.plane
        return here if any(item.plane == here for item in items) else items[-1].plane


def _ids(items: Iterable[AcceptedObject]) -> str:
    labels = sorted({item.label for item in items})
    shown = ", ".join(map(str, labels[:5]))
    return f"{shown} and {len(labels) - 5} more" if len(labels) > 5 else shown
