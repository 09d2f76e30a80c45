"""Saving masks as large as the largest image, block by block."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..cancel import Progress, stop_if
from ..geometry import Box
from .errors import MaskError
from .pixel_size import PixelSize
from .png_rows import PngRows
from .replacing import replacing
from .tiff import TIFF_HEADS
from .zarr_writer import CHUNK, check_place, create_labels, write_block

__all__ = ["MaskError", "save_mask", "write_tiles"]

DTYPES = (bool, np.uint8, np.uint16, np.uint32)
TILE = 256  # pixels per side, of TIFF tiles; blocks are cut along them
BLOCK_PIXELS = 2**22  # read at a time
BIG_TIFF_BYTES = 2**32 - 2**26  # of raw pixels, beyond which a TIFF is a BigTIFF
GEO_TAGS = (33550, 33922, 34264, 34735, 34736, 34737)  # place on the earth; not the nodata value
Blocks = Callable[..., Iterator[tuple[Box, np.ndarray]]]


def save_mask(
    path: str | os.PathLike[str],
    mask: Any,
    source: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    pixel_size: PixelSize | None = None,
) -> None:
    """Write a mask of any size; an older file is replaced only when the new one is complete.

    Parameters
    ----------
    path : str or path
        Its suffix names the format: ``.tif`` or ``.tiff`` (tiles, deflate, BigTIFF when large;
        OME with ``.ome.tif``), ``.png`` (8 or 16 bits), ``.npy``, ``.ome.zarr`` (an OME-NGFF 0.4
        label image) or ``.zarr`` (an array).
    mask : (H, W) array
        bool, uint8, uint16 or uint32; anything that can be sliced (numpy, zarr, dask, a mask kept
        as tiles). Values are written as they are; bool becomes 0 and 1 of uint8.
    source : str or path, optional
        The image that the mask belongs to; a TIFF mask keeps the georeferencing and resolution of
        a TIFF source.
    progress : callable, optional
        Called with the part that is written, 0..1.
    cancelled : callable, optional
        Asked between blocks.
    pixel_size : PixelSize, optional
        Is written into TIFF, OME-TIFF and OME-Zarr; by default that of a TIFF or OME-Zarr source.

    Raises
    ------
    MaskError
        If the mask or the suffix does not fit, or the file cannot be written.
    Cancelled
        If `cancelled` answered true. As after every error, an older file is untouched.
    """
    path = Path(path)
    shape, dtype = _checked(mask)
    name = path.name.lower()
    write = next((w for suffix, w in WRITERS.items() if name.endswith(suffix)), None)
    if write is None:
        raise MaskError(
            f"A mask cannot be saved as {path.name}. Use one of the suffixes "
            f"{', '.join(dict.fromkeys(WRITERS))}."
        )
    if source is not None and os.path.realpath(source) == os.path.realpath(path):
        raise MaskError(
            f"{path} is the image itself. Save the mask under another name, such as "
            f"{path.stem}_mask{path.suffix}."
        )
    check_place(path, write is _write_zarr)

    def refuse(reason: str) -> MaskError:
        return MaskError(
            f"The mask cannot be saved as {path}: {reason.rstrip('. ')}. What was there before is "
            "untouched: make room, or save it elsewhere."
        )

    def blocks(rows: int, across: int | None) -> Iterator[tuple[Box, np.ndarray]]:
        done = 0
        for box in _boxes(shape, rows, across):
            stop_if(cancelled, f"Saving {path}")
            if progress is not None:
                progress(done / (shape[0] * shape[1]))
            yield box, np.asarray(mask[box.slices]).astype(dtype, copy=False)
            done += box.area

    if pixel_size is None and source is not None:
        pixel_size = PixelSize.of_file(source)
    with replacing(path, refuse) as unfinished:
        write(unfinished, path, shape, dtype, blocks, source, pixel_size)
    if progress is not None:
        progress(1.0)


def _checked(mask: Any) -> tuple[tuple[int, int], np.dtype]:
    """Shape and dtype to write; MaskError if this is no mask."""
    shape, dtype = getattr(mask, "shape", None), getattr(mask, "dtype", None)
    if shape is None or dtype is None or len(shape) != 2 or 0 in shape:
        raise MaskError(
            f"A mask is an array (H, W) with pixels; this one has shape {shape}. Give one plane."
        )
    dtype = np.dtype(dtype)
    if dtype.newbyteorder("=") not in [np.dtype(kind) for kind in DTYPES]:
        raise MaskError(
            f"A mask holds bool, uint8, uint16 or uint32; this one holds {dtype}. Convert it with "
            ".astype(np.uint16), or threshold probabilities first."
        )
    written = np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
    return (int(shape[0]), int(shape[1])), written


def _boxes(shape: tuple[int, int], rows: int, across: int | None) -> Iterator[Box]:
    """Boxes from top to bottom and left to right that cover an image.

    Parameters
    ----------
    shape : (int, int)
    rows : int
        Rows of each box.
    across : int or None
        Boxes of at most `BLOCK_PIXELS` are cut at multiples of this; None takes whole rows.
    """
    height, width = shape
    columns = width if across is None else max(1, BLOCK_PIXELS // rows // across) * across
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield Box(top, left, top + rows, left + columns).clip(shape)


def _rows(width: int) -> int:
    """Rows of `BLOCK_PIXELS`, in whole tiles if they are that many."""
    rows = max(1, BLOCK_PIXELS // width)
    return rows if rows < TILE else rows // TILE * TILE


def _write_tiff(
    unfinished: Path,
    path: Path,
    shape: tuple[int, int],
    dtype: np.dtype,
    blocks: Blocks,
    source: str | os.PathLike[str] | None,
    pixel_size: PixelSize | None,
) -> None:
    ome = path.name.lower().endswith((".ome.tif", ".ome.tiff"))
    kept = {} if source is None else _kept_tags(Path(source), shape)
    metadata = {"axes": "YX"} if ome else None
    if pixel_size is not None:
        kept |= pixel_size.resolution_tags()
        if metadata is not None:
            metadata |= pixel_size.ome_metadata()
    bands = (block for _, block in blocks(TILE, TILE))
    write_tiles(unfinished, bands, shape, dtype, metadata, kept)


def write_tiles(
    unfinished: Path,
    bands: Iterable[np.ndarray],
    shape: tuple[int, ...],
    dtype: np.dtype,
    metadata: dict[str, Any] | None,
    tags: dict[str, Any],
) -> None:
    """Write a TIFF in deflated tiles.

    Parameters
    ----------
    unfinished : Path
    bands : iterable of (h, w) array
        `TILE` rows each, fewer at the end of a plane, one after the other.
    shape : tuple of int
        ``(..., H, W)``.
    dtype : dtype
    metadata : dict or None
        With ``axes``, OME-XML is written.
    tags : dict
        Further arguments of `TiffWriter.write`.
    """
    from tifffile import TiffWriter

    def tiles() -> Iterator[np.ndarray]:
        for band in bands:
            for left in range(0, band.shape[1], TILE):
                tile = np.zeros((TILE, TILE), dtype)
                part = band[:, left : left + TILE]
                tile[: part.shape[0], : part.shape[1]] = part
                yield tile

    big = math.prod(shape) * dtype.itemsize > BIG_TIFF_BYTES
    with TiffWriter(unfinished, bigtiff=big, ome=bool(metadata)) as writer:
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


def _kept_tags(source: Path, shape: tuple[int, int]) -> dict[str, Any]:
    """What `TiffWriter.write` needs to keep a TIFF's place on the earth and its resolution."""
    import tifffile

    if source.is_dir():  # a Zarr image
        return {}
    try:
        with source.open("rb") as file:
            if not file.read(4).startswith(TIFF_HEADS):
                return {}
        with tifffile.TiffFile(source) as file:
            page = file.pages.first
            size, tags = (page.imagelength, page.imagewidth), page.tags
            extra = [
                (tag.code, tag.dtype, tag.count, tag.value, True)
                for tag in (tags.get(code) for code in GEO_TAGS)
                if tag is not None
            ]
            kept: dict[str, Any] = {"extratags": extra}
            if 282 in tags and 283 in tags:
                kept["resolution"] = (tags.valueof(282), tags.valueof(283))
                kept["resolutionunit"] = tags.valueof(296, 2)
    except Exception as error:  # tifffile raises many kinds on damaged files
        raise MaskError(
            f"The tags of {source} cannot be read: {error}. Save the mask without a source."
        ) from error
    if size != shape:
        raise MaskError(
            f"The mask has {shape[0]} x {shape[1]} pixels and {source} {size[0]} x {size[1]}; its "
            "place on the earth would be wrong. Save the mask without a source."
        )
    return kept


