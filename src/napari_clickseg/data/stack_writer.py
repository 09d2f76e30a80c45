"""Saving the masks of a stack's planes in one file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .mask_writer import TILE, MaskError, write_tiles
from .pixel_size import PixelSize
from .replacing import replacing
from .zarr_writer import check_place, create_labels, write_block

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
        have names that OME knows), ``.npy``, ``.ome.zarr`` (an OME-NGFF 0.4 label image) or
        ``.zarr`` (an array).
    planes : iterable of (H, W) array
        Of all planes, in the order of their indices; one is held at a time.
    shape : sequence of int
        ``(..., H, W)``.
    dtype : dtype
        uint8, uint16 or uint32.
    axes : sequence of str
        Names of the axes before rows and columns: ``t``, ``z`` and ``c`` are known.
    pixel_size : PixelSize, optional
        Is written into TIFF and OME-Zarr.
    spacing : dict, optional
        Further attributes of OME, as from `plane_spacing`.

    Raises
    ------
    MaskError
        If the suffix is another, OME-Zarr has no such axes, or the file cannot be written.
    """
    path, shape, dtype = Path(path), tuple(shape), np.dtype(dtype)
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".tif", ".tiff", ".zarr"):
        raise MaskError(
            f"The masks of a stack cannot be saved as {path.name}. Use the suffix .tif, .npy or "
            ".zarr."
        )
    check_place(path, suffix == ".zarr")

    def refuse(reason: str) -> MaskError:
        return MaskError(
            f"The masks cannot be saved as {path}: {reason.rstrip('. ')}. What was there before is "
            "untouched: make room, or save them elsewhere."
        )

    with replacing(path, refuse) as unfinished:
        if suffix == ".npy":
            _write_npy(unfinished, planes, shape, dtype)
        elif suffix == ".zarr":
            array = create_labels(unfinished, path, shape, dtype, axes, pixel_size, spacing)
            for index, plane in zip(np.ndindex(shape[:-2]), planes, strict=True):
                write_block(array, index, 0, 0, plane)
        else:
            metadata = _ome_axes(axes, len(shape) - 2)
            if metadata:
                metadata |= spacing or {}
                metadata |= {} if pixel_size is None else pixel_size.ome_metadata()
            tags = {} if pixel_size is None else pixel_size.resolution_tags()
            write_tiles(unfinished, _bands(planes), shape, dtype, metadata, tags)


def _write_npy(
    unfinished: Path, planes: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype
) -> None:
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"shape": shape, "fortran_order": False, "descr": descr}
    with unfinished.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for plane in planes:
            file.write(np.ascontiguousarray(plane, dtype).data)


def _bands(planes: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for plane in planes:
        for top in range(0, plane.shape[0], TILE):
            yield plane[top : top + TILE]


def _ome_axes(axes: Sequence[str], count: int) -> dict[str, Any]:
    """How OME names so many axes before rows and columns; empty if it does not know them."""
    names = [name.lower() for name in axes]
    known = set(names) <= OME_AXES and len(set(names)) == len(names) == count
    return {"axes": "".join([*names, "y", "x"]).upper()} if known else {}
