"""The formats that the export dock offers, and how each is written. No Qt, no napari."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...cancel import Progress
from ...data.exports.errors import ExportError
from ...data.pixel_size import PixelSize

__all__ = ["FORMATS", "Format", "Task", "check_suffix", "counted", "measured", "unsigned", "write"]

Stop = Callable[[], bool]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes
    ----------
    title : str
        For the list.
    suffixes : tuple of str
        What file names may end with; the first is given to those without.
    note : str
        What the file holds, in a sentence.
    """

    title: str
    suffixes: tuple[str, ...]
    note: str


FORMATS: Mapping[str, Format] = {
    "tiff": Format(
        "Labels as TIFF",
        (".tif", ".ome.tif", ".tiff", ".ome.tiff"),
        "Label numbers as they are, with pixel size and georeferencing of the image; .ome.tif "
        "keeps the unit too.",
    ),
    "tiff32": Format(
        "Labels as TIFF, 32 bits",
        (".tif", ".ome.tif", ".tiff", ".ome.tiff"),
        "As above with 32 bits a pixel: napari opens it as a Labels layer by itself. Files with 8 "
        "or 16 bits it opens as images; convert those with a right click on the layer.",
    ),
    "png": Format("Labels as PNG", (".png",), "Label numbers as they are, so it looks black."),
    "zarr": Format(
        "Labels as OME-Zarr", (".ome.zarr", ".zarr"), "Label numbers in chunks, with pixel size."
    ),
    "picture": Format(
        "Picture to look at", (".png",), "Colours on black for slides; it holds no label numbers."
    ),
    "coco": Format(
        "COCO JSON, run lengths", (".json",), "Classes, boxes, areas and exact masks for training."
    ),
    "coco_polygons": Format(
        "COCO JSON, polygons",
        (".json",),
        "As COCO JSON; objects with holes are cut into pieces without.",
    ),
    "geojson": Format(
        "GeoJSON polygons",
        (".geojson",),
        "Polygons with holes for QuPath and QGIS, on the map if the image is a GeoTIFF.",
    ),
    "rois": Format("ImageJ ROI set", (".zip",), "One ROI per object for ImageJ's ROI Manager."),
    "classes": Format("Class table", (".csv",), "Number, class, colour and area of each object."),
    "measurements": Format(
        "Measurements",
        (".csv",),
        "Area, perimeter, shape and intensity of each object, in pixels and in the layer's unit.",
    ),
}


@dataclass(frozen=True, eq=False)
class Task:
    """What is written.

    Attributes
    ----------
    labels : (H, W) array
        Anything that can be sliced.
    classes : mapping of int to str
    size : PixelSize
    source : Path or None
        File of the image, for tags and its name.
    image : ImageReader, array or None
        For intensities.
    name : str
        Of the image, if there is no file.
    colour : callable or None
        ``colour(label) -> (red, green, blue)``, for pictures.
    channels : tuple of str
        Names of the image's channels.
    place : mapping of str to int
        Index of the plane along each other axis, if all planes of a stack are meant.
    steps : mapping of str to (float, str)
        How far planes are from each other along those axes that tell it, and the unit.
    """

    labels: Any
    classes: Mapping[int, str] = field(default_factory=dict)
    size: PixelSize = PixelSize(1, 1)
    source: Path | None = None
    image: Any = None
    name: str = "image"
    colour: Callable[[int], tuple[int, int, int]] | None = None
    channels: tuple[str, ...] = ()
    place: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, tuple[float, str]] = field(default_factory=dict)


def write(
    kind: str, path: str | os.PathLike[str], task: Task, progress: Progress, cancelled: Stop
) -> str:
    """Write a file and say what was written.

    Raises
    ------
    ValueError
        If the suffix is not of the format, or it cannot be written.
    Cancelled
        If `cancelled` answered true.
    """
    path = Path(path)
    check_suffix(kind, path)
    return WRITERS[kind](path, task, progress, cancelled)


def check_suffix(kind: str, path: Path) -> None:
    """Raise `ExportError` if a file's name does not end as those of a format do."""
    suffixes = FORMATS[kind].suffixes
    if not path.name.lower().endswith(suffixes):
        raise ExportError(
            f"{FORMATS[kind].title} ends in {' or '.join(suffixes)}, and {path.name} does not. "
            f"Save it as {path.stem}{suffixes[0]}."
        )


