"""The dock's keys: bound on our own layers and, with lower priority, on the viewer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from inspect import isgeneratorfunction
from typing import Any

from ..work.tools import TOOLS

__all__ = ["DOES", "KEYS", "KeyBindings", "printed", "shortcuts"]

KEYS: dict[str, str] = {
    "swap": "T",
    "undo": "Control-Z",
    "redo": "Control-Shift-Z",
    "reset": "R",
    "accept": "N",
    "cancel": "K",
    "accept_part": "Shift-N",
    "give_back": "Escape",
    "previous": ",",
    "next": ".",
    "jump": "J",
    "pick": "I",
    "auto_run": "Q",
    "run": "G",
    "nearest": "D",
    "hide": "H",
    "outline": "U",
    "next_slice": "W",
    "previous_image": "PageUp",
    "next_image": "PageDown",
    "help": "F1",
    **{tool.name: tool.key for tool in TOOLS},
}
"""Action to key. None is taken by napari on Points or Labels layers, save Ctrl+Z on Labels."""

ON_SHAPES = {
    "swap": "Shift-T",
    "reset": "Shift-R",
    "nearest": "Shift-D",
    "pick": "Shift-I",
    "give_back": None,
}
"""Other keys on our Shapes layer, where napari has those of `KEYS`."""

ON_POINTS = {"accept": "Enter"}
"""Further keys on our Points layers."""

WHAT = {
    "swap": "what a left click means: object or background",
    "undo": "undo",
    "redo": "redo",
    "reset": "remove all that was said of this object",
    "accept": "accept the object, go on to the next (also Enter)",
    "accept_part": "accept as a part, go on with the same object",
    "next_slice": "accept, go on with the same object on the next slice",
    "cancel": "cancel the running prediction",
    "give_back": "give back an object that was opened again",
    "previous": "previous object",
    "next": "next object",
    "jump": "bring the object into view",
    "pick": "click again on the object under the pointer",
    "auto_run": "auto-run on or off (or hold Ctrl while you click)",
    "run": "run what waits; else the whole object again",
    "nearest": "delete the click or line nearest to the pointer",
    "hide": "hide the preview while held",
    "outline": "preview as outline or filled",
    "previous_image": "previous image of the folder",
    "next_image": "next image of the folder",
    "help": "this table",
}


DOES = {tool.name: f"tool: {tool.text.lower()}" for tool in TOOLS} | WHAT
"""What all keys do."""


def printed(key: str) -> str:
    """A key as it is printed on keyboards."""
    return re.sub(r"-(?=.)", "+", key.replace("Control", "Ctrl"))


def shortcuts(keys: Mapping[str, str] = KEYS) -> list[tuple[str, str]]:
    """Keys as they are printed on keyboards, and what they do; actions without one are left out."""
    rows = [("left / right click", "object / background")]
    for name, what in DOES.items():
        other = ON_SHAPES.get(name) if keys[name] == KEYS[name] else None
        drawn = f" ({printed(other)} while drawing)" if other else ""
        if keys[name]:
            rows.append((printed(keys[name]), what + drawn))
    return rows


ON_VIEWER = (
    "swap",
    "reset",
    "accept",
    "cancel",
    "accept_part",
    "previous",
    "next",
    "jump",
    "pick",
    "auto_run",
    "run",
    "nearest",
    "hide",
    "outline",
    "next_slice",
    "previous_image",
    "next_image",
    *(tool.name for tool in TOOLS),
)
"""Ctrl+Z is not bound on the viewer: on other layers it stays theirs."""

ALWAYS = ("help",)
"""On the viewer as long as the dock is open, also while clicking is off."""


class KeyBindings:
    """Binds the actions while clicking and gives back what was there before.

    Parameters
    ----------
    actions : dict of str to callable
        One per key of `KEYS`, called without arguments.

    Attributes
    ----------
    keys : mapping
        Those that are set; empty for actions without one.
    """

    def __init__(self, actions: dict[str, Callable[[], Any]]) -> None:
        self._actions = actions
        self.keys: Mapping[str, str] = KEYS
        self._bound: list[tuple[Any, str, Any]] = []
        self._layers: list[Any] = []
        self._always = 0  # how many of those bound are `ALWAYS`

    def bind(self, viewer: Any, layers: Iterable[Any]) -> None:
        """Bind on the given layers and the viewer."""
        for layer in layers:
            drawn, points = hasattr(layer, "shape_type"), hasattr(layer, "symbol")
            for name, key in self.keys.items():
                usual = drawn and key == KEYS[name]
                self._bind_one(layer, name, ON_SHAPES.get(name, key) if usual else key)
            for name, key in ON_POINTS.items() if points else ():
                self._bind_one(layer, name, key)
        for name in ON_VIEWER:
            self._bind_one(viewer, name, self.keys[name])

    def follow(self, viewer: Any, layers: list[Any]) -> None:
        """Bind on these layers instead of those before; without any, only `ALWAYS`."""
        if not self._always:
            for name in ALWAYS:
                self._bind_one(viewer, name, self.keys[name])
            self._always = len(self._bound)
        if layers != self._layers:
            self.unbind(self._always)
            if layers:
                self.bind(viewer, layers)
        self._layers = layers

    def unbind(self, kept: int = 0) -> None:
        """Take our keys away again, but for the first few, and restore the user's own."""
        for target, key, before in reversed(self._bound[kept:]):
            target.bind_key(key, None, overwrite=True)
            if before is not None:
                target.bind_key(key, before, overwrite=True)
        self._bound = self._bound[:kept]

    def _bind_one(self, target: Any, name: str, key: str | None) -> None:
        if not key:
            return
        action = self._actions[name]
        if isgeneratorfunction(action):

            def pressed(_: Any) -> Any:
                yield from action()
        else:

            def pressed(_: Any) -> None:
                action()

        before = target.bind_key(key, None)
        target.bind_key(key, pressed, overwrite=True)
        self._bound.append((target, key, before))
