"""MXNet ``.params`` files, as the authors of f-BRS trained them, read without MXNet.

The layout is followed from its description and was never tried on a real file.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .header import CheckpointError
from .signature import MXNET_MAGIC

__all__ = ["read_params"]

VERSION_1, VERSION_2 = 0xF993FAC8, 0xF993FAC9
DENSE = 0
DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 6: "<i8"}
PREFIXES = ("arg:", "aux:")
MOST_DIMENSIONS = 8


def read_params(path: str | Path) -> dict[str, Tensor]:
    """State dict of an MXNet parameter file under torch's names.

    ``X.gamma`` and ``X.beta`` become ``X.weight`` and ``X.bias`` where there is an
    ``X.running_var``, that is in batch norms.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    CheckpointError
        If the file is cut off, or holds arrays of a kind that is not known.
    """
    try:
        arrays = _arrays(_Bytes(Path(path).read_bytes()))
    except (ValueError, struct.error) as error:
        raise CheckpointError(
            f"{path} is a damaged MXNet parameter file, or one of an unknown kind: {error}. "
            "Download or copy it again."
        ) from error
    return {
        _renamed(name, arrays): torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))
        for name, array in arrays.items()
    }


class _Bytes:
    """A file's content, read from its beginning."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if not 0 <= count <= len(self.content) - self.at:
            raise ValueError(f"it ends {count - len(self.content) + self.at} bytes too early")
        self.at += count
        return self.content[self.at - count : self.at]

    def numbers(self, kinds: str) -> tuple[Any, ...]:
        """The next little-endian numbers, as `struct` writes their kinds."""
        return struct.unpack(f"<{kinds}", self.take(struct.calcsize(f"<{kinds}")))


def _arrays(content: _Bytes) -> dict[str, np.ndarray]:
    if content.take(8) != MXNET_MAGIC:
        raise ValueError("it has no MXNet signature")
    _, count = content.numbers("QQ")
    arrays = [_array(content) for _ in range(count)]
    (named,) = content.numbers("Q")
    if named != count:
        raise ValueError(f"it has {count} arrays and {named} names")
    names = []
    for _ in range(named):
        (length,) = content.numbers("Q")
        name = content.take(length).decode()
        names.append(name[4:] if name.startswith(PREFIXES) else name)
    return dict(zip(names, arrays, strict=True))


def _array(content: _Bytes) -> np.ndarray:
    (magic,) = content.numbers("I")
    if magic not in (VERSION_1, VERSION_2):
        raise ValueError(f"an array begins with {magic:#x}")
    if magic == VERSION_2:
        (storage,) = content.numbers("i")
        if storage != DENSE:
            raise ValueError(f"an array has storage type {storage}, not dense")
    (dimensions,) = content.numbers("I")
    if not 0 < dimensions <= MOST_DIMENSIONS:
        raise ValueError(f"an array has {dimensions} dimensions")
    shape = content.numbers(f"{dimensions}q")
    if min(shape) < 0:
        raise ValueError(f"an array has the shape {shape}")
    _, _, flag = content.numbers("iii")  # the device is of no interest
    if flag not in DTYPES:
        raise ValueError(f"an array has the unknown data type {flag}")
    dtype = np.dtype(DTYPES[flag])
    return np.frombuffer(content.take(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)


def _renamed(name: str, arrays: dict[str, np.ndarray]) -> str:
    layer, _, last = name.rpartition(".")
    if f"{layer}.running_var" in arrays:
        last = {"gamma": "weight", "beta": "bias"}.get(last, last)
    return f"{layer}.{last}" if layer else last
