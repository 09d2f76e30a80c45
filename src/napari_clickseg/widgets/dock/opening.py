"""Where the clicking dock of a viewer is found, or opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..docked import bring_forward

if TYPE_CHECKING:
    import napari

    from .click_dock import ClickDock

__all__ = ["clicking_dock", "open_dock"]

NAME = "Click segmentation (Click segmentation)"
"""What napari's menus call the dock, so that they find the one opened here."""


def clicking_dock(viewer: napari.viewer.Viewer, make: bool = False) -> ClickDock | None:
    """The dock for clicking in a viewer; None if there is none and none is to be made."""
    from .click_dock import ClickDock

    docks: list[Any] = [w for w in viewer.window.dock_widgets.values() if isinstance(w, ClickDock)]
    if docks:
        return docks[-1]
    if not make:
        return None
    dock = ClickDock(viewer)
    viewer.window.add_dock_widget(dock, name=NAME)
    return dock


def open_dock() -> ClickDock | None:
    """The clicking dock of the current viewer, in front; None without a viewer, which is said."""
    from napari import current_viewer
    from napari.utils.notifications import show_warning

    viewer = current_viewer()
    if viewer is None:
        show_warning("Open a napari viewer first, then run this command in it.")
        return None
    dock = clicking_dock(viewer, make=True)
    bring_forward(dock)
    return dock
