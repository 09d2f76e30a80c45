"""What was accepted, and the steps that changed it, for each objects layer. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psygnal import Signal

from .. import messages
from ..image.plane import Plane
from ..layers.class_colours import new_colour
from ..layers.own import ClickLayers
from ..layers.preview import Preview
from ..work.controller import Controller
from ..work.work import Work
from .accepted import AcceptedObject, Key
from .steps import Opened, Step, Steps

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["ObjectHistory"]


@dataclass(eq=False)
class _Book:
    """What is known of the objects of one objects layer."""

    layer: Labels | None = None
    shape: tuple[int, ...] = ()
    items: dict[Key, AcceptedObject] = field(default_factory=dict)
    opened: dict[Plane, Opened] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    steps: Steps = field(default_factory=Steps)


class ObjectHistory:
    """Accepted objects; undo and redo across them and the clicks of the object in work.

    `changed` is emitted after everything, `kept` with the objects that are new or different and
    the keys of those that are gone, `went` with the plane that a step happened on, `returned` when
    objects of an earlier session are there again.

    Parameters
    ----------
    layers : ClickLayers
    controller : Controller
    preview : Preview
    """

    changed = Signal()
    kept = Signal(tuple, tuple)
    went = Signal(object)
    returned = Signal()

    def __init__(self, layers: ClickLayers, controller: Controller, preview: Preview) -> None:
        self._layers, self._controller, self._preview = layers, controller, preview
        self._books: list[_Book] = []
        self._none = _Book()
        self._stepping = False
        controller.stepped.connect(self._on_stepped)

    def disconnect(self) -> None:
        """Follow the controller no more."""
        self._controller.stepped.disconnect(self._on_stepped)

    # ------------------------------------------------------------------ what there is
    @property
    def _book(self) -> _Book:
        """That of the objects layer in use; one without a layer if there is none."""
        layer = self._layers.objects
        if layer is None:
            return self._none
        for book in self._books:
            if book.layer is layer:
                return book
        self.forget_removed()
        self._books.append(_Book(layer, layer.data.shape))
        return self._books[-1]

    def forget_removed(self) -> None:
        """Let go of objects layers that are in the viewer no more."""
        alive = {id(layer) for layer in self._layers.all_objects}
        self._books = [book for book in self._books if id(book.layer) in alive]

    @property
    def items(self) -> dict[Key, AcceptedObject]:
        """All accepted objects by id and plane. Not to be changed."""
        return self._book.items

    @property
    def labels(self) -> set[int]:
        """Ids of all accepted objects."""
        return {label for label, _ in self.items}

    def opened(self, plane: Plane | None) -> AcceptedObject | None:
        """The object of a plane that is being clicked on again, None if there is none."""
        found = None if plane is None else self._book.opened.get(plane)
        return None if found is None else found.item

    def id_of(self, plane: Plane) -> int:
        """The id of the object that is being clicked on again, 0 if there is none."""
        item = self.opened(plane)
        return 0 if item is None else item.label

    def in_work(self, plane: Plane, work: Work) -> list[tuple[Work, int | None]]:
        """What is in work on a plane: what made room for an object opened again, and that one.

        Each with the id that it was opened from, None for a new one.
        """
        opened = self._book.opened.get(plane)
        if opened is None:
            return [(work, None)]
        parked = [] if opened.parked is None else [(opened.parked, None)]
        return [*parked, (work, opened.item.label)]

    @property
    def all_opened(self) -> tuple[AcceptedObject, ...]:
        """All objects that are being clicked on again."""
        return tuple(opened.item for opened in self._book.opened.values())

    @property
    def classes(self) -> dict[str, str]:
        """Colours of the classes, as ``#rrggbb``, by their names. Not to be changed."""
        return self._book.classes

    # ------------------------------------------------------------------ steps
    @property
    def can_undo(self) -> bool:
        """Whether a step can be taken back, within the object in work or not."""
        return self._controller.can_undo or bool(self._book.steps.past)

    @property
    def can_redo(self) -> bool:
        """Whether a step can be brought back."""
        return self._controller.can_redo or bool(self._book.steps.future)

    def undo(self) -> None:
        """Take back the last step on the plane shown, else the last one at all."""
        controller, past = self._controller, self._book.steps.past
        if not past or self._clicks_first(past[-1].after):
            controller.undo()
            return
        controller.rewriting.emit(controller.plane)
        if self._clicks_first(past[-1].after):  # what was painted is the last step
            controller.undo()
            return
        step = past[-1]
        self.went.emit(step.plane)
        if controller.plane == step.plane and self._depth(step.plane) > step.after:
            controller.undo()
            return
        while True:
            self._go_through(step)
            past.pop()
            step.turn()
            self._book.steps.future.append(step)
            if not (step.joined and past):
                break
            step = past[-1]
            self.went.emit(step.plane)
        self._controller.said.emit(messages.undone(step.what), "info")
        self.changed.emit()

    def redo(self) -> None:
        """Bring back what `undo` took."""
        controller, future = self._controller, self._book.steps.future
        last = future[-1] if future else None
        here = last is not None and controller.plane == last.plane
        if last is None or (controller.can_redo and not (here and self._due(last))):
            self._stepping = True  # what was painted since is kept as a step before
            try:
                controller.redo()
            finally:
                self._stepping = False
            return
        self._stepping = True
        try:
            controller.rewriting.emit(controller.plane)
        finally:
            self._stepping = False
        while True:
            self.went.emit(last.plane)
            self._go_through(last)
            future.pop()
            last.turn()
            self._book.steps.past.append(last)
            if not (future and future[-1].joined):
                break
            last = future[-1]
        self._controller.said.emit(messages.redone(last.what), "info")
        self.changed.emit()

    def forget_steps(self, layer: Labels | None = None) -> None:
        """No step can be taken back any more: the image's pixels are others.

        Of the objects layer in use, or of another one.
        """
        book = self._book
        if layer is not None:
            book = next((book for book in self._books if book.layer is layer), _Book())
        for opened in book.opened.values():
            if book.layer is not None and book.layer.data.shape == book.shape:
                opened.removal.reversed.apply(book.layer)
        book.opened.clear()
        book.steps.clear()
        self.changed.emit()

    def _depth(self, plane: Plane) -> int:
        work = self._controller.work_of(plane)
        return 0 if work is None else len(work.history.past)

    def _due(self, step: Step) -> bool:
        return self._depth(step.plane) >= step.before

    def _clicks_first(self, after: int) -> bool:
        """Whether a step within the object in work is newer than one that left `after` of them."""
        controller = self._controller
        if not controller.can_undo:
            return False
        elsewhere = self._book.steps.past[-1].plane != controller.plane
        return elsewhere or self._depth(controller.plane) > after

    def _do(self, step: Step) -> None:
        """Take a new step: its work and its opened object are those to be put in place."""
        step.before = self._depth(step.plane)
        self._go_through(step)
        step.after = self._depth(step.plane)
        step.turn()
        self._book.steps.done(step)
        self.changed.emit()

    def _go_through(self, step: Step) -> None:
        """From before to after; `turn` makes it the way back."""
        book = self._book
        layer, shape = book.layer, self._layers.shape
        if step.patches and (layer is None or layer.data.shape != shape):
            raise ValueError(messages.misfit("clickseg objects" if layer is None else layer.name))
        for patch in step.patches:
            patch.apply(book.layer)
        if step.trades:
            self._trade(step)
        gone = []
        for old, new in step.items:
            if old is not None and (new is None or new.key != old.key):
                book.items.pop(old.key, None)
                gone.append(old.key)
            if new is not None:
                book.items[new.key] = new
                self._know_class(new.name)
        put = tuple(new for _, new in step.items if new is not None)
        if put or gone:
            self.kept.emit(put, tuple(gone))

    def _know_class(self, name: str) -> None:
        """Give a class that is new a colour."""
        classes = self._book.classes
        if name and name not in classes:
            classes[name] = new_colour(classes.values())

    def _trade(self, step: Step) -> None:
        plane, book = step.plane, self._book
        stepping, self._stepping = self._stepping, True
        self._controller.rewriting.emit(plane)  # what was painted stays with the work that leaves
        self._stepping = stepping
        self._preview.clear(plane)
        other = book.opened.pop(plane, None)
        if step.opened is not None:
            book.opened[plane] = step.opened
        step.opened = other
        step.work = self._controller.exchange(plane, step.work)

    def _on_stepped(self, plane: Plane) -> None:
        """A new step within the object in work: what was undone elsewhere stays undone."""
        if not self._stepping and self._book.steps.future:
            self._book.steps.future.clear()
            self.changed.emit()
