"""Predictions that the memory does not suffice for are tried again with smaller views. No Qt."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import messages
from .predictors import Choice, PredictorCache

if TYPE_CHECKING:
    from ...engine.session import Session

__all__ = ["is_shortage", "run_within_memory"]

WORDS = ("out of memory", "allocate memory")


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory, of a device or the machine."""
    said = isinstance(error, RuntimeError) and any(word in str(error).lower() for word in WORDS)
    return isinstance(error, MemoryError) or said


def run_within_memory(
    cache: PredictorCache, choice: Choice, session: Session, cancelled: Callable[[], bool]
) -> tuple[Session, str | None]:
    """What `Predictor.run` returns; tried once more with smaller views if memory runs out.

    Returns
    -------
    Session
    str or None
        A sentence if it was tried again.

    Raises
    ------
    MemoryError
        If that does not help; the text says what to choose instead.
    """
    try:
        return cache.get(choice).run(session, cancelled), None
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
    _free()  # out here, where the error no longer holds what did not suffice
    smaller, before, after = cache.get_smaller(choice, session.shape)
    try:
        return smaller.run(session, cancelled), messages.short_of_memory(
            cache.device, before, after
        )
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
    _free()
    raise MemoryError(messages.short_of_memory(cache.device, after, None))


def _free() -> None:
    """Hand memory that PyTorch keeps for later back to the device."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
