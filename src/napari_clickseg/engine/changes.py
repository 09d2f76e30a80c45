"""Where a new answer really differs from the mask so far."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, binary_opening, binary_propagation
from torch import Tensor

from ..interactions import Interaction
from .tiles import TileMap
from .views import View

__all__ = ["changed_region", "corrected_region"]

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
    old, new, said = _answers(view, before, logits, latest)
    asked = new & ~old if latest.positive else old & ~new
    different = binary_opening(old != new, np.ones((3, 3)))
    near = binary_propagation(said, mask=binary_dilation(different, iterations=REACH) | said)
    return near | binary_dilation(different & asked, iterations=REACH)


def corrected_region(
    view: View, before: TileMap, logits: Tensor, latest: Interaction
) -> np.ndarray:
    """Pixels of a view in which a correction of an existing mask counts, ``(h, w)`` bool.

    They are the connected change that the interaction touches, and its own place.
    Parameters are those of `changed_region`.
    """
    old, new, said = _answers(view, before, logits, latest)
    different = (new & ~old) if latest.positive else (old & ~new)
    return binary_propagation(said, mask=different | said)


def _answers(
    view: View, before: TileMap, logits: Tensor, latest: Interaction
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mask so far, the new one, and what is near the interaction, ``(h, w)`` bool each."""
    old = view.read_mask(before)[0, 0].numpy() > 0.5
    new = logits[0, 0].float().cpu().numpy() > 0
    said = np.zeros_like(old)
    for row, col in view.place(latest).points:
        r, c = round(row), round(col)
        if 0 <= r < said.shape[0] and 0 <= c < said.shape[1]:
            said[r, c] = True
    return old, new, binary_dilation(said, iterations=REACH)