def _labels(path: Path, task: Task, progress: Progress, cancelled: Stop, wide: bool = False) -> str:
    from ...data.mask_writer import save_mask

    labels = unsigned(task.labels)
    if wide:
        labels = _As(labels, np.dtype(np.uint32))
    size = task.size if task.size.known else None
    tiff = path.suffix.lower() in (".tif", ".tiff")
    source = task.source if tiff and task.source and task.source.is_file() else None
    save_mask(path, labels, source, progress, cancelled, size)
    return f"Labels of {labels.shape[0]} x {labels.shape[1]} pixels ({labels.dtype}) are in {path}."


def _picture(path: Path, task: Task, progress: Progress, cancelled: Stop) -> str:
    from ...data.exports.picture import write_picture

    step = write_picture(path, task.labels, task.colour)
    every = "" if step == 1 else f", every {step}th pixel of a row and column"
    return f"A picture to look at{every} is in {path}."


def _coco(path: Path, task: Task, progress: Progress, cancelled: Stop, polygons: bool) -> str:
    from ...data.exports.coco import write_coco

    name = task.name if task.source is None else task.source.name
    count = write_coco(path, task.labels, task.classes, name, polygons, progress, cancelled)
    return counted(count, path)


def _geojson(path: Path, task: Task, progress: Progress, cancelled: Stop) -> str:
    from ...data.exports.geojson import write_geojson
    from ...data.exports.georeference import Georeference

    place = None if task.source is None else Georeference.of_tiff(task.source)
    count = write_geojson(path, task.labels, task.classes, place, progress, cancelled)
    where = "in the image's map coordinates" if place else "in pixels"
    return counted(count, path, where)


def _rois(path: Path, task: Task, progress: Progress, cancelled: Stop) -> str:
    from ...data.exports.imagej import write_roi_zip

    return counted(write_roi_zip(path, task.labels, task.classes, progress, cancelled), path)


def _classes(path: Path, task: Task, progress: Progress, cancelled: Stop) -> str:
    from ...data.exports.tables import write_classes

    colours = {}
    for label, name in task.classes.items():
        if task.colour is not None and name not in colours:
            colours[name] = "#{:02x}{:02x}{:02x}".format(*task.colour(label))
    return counted(write_classes(path, task.labels, task.classes, colours), path)


def _measurements(path: Path, task: Task, progress: Progress, cancelled: Stop) -> str:
    from ...data.exports.measurements import write_measurements

    table = measured(task, progress, cancelled)
    write_measurements(path, table)
    return counted(len(table.rows), path)


def measured(task: Task, progress: Progress, cancelled: Stop) -> Any:
    """The table of measurements."""
    from ...data.exports.measurements import measure

    return measure(
        task.labels, task.image, task.classes, task.size, task.channels, progress, cancelled
    )


def counted(count: int, path: Path, where: str = "") -> str:
    """What was written, in a sentence."""
    objects = "1 object is" if count == 1 else f"{count} objects are"
    return f"{objects} in {path}{', ' if where else ''}{where}."


WRITERS: Mapping[str, Callable[[Path, Task, Progress, Stop], str]] = {
    "tiff": _labels,
    "tiff32": lambda *given: _labels(*given, wide=True),
    "png": _labels,
    "zarr": _labels,
    "picture": _picture,
    "coco": lambda *given: _coco(*given, polygons=False),
    "coco_polygons": lambda *given: _coco(*given, polygons=True),
    "geojson": _geojson,
    "rois": _rois,
    "classes": _classes,
    "measurements": _measurements,
}


def unsigned(labels: Any) -> Any:
    """Labels of a kind that `save_mask` writes: signed ones as the smallest that holds them.

    Raises
    ------
    ExportError
        If a label is negative or above 4 294 967 295.
    """
    from ...data.exports.label_objects import label_boxes

    dtype = np.dtype(labels.dtype)
    if dtype in (np.dtype(bool), np.dtype("u1"), np.dtype("u2"), np.dtype("u4")):
        return labels
    largest = max(label_boxes(labels), default=0)
    kind = next((k for k in (np.uint8, np.uint16, np.uint32) if largest <= np.iinfo(k).max), None)
    if kind is None:
        raise ExportError(f"The label {largest} is above 4 294 967 295. Renumber the labels.")
    return _As(labels, np.dtype(kind))


class _As:
    """Labels whose slices are of another dtype."""

    def __init__(self, labels: Any, dtype: np.dtype) -> None:
        self._labels, self.shape, self.dtype = labels, tuple(labels.shape), dtype

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.asarray(self._labels[index]).astype(self.dtype)
