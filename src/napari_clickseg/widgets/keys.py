"""The dock's keys: bound on our own layers and, with lower priority, on the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["KEYS", "KeyBindings"]

KEYS: dict[str, str] = {
    "swap": "T",
    "undo": "Control-Z",
    "redo": "Control-Shift-Z",
    "reset": "R",
    "accept": "N",
    "cancel": "K",
}
"""Action to key. None is taken by napari on Points or Labels layers, save Ctrl+Z on Labels."""

ON_VIEWER = ("swap", "reset", "accept", "cancel")
"""Ctrl+Z is not bound on the viewer: on other layers it stays theirs."""


class KeyBindings:
    """Binds the actions while clicking and gives back what was there before.

    Parameters
    ----------
    actions : dict of str to callable
        One per key of `KEYS`, called without arguments.
    """

    def __init__(self, actions: dict[str, Callable[[], Any]]) -> None:
        self._actions = actions
        self._bound: list[tuple[Any, str, Any]] = []

    def bind(self, viewer: Any, layers: Iterable[Any]) -> None:
        """Bind on the given layers and the viewer; unbinds first."""
        self.unbind()
        for layer in layers:
            for name in KEYS:
                self._bind_one(layer, name)
        for name in ON_VIEWER:
            self._bind_one(viewer, name)

    def unbind(self) -> None:
        """Take our keys away again and restore the user's own."""
        for target, key, before in reversed(self._bound):
            target.bind_key(key, None, overwrite=True)
            if before is not None:
                target.bind_key(key, before, overwrite=True)
        self._bound = []

    def _bind_one(self, target: Any, name: str) -> None:
        action = self._actions[name]

        def pressed(_: Any) -> None:
            action()

        key = KEYS[name]
        before = target.bind_key(key, None)
        target.bind_key(key, pressed, overwrite=True)
        self._bound.append((target, key, before))
