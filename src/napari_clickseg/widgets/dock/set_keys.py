"""Keys as the user set them in napari's Preferences, and texts that name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from qtpy.QtWidgets import QAbstractButton, QWidget

from .. import messages
from .keys import DOES, KEYS, printed

__all__ = ["read_keys", "use_keys", "with_keys"]

NAMED = re.compile(r"(?<=\()[^()\s]+?(?=\)|, )|(?<=\n)F\d+$")
"""Keys in texts: in brackets, or alone on the last line of a button."""


def read_keys(texts: Mapping[str, str]) -> tuple[dict[str, str], str | None]:
    """The keys of all actions, and a sentence on those that cannot be as they were set.

    Parameters
    ----------
    texts : mapping
        Keys such as ``"Ctrl+Shift+Z"`` by the names of `KEYS`; empty for none. What is no key, or
        the key of another action already, is replaced by the usual one, or by none.
    """
    found, wrong = {}, []
    usual = {name: _binding(key) for name, key in KEYS.items()}
    changed = [name for name in KEYS if _binding(texts.get(name, KEYS[name])) != usual[name]]
    taken = {usual[name]: name for name in KEYS if name not in changed}
    for name in changed:
        text = texts[name].strip()
        binding = _binding(text)
        if text and binding is None:
            wrong.append(messages.no_key(text, _title(name)))
            text, binding = "", usual[name]
            text = KEYS[name] if binding not in taken else ""
        elif binding in taken:
            wrong.append(messages.key_taken(text, _title(name), _title(taken[binding])))
            binding = usual[name]
            text = KEYS[name] if binding not in taken else ""
        elif text and binding in (napari := _of_napari()):
            wrong.append(messages.key_of_napari(text, _title(name), napari[binding]))
        found[name] = text
        if text:
            taken[binding] = name
    keys = {name: found.get(name, key) for name, key in KEYS.items()}
    return keys, " ".join(wrong) or None


def with_keys(text: str, keys: Mapping[str, str]) -> str:
    """A text that names usual keys in brackets, with those that are set in their place."""
    usual = {printed(key): name for name, key in KEYS.items()}

    def now(match: re.Match[str]) -> str:
        name = usual.get(match[0])
        return match[0] if name is None else printed(keys[name]) or "no key"

    return NAMED.sub(now, text)


def use_keys(dock: Any, texts: Mapping[str, str]) -> None:
    """Use the keys of the user in a dock, and name them there; what cannot be is said."""
    keys, wrong = read_keys(texts)
    dock.keys.keys = dock.tools.set_keys = keys
    dock.lines.worded = dock.tools.panel.worded = partial(with_keys, keys=keys)
    if keys != KEYS:
        _name(dock, keys)
    if wrong is not None:
        said = dock.status.text()  # of other preferences
        dock.lines.say(" ".join(filter(None, (said, wrong))), "warning")


def _name(dock: QWidget, keys: Mapping[str, str]) -> None:
    """Let buttons and tooltips name the keys that are set."""
    for widget in dock.findChildren(QWidget):
        if widget.toolTip():
            widget.setToolTip(with_keys(widget.toolTip(), keys))
        if isinstance(widget, QAbstractButton):
            widget.setText(with_keys(widget.text(), keys))


def _title(name: str) -> str:
    return DOES[name].split(" (")[0]


def _binding(text: str) -> str | None:
    """A key in one way of writing it; None for what is none."""
    from napari.utils.key_bindings import coerce_keybinding

    try:
        binding = coerce_keybinding(text.strip())
    except (ValueError, TypeError, KeyError):
        return None
    keys = [part.key for part in binding.parts]
    known = keys and all(key is not None and key.name != "UNKNOWN" for key in keys)
    return str(binding) if known else None


def _of_napari() -> dict[str, str]:
    """What napari's own keys do."""
    from napari.settings import get_settings

    actions = get_settings().shortcuts.shortcuts
    return {
        str(key): name.split(":")[-1].replace("_", " ")
        for name, keys in actions.items()
        for key in keys
    }
