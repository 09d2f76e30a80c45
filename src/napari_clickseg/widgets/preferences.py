"""What the user set in napari's Preferences for this plugin."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Preferences", "begin_with", "preferences"]

PLUGIN, PAGE = "napari-clickseg", "clicking"


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
        Record accepted objects on the disk.
    """

    model: str = ""
    device: str = "auto"
    auto_run: bool = True
    threshold: float = 0.0
    overlap: str = "keep existing"
    autosave: bool = True


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
    if wanted.threshold:
        dock.controls.threshold.setValue(wanted.threshold)


def preferences() -> Preferences:
    """The present ones; the defaults where napari knows nothing of them."""
    try:
        from napari.settings import get_plugin_settings

        page: Any = getattr(get_plugin_settings(PLUGIN), PAGE)
    except (ImportError, KeyError, AttributeError, ValueError, OSError):
        return Preferences()
    default = Preferences()
    return Preferences(**{f.name: getattr(page, f.name, f.default) for f in fields(default)})
