"""A tile whose pixels are computed when they are asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["Deferred"]


class Deferred:
    """Pixels between two bounds that are known before any pixel is.

    Parameters
    ----------
    low, high : float
        No pixel is below or above.
    make : callable
        Gives the pixels, ``(h, w)`` float32; the same ones each time. Given an index of rows and
        one of columns, those where they cross.
    """

    __slots__ = ("high", "low", "make")

    def __init__(self, low: float, high: float, make: Callable[..., np.ndarray]) -> None:
        self.low, self.high, self.make = float(low), float(high), make
