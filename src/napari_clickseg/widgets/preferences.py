"""What the user set in napari's Preferences for this plugin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..data.pyramid_cache import prefer_cache_folder
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
    cache_folder : str
        Of the smaller copies of large images; empty for the user's.
    """

    model: str = ""
    device: str = "auto"
    auto_run: bool = True
    threshold: float = 0.0
    overlap: str = "keep existing"
    autosave: bool = True
    colours: str = "green and red"
    threads: int = 0
    cache_folder: str = ""


def begin_with(dock: Any, wanted: Preferences) -> None:
    """Set the fields of a new dock; a model or device that is not there is left out, and said."""
    source, wrong = dock.source, []
    known = {card.name: str(card.path) for card in source.cards}
    model = wanted.model.strip()
    path = known.get(model, model)
    try:
        if path and path not in known.values():
            source.choose_model_file(Path(path).expanduser())
        elif path:
            source.choose_model(path)
    except (ValueError, OSError):
        wrong.append(_missing("model", model, getattr(source.card, "name", "none")))
    source.device_box.setCurrentText(wanted.device.strip())
    if wanted.device.strip() not in ("", source.device):
        wrong.append(_missing("device", wanted.device.strip(), source.device))
    dock.tools.panel.auto_run.setChecked(wanted.auto_run)
    dock.controls.policy.setCurrentText(wanted.overlap)
    dock.autosave.on = wanted.autosave
    dock.clicking.layers.colours = COLOURS.get(wanted.colours, COLOURS[Preferences.colours])
    dock.controller.cache.threads = wanted.threads
    prefer_cache_folder(wanted.cache_folder)
    if wanted.threshold:
        dock.controls.threshold.setValue(wanted.threshold)
    if wrong:
        dock.lines.say(" ".join(wrong), "warning")


def preferences() -> Preferences:
    """The present ones; the defaults where napari knows nothing of them."""
    page = _page(PAGE)
    return Preferences(**{f.name: getattr(page, f.name, f.default) for f in fields(Preferences)})


def key_texts(names: Iterable[str]) -> dict[str, str]:
    """Keys of actions as they were typed; none where napari knows nothing of them."""
    page = _page(KEYS_PAGE)
    return {name: getattr(page, f"{name}_key") for name in names if hasattr(page, f"{name}_key")}


def _missing(what: str, wanted: str, used: str) -> str:
    return f"The {what} '{wanted}' of napari's Preferences is not here; this dock uses {used}."


def _page(name: str) -> Any:
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(PLUGIN), name)
    except (ImportError, KeyError, AttributeError, ValueError, OSError):
        return None
