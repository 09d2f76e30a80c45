"""The plugin command that shows which models there are and gets them."""

from __future__ import annotations

__all__ = ["show_models"]


def show_models() -> None:
    """Open the clicking dock of the current viewer and the window of published models."""
    from .opening import open_dock

    dock = open_dock()
    if dock is not None:
        dock.source.more.click()
