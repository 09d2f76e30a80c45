"""Stopping work that nobody waits for any more, and saying how far work is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Cancelled", "Progress", "part_of", "stop_if"]

Progress = Callable[[float], object]  # called with the part that is done, 0..1


class Cancelled(Exception):
    """Raised out of work whose `cancelled` callable answered true; nothing was changed."""


def stop_if(cancelled: Callable[[], bool] | None, what: str = "The prediction") -> None:
    """Raise `Cancelled` with a sentence if there is a callable and it answers true.

    Asked between steps, such as before each network call; a single one is not interrupted.
    """
    if cancelled is not None and cancelled():
        raise Cancelled(f"{what} was cancelled; nothing was kept or changed.")


def part_of(progress: Progress | None, first: float, last: float) -> Progress | None:
    """What is told of the whole as one of its parts, `first` to `last`, goes from 0 to 1."""
    if progress is None:
        return None
    return lambda done: progress(first + (last - first) * done)
