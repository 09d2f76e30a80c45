"""What a procedural scene shows, before it has colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Drawing"]


@dataclass(frozen=True)
class Drawing:
    """Objects of a square scene, all (S, S) arrays.

    Attributes
    ----------
    labels : int32 array
        0 background, 1..N objects.
    parts : bool array or None
        Parts inside the objects that look different: nuclei, cores.
    soft : float32 array or None
        How much of an object is seen at a pixel, 0..1, where its edge is not sharp.
    outlined : float
        Probability that an outline sets the objects off, such as a membrane or a halo.
    """

    labels: np.ndarray
    parts: np.ndarray | None = None
    soft: np.ndarray | None = None
    outlined: float = 0.3
