"""Points-layer events to click edits, and clicks back to Points layers.

The click list of the session is the truth; the two layers are views of it. Whatever the user does
to a layer becomes an `Edit`, and afterwards the layers are written from the click list again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...interactions import Click
from ..image.plane import Plane

if TYPE_CHECKING:
    from napari.layers import Points

__all__ = ["ClickEvents", "Edit", "Mark"]

FEATURES = ("order", "object_id")
"""Columns of the layers' features, by the attributes of `Mark`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A click as the layers show it.

    Parameters
    ----------
    plane : Plane
        Where it lies.
    order : int
        Its place in the click list of that plane.
    click : Click
    object_id : int
        Of the object that it belongs to; 0 for one that was never accepted.
    """

    plane: Plane
    order: int
    click: Click
    object_id: int = 0

    @property
    def coordinates(self) -> np.ndarray:
        """Data coordinates ``(ndim,)``."""
        return self.plane.coordinates(self.click.row, self.click.col)


@dataclass(frozen=True, slots=True)
class Edit:
    """What the user did to one Points layer.

    Parameters
    ----------
    positive : bool
        Sign of new clicks.
    added : (N, ndim) array
        World coordinates of new clicks.
    removed : tuple of Mark
        Clicks that are gone.
    moved : tuple of (Mark, array)
        Clicks and their new data coordinates.
    """

    positive: bool
    added: np.ndarray
    removed: tuple[Mark, ...] = ()
    moved: tuple[tuple[Mark, np.ndarray], ...] = ()


class ClickEvents:
    """Watches one Points layer of one sign.

    Parameters
    ----------
    layer : napari Points layer
    positive : bool
        Sign of the clicks that the left mouse button places here.
    on_edit : callable
        Called with an `Edit` after each change that the user or a script made.
    """

    def __init__(self, layer: Points, positive: bool, on_edit: Callable[[Edit], None]) -> None:
        self._layer = layer
        self.positive = positive
        self._on_edit = on_edit
        self._marks: tuple[Mark, ...] = ()
        self._button = 1
        self._writing = False
        self._fresh = False
        layer.events.data.connect(self._on_data)
        layer.events.features.connect(self._on_features)
        layer.mouse_drag_callbacks.append(self._on_drag)

    def close(self) -> None:
        """Stop listening."""
        self._layer.events.data.disconnect(self._on_data)
        self._layer.events.features.disconnect(self._on_features)
        if self._on_drag in self._layer.mouse_drag_callbacks:
            self._layer.mouse_drag_callbacks.remove(self._on_drag)

    def show(self, marks: Sequence[Mark]) -> None:
        """Write clicks into the layer, as its features too; nothing happens if it has them."""
        self._marks = tuple(marks)
        data = np.array([mark.coordinates for mark in marks]).reshape(len(marks), self._layer.ndim)
        with self._own_writing():
            if not np.array_equal(data, self._layer.data):
                self._layer.selected_data = set()
                self._layer.data = data
            features = {name: [getattr(mark, name) for mark in marks] for name in FEATURES}
            if features != self._layer.features.to_dict("list"):
                self._layer.features = features

    @contextmanager
    def _own_writing(self):
        self._writing = True
        try:
            yield
        finally:
            self._writing = False

    def _on_drag(self, layer: Points, event: Any):
        # napari adds a point on release, for any button; remember which one went down
        self._button = getattr(event, "button", 1)
        yield
        while event.type == "mouse_move":
            yield

    def _on_data(self, event: Any) -> None:
        action = getattr(event.action, "name", str(event.action)).upper()
        if self._writing or action not in ("ADDED", "REMOVED", "CHANGED"):
            return
        data = np.asarray(self._layer.data, dtype=float)
        button, self._button = self._button, 1
        self._fresh = action == "ADDED"
        positive = self.positive ^ (action == "ADDED" and button == 2)
        self._on_edit(self._edit(data, action, tuple(event.data_indices), positive))

    def _on_features(self, event: Any) -> None:
        # the last thing napari does to a new point; its highlight would hide the colour of the sign
        if self._fresh and not self._writing:
            self._fresh = False
            self._layer.selected_data = set()

    def _edit(
        self, data: np.ndarray, action: str, indices: tuple[int, ...], positive: bool
    ) -> Edit:
        old, marks = len(self._marks), self._marks
        none = self._world(data[:0])
        if action == "ADDED" and len(data) > old and _same(data[:old], marks):
            return Edit(positive, self._world(data[old:]))
        if action == "REMOVED" and len(data) == old - len(set(indices)):
            gone = {i % old for i in indices}
            return Edit(positive, none, tuple(m for i, m in enumerate(marks) if i in gone))
        if action == "CHANGED" and len(data) == old:
            moved = [
                (mark, row)
                for mark, row in zip(marks, data, strict=True)
                if not np.array_equal(mark.coordinates, row)
            ]
            return Edit(positive, none, moved=tuple(moved))
        return self._matched(data, positive)

    def _matched(self, data: np.ndarray, positive: bool) -> Edit:
        """A wholesale replacement: clicks at the same coordinates stay, others go or come."""
        left = list(range(len(data)))
        removed = []
        for mark in self._marks:
            same = [i for i in left if np.array_equal(data[i], mark.coordinates)]
            if same:
                left.remove(same[0])
            else:
                removed.append(mark)
        return Edit(positive, self._world(data[left]), tuple(removed))

    def _world(self, data: np.ndarray) -> np.ndarray:
        rows = [self._layer.data_to_world(row) for row in data]
        return np.array(rows, dtype=float).reshape(len(rows), self._layer.ndim)


def _same(data: np.ndarray, marks: Sequence[Mark]) -> bool:
    return all(np.array_equal(row, m.coordinates) for row, m in zip(data, marks, strict=True))
