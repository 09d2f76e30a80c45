"""Objects that start from a mask: of a layer, of a file, or of the slice before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.session import History
from ...interactions import Click, Interaction
from .. import messages
from ..image.plane import Plane, displayed_plane, level_shape
from ..objects.actions import ObjectActions
from ..work.controller import Controller
from ..work.start_masks import component, file_mask, layer_mask, masked_centres
from ..work.work import Work
from .clicking import Clicking
from .start_panel import StartPanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

__all__ = ["Starting"]


class Starting:
    """Joins the panel, the first click and the key of the next slice.

    Parameters
    ----------
    viewer : napari Viewer
    clicking : Clicking
    controller : Controller
    actions : ObjectActions
        Accepts the object before the next slice.
    """

    def __init__(
        self, viewer: Viewer, clicking: Clicking, controller: Controller, actions: ObjectActions
    ) -> None:
        self._viewer, self._clicking, self._controller = viewer, clicking, controller
        self._actions = actions
        self.panel = StartPanel(viewer)
        self.panel.wanted.connect(self.take)
        clicking.first = self._on_first

    def shut_down(self) -> None:
        """Let go of the viewer."""
        self.panel.shut_down()

    def take(self) -> None:
        """Make all of the mask chosen the object in work, as one step."""
        if not self._clicking.active:
            self._controller.said.emit(messages.PRESS_START, "info")
            return
        try:
            plane = displayed_plane(self._clicking.image, self._viewer.dims)
            mask = self._mask(plane)
            self._clicking.begin(plane)
            self._controller.start_from(mask != 0)
        except (ValueError, MemoryError, OSError) as error:
            self._controller.said.emit(messages.one_sentence(error), "error")

    def _mask(self, plane: Plane) -> np.ndarray:
        image = self._clicking.image
        if self.panel.path is not None:
            return file_mask(self.panel.path, plane.shape_in(level_shape(image)))
        if self.panel.selected:
            return self._selected(plane)
        mask, note = layer_mask(self.panel.layer, image, plane)
        if note is not None:
            self._controller.said.emit(note, "warning")
        return mask

    def _selected(self, plane: Plane) -> np.ndarray:
        """The mask of the object selected in the table, which may lie on another slice."""
        keys, layer = self._actions.panel.table.keys, self._clicking.layers.objects
        item = self._clicking.objects.items.get(keys[0]) if len(keys) == 1 else None
        if item is None or layer is None:
            raise ValueError(messages.SELECT_ONE)
        shape = plane.shape_in(layer.data.shape)
        if item.plane.axes != plane.axes:
            raise ValueError(messages.OTHER_AXES)
        mask = np.zeros(shape, bool)
        mask[item.box.slices] = np.asarray(layer.data[item.plane.index(item.box)]) == item.label
        return mask

    def _on_first(self, plane: Plane, item: Interaction) -> None:
        """Start a new object from the part of the mask that its first click falls on."""
        if self.panel.empty or self.panel.whole:
            return
        if not (isinstance(item, Click) and item.positive):
            return
        part = component(self._mask(plane), *item.pixel)
        if part is None:
            self._controller.said.emit(messages.NO_MASK_HERE, "status")
        else:
            self._controller.start_from(part)

    # ------------------------------------------------------------------ stacks
    def next_slice(self) -> None:
        """Accept the object and begin it on the next slice with its mask, clicked at its centres.

        The slider moved last counts; the object keeps its id. All of it is undone at once.
        """
        controller, plane = self._controller, self._controller.plane
        try:
            following = self._following(plane)
            if controller.busy is not None:
                raise ValueError(messages.STILL_RUNNING)
            controller.rewriting.emit(plane)
            session = controller.session
            mask = None if session is None else np.asarray(controller.rule.view(session))
            if mask is None or not mask.any():
                raise ValueError(messages.NOTHING_TO_ACCEPT)
            if following in self._clicking.unfinished:
                raise ValueError(messages.NEXT_IN_WORK)
        except (ValueError, MemoryError) as error:
            controller.said.emit(messages.one_sentence(error), "info")
            return
        label = self._actions.label
        self._actions.accept()
        if controller.work_of(plane) is not None:  # it was refused, and that was said
            return
        self._actions.label = label
        self._clicking.show_plane(following)
        self._clicking.begin(following)
        controller.warn_of_mask()
        clicks = tuple(Click(row, col) for row, col in masked_centres(mask))
        blank = controller.work_of(following).blank
        session = blank.with_mask(mask).replace_interactions(clicks)
        self._clicking.objects.go_on(following, Work(History(session), blank))

    def _following(self, plane: Plane | None) -> Plane:
        """The next slice along the slider that was moved last.

        Raises
        ------
        ValueError
            If there is none.
        """
        image = self._clicking.image
        if plane is None or image is None or not self._clicking.active:
            raise ValueError(messages.PRESS_START)
        shape = self._clicking.layers.shape
        axes = [axis for axis, step in enumerate(plane.steps) if step is not None]
        axes = [axis for axis in axes if shape[axis] > 1]
        if not axes:
            raise ValueError(messages.NO_SLICES)
        last: Any = self._viewer.dims.last_used - (self._viewer.dims.ndim - image.ndim)
        axis = last if last in axes else axes[-1]
        step = plane.steps[axis] + 1
        if step >= shape[axis]:
            raise ValueError(messages.LAST_SLICE)
        steps = (*plane.steps[:axis], step, *plane.steps[axis + 1 :])
        return replace(plane, steps=steps)
