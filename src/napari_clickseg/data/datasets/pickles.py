"""Reading the pickled annotations of published data sets without running what they name.

A pickle may ask for any function to be called. Here only plain values are built; numpy's arrays
and numbers are answered with stand-ins that check what they are given, and become arrays at the
end. Every other name is refused, and none is imported.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..scenes import DatasetError

__all__ = ["load_plain_pickle"]

PLAIN_KINDS = "biuf"


class _Dtype:
    """Stands in for a dtype of plain numbers."""

    def __init__(self, name: object, *_: object) -> None:
        self.value = np.dtype(str(name))
        if self.value.kind not in PLAIN_KINDS:
            raise pickle.UnpicklingError(f"arrays of dtype {self.value}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "|", "=") or any(state[2:5]):
            raise pickle.UnpicklingError("arrays with fields")
        self.value = self.value.newbyteorder(state[1])


class _Array:
    """Stands in for an array, which comes empty first and gets its content as its state."""

    value = np.zeros(0)

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, columns_first, content = state
        self.value = _filled(content, dtype, shape, "F" if columns_first else "C")


class _Kind:
    """Stands in for the class of arrays, which only ever is an argument."""


def _filled(content: Any, dtype: Any, shape: tuple[int, ...], order: str) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError("an array of no plain numbers")
    if math.prod(shape) * dtype.value.itemsize != len(content):
        raise pickle.UnpicklingError("an array of another size than its content")
    return np.frombuffer(content, dtype.value).reshape(shape, order=order)


def _from_buffer(content: Any, dtype: Any, shape: tuple[int, ...], order: str) -> _Array:
    """An array as pickle's protocol 5 writes it."""
    array = _Array()
    array.value = _filled(content, dtype, shape, order)
    return array


def _number(dtype: Any, content: Any) -> Any:
    return _filled(content, dtype, (1,), "C")[0].item()


def _encoded(text: str, encoding: str) -> bytes:
    """Bytes as the older protocols write them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


CORES = ("numpy.core", "numpy._core")
ALLOWED: dict[str, Callable[..., Any]] = {
    "numpy.ndarray": _Kind,
    "numpy.dtype": _Dtype,
    "_codecs.encode": _encoded,
    **{f"{core}.multiarray._reconstruct": _Array for core in CORES},
    **{f"{core}.multiarray.scalar": _number for core in CORES},
    **{f"{core}.numeric._frombuffer": _from_buffer for core in CORES},
    **{
        f"{room}.{name}": kind
        for room in ("builtins", "__builtin__")
        for name, kind in (("set", set), ("frozenset", frozenset), ("bytearray", bytearray))
    },
    "collections.OrderedDict": dict,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(f"'{module}.{name}'") from None


def load_plain_pickle(path: str | Path) -> Any:
    """The content of a pickle of plain values and numpy arrays of numbers.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    object
        numpy's numbers come as Python's.

    Raises
    ------
    DatasetError
        If the file is damaged, or asks for anything else; the message names it.
    """
    try:
        with Path(path).open("rb") as file:
            return _with_arrays(_PlainUnpickler(file).load())
    except (MemoryError, OSError):
        raise
    except pickle.UnpicklingError as error:
        raise DatasetError(
            f"{path} is damaged, or holds more than plain values and arrays ({error}); it is not "
            "loaded, because it could run code. Get the annotations again, or build them anew."
        ) from error
    except Exception as error:  # damaged pickles raise many unrelated kinds
        raise DatasetError(
            f"{path} is damaged or no pickle ({type(error).__name__}). Copy or build it again."
        ) from error


def _with_arrays(value: Any) -> Any:
    """The value with arrays in the places of their stand-ins."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, list):
        value[:] = [_with_arrays(part) for part in value]
    elif isinstance(value, tuple):
        return tuple(_with_arrays(part) for part in value)
    elif isinstance(value, dict):
        for key, part in value.items():
            value[key] = _with_arrays(part)
    return value
