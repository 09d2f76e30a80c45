"""An array of zeros for labels of images of any size."""

from __future__ import annotations

import tempfile

import numpy as np

__all__ = ["zeros"]


def zeros(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Zeros that take memory where something is written only; on disk if memory refuses them.

    napari draws a Labels layer from one array. It makes a dense copy of a zarr or dask array
    whenever it draws, and none of a numpy array.
    """
    try:
        return np.zeros(shape, dtype)
    except MemoryError:
        with tempfile.TemporaryFile(prefix="clickseg-objects-") as file:
            return np.memmap(file, dtype, "w+", shape=shape)