def _write_png(
    unfinished: Path,
    path: Path,
    shape: tuple[int, int],
    dtype: np.dtype,
    blocks: Blocks,
    source: object,
    pixel_size: PixelSize | None,
) -> None:
    stored = np.dtype(np.uint8) if dtype == np.uint8 else np.dtype(np.uint16)
    with unfinished.open("wb") as file:
        png = PngRows(file, shape, stored)
        for _, block in blocks(_rows(shape[1]), None):
            if dtype.itemsize > 2 and block.max() > 65535:
                raise MaskError(
                    f"A PNG holds labels up to 65535, and this mask has the label {block.max()}. "
                    f"Save it as {path.stem}.tif."
                )
            png.add(block.astype(stored, copy=False))
        png.close()


def _write_npy(
    unfinished: Path,
    path: Path,
    shape: tuple[int, int],
    dtype: np.dtype,
    blocks: Blocks,
    source: object,
    pixel_size: PixelSize | None,
) -> None:
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"shape": shape, "fortran_order": False, "descr": descr}
    with unfinished.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _, block in blocks(_rows(shape[1]), None):
            file.write(np.ascontiguousarray(block).data)


def _write_zarr(
    unfinished: Path,
    path: Path,
    shape: tuple[int, int],
    dtype: np.dtype,
    blocks: Blocks,
    source: object,
    pixel_size: PixelSize | None,
) -> None:
    array = create_labels(unfinished, path, shape, dtype, (), pixel_size)
    for box, block in blocks(CHUNK, CHUNK):
        write_block(array, (), box.top, box.left, block)


WRITERS: dict[str, Callable[..., None]] = {
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".ome.tif": _write_tiff,
    ".png": _write_png,
    ".npy": _write_npy,
    ".ome.zarr": _write_zarr,
    ".zarr": _write_zarr,
}
