"""Photographs and other pictures that Pillow decodes: as a whole, but only when asked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import ImageError, unreadable
from .orientation import ORIENTATION, stored_part, turn_of, upright
from .planes import Plane, PlaneIndex

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Picture"]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF")
MOST_PIXELS = 2**30  # of one picture, decoded as a whole
GREY = {"1": bool, "L": np.uint8, "I": np.int32, "F": np.float32}


class Picture:
    """A picture file, sliced like an array ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``.

    Palettes and other colour models become RGB or RGBA, EXIF orientation is applied. The first
    slice decodes the file; the decoded picture is kept as long as this object.

    Parameters
    ----------
    path : Path
        PNG, JPEG, BMP or GIF, or a TIFF in a colour model that Pillow converts.
    plane : int or sequence of int, optional
        The picture of an animation; the first one by default.

    Raises
    ------
    ImageError
        If it is of another kind, damaged, too large to be decoded, or has no such picture.
    """

    def __init__(self, path: Path, plane: Plane = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._image: Image | None = None  # the decoded picture
        self._frame = 0
        with _open(path) as image:
            frames = getattr(image, "n_frames", 1) if image.format == "GIF" else 1
            if plane is not None:
                sizes = (frames, image.height, image.width)
                names = ("frame", "y", "x")
                index = PlaneIndex.choose(names, sizes, plane, f"The image {path}")
                self._frame = index.picked[0]
                image.seek(self._frame)
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise ImageError(
                    f"The image {path} has {width} x {height} pixels, and {image.format} files "
                    "must be decoded as a whole. Convert it to a tiled TIFF or an OME-Zarr."
                )
            code = _orientation(image)
            self._mode = _target(image)
        self._turn = turn_of(code)
        channels = {"RGB": (3,), "RGBA": (4,)}.get(self._mode, ())
        self.shape: tuple[int, ...] = (
            *((width, height) if self._turn[0] else (height, width)),
            *channels,
        )
        self.dtype = np.dtype(np.uint8 if channels else GREY.get(self._mode, np.uint16))

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        with self._lock:
            try:
                if self._image is None:
                    with _open(self.path) as image:
                        if self._frame:
                            image.seek(self._frame)
                        image.load()
                        self._image = image
                return self._read(self._image, box)
            except Exception as error:  # decoders raise many kinds on damaged files
                raise unreadable(self.path, error) from error

    def _read(self, image: Image, box: tuple[slice, slice]) -> np.ndarray:
        rows, cols = stored_part(box, self.shape, self._turn)
        piece = image.crop((cols.start, rows.start, cols.stop, rows.stop))
        if piece.mode != self._mode:
            if "transparency" in image.info:
                piece.info["transparency"] = image.info["transparency"]
            piece = piece.convert(self._mode)
        return upright(np.asarray(piece), self._turn)


def _open(path: Path) -> Image:
    """The picture, not decoded yet.

    The formats' own openers are called: `PIL.Image.open` refuses more than 179 megapixels, and
    tries formats that nobody asked for.
    """
    from PIL import Image, TiffImagePlugin  # noqa: F401 (registers the format)

    Image.preinit()
    with path.open("rb") as file:
        head = file.read(16)
    try:
        for name in FORMATS:
            opener, accepts = Image.OPEN[name]
            if accepts is not None and accepts(head) is True:
                return opener(str(path), str(path))
    except Exception as error:  # also SyntaxError, struct.error and others on damaged files
        raise unreadable(path, error) from error
    raise unreadable(path, ValueError("its kind is not known"))


def _orientation(image: Image) -> int:
    """The EXIF orientation 1..8 that is still to be applied, found without decoding."""
    if image.format == "TIFF":  # Pillow applies it
        return 1
    if image.format == "PNG" and "exif" not in image.info:  # it would decode all to look behind
        return 1
    return image.getexif().get(ORIENTATION, 1)


def _target(image: Image) -> str:
    """The mode among grey, RGB and RGBA that holds what a picture shows."""
    mode = image.mode
    if mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
        opaque = mode == "P" and "transparency" not in image.info
        return "RGB" if opaque else "RGBA"
    return mode if mode in (*GREY, "RGB", "RGBA") or mode.startswith("I;") else "RGB"
