"""What the user set in napari's Preferences for this plugin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from .layers.own import COLOURS

__all__ = ["Preferences", "begin_with", "key_texts", "preferences"]

PLUGIN, PAGE, KEYS_PAGE = "napari-clickseg", "clicking", "keys"


@dataclass(frozen=True)
class Preferences:
    """What a new dock begins with.

    Attributes
    ----------
    model : str
        Name or path; empty for the first of the list.
    device : str
        As in the dock.
    auto_run : bool
        Predict after each click.
    threshold : float
        Above which a pixel is shown; 0 for the model's own.
    overlap : str
        Rule for pixels of other objects, as in the dock.
    autosave : bool
        Record accepted objects and unfinished clicks on the disk.
    colours : str
        Of clicks, lines and the preview: a name of `layers.own.COLOURS`.
    threads : int
        That a network on the processor may use; 0 leaves that to PyTorch.
    """

    model: str = ""
    device: str = "auto"
    auto_run: bool = True
    threshold: float = 0.0
    overlap: str = "keep existing"
    autosave: bool = True
    colours: str = "green and red"
    threads: int = 0


def begin_with(dock: Any, wanted: Preferences) -> None:
    """Set the fields of a new dock; a model or device that is not there (any more) is left out."""
    known = {card.name: str(card.path) for card in dock.source.cards}
    path = known.get(wanted.model, wanted.model)
    if path and path not in known.values():
        with contextlib.suppress(ValueError, OSError):
            dock.source.choose_model_file(path)
    elif path:
        dock.source.choose_model(path)
    dock.source.device_box.setCurrentText(wanted.device)
    dock.tools.panel.auto_run.setChecked(wanted.auto_run)
    dock.controls.policy.setCurrentText(wanted.overlap)
    dock.autosave.on = wanted.autosave
    dock.clicking.layers.colours = COLOURS.get(wanted.colours, COLOURS[Preferences.colours])
    dock.controller.cache.threads = wanted.threads
    if wanted.threshold:
        dock.controls.threshold.setValue(wanted.threshold)


def preferences() -> Preferences:
    """The present ones; the defaults where napari knows nothing of them."""
    page = _page(PAGE)
    return Preferences(**{f.name: getattr(page, f.name, f.default) for f in fields(Preferences)})


def key_texts(names: Iterable[str]) -> dict[str, str]:
    """Keys of actions as they were typed; none where napari knows nothing of them."""
    page = _page(KEYS_PAGE)
    return {name: getattr(page, f"{name}_key") for name in names if hasattr(page, f"{name}_key")}


def _page(name: str) -> Any:
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(PLUGIN), name)
    except (ImportError, KeyError, AttributeError, ValueError, OSError):
        return None
