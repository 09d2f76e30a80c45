"""Writing labels as Zarr arrays and OME-Zarr images, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import MaskError
from .ome_zarr import import_zarr, is_zarr
from .pixel_size import PixelSize
from .plane_spacing import axis_step

__all__ = ["CHUNK", "check_place", "create_labels", "write_block"]

CHUNK = 512  # pixels per side
AXES = {"t": "time", "c": "channel", "z": "space"}
"""What OME-Zarr 0.4 allows before rows and columns, in this order."""


def check_place(path: Path, as_zarr: bool) -> None:
    """Raise `MaskError` where a folder would replace a file, or anything a folder but a Zarr."""
    if path.is_dir() and not (as_zarr and is_zarr(path)):
        raise MaskError(f"{path} is a folder and is not replaced. Choose another name.")
    if not path.is_dir() and path.exists() and as_zarr:
        raise MaskError(f"{path} is a file and is not replaced by a folder. Choose another name.")


def create_labels(
    unfinished: Path,
    path: Path,
    shape: Sequence[int],
    dtype: np.dtype,
    axes: Sequence[str] = (),
    pixel_size: PixelSize | None = None,
    spacing: Mapping[str, Any] | None = None,
) -> Any:
    """Make an array ``(..., H, W)`` of zeros, in an OME-NGFF 0.4 label image with ``.ome.zarr``.

    Parameters
    ----------
    unfinished : Path
        Where it is made.
    path : Path
        What it will be called.
    shape, dtype
    axes : sequence of str
        Names of the axes before rows and columns.
    pixel_size : PixelSize, optional
    spacing : mapping, optional
        See `plane_spacing`.

    Raises
    ------
    MaskError
        If zarr is missing, or OME-Zarr has no such axes in this order.
    """
    zarr = import_zarr(str(path), MaskError)
    names, shape = [name.lower() for name in axes], tuple(shape)
    options = {
        "shape": shape,
        "dtype": dtype,
        "chunks": (*(1 for _ in shape[:-2]), *(min(CHUNK, side) for side in shape[-2:])),
        "chunk_key_encoding": {"name": "v2", "separator": "/"},
    }
    if not path.name.lower().endswith(".ome.zarr"):
        array = zarr.create_array(str(unfinished), zarr_format=2, **options)
        if names and len(names) == len(shape) - 2:
            array.attrs["_ARRAY_DIMENSIONS"] = [*names, "y", "x"]
        return array
    if names != [name for name in AXES if name in names] or len(names) != len(shape) - 2:
        raise MaskError(
            f"OME-Zarr has planes along t, c and z in this order, and these have "
            f"{', '.join(names) or 'axes without names'}. Save {path.name} as .zarr or .tif."
        )
    size = pixel_size or PixelSize(1, 1)
    steps = [axis_step(spacing or {}, name) for name in names]
    steps += [(size.row, size.ngff_unit), (size.col, size.ngff_unit)]
    told = [
        {"name": name, "type": AXES.get(name, "space"), **({"unit": unit} if unit else {})}
        for name, (_, unit) in zip((*names, "y", "x"), steps, strict=True)
    ]
    scale = {"type": "scale", "scale": [step for step, _ in steps]}
    group = zarr.create_group(str(unfinished), zarr_format=2)
    group.attrs["multiscales"] = [
        {
            "version": "0.4",
            "name": path.name.split(".")[0],
            "axes": told,
            "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
        }
    ]
    group.attrs["image-label"] = {"version": "0.4"}
    return group.create_array("0", **options)


def write_block(array: Any, index: tuple[int, ...], top: int, left: int, block: np.ndarray) -> None:
    """Write a part of a plane; one chunk at a time: several may still be written when one fails.

    Parameters
    ----------
    array : as from `create_labels`
    index : tuple of int
        Of the plane.
    top, left : int
        Multiples of `CHUNK`.
    block : (h, w) array
    """
    for row in range(0, block.shape[0], CHUNK):
        for col in range(0, block.shape[1], CHUNK):
            part = block[row : row + CHUNK, col : col + CHUNK]
            down, across = top + row, left + col
            place = slice(down, down + part.shape[0]), slice(across, across + part.shape[1])
            array[(*index, *place)] = part
