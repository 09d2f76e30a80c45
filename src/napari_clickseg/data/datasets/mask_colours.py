"""Masks whose objects are told apart by colours: the numbers of the colours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..readers import read_image
from ..scenes import DatasetError

__all__ = ["ColourNumbers", "read_numbers"]

MOST_COLOURS = 4096  # of a mask that names its objects by colours
PICTURES = (".png", ".gif", ".bmp", ".tif", ".tiff")

ColourNumbers = Mapping[int, int]
"""Number of each colour, which is red * 65536 + green * 256 + blue."""


def read_numbers(
    path: Path, like: tuple[Path, ColourNumbers | None] | None = None
) -> tuple[np.ndarray, ColourNumbers | None]:
    """What a mask file holds, with colours as numbers.

    Parameters
    ----------
    path : Path
    like : (Path, ColourNumbers or None), optional
        Another mask, and what this function gave for it: colours have its numbers, and those that
        it lacks are counted on.

    Returns
    -------
    array
        ``(H, W)`` numbers; anything else that the file may hold comes as it is.
    ColourNumbers or None
        None for a file without colours.

    Raises
    ------
    ImageError
        If the file cannot be read.
    DatasetError
        If it has too many colours, or has colours where `like` has numbers.
    """
    known = None if like is None else like[1]
    indices, palette = _palette(path)
    if indices is not None:
        own = {int(_packed(palette[i])): i for i in np.unique(indices).tolist()}
        if known is None or all(known.get(colour, i) == i for colour, i in own.items()):
            return indices, own
        array = palette[indices]
    else:
        array = read_image(path)
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[..., 0]
        if array.ndim != 3 or array.shape[2] not in (3, 4):
            return array, None
        array = array[..., :3]
        if known is None and (array == array[..., :1]).all():
            return array[..., 0], _greys(array[..., 0])
    if like is not None and known is None:
        raise DatasetError(
            f"The mask {path} has colours and {like[0]} has numbers, so that it is not known which "
            "objects are the same. Save it with the numbers of the other."
        )
    if array.dtype != np.uint8:
        raise DatasetError(f"The mask {path} is coloured and not of 8 bits. Save one channel.")
    return _numbered(path, array, known)


def _numbered(
    path: Path, array: np.ndarray, known: ColourNumbers | None
) -> tuple[np.ndarray, ColourNumbers]:
    """Colours as numbers: the known ones, and black as 0."""
    packed = _packed(array)
    colours, places = np.unique(packed, return_inverse=True)
    if len(colours) > MOST_COLOURS:
        raise DatasetError(
            f"{path} has {len(colours)} colours, so it looks like a photograph rather than a mask."
        )
    numbers = {0: 0} | dict(known or {})
    following = max(numbers.values()) + 1
    for colour in colours.tolist():
        if colour not in numbers:
            numbers[colour], following = following, following + 1
    table = np.array([numbers[colour] for colour in colours.tolist()], np.int32)
    return table[places].reshape(packed.shape), numbers


def _greys(values: np.ndarray) -> ColourNumbers | None:
    """Numbers of greys, for another mask that has colours too."""
    if values.dtype != np.uint8:
        return None
    return {value * 0x010101: value for value in np.unique(values).tolist()}


def _packed(colours: np.ndarray) -> np.ndarray:
    return colours.astype(np.int32) @ np.array([65536, 256, 1], np.int32)


def _palette(path: Path) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Indices and ``(N, 3)`` colours of a picture with a palette; None, None for any other file."""
    if path.suffix.lower() not in PICTURES:
        return None, None
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.mode != "P":
                return None, None
            colours = np.zeros((256, 3), np.uint8)
            given = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
            colours[: len(given)] = given
            return np.asarray(picture), colours
    except (OSError, ValueError):  # what Pillow does not know; told by read_image
        return None, None
