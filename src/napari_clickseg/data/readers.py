"""Images of any size behind one face, from arrays and from files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..cancel import Progress
from .arrays import ArrayReader, ImageReader
from .errors import ImageError, unreadable
from .ome_zarr import is_zarr, open_zarr
from .orientation import upright
from .pictures import Picture
from .planes import Plane, PlaneIndex, guess_axes
from .pyramid_cache import cached_levels
from .tiff import TIFF_HEADS, open_tiff, orientation

__all__ = ["ArrayReader", "ImageError", "ImageReader", "as_reader", "open_image", "read_image"]

WHOLE_BYTES = 2**27  # images without random access are tiled on disk if they are larger
OTHER_COLOURS = (3, 5, 6, 8, 9, 10)  # TIFF: palette, CMYK, YCbCr and the three kinds of CIELAB
OVERVIEW_PIXELS = 2**26  # larger compressed images without levels get levels in the cache


def as_reader(image: Any) -> ImageReader:
    """An `ImageReader` of whatever holds an image.

    Parameters
    ----------
    image : array, sequence of arrays, path or ImageReader
        ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of any real dtype; numpy, memory map, dask, zarr,
        or such arrays as levels of a multiscale image; or a file as for `open_image`. A reader is
        returned as it is.

    Raises
    ------
    ImageError
        If the dtype, the number of axes or of channels cannot be an image, it is empty, or the
        file cannot be opened.
    """
    if isinstance(image, str | os.PathLike):
        return open_image(image)
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


def open_image(
    path: str | os.PathLike[str],
    plane: Plane = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImageReader:
    """Open an image file of any size; pixels are read when a box is asked for.

    A large picture in a format that can only be decoded as a whole (PNG, JPEG, a TIFF of few huge
    strips) is copied once, with averaged coarser levels, into the user's cache
    (``CLICKSEG_CACHE``); large compressed TIFF files and Zarr arrays without levels get the coarser
    ones only.

    Parameters
    ----------
    path : str or path
        PNG, JPEG, BMP, GIF, TIFF (tiled, in strips, pyramidal, BigTIFF, OME), .npy, or the folder
        of a Zarr array or an OME-Zarr image. Recognised by content, not by name.
    plane : int or sequence of int, optional
        One index for each axis of a stack that is longer than 1, in the order of the file; with
        one more, it chooses among 3 channels that are colours otherwise.
    progress : callable, optional
        Called with the part that is copied, 0..1, if the cache is needed.
    cancelled : callable, optional
        Asked between parts of the copy.

    Returns
    -------
    ImageReader
        The orientation that EXIF or TIFF tags tell is applied; palettes and other colour models
        are RGB or RGBA.

    Raises
    ------
    ImageError
        If the file is missing, unreadable, damaged, of another kind, or a stack without `plane`.
    Cancelled
        If `cancelled` answered true; nothing is left in the cache.
    """
    path = Path(path)
    levels, random_access = _open_levels(path, plane)
    full = levels[0]
    if not random_access:
        if math.prod(full.shape) * full.dtype.itemsize <= WHOLE_BYTES:
            levels[0] = full[slice(None), slice(None)]
        else:
            levels = cached_levels(full, path, plane, 0, progress, cancelled)
    elif (
        len(levels) == 1
        and not isinstance(full, np.ndarray)  # those offer strided views
        and full.shape[0] * full.shape[1] > OVERVIEW_PIXELS
    ):
        levels += cached_levels(full, path, plane, 1, progress, cancelled)
    try:
        return ArrayReader(levels)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a PNG, JPEG, BMP, GIF, TIFF or .npy file, or a plane in Zarr, as a whole.

    Parameters
    ----------
    path : str or path
        The format is recognised by content, not by name.

    Returns
    -------
    (H, W) or (H, W, C) array
        In the file's own dtype, EXIF orientation applied. Palettes and other colour models become
        RGB or RGBA.

    Raises
    ------
    ImageError
        If the file is missing, unreadable, empty, truncated or of another kind, or Zarr holds a
        stack.
    """
    path = Path(path)
    if is_zarr(path):
        return open_zarr(path, None)[0][slice(None), slice(None)]
    head = _head(path)
    try:
        if head.startswith(b"\x93NUMPY"):
            return np.load(path, allow_pickle=False)
        if head.startswith(TIFF_HEADS):
            return _read_tiff(path)
        return Picture(path)[slice(None), slice(None)]
    except Exception as error:  # decoders raise many kinds on damaged files
        raise unreadable(path, error) from error


def _open_levels(path: Path, plane: Plane) -> tuple[list[Any], bool]:
    """The resolutions of a file or Zarr folder as arrays, and whether small boxes cost little."""
    if path.is_dir():
        if is_zarr(path):
            return open_zarr(path, plane), True
        raise ImageError(
            f"{path} is a folder, and no Zarr image. Give a file in it, or an OME-Zarr folder."
        )
    head = _head(path)
    try:
        if head.startswith(b"\x93NUMPY"):
            return [_open_npy(path, plane)], True
        if head.startswith(TIFF_HEADS):
            return open_tiff(path, plane)
        return [Picture(path, plane)], False
    except Exception as error:  # decoders raise many kinds on damaged files
        raise unreadable(path, error) from error


def _head(path: Path) -> bytes:
    """The first bytes of a file, or a sentence on why there are none."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ImageError(
            f"The image {path} cannot be opened: {error.strerror or error}. Check the path, and "
            "that you may read it."
        ) from error
    if not head:
        raise ImageError(f"The image {path} is empty (0 bytes). Copy or save it again.")
    return head


def _open_npy(path: Path, plane: Plane) -> np.ndarray:
    """One plane of a .npy file as a memory map."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim < 2 or 0 in array.shape:
        return array  # refused by ArrayReader
    index = PlaneIndex.choose(guess_axes(array.shape), array.shape, plane, f"The image {path}")
    return index.arrange(array[index.index(array.shape, slice(None), slice(None))])


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
            return Picture(path)[slice(None), slice(None)]
        array, axes, turn = series.asarray(), series.axes, orientation(series.keyframe)
    if array.ndim == 3 and "S" in axes:
        array = np.moveaxis(array, axes.index("S"), -1)
    single = array.ndim == 2 or array.ndim == 3 and "S" in axes
    return upright(array, turn) if single else array
