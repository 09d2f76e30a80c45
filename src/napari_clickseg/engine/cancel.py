"""Stopping a prediction that nobody waits for any more."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Cancelled", "stop_if"]


class Cancelled(Exception):
    """Raised out of a prediction whose `cancelled` callable answered true; nothing was changed."""


def stop_if(cancelled: Callable[[], bool] | None) -> None:
    """Raise `Cancelled` if there is a callable and it answers true.

    Asked before each network call; a single forward pass is not interrupted.
    """
    if cancelled is not None and cancelled():
        raise Cancelled("The prediction was cancelled.")
