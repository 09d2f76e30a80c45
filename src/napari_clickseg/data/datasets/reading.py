"""Images and masks of data sets as arrays, whatever format they have on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import StackError
from ..readers import read_image
from ..saved_session import LARGEST_LABEL
from ..scenes import DatasetError
from .mask_colours import read_numbers

__all__ = [
    "LOSSY",
    "SCALINGS",
    "Scaling",
    "grey",
    "read_labels",
    "read_rgb",
    "resized",
    "whole_numbers",
]

Scaling = Literal["percentiles", "range", "depth"]
LOSSY = (".jpg", ".jpeg")
SCALINGS = ("percentiles", "range", "depth")
PERCENTILES = (0.1, 99.9)


def read_rgb(path: Path, scaling: Scaling = "depth") -> np.ndarray:
    """An image as RGB with 8 bits.

    Parameters
    ----------
    path : Path
        PNG, JPEG, BMP, GIF, TIFF or npy; ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``, of which
        alpha is dropped.
    scaling : {"percentiles", "range", "depth"}
        What becomes 0 and 255 where there are more than 8 bits: the 0.1 and 99.9 percentiles of
        this image, its least and greatest value, or, for 16-bit integers, the ends of the type.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    ImageError
        If the file cannot be read.
    DatasetError
        If it holds a stack or has other channels.
    """
    array = read_image(path)
    if array.ndim == 3 and array.shape[2] in (3, 4):
        array = array[..., :3]
    elif array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    elif array.ndim != 2:
        raise DatasetError(
            f"{path} has the shape {array.shape}. An image of a data set is (H, W), (H, W, 3) or "
            "(H, W, 4): save the planes or channels you want as files of their own."
        )
    array = _eight_bits(array, scaling)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    return np.ascontiguousarray(array)


def _eight_bits(array: np.ndarray, scaling: Scaling) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if scaling == "depth" and array.dtype == np.uint16:
        return (array >> 8).astype(np.uint8)
    values = array.astype(np.float32)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(array.shape, np.uint8)
    if scaling == "percentiles":
        low, high = np.percentile(finite, PERCENTILES)
    else:
        low, high = finite.min(), finite.max()
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / max(high - low, 1e-9)
    return (scaled.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def grey(rgb: np.ndarray) -> np.ndarray:
    """Luma of an RGB image ``(H, W, 3)`` as ``(H, W)`` uint8, in OpenCV's integer arithmetic.

    The published PascalVOC and SAIC-IS readers take these values as the ids of objects.
    """
    weights = np.array([9798, 19235, 3735], np.int32)
    return ((rgb.astype(np.int32) @ weights + (1 << 14)) >> 15).astype(np.uint8)


def read_labels(path: Path, like: Path | None = None) -> np.ndarray:
    """A mask as one whole number per pixel.

    Parameters
    ----------
    path : Path
        PNG, BMP, GIF, TIFF, npy or (OME-)Zarr. Palettes give their indices, bool gives 0 and 1;
        in a coloured mask each colour but black is a value, numbered in the order of red, green,
        blue. JPEG gives the brightest channel, inexact as it is.
    like : Path, optional
        A mask of the same objects: its colours have the numbers here that they have there, and
        others are counted on.

    Returns
    -------
    (H, W) int32 array, int64 where a value is above 2 147 483 647
        Negative values of the file are kept.

    Raises
    ------
    ImageError
        If the file cannot be read.
    DatasetError
        If it is no mask: a stack, fractions, or too many colours; or it has colours and `like`
        numbers.
    """
    if path.suffix.lower() in LOSSY:
        return read_rgb(path).max(axis=2).astype(np.int32)
    try:
        array, _ = read_numbers(path, None if like is None else (like, read_numbers(like)[1]))
    except StackError as error:
        sizes = ", ".join(f"{name} of {length}" for name, length in error.axes)
        raise DatasetError(
            f"The mask {path} is a stack ({sizes}). A mask is (H, W): one number per pixel."
        ) from error
    if array.ndim != 2:
        raise DatasetError(
            f"The mask {path} has the shape {array.shape}. A mask is (H, W): one number per pixel."
        )
    return whole_numbers(array, path)


def whole_numbers(array: np.ndarray, path: Path) -> np.ndarray:
    """What a mask file holds as int32, or int64 where a value is above 2 147 483 647.

    Raises
    ------
    DatasetError
        If these are fractions, or beyond the largest label.
    """
    if array.dtype.kind == "f" and not (array == array.round()).all():
        what = "fractions" if np.isfinite(array).all() else "NaN"
        raise DatasetError(
            f"The mask {path} holds {what}. A mask has whole numbers: 0 for background, one for "
            "each object."
        )
    least, most = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if least < -(2**31) or most > LARGEST_LABEL:
        raise DatasetError(
            f"The mask {path} has values beyond {LARGEST_LABEL}. Number its objects anew, "
            "from 1 on."
        )
    return array.astype(np.int32 if most < 2**31 else np.int64)


def resized(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """An image ``(H, W, 3)`` uint8, bilinear, or a mask ``(H, W)``, nearest, in another size."""
    from PIL import Image

    if array.shape[:2] == shape:
        return array
    if array.ndim == 3:
        size = (shape[1], shape[0])
        return np.asarray(Image.fromarray(array).resize(size, Image.Resampling.BILINEAR))
    picked = [
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(shape, array.shape, strict=True)
    ]
    return array[np.ix_(*picked)]
