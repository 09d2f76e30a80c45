"""TIFF files: only the tiles or strips that a box touches are read and decoded."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ImageError, unreadable
from .orientation import ORIENTATION, Turn, turn_of, turned
from .pictures import Picture
from .planes import Plane, PlaneIndex

if TYPE_CHECKING:
    from tifffile import TiffFrame, TiffPage, TiffPageSeries

__all__ = ["TIFF_HEADS", "open_tiff", "orientation"]

TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
KEPT_BYTES = 2**26  # decoded segments kept for each image
SEGMENT_BYTES = 2**25  # larger segments are no random access
JPEG = (6, 7, 34892, 33007)  # compressions whose decoder already gives RGB
PALETTE, CMYK, YCBCR, LAB = 3, 5, 6, (8, 9, 10)  # photometric interpretations

Convert = Callable[[np.ndarray], np.ndarray]
Key = tuple[Path, int, int]  # file, offset of the page, number of the segment
Segment = tuple[np.ndarray, int, int]  # pixels, first row, first column


def open_tiff(path: Path, plane: Plane, as_rgb: bool = True) -> tuple[list[Any], bool]:
    """The resolutions of one plane of a TIFF file.

    Parameters
    ----------
    path : Path
    plane : int, sequence of int, or None
        An index for each axis of a stack.
    as_rgb : bool
        Palettes and other colour models become RGB; otherwise the numbers are those of the file.

    Returns
    -------
    levels : list of array
        Sliceable like arrays ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``; memory maps where the
        file holds the pixels as they are.
    random_access : bool
        Whether a small box costs little.

    Raises
    ------
    ImageError
        If the file is damaged, or `plane` names no plane of it.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        if not file.series:
            raise ImageError(f"The image {path} holds no picture. Save it again.")
        series = file.series[0]
        if as_rgb and _needs_pillow(series.keyframe):
            if len(series) > 1:
                model = series.keyframe.photometric
                raise ImageError(
                    f"The image {path} holds {len(series)} pages in the colour model "
                    f"{getattr(model, 'name', model)}. Save the page you want as RGB."
                )
            return [Picture(path)], False
        index = PlaneIndex.choose(series.axes, series.shape, plane, f"The image {path}")
        kept, turn = _Kept(), orientation(series.keyframe)
        levels, fine = [], True
        for level in series.levels:
            array, random = _level(level, index, path, kept, as_rgb)
            levels.append(turned(array, turn))
            fine &= random
        return levels, fine


def orientation(page: TiffPage) -> Turn:
    """How a page is turned to be seen."""
    return turn_of(page.tags.valueof(ORIENTATION, 1))


def _needs_pillow(page: TiffPage) -> bool:
    """Whether a page is in a colour model that is converted as a whole."""
    model = int(page.photometric)
    return model in LAB or (model == YCBCR and page.compression not in JPEG)


def _level(
    series: TiffPageSeries, index: PlaneIndex, path: Path, kept: _Kept, as_rgb: bool
) -> tuple[Any, bool]:
    """One resolution, and whether it has random access."""
    keyframe = series.keyframe
    _decodable(keyframe, path)
    convert, channels = _colours(keyframe) if as_rgb else (None, 0)
    if series.transform is not None or series.shape[-keyframe.ndim :] != keyframe.shape:
        raise ImageError(
            f"The pages of {path} are arranged in a way that cannot be read in parts "
            f"({series.kind}, axes {series.axes}). Save it as a plain or an OME TIFF."
        )
    if len(index.lengths) != len(series.shape):
        raise ImageError(
            f"The levels of {path} have different axes: {series.shape} beside {index.lengths}. "
            "Save the image again."
        )
    offset = series.dataoffset
    if offset is not None and not series.is_multifile:
        dtype = series.dtype.newbyteorder(series.parent.byteorder)
        _complete(path, offset + series.nbytes)
        whole = np.memmap(path, dtype, "r", offset, series.shape)
        view = index.arrange(whole[index.index(series.shape, slice(None), slice(None))])
        return (view if convert is None else _Converted(view, convert, channels)), True
    stack = len(series.shape) - keyframe.ndim
    at = index.index(series.shape, slice(None), slice(None))
    numbers = np.arange(math.prod(series.shape[:stack])).reshape(series.shape[:stack])[at[:stack]]
    pages = [_Page(series[int(n)], path, kept) for n in np.ravel(numbers)]
    samples = at[stack + series.axes[stack:].index("S")] if "S" in series.axes[stack:] else None
    array = _Pages(pages, samples, series.dtype)
    fine = all(page.segment_bytes <= SEGMENT_BYTES for page in pages)
    return (array if convert is None else _Converted(array, convert, channels)), fine


