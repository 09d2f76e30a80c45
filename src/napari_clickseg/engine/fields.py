"""Checks of the values that a frozen dataclass is made with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["check_fields", "is_flag", "is_size", "make_whole", "whole", "whole_sides"]


def whole(value: Any) -> Any:
    """An integral number of any kind (320.0, ``np.int64(320)``) as int, all else as it is."""
    if isinstance(value, Real) and math.isfinite(value) and value == int(value):
        return int(value)
    return value


def make_whole(values: Any, *names: str) -> None:
    """Replace these fields of a frozen dataclass by what `whole` makes of them."""
    for name in names:
        object.__setattr__(values, name, whole(getattr(values, name)))


def whole_sides(value: Any) -> Any:
    """A pair of sides of any kind as a tuple of int where they are integral."""
    return tuple(map(whole, value)) if isinstance(value, Iterable) else value


def is_flag(value: object) -> bool:
    """Whether this is true or false, and nothing that only counts as one of them."""
    return isinstance(value, bool | np.bool_)


def is_size(value: object) -> bool:
    """Whether this is one side or two sides in pixels."""
    sides = value if isinstance(value, tuple) else (value, value)
    return len(sides) == 2 and all(isinstance(side, int) and side >= 1 for side in sides)


def check_fields(owner: str, rows: Iterable[tuple[Any, Callable[[Any], Any], str]]) -> None:
    """Refuse the first value that does not fit.

    Parameters
    ----------
    owner : str
        Who cannot work with it.
    rows : iterable of (value, callable, str)
        Whether a value fits is what the callable answers; a TypeError or ValueError that comes out
        of it (``"a" < 1``) is a no. The text names the value and says what it may be.

    Raises
    ------
    ValueError
        In one sentence.
    """
    for value, fits, what in rows:
        try:
            fine = bool(fits(value))
        except (TypeError, ValueError):
            fine = False
        if not fine:
            raise ValueError(f"{owner} cannot work with {value!r} as {what}.")
