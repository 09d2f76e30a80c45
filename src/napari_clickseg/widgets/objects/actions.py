"""What the user does with accepted objects in the dock: accept, open, give back, walk, pick."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import messages
from ..dock.clicking import Clicking
from ..dock.controls import Controls
from ..image.plane import Plane
from ..image.pointing import centre_on
from ..work.controller import Controller
from .accepted import Key
from .layer_choice import LayerChoice
from .painted import PaintedObjects
from .panel import ObjectsPanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

__all__ = ["ObjectActions"]


class ObjectActions:
    """Joins the objects with the panel, the label field and the keys.

    Parameters
    ----------
    viewer : napari Viewer
    clicking : Clicking
    controller : Controller
    controls : Controls
        Label, overlap rule and their neighbours.
    start : callable
        Starts clicking on the image chosen.
    """

    def __init__(
        self,
        viewer: Viewer,
        clicking: Clicking,
        controller: Controller,
        controls: Controls,
        start: Callable[[], None],
    ) -> None:
        self._viewer, self._clicking, self._controller = viewer, clicking, controller
        self._controls, self._start = controls, start
        self._objects = clicking.objects
        self.panel = ObjectsPanel(clicking.objects, self._colour)
        self._shown: Key | None = None
        self._next_label = 1
        self._part = False
        self._layer: Any = None
        self._numbered = False  # the first layer takes the id that the user wants to begin with
        self._painted = PaintedObjects(clicking, controller)
        self.layer_choice = LayerChoice(viewer, clicking, controller)
        self.layer_choice.used.connect(controls.label.setValue)
        self.panel.layer_row.addWidget(self.layer_choice.title)
        self.panel.layer_row.addWidget(self.layer_choice.box, 1)
        self.panel.wanted.connect(self.open_again)
        self.panel.chosen.connect(self.show)
        clicking.accepted.connect(self._on_accepted)
        clicking.changed.connect(self._on_layer)
        clicking.objects.changed.connect(self._on_opened)
        clicking.objects.returned.connect(self._on_returned)
        controller.changed.connect(self._on_opened)
        controls.label.valueChanged.connect(self.show_colour)

    def shut_down(self) -> None:
        """Let go of everything."""
        self._painted.shut_down()
        self.layer_choice.shut_down()
        self.panel.shut_down()
        self._clicking.accepted.disconnect(self._on_accepted)
        self._clicking.changed.disconnect(self._on_layer)
        self._objects.changed.disconnect(self._on_opened)
        self._objects.returned.disconnect(self._on_returned)
        self._controller.changed.disconnect(self._on_opened)

    @property
    def keys(self) -> dict[str, Callable[[], object]]:
        """What keys do, by the names of `keys.KEYS`."""
        return {
            "accept_part": lambda: self.accept(part=True),
            "give_back": self.give_back,
            "previous": lambda: self.step(-1),
            "next": lambda: self.step(1),
            "jump": self.jump,
            "pick": self.pick,
        }

    # ------------------------------------------------------------------ verbs
    def accept(self, part: bool = False) -> None:
        """Write the mask into the objects layer and begin the next object.

        Parameters
        ----------
        part : bool
            The next clicks make another part of the same object.
        """
        self._part = part
        controls = self._controls
        self._try(
            lambda: self._clicking.accept(
                int(controls.label.value()),
                controls.policy.currentText(),
                self.panel.class_name,
            )
        )

    @property
    def label(self) -> int:
        """Id that the object gets."""
        return int(self._controls.label.value())

    @label.setter
    def label(self, label: int) -> None:
        self._controls.label.setValue(label)

    def open_again(self, key: Key) -> None:
        """Click on an accepted object again."""
        if not self._clicking.active:
            self._start()
        if self._clicking.active:
            self._try(lambda: self._objects.open_again(key))

    def cancel(self) -> None:
        """Stop the running prediction; if there is none, give back what was opened again."""
        if self._controller.busy is not None:
            self._controller.cancel()
        else:
            self.give_back()

    def cancel_prediction(self) -> None:
        """Stop the refinement of edges, so that the mask can be accepted as it is."""
        if self._controller.busy == "refining":
            self._controller.cancel(quiet=True)

    def give_back(self) -> bool:
        """Give the object that was opened again back as it was; False if none was."""
        return bool(self._try(lambda: self._objects.close(self._controller.plane)))

    @property
    def opened(self) -> bool:
        """Whether an object of the plane shown was opened again."""
        return self._objects.opened(self._controller.plane) is not None

    def undo(self) -> None:
        """Take back the last step."""
        self._try(self._objects.undo)

    def redo(self) -> None:
        """Bring back the last step taken back."""
        self._try(self._objects.redo)

    def show(self, key: Key) -> None:
        """Move to an object's slice and bring its middle into the middle of the view."""
        item = self._objects.items.get(key)
        if item is None or self._clicking.image is None:
            return
        self._clicking.show_plane(item.plane)
        layer = self._clicking.layers.objects
        if layer is not None:
            layer.selected_label = item.label
        self._centre(item.plane, item.centre)

    def step(self, rows: int) -> None:
        """Show the object so many rows further in the table."""
        keys = self.panel.table.keys
        key = self.panel.table.neighbour(keys[0] if keys else None, rows)
        if key is not None:
            self.panel.table.select((key,))
            self.panel.refresh()
            self.show(key)

    def jump(self) -> None:
        """Bring the object in work into the middle of the view, else the one selected."""
        plane, keys = self._controller.plane, self.panel.table.keys
        session = self._controller.session
        box = None if session is None else self._controller.rule.view(session).bounding_box()
        if box is not None and self._clicking.image is not None:
            middle = (box.top + box.bottom - 1) / 2, (box.left + box.right - 1) / 2
            self._centre(plane, middle)
        elif keys:
            self.show(keys[0])

    def pick(self) -> None:
        """Click again on the object under the mouse pointer."""
        found = self._try(lambda: self._objects.at(self._clicking.under_pointer()))
        if found is not None:
            self.open_again(found)

    def _centre(self, plane: Plane, middle: tuple[float, float]) -> None:
        centre_on(self._viewer, self._clicking.image, plane, middle)

    def _try(self, verb: Callable[[], object]) -> object:
        try:
            return verb()
        except (ValueError, MemoryError, OSError) as error:
            self._controller.said.emit(messages.one_sentence(error), "info")
            return None

    # ------------------------------------------------------------------ showing
    def _on_accepted(self, label: int) -> None:
        """The next object gets the next id, or the one that waited for this one to be done."""
        field = self._controls.label
        if len(self._objects.items) == 1:
            self.panel.expand()
        if self._part:
            field.setValue(label)
        elif field.value() == label:
            taken = self._objects.labels
            free = label + 1
            while free in taken:
                free += 1
            field.setValue(min(free, field.maximum()))
        if self._controller.error is None:
            said = messages.accepted_part if self._part else messages.accepted
            self._controller.said.emit(said(label), "info")
        self._part = False

    def _on_returned(self) -> None:
        """Go on with an id that no object has, for one of the same id would be a part of it."""
        if self.label in self._objects.labels:
            self.label = max(self._objects.labels) + 1

    def _on_layer(self) -> None:
        """Another objects layer is in use, or none: it has other objects and free ids."""
        layer = self._clicking.layers.objects
        if layer is not self._layer:
            self._layer = layer
            self._objects.changed.emit()
            if layer is not None:
                if self._numbered:
                    self._controls.label.setValue(max(self._objects.labels, default=0) + 1)
                self._numbered = True

    def _on_opened(self) -> None:
        """Show the id of an object that was opened again, and afterwards the one before."""
        item = self._objects.opened(self._controller.plane)
        key = None if item is None else item.key
        if key == self._shown:
            return
        field = self._controls.label
        if self._shown is None:
            self._next_label = int(field.value())
        self._shown = key
        field.setValue(self._next_label if item is None else item.label)

    def _colour(self, label: int) -> tuple[float, ...] | None:
        objects = self._clicking.layers.objects
        return None if objects is None else objects.get_color(label)

    def show_colour(self, *_: object) -> None:
        """Show the colour that the object will have."""
        self._controls.show_colour(self._colour(int(self._controls.label.value())))
