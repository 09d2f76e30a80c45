"""Zarr arrays and OME-Zarr images in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ImageError, unreadable
from .pixel_size import PixelSize
from .planes import Plane, PlaneArray, PlaneIndex, guess_axes

__all__ = ["ZARR_FILES", "import_zarr", "is_zarr", "open_zarr", "zarr_axes", "zarr_pixel_size"]

ZARR_FILES = ("zarr.json", ".zarray", ".zgroup")  # what a Zarr folder has one of
OLD_AXES = ("t", "c", "z", "y", "x")  # of OME-Zarr 0.1 and 0.2, which do not name them


def is_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr array or group."""
    return any((folder / name).is_file() for name in ZARR_FILES)


def import_zarr(what: str, error: type[ValueError]) -> Any:
    """The zarr package, or a sentence in an exception of the given kind."""
    try:
        import zarr
    except ImportError as missing:
        raise error(
            f"{what} is a Zarr folder, and the package zarr is not installed. "
            'Install it: pip install "napari-clickseg[zarr]".'
        ) from missing
    return zarr


def open_zarr(path: Path, plane: Plane) -> list[Any]:
    """The resolutions of one plane of a Zarr array or an OME-Zarr image.

    Parameters
    ----------
    path : Path
        A folder for which `is_zarr` holds.
    plane : int, sequence of int, or None
        An index for each axis of a stack.

    Returns
    -------
    list of array
        Sliceable like arrays ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``, full resolution first.

    Raises
    ------
    ImageError
        If zarr is missing, the metadata are damaged, or `plane` names no plane.
    """
    arrays, names = _resolutions(path)
    try:
        index = PlaneIndex.choose(names, arrays[0].shape, plane, f"The image {path}")
        if any(len(array.shape) != len(names) for array in arrays):
            raise ImageError(
                f"The levels of {path} have different axes: {[a.shape for a in arrays]}. "
                "Save the image again."
            )
        return [_Chunked(array, index, path) for array in arrays]
    except Exception as error:  # zarr raises many kinds on damaged metadata
        raise unreadable(path, error) from error


def zarr_axes(path: Path) -> tuple[list[str], tuple[int, ...]]:
    """Names of the axes in small letters and their lengths, of what `open_zarr` opens.

    Raises
    ------
    ImageError
        If zarr is missing, or the metadata are damaged.
    """
    arrays, names = _resolutions(path)
    return [name.lower() for name in names], tuple(int(side) for side in arrays[0].shape)


def _resolutions(path: Path) -> tuple[list[Any], list[str]]:
    """The arrays of all resolutions, and the names of their axes."""
    zarr = import_zarr(f"The image {path}", ImageError)
    try:
        node = zarr.open(str(path), mode="r")
        if isinstance(node, zarr.Group) and "bioformats2raw.layout" in _ome(node):
            node = node["0"]
        arrays, names = _levels(node, path) if isinstance(node, zarr.Group) else ([node], None)
        return arrays, list(names or _named(arrays[0]) or guess_axes(arrays[0].shape))
    except Exception as error:  # zarr raises many kinds on damaged metadata
        raise unreadable(path, error) from error


def zarr_pixel_size(path: Path) -> PixelSize | None:
    """The size of a pixel at full resolution of an OME-Zarr image; None if nothing tells it.

    Damaged metadata count as none.
    """
    try:
        node = import_zarr(str(path), ImageError).open(str(path), mode="r")
        image = _ome(node)["multiscales"][0]
        steps = image["datasets"][0]["coordinateTransformations"]
        scale = next(step["scale"] for step in steps if step["type"] == "scale")
        row, col = (axis.get("unit", "") for axis in image["axes"][-2:])
        return PixelSize(*scale[-2:], row) if row == col else None
    except Exception:  # zarr raises many kinds; the pixels may be fine all the same
        return None


class _Chunked(PlaneArray):
    """A plane of a Zarr array; what a damaged chunk raises becomes a sentence."""

    def __init__(self, array: Any, index: PlaneIndex, path: Path) -> None:
        super().__init__(array, index)
        self._path, self.chunk_rows = path, int(array.chunks[index.rows])

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        try:
            return super().__getitem__(box)
        except Exception as error:
            raise unreadable(self._path, error) from error


def _ome(group: Any) -> dict[str, Any]:
    """The OME attributes of a group: from version 0.5 on they are under ``ome``."""
    attributes = dict(group.attrs)
    return dict(attributes.get("ome", attributes))


def _levels(group: Any, path: Path) -> tuple[list[Any], list[str] | None]:
    """The arrays of an OME-Zarr image and its axes; of a group with one array, that array."""
    attributes = _ome(group)
    if "plate" in attributes or "well" in attributes:
        raise ImageError(
            f"{path} is a plate of many images. Open one of them, such as {path / 'A' / '1' / '0'}."
        )
    if "multiscales" not in attributes:
        names = sorted(group.array_keys())
        if len(names) != 1:
            raise ImageError(
                f"{path} is a Zarr group without OME metadata; it holds the arrays "
                f"{', '.join(names[:9]) or '(none)'}. Open one array by its own path."
            )
        return [group[names[0]]], None
    image = attributes["multiscales"][0]
    paths = [str(dataset["path"]) for dataset in image["datasets"]]
    arrays = [group[name] for name in paths]
    axes = image.get("axes", OLD_AXES[-len(arrays[0].shape) :])
    return arrays, [str(a["name"] if isinstance(a, dict) else a) for a in axes]


def _named(array: Any) -> Sequence[str] | None:
    """The axes that an array names itself (Zarr 3, xarray), if it has rows and columns."""
    names = getattr(array.metadata, "dimension_names", None)
    names = [str(n) for n in names or array.attrs.get("_ARRAY_DIMENSIONS", ())]
    return names if {"y", "x"} <= {n.lower() for n in names} else None
