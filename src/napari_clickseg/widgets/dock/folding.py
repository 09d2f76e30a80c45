"""Sections of the dock that fold, as the user left them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ..remembered import remember_open, remembered_open
from ..section import Section

__all__ = ["keep_folds"]


def keep_folds(sections: Iterable[Section]) -> None:
    """Open or fold sections as they were left, and remember what the user does to them.

    They are remembered by their kind: ``"SourcePanel"``.
    """
    known = remembered_open()
    for section in sections:
        name = type(section).__name__
        if name in known:
            (section.expand if known[name] else section.collapse)(animate=False)
        section.toggled.connect(partial(remember_open, name))
