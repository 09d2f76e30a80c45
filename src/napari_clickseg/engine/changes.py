"""Where a new answer really differs from the mask so far."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, binary_opening, binary_propagation
from torch import Tensor

from ..interactions import Interaction
from .tiles import TileMap
from .views import View

__all__ = ["changed_region"]

REACH = 4  # view pixels around a change that belong to it


def changed_region(view: View, before: TileMap, logits: Tensor, latest: Interaction) -> np.ndarray:
    """Pixels of a view in which an answer counts, ``(h, w)`` bool: the change that was asked for.

    It is what the latest interaction touches, and what is added elsewhere if it is positive, or
    removed if it is negative. A boundary that is answered at a small scale never comes out quite
    the same: differences of less than three pixels of the view are such trembling.

    Parameters
    ----------
    view : View
    before : TileMap
        The mask so far.
    logits : (1, 1, h, w) Tensor
        The answer.
    latest : Interaction
        In image pixels.
    """
    old = view.read_mask(before)[0, 0].numpy() > 0.5
    new = logits[0, 0].float().cpu().numpy() > 0
    asked = new & ~old if latest.positive else old & ~new
    different = binary_opening(old != new, np.ones((3, 3)))
    said = np.zeros_like(different)
    for row, col in view.place(latest).points:
        r, c = round(row), round(col)
        if 0 <= r < said.shape[0] and 0 <= c < said.shape[1]:
            said[r, c] = True
    said = binary_dilation(said, iterations=REACH)
    near = binary_propagation(said, mask=binary_dilation(different, iterations=REACH) | said)
    return near | binary_dilation(different & asked, iterations=REACH)