def _decodable(page: TiffPage, path: Path) -> None:
    """Raise `ImageError` if nothing that is installed decodes a page."""
    from tifffile import TIFF

    try:
        if page.compression != 1:
            TIFF.DECOMPRESSORS[page.compression]
        if page.predictor != 1 and page.compression not in TIFF.IMAGE_COMPRESSIONS:
            TIFF.UNPREDICTORS[page.predictor]
    except KeyError as error:
        name = getattr(page.compression, "name", page.compression)
        raise ImageError(
            f"The image {path} is compressed as {name}, for which a codec is missing. "
            'Install the codecs: pip install "napari-clickseg[codecs]"; or save it as deflate.'
        ) from error


def _complete(path: Path, end: int) -> None:
    """Raise `ImageError` if a file ends before its pixels do."""
    size = path.stat().st_size
    if end > size:
        raise ImageError(
            f"The image {path} is truncated: its pixels reach to byte {end}, the file has {size}. "
            "Copy or save it again."
        )


class _Kept:
    """Decoded segments used last, of all levels of an image."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: OrderedDict[Key, Segment] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Segment | None:
        with self._lock:
            if key in self._segments:
                self._segments.move_to_end(key)
            return self._segments.get(key)

    def put(self, key: Key, segment: Segment) -> None:
        with self._lock:
            if key in self._segments:
                return
            self._segments[key] = segment
            self._bytes += segment[0].nbytes
            while self._bytes > KEPT_BYTES and len(self._segments) > 1:
                self._bytes -= self._segments.popitem(last=False)[1][0].nbytes


class _Page:
    """The tiles or strips of one page; the file is open only while bytes are read."""

    def __init__(self, page: TiffPage | TiffFrame | None, path: Path, kept: _Kept) -> None:
        if page is None:
            raise ImageError(f"A page of the image {path} is missing. Save or copy it again.")
        frame = page.keyframe
        self.path = Path(page.parent.filehandle.path)
        self._offset, self._kept = page.offset, kept
        self._offsets, self._counts = page.dataoffsets, page.databytecounts
        self._decode, self._fill = frame.decode, frame.nodata
        self._extra = (
            {"jpegtables": page.jpegtables, "jpegheader": frame.jpegheader}
            if frame.compression in JPEG
            else {}
        )
        planes, depth, self.height, self.width, contiguous = frame.shaped
        self.samples = max(planes, contiguous)
        self._planar = planes > 1
        self._size = (
            (frame.tilelength, frame.tilewidth)
            if frame.is_tiled
            else (min(frame.rowsperstrip, self.height), self.width)
        )
        if depth != 1 or min(self._size) < 1:
            raise ImageError(f"The pages of {path} are volumes. Save it as a stack of planes.")
        down, across = (
            -(-n // size) for n, size in zip((self.height, self.width), self._size, strict=True)
        )
        self._grid = down, across
        if len(self._offsets) < down * across * planes or len(self._counts) < len(self._offsets):
            raise ImageError(
                f"The image {path} is damaged: {down * across * planes} tiles or strips are needed "
                f"and {len(self._offsets)} are listed. Copy or save it again."
            )
        _complete(self.path, max(map(sum, zip(self._offsets, self._counts, strict=False))))
        self.segment_bytes = math.prod(self._size) * contiguous * frame.dtype.itemsize

    def fill(self, out: np.ndarray, top: int, left: int, samples: slice) -> None:
        """Write the pixels from ``(top, left)`` on into ``(h, w, samples)``."""
        (tall, wide), (down, across) = self._size, self._grid
        bottom, right = top + out.shape[0], left + out.shape[1]
        picked = range(*samples.indices(self.samples)) if self._planar else (0,)
        for number, sample in enumerate(picked):
            target = out[..., number : number + 1] if self._planar else out
            for i in range(top // tall, -(-bottom // tall)):
                for j in range(left // wide, -(-right // wide)):
                    segment, row, col = self._segment((sample * down + i) * across + j)
                    t, b = max(top, row), min(bottom, row + segment.shape[0])
                    ll, r = max(left, col), min(right, col + segment.shape[1])
                    if t >= b or ll >= r:
                        continue
                    part = segment[t - row : b - row, ll - col : r - col]
                    part = part if self._planar else part[..., samples]
                    target[t - top : b - top, ll - left : r - left] = part

    def _segment(self, number: int) -> Segment:
        """A decoded tile or strip ``(h, w, samples)`` and the place of its first pixel."""
        key = (self.path, self._offset, number)
        found = self._kept.get(key)
        if found is None:
            data = None
            if self._offsets[number] and self._counts[number]:
                with self.path.open("rb") as file:
                    file.seek(self._offsets[number])
                    data = file.read(self._counts[number])
            pixels, place, shape = self._decode(data, number, **self._extra)
            if pixels is None:  # a tile left out of a sparse file
                pixels = np.broadcast_to(np.asarray(self._fill), shape)
            found = pixels[0], place[2], place[3]
            self._kept.put(key, found)
        return found


class _Pages:
    """One plane, sliced like an array: of one page, or with each colour on a page of its own.

    `samples` is what is taken of a page's samples: all, one, or None if it has one only.
    """

    def __init__(self, pages: list[_Page], samples: slice | int | None, dtype: np.dtype) -> None:
        self._pages, self.dtype = pages, np.dtype(dtype)
        self._taken = samples if isinstance(samples, slice) else slice(samples or 0, None)
        if not isinstance(samples, slice):
            self._taken = slice(samples or 0, (samples or 0) + 1)
        first = pages[0]
        self._count = len(range(*self._taken.indices(first.samples)))
        colours = () if len(pages) == 1 and not isinstance(samples, slice) else (self._last(),)
        self.shape: tuple[int, ...] = (first.height, first.width, *colours)

    def _last(self) -> int:
        return len(self._pages) * self._count

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        (top, bottom, _), (left, right, _) = (
            part.indices(n) for part, n in zip(box, self.shape[:2], strict=True)
        )
        size = max(0, bottom - top), max(0, right - left)
        out = np.zeros((*size, self._last()), self.dtype)
        for number, page in enumerate(self._pages):
            part = out[..., number * self._count : (number + 1) * self._count]
            try:
                page.fill(part, top, left, self._taken)
            except Exception as error:  # decoders raise many kinds on damaged files
                raise unreadable(page.path, error) from error
        return out if len(self.shape) == 3 else out[..., 0]


class _Converted:
    """An array whose slices are turned into RGB."""

    def __init__(self, array: Any, convert: Convert, channels: int) -> None:
        self._array, self._convert = array, convert
        self.shape, self.dtype = (*array.shape[:2], channels), np.dtype(np.uint8)

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        return self._convert(np.asarray(self._array[box]))


def _colours(page: TiffPage) -> tuple[Convert | None, int]:
    """How a page's pixels become RGB, None if they are shown as they are; and the channels."""
    model = int(page.photometric)
    if model == PALETTE and page.colormap is not None:
        table = (np.asarray(page.colormap).T >> 8).astype(np.uint8)
        return (lambda pixels: table[np.minimum(pixels, len(table) - 1).astype(np.intp)]), 3
    if model == CMYK and page.dtype == np.uint8 and page.samplesperpixel == 4:

        def from_cmyk(pixels: np.ndarray) -> np.ndarray:
            from PIL import Image

            return np.asarray(Image.fromarray(np.ascontiguousarray(pixels), "CMYK").convert("RGB"))

        return from_cmyk, 3
    return None, 0
