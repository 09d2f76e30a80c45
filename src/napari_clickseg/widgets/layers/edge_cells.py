"""Where the outline of a mask passes on a grid that is coarser or finer than its pixels."""

from __future__ import annotations

import numpy as np

__all__ = ["edge_cells"]


def edge_cells(mask: np.ndarray, down: tuple[int, int], up: tuple[int, int]) -> np.ndarray:
    """The cells of a grid that lie on both sides of the outline of a mask.

    Where a line of the outline passes, two cells in a row are marked. Parts and holes that are
    narrower than a cell are marked as well, however small, and no line is drawn along the
    border of the array.

    Parameters
    ----------
    mask : np.ndarray
        ``(h, w)``, uint8 or bool; what is not 0 is inside.
    down : (int, int)
        Pixels per cell along rows and columns. Pixels that fill no cell are left out.
    up : (int, int)
        Cells per pixel of what is left; of `down` and `up`, one is 1 on each axis.

    Returns
    -------
    np.ndarray
        ``(h // down[0] * up[0], w // down[1] * up[1])``, uint8, 1 at the outline and 0 elsewhere.
    """
    some, all_of = _by_cells(mask, *down, np.maximum), _by_cells(mask, *down, np.minimum)
    some, all_of = (_repeated(cells != 0, *up) for cells in (some, all_of))
    edge = some & ~all_of
    for inside, marked in ((some, edge), (some.T, edge.T)):
        crossed = inside[1:] != inside[:-1]
        marked[1:] |= crossed
        marked[:-1] |= crossed
    return edge.view(np.uint8)


def _by_cells(mask: np.ndarray, rows: int, cols: int, combine: np.ufunc) -> np.ndarray:
    """The highest or lowest value in each cell; NumPy is fast at rows, and slow at short axes."""
    height, width = mask.shape[0] // rows, mask.shape[1] // cols
    found = mask[: height * rows, : width * cols]
    if rows > 1:
        found = combine.reduce(found.reshape(height, rows, width * cols), axis=1)
    if cols > 1:
        first, *others = (found[:, col::cols] for col in range(cols))
        found = first.copy()
        for other in others:
            combine(found, other, out=found)
    return found


def _repeated(cells: np.ndarray, rows: int, cols: int) -> np.ndarray:
    found = cells if rows == 1 else np.repeat(cells, rows, axis=0)
    return found if cols == 1 else np.repeat(found, cols, axis=1)
