"""What the network sees of pixel values: what the viewer shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..data.readers import ImageReader
from ..geometry import Box

__all__ = ["black_and_white", "full_range", "percentile_limits", "to_rgb"]

PERCENTILES = (0.1, 99.9)
WHOLE_SIDE = 1024  # sides up to this are looked at whole for percentiles, longer ones in blocks
LARGEST = 1e300  # values beyond count as this, so that differences of limits are finite
SINGLE = 1e-37, 1e38  # ranges and limits between which float32 is good enough for 16 bits
BLOCK, BLOCKS = 128, 8  # side of a block in pixels, and their number along a side


def black_and_white(
    reader: ImageReader, contrast_limits: Sequence[float] | None = None
) -> tuple[float, float]:
    """The image values that are shown as black and as white.

    Parameters
    ----------
    reader : ImageReader
    contrast_limits : (float, float), optional
        Given, they are taken as they are. Otherwise bool and uint8 images use their full range, as
        do RGB images of unsigned integers; RGB floats within 0..1 use 0 and 1; all else uses the
        0.1 and 99.9 percentiles of the finite values.

    Raises
    ------
    ValueError
        If the limits given are not two finite numbers in rising order.
    """
    if contrast_limits is not None:
        return _checked(contrast_limits)
    dtype, colour = reader.dtype, len(reader.shape) == 3
    if dtype.kind == "b":
        return 0.0, 1.0
    if dtype == np.uint8 or (colour and dtype.kind == "u"):
        return 0.0, float(np.iinfo(dtype).max)
    if colour and dtype.kind == "f":
        values = _sample(reader)
        if values.size and values.min() >= 0 and values.max() <= 1:
            return 0.0, 1.0
    return percentile_limits(reader)


def percentile_limits(
    reader: ImageReader, percentiles: tuple[float, float] = PERCENTILES
) -> tuple[float, float]:
    """Percentiles of the finite values; 0 and 1 without any.

    Of a large image without small levels, blocks all over it are looked at.
    """
    values = _sample(reader)
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, percentiles))
    if high - low < np.finfo(np.float64).tiny:  # constant: any wider range shows it as black
        high = low + max(1.0, 1e-12 * abs(low))
    return low, high


def full_range(reader: ImageReader) -> tuple[float, float]:
    """The range of the dtype; of floats the smallest and the largest finite value."""
    if reader.dtype.kind == "b":
        return 0.0, 1.0
    if reader.dtype.kind in "iu":
        about = np.iinfo(reader.dtype)
        return float(about.min), float(about.max)
    return percentile_limits(reader, (0.0, 100.0))


def _checked(contrast_limits: Sequence[float]) -> tuple[float, float]:
    """Limits that a user gave; refuses what cannot be limits."""
    try:
        low, high = (float(value) for value in contrast_limits)
        fine = low < high and math.isfinite(high - low)
    except (TypeError, ValueError, OverflowError):
        fine = False
    if not fine:
        raise ValueError(
            f"The contrast limits {contrast_limits!r} are not two finite numbers, the smaller one "
            "first. Give the values shown as black and as white."
        )
    return low, high


def _sample(reader: ImageReader) -> np.ndarray:
    """Finite values from all over the image, colours without alpha, as float64.

    A level of moderate size is read whole; of larger ones, blocks on a grid.
    """
    sizes = reader.levels
    level = next((i for i, size in enumerate(sizes) if max(size) <= WHOLE_SIDE), len(sizes) - 1)
    height, width = sizes[level]
    rows, cols = (
        [0] if side <= WHOLE_SIDE else np.linspace(0, side - BLOCK, BLOCKS, dtype=int).tolist()
        for side in (height, width)
    )
    tall, wide = (side if side <= WHOLE_SIDE else BLOCK for side in (height, width))
    values = []
    for row in rows:
        for col in cols:
            patch = reader.read(Box(row, col, row + tall, col + wide), level)
            patch = patch[..., :3] if len(reader.shape) == 3 else patch
            values.append(np.asarray(patch, dtype=np.float64).ravel())
    flat = np.concatenate(values)
    return flat[np.isfinite(flat)].clip(-LARGEST, LARGEST)


def to_rgb(patch: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Pixel values as the network sees them.

    Parameters
    ----------
    patch : (H, W), (H, W, 3) or (H, W, 4) array
        Any real dtype; alpha is ignored.
    limits : (float, float)
        Values of black and white; values beyond are clipped, NaN and infinite ones are black.

    Returns
    -------
    (H, W, 1 or 3) float32 array
        0..1.
    """
    patch = patch[..., None] if patch.ndim == 2 else patch[..., :3]
    low, high = limits
    if (patch.dtype, low, high) in ((np.uint8, 0, 255), (np.bool_, 0, 1)):
        return patch * np.float32(1 / high)
    fits = high - low >= SINGLE[0] and max(-low, high) <= SINGLE[1]
    kind = np.float32 if patch.dtype.itemsize <= 2 and fits else np.float64
    values = patch.astype(kind)
    if patch.dtype.kind == "f":
        values[~np.isfinite(values)] = low
    with np.errstate(over="ignore"):  # what is infinite is clipped in the end
        values -= kind(low)
        values /= kind(high - low)
    return np.clip(values, 0, 1, out=values).astype(np.float32, copy=False)
