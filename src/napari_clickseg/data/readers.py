"""Images of any size behind one face, and image files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..geometry import Box

__all__ = ["ArrayReader", "ImageError", "ImageReader", "as_reader", "read_image"]

STRIDED_PIXELS = 2**22  # numpy arrays with more pixels than this offer strided views as levels
OTHER_COLOURS = (3, 5, 6, 8, 9, 10)  # TIFF: palette, CMYK, YCbCr and the three kinds of CIELAB
LEAST_SIDE = 256  # no strided level is smaller than this


class ImageError(ValueError):
    """An image that cannot be used or read; the message says why and what next."""


@runtime_checkable
class ImageReader(Protocol):
    """What the engine needs of an image. Weak references to readers must be possible.

    Attributes
    ----------
    shape : tuple of int
        ``(H, W)`` or ``(H, W, C)`` with C = 3 or 4 (RGB, RGBA).
    dtype : np.dtype
    levels : tuple of (int, int)
        Height and width of each resolution, the full one first.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    levels: tuple[tuple[int, int], ...]

    def read(self, box: Box, level: int = 0) -> np.ndarray:
        """The pixels of a box, given in that level's pixels, as ``(h, w)`` or ``(h, w, C)``."""


class ArrayReader:
    """Whatever can be sliced like an array (numpy, memory map, dask, zarr), or a pyramid of such.

    Only slices are ever turned into numpy arrays. A large numpy array offers every second, fourth,
    ... pixel as further levels, which are views and cost nothing.

    Parameters
    ----------
    levels : sequence of array
        ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of any real dtype, full resolution first.

    Raises
    ------
    ImageError
        If an array cannot be an image.
    """

    def __init__(self, levels: Sequence[Any]) -> None:
        for level in levels:
            _check(tuple(level.shape), np.dtype(level.dtype))
        self._arrays = list(levels)
        first = self._arrays[0]
        self.shape: tuple[int, ...] = tuple(int(side) for side in first.shape)
        self.dtype = np.dtype(first.dtype)
        if any(tuple(a.shape[2:]) != self.shape[2:] for a in levels):
            raise ImageError(
                "The levels of this multiscale image differ in their channels: "
                f"{[tuple(a.shape) for a in levels]}. Give levels of one image."
            )
        heights = [a.shape[0] for a in levels]
        if heights != sorted(heights, reverse=True):
            raise ImageError(
                f"The levels of this multiscale image have heights {heights}. "
                "Order them from the full resolution to the coarsest."
            )
        if len(self._arrays) == 1 and isinstance(first, np.ndarray):
            self._arrays = _strided(first)
        self.levels: tuple[tuple[int, int], ...] = tuple(
            (int(a.shape[0]), int(a.shape[1])) for a in self._arrays
        )

    def read(self, box: Box, level: int = 0) -> np.ndarray:
        """See `ImageReader.read`; the part of the box outside the image is left out."""
        return np.asarray(self._arrays[level][box.clip(self.levels[level]).slices])


def _strided(array: np.ndarray) -> list[np.ndarray]:
    """The array and views of every 2nd, 4th, ... pixel, if it is large."""
    levels, step = [array], 2
    while (
        levels[-1].shape[0] * levels[-1].shape[1] > STRIDED_PIXELS
        and min(array.shape[:2]) // step >= LEAST_SIDE
    ):
        levels.append(array[::step, ::step])
        step *= 2
    return levels


def _check(shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise `ImageError` if an array of this shape and dtype cannot be an image."""
    if dtype.kind == "c":
        raise ImageError(
            "The image holds complex numbers, which have no brightness. "
            "Give their magnitude: np.abs(image)."
        )
    if dtype.kind not in "biuf":
        raise ImageError(
            f"The image has dtype {dtype}, which is not a number per pixel. "
            "Convert it to integers or floats first."
        )
    if len(shape) not in (2, 3):
        raise ImageError(
            f"An image has 2 axes, or 3 with colours last; this one has shape {shape}. "
            "Give one plane of it."
        )
    if 0 in shape:
        raise ImageError(f"The image is empty: its shape is {shape}.")
    if len(shape) == 3 and shape[2] not in (3, 4):
        raise ImageError(
            f"The image has {shape[2]} channels (shape {shape}); 3 (RGB) and 4 (RGBA) can be used. "
            "Give one channel as a 2-D image, or combine three."
        )


def as_reader(image: Any) -> ImageReader:
    """An `ImageReader` of whatever holds an image.

    Parameters
    ----------
    image : array, sequence of arrays, or ImageReader
        ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of any real dtype; numpy, memory map, dask, zarr,
        or such arrays as levels of a multiscale image. A reader is returned as it is.

    Raises
    ------
    ImageError
        If the dtype, the number of axes or of channels cannot be an image, or it is empty.
    """
    if isinstance(image, ImageReader):
        return image
    if isinstance(image, Sequence) and len(image) and all(hasattr(a, "shape") for a in image):
        return ArrayReader(image)
    if not hasattr(image, "shape") or not hasattr(image, "dtype"):
        try:
            image = np.asarray(image)
        except ValueError as error:
            raise ImageError(f"This is not an image: {error}. Give an array.") from error
    return ArrayReader([image])


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a PNG, JPEG, BMP, TIFF or .npy file.

    Parameters
    ----------
    path : str or path
        The format is recognised by content, not by name.

    Returns
    -------
    (H, W) or (H, W, C) array
        In the file's own dtype. Palettes and other colour models become RGB or RGBA.

    Raises
    ------
    ImageError
        If the file is missing, unreadable, empty, truncated or of another kind.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ImageError(
            f"The image {path} cannot be opened: {error.strerror or error}. Check the path."
        ) from error
    if not head:
        raise ImageError(f"The image {path} is empty (0 bytes). Copy or save it again.")
    try:
        if head.startswith(b"\x93NUMPY"):
            return np.load(path, allow_pickle=False)
        if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return _read_tiff(path)
        return _read_pillow(path)
    except ImageError:
        raise
    except Exception as error:  # decoders raise many kinds on damaged files
        reason = str(error).strip().splitlines() or [type(error).__name__]
        advice = (
            'Install the codecs: pip install "napari-clickseg[codecs]".'
            if "imagecodecs" in reason[0]
            else "It may be damaged or of a kind other than PNG, JPEG, BMP, TIFF or npy."
        )
        raise ImageError(
            f"The image {path} cannot be read: {reason[0].rstrip('.')}. {advice}"
        ) from error


def _read_tiff(path: Path) -> np.ndarray:
    """The first series of a TIFF file, colours last; other colour models as RGB."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        model = series.keyframe.photometric
        if model in OTHER_COLOURS:
            if len(series) > 1:
                raise ImageError(
                    f"The image {path} holds {len(series)} pages in the colour model "
                    f"{getattr(model, 'name', model)}. Save the page you want as RGB."
                )
            return _read_pillow(path)
        array, axes = series.asarray(), series.axes
    if array.ndim == 3 and "S" in axes:
        array = np.moveaxis(array, axes.index("S"), -1)
    return array


def _read_pillow(path: Path) -> np.ndarray:
    """Any file that Pillow knows, as grey, RGB or RGBA."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            image.load()
            if image.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
                transparent = image.mode != "P" or "transparency" in image.info
                image = image.convert("RGBA" if transparent else "RGB")
            elif image.mode not in ("1", "L", "I", "F", "RGB", "RGBA") and image.mode[:2] != "I;":
                image = image.convert("RGB")
            return np.asarray(image)
