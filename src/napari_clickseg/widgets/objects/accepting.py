"""From the preview into the objects layer, at once or when the edges of the mask are refined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

from ...interactions import Interaction
from .. import messages
from ..image.plane import Plane, displayed_plane
from ..layers.own import ClickLayers
from ..layers.preview import Preview
from ..work.controller import Controller
from .masks import KEEP, mask_patch
from .objects import Objects

if TYPE_CHECKING:
    from napari.viewer import Viewer

__all__ = ["Accepting"]


@dataclass(frozen=True)
class _Wish:
    """An object to be accepted when its edges are refined, if nothing else happens to it."""

    plane: Plane
    interactions: tuple[Interaction, ...]
    label: int
    policy: str
    name: str


class Accepting:
    """Writes finished objects.

    A mask whose edges are still being refined is not written half-way: it waits for them, and the
    user may cancel the refinement and accept again to take it as it is.

    Parameters
    ----------
    viewer : napari Viewer
    layers : ClickLayers
    controller : Controller
    preview : Preview
    objects : Objects
        Remembers what was accepted.
    """

    accepted = Signal(int)

    def __init__(
        self,
        viewer: Viewer,
        layers: ClickLayers,
        controller: Controller,
        preview: Preview,
        objects: Objects,
    ) -> None:
        self._viewer, self._layers, self._objects = viewer, layers, objects
        self._controller, self._preview = controller, preview
        self._wish: _Wish | None = None
        controller.changed.connect(self._on_changed)

    def disconnect(self) -> None:
        """Follow the controller no more."""
        self._controller.changed.disconnect(self._on_changed)

    def accept(self, label: int, policy: str = KEEP, name: str = "") -> None:
        """Write the preview, brush edits included, into the objects and begin the next object.

        Raises
        ------
        ValueError
            If there is nothing to accept, clicks are not predicted yet, or the label or a layer
            does not fit.
        """
        plane = displayed_plane(self._layers.image, self._viewer.dims)
        controller = self._controller
        if controller.pending(plane):
            busy = controller.busy is not None
            raise ValueError(messages.STILL_RUNNING if busy else messages.NOT_PREDICTED)
        stale, coarse = controller.stale(plane), controller.coarse(plane)
        if controller.busy is not None and (stale or coarse):
            self._wish = _Wish(plane, controller.planes[plane], label, policy, name)
            text = messages.ACCEPT_WAITS if coarse else messages.ACCEPT_CLEANS
            controller.said.emit(text, "status")
            return
        self._write(plane, label, policy, name)

    def _on_changed(self) -> None:
        """Accept what waits for its edges, or forget it because the user did something else."""
        wish, controller = self._wish, self._controller
        if wish is None:
            return
        same = controller.plane == wish.plane and controller.clicks == wish.interactions
        if same and controller.busy is not None:
            return
        self._wish = None
        if same and self._layers.preview is not None and not controller.coarse(wish.plane):
            try:
                self._write(wish.plane, wish.label, wish.policy, wish.name)
            except (ValueError, MemoryError) as error:
                controller.said.emit(messages.one_sentence(error), "warning")

    def _write(self, plane: Plane, label: int, policy: str, name: str) -> None:
        made, image = self._layers, self._layers.image
        if self._controller.stale(plane):
            self._controller.shown.emit(plane)
        if made.objects is None:
            active = self._viewer.layers.selection.active
            made.create(image)
            self._viewer.layers.selection.active = active
        for layer, shape in ((made.preview, made.window.shape), (made.objects, made.shape)):
            if layer.data.shape != shape:
                raise ValueError(messages.misfit(layer.name))
        patch, note = mask_patch(self._preview.strips(plane), made.objects, plane, label, policy)
        if self._controller.work_of(plane) is None:
            self._objects.begin(plane)
        self._controller.rewriting.emit(plane)  # what was painted is a step of its own
        opened = self._objects.opened(plane)
        same = opened is not None and opened.label == label
        if note is None and (label, plane) in self._objects.items and not same:
            note = messages.label_exists(label)
        if self._controller.coarse(plane):
            note = messages.ACCEPTED_COARSE
        self._objects.accepted(plane, label, patch, policy, self._controller.settings, name)
        self.accepted.emit(label)
        if note:
            self._controller.said.emit(note, "info")
