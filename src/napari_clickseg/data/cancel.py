"""Stopping long reading and writing of files, and saying how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Cancelled", "Progress", "stop_if"]

Progress = Callable[[float], object]  # called with the part that is done, 0..1


class Cancelled(Exception):
    """Raised out of a job whose `cancelled` callable answered true; nothing was changed."""


def stop_if(cancelled: Callable[[], bool] | None, what: str) -> None:
    """Raise `Cancelled` with a sentence if there is a callable and it answers true."""
    if cancelled is not None and cancelled():
        raise Cancelled(f"{what} was cancelled; nothing was kept or changed.")
