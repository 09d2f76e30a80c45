"""Measurements of objects, in pixels and in physical units, as a table."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...cancel import Progress
from ...geometry import Box
from ..arrays import ImageReader
from ..pixel_size import PixelSize
from .label_objects import LabelObject, label_objects, shape_of
from .tables import Table, write_table

__all__ = ["measure", "write_measurements"]

SHAPES = (
    *("eccentricity", "solidity", "orientation"),
    *("axis_major_length", "axis_minor_length", "equivalent_diameter_area"),
)
COLOURS = ("red", "green", "blue", "alpha")


def measure(
    labels: Any,
    image: Any = None,
    classes: Mapping[int, str] | None = None,
    pixel_size: PixelSize | None = None,
    channels: Sequence[str] = (),
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Table:
    """Measure every object.

    Lengths and areas are pixels (``_px``), and the same in the unit of the pixel size if there is
    one. Positions are those of pixel centres from the first one on, as napari shows them; the box
    is half-open. Perimeters are scikit-image's estimate; of pixels that are not square, scaled as
    the length of the outline is. Shape descriptors are of the ellipse with the object's moments,
    in pixels; the orientation is in degrees from the rows' axis, -90 to 90.

    Parameters
    ----------
    labels : (H, W) array
        Anything that can be sliced; read object by object.
    image : (H, W) or (H, W, C) array, or ImageReader, optional
        For intensities; anything that can be sliced. NaN does not count.
    classes : mapping of int to str, optional
        Class names of labels.
    pixel_size : PixelSize, optional
    channels : sequence of str, optional
        Names of the channels; by default red, green, blue, or numbers.
    progress, cancelled : callable, optional
        See `label_objects`.

    Returns
    -------
    Table
        A row for each object, in rising order of labels.

    Raises
    ------
    ExportError
        If these are no labels, or the image is of another size.
    """
    shape, size = shape_of(labels), pixel_size
    names = [] if image is None else _channels(image, shape, channels)
    rows = []
    for item in label_objects(labels, classes, progress, cancelled):
        row: dict[str, Any] = {"id": item.id, "class": item.class_name}
        row |= _shape(item, size if size is not None and size.known else None)
        if image is not None:
            row |= _intensities(item, _pixels(image, item.box), names)
        rows.append(row)
    if progress is not None:
        progress(1.0)
    return Table.of_rows(rows, first=("id", "class", "area_px"))


def write_measurements(path: str | os.PathLike[str], table: Table) -> None:
    """Write measurements as CSV (UTF-8, commas, decimal points).

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    write_table(path, table, "measurements")


def _shape(item: LabelObject, size: PixelSize | None) -> dict[str, Any]:
    from skimage.measure import regionprops

    (found,) = regionprops(item.mask.astype(np.uint8))
    box, area = item.box, float(item.area)
    row, col = found.centroid
    perimeter = float(found.perimeter)
    unit = _word("" if size is None else size.unit)
    values: dict[str, Any] = {"area_px": item.area}
    if size is not None:
        values[f"area_{unit}2"] = area * size.row * size.col
    values["perimeter_px"] = perimeter
    if size is not None:
        values[f"perimeter_{unit}"] = perimeter * _stretch(item.mask, size)
    values |= {"centroid_row": row + box.top, "centroid_col": col + box.left}
    if size is not None:
        values[f"centroid_y_{unit}"] = values["centroid_row"] * size.row
        values[f"centroid_x_{unit}"] = values["centroid_col"] * size.col
    values |= {"top": box.top, "left": box.left, "bottom": box.bottom, "right": box.right}
    if size is not None:
        values |= {f"height_{unit}": box.height * size.row, f"width_{unit}": box.width * size.col}
    for name in SHAPES:
        value = float(getattr(found, name))
        values[name] = math.degrees(value) if name == "orientation" else value
    return values


def _word(unit: str) -> str:
    return {"µm": "um", "": "unit"}.get(unit, unit)


def _stretch(mask: np.ndarray, size: PixelSize) -> float:
    """The factor by which an outline is longer in the unit than in pixels."""
    if size.row == size.col:
        return size.row
    from skimage.measure import find_contours

    lines = find_contours(np.pad(mask, 1).astype(np.uint8), 0.5)
    steps = np.concatenate([np.diff(line, axis=0) for line in lines])
    return float(np.hypot(*(steps * (size.row, size.col)).T).sum() / np.hypot(*steps.T).sum())


def _channels(image: Any, shape: tuple[int, int], names: Sequence[str]) -> list[str]:
    """Names of the channels of an image, a single one's empty."""
    from .errors import ExportError

    if tuple(image.shape[:2]) != shape or len(image.shape) not in (2, 3):
        raise ExportError(
            f"The labels are {shape[0]} x {shape[1]} pixels and the image has the shape "
            f"{tuple(image.shape)}. Choose the image that belongs to them."
        )
    if len(image.shape) == 2:
        return [""]
    count = int(image.shape[2])
    if len(names) == count:
        return [f"_{name}" for name in names]
    return [f"_{COLOURS[i] if count in (3, 4) else i}" for i in range(count)]


def _pixels(image: Any, box: Box) -> np.ndarray:
    part = image.read(box) if isinstance(image, ImageReader) else image[box.slices]
    return np.asarray(part).reshape(*box.shape, -1)


def _intensities(item: LabelObject, pixels: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    inside = pixels[item.mask].astype(np.float64)
    values: dict[str, float] = {}
    for number, name in enumerate(names):
        here = inside[:, number]
        here = here[np.isfinite(here)]
        for what, of in (("mean", np.mean), ("min", np.min), ("max", np.max), ("std", np.std)):
            values[f"intensity_{what}{name}"] = float(of(here)) if here.size else math.nan
    return values
