"""Files that conversions write: whole or not at all, and a sentence if they cannot be."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..replacing import replacing
from ..scenes import DatasetError

__all__ = ["refused", "write_picture", "write_pickle"]


def refused(path: Path) -> Callable[[str], DatasetError]:
    """Makes the error for a file or folder that cannot be written, out of the reason."""
    return lambda why: DatasetError(f"{path} cannot be written: {why}. Run it again to go on.")


def write_pickle(path: Path, content: Any) -> None:
    """Write annotations as the published scripts do.

    Raises
    ------
    DatasetError
        If the file cannot be written.
    """
    with replacing(path, refused(path)) as made:
        made.write_bytes(pickle.dumps(content))


def write_picture(path: Path, array: np.ndarray) -> None:
    """Write a picture, labels with as few bits as hold them; its folder is made.

    Parameters
    ----------
    path : Path
        Ends in ``.png``, or is written as JPEG.
    array : (H, W) or (H, W, 3) array
        uint8, or labels from 0 on.

    Raises
    ------
    DatasetError
        If the labels are negative or do not fit 16 bits, or the file cannot be written.
    """
    from PIL import Image

    if array.dtype != np.uint8:
        if not 0 <= array.min() <= array.max() < 2**16:
            raise DatasetError(
                f"{path} cannot hold the values {array.min()} to {array.max()} as PNG. Number the "
                "objects from 1 on, and mark pixels to ignore by a value above them."
            )
        array = array.astype(np.uint8 if array.max() < 2**8 else np.uint16)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(path.parent)(error.strerror or str(error)) from error
    with replacing(path, refused(path)) as made:
        Image.fromarray(array).save(made, "PNG" if path.suffix == ".png" else "JPEG", quality=95)
