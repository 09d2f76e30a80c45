"""The plugin command that opens a folder of images in the clicking dock."""

from __future__ import annotations

__all__ = ["segment_images"]


def segment_images() -> None:
    """Open the clicking dock of the current viewer and ask for a folder."""
    from napari import current_viewer
    from napari.utils.notifications import show_warning

    from ..dock.opening import bring_forward, clicking_dock

    viewer = current_viewer()
    if viewer is None:
        show_warning("Open a napari viewer first, then run this command in it.")
        return
    dock = clicking_dock(viewer, make=True)
    bring_forward(dock)
    dock.folder.panel.expand(animate=False)
    dock.folder.panel.ask()
