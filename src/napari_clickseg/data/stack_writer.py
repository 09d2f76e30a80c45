"""Saving the masks of a stack's planes in one file."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .mask_writer import BIG_TIFF_BYTES, TILE, MaskError
from .pixel_size import PixelSize
from .replacing import replacing

__all__ = ["OME_AXES", "save_stack"]

OME_AXES = {"t", "z", "c"}
"""Names of axes before rows and columns that OME knows."""


def save_stack(
    path: str | os.PathLike[str],
    planes: Iterable[np.ndarray],
    shape: Sequence[int],
    dtype: Any,
    axes: Sequence[str] = (),
    pixel_size: PixelSize | None = None,
    spacing: dict[str, Any] | None = None,
) -> None:
    """Write labels of all planes; an older file is replaced only when the new one is complete.

    Parameters
    ----------
    path : str or path
        ``.tif`` or ``.tiff`` (a page for each plane, in tiles, deflate; with OME-XML if the axes
        have names that OME knows), or ``.npy``.
    planes : iterable of (H, W) array
        Of all planes, in the order of their indices; one is held at a time.
    shape : sequence of int
        ``(..., H, W)``.
    dtype : dtype
        uint8, uint16 or uint32.
    axes : sequence of str
        Names of the axes before rows and columns: ``t``, ``z`` and ``c`` are known.
    pixel_size : PixelSize, optional
        Is written into a TIFF.
    spacing : dict, optional
        Further attributes of OME, as from `plane_spacing`.

    Raises
    ------
    MaskError
        If the suffix is another, or the file cannot be written.
    """
    path = Path(path)
    write = {".npy": _write_npy, ".tif": _write_tiff, ".tiff": _write_tiff}.get(path.suffix.lower())
    if write is None:
        raise MaskError(
            f"The masks of a stack cannot be saved as {path.name}. Use the suffix .tif or .npy."
        )

    def refuse(reason: str) -> MaskError:
        return MaskError(
            f"The masks cannot be saved as {path}: {reason.rstrip('. ')}. What was there before is "
            "untouched: make room, or save them elsewhere."
        )

    with replacing(path, refuse) as unfinished:
        write(unfinished, planes, tuple(shape), np.dtype(dtype), axes, pixel_size, spacing or {})


def _write_npy(
    unfinished: Path,
    planes: Iterable[np.ndarray],
    shape: tuple[int, ...],
    dtype: np.dtype,
    axes: Sequence[str],
    pixel_size: PixelSize | None,
    spacing: dict[str, Any],
) -> None:
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"shape": shape, "fortran_order": False, "descr": descr}
    with unfinished.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for plane in planes:
            file.write(np.ascontiguousarray(plane, dtype).data)


def _write_tiff(
    unfinished: Path,
    planes: Iterable[np.ndarray],
    shape: tuple[int, ...],
    dtype: np.dtype,
    axes: Sequence[str],
    pixel_size: PixelSize | None,
    spacing: dict[str, Any],
) -> None:
    from tifffile import TiffWriter

    def tiles() -> Iterator[np.ndarray]:
        height, width = shape[-2:]
        for plane in planes:
            for top in range(0, height, TILE):
                for left in range(0, width, TILE):
                    tile = np.zeros((TILE, TILE), dtype)
                    part = plane[top : top + TILE, left : left + TILE]
                    tile[: part.shape[0], : part.shape[1]] = part
                    yield tile

    names = [name.lower() for name in axes]
    ome = set(names) <= OME_AXES and len(set(names)) == len(names) == len(shape) - 2
    metadata: dict[str, Any] = {}
    tags: dict[str, Any] = {}
    if ome:
        metadata = {"axes": "".join([*names, "y", "x"]).upper(), **spacing}
    if pixel_size is not None:
        tags = pixel_size.resolution_tags()
        metadata |= pixel_size.ome_metadata() if ome else {}
    big = math.prod(shape) * dtype.itemsize > BIG_TIFF_BYTES
    with TiffWriter(unfinished, bigtiff=big, ome=ome) as writer:
        writer.write(
            tiles(),
            shape=shape,
            dtype=dtype,
            tile=(TILE, TILE),
            photometric="minisblack",
            compression="zlib",
            metadata=metadata,
            maxworkers=1,
            **tags,
        )
