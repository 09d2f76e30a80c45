"""The plugin command that opens a folder of images in the clicking dock."""

from __future__ import annotations

__all__ = ["segment_images"]


def segment_images() -> None:
    """Open the clicking dock of the current viewer and ask for a folder."""
    from ..dock.opening import open_dock

    dock = open_dock()
    if dock is not None:
        dock.folder.panel.expand(animate=False)
        dock.folder.panel.ask()
