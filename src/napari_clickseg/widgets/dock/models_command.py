"""The plugin command that shows which models there are and gets them."""

from __future__ import annotations

__all__ = ["show_models"]


def show_models() -> None:
    """Open the clicking dock of the current viewer and the window of published models."""
    from napari import current_viewer
    from napari.utils.notifications import show_warning

    from .opening import bring_forward, clicking_dock

    viewer = current_viewer()
    if viewer is None:
        show_warning("Open a napari viewer first, then run this command in it.")
        return
    dock = clicking_dock(viewer, make=True)
    bring_forward(dock)
    dock.source.more.click()
