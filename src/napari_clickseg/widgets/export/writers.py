"""npe2 writers: a Labels layer as other programs read it, from napari's Save dialog.

Of a stack, all planes are written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .labels import class_names, pixel_size

__all__ = [
    "write_class_table",
    "write_coco_json",
    "write_geojson_file",
    "write_measurement_table",
    "write_ome_zarr",
    "write_roi_set",
]

Attributes = dict[str, Any]


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Let napari show what is wrong: it takes a ValueError for a writer that does not fit."""
    try:
        yield
    except ValueError as error:
        raise RuntimeError(str(error)) from error


def _write(
    kind: str,
    writer: Callable[..., Any],
    path: str,
    data: Any,
    attributes: Attributes,
    **options: Any,
) -> list[str]:
    """Write a plane of labels, or all planes of a stack, with the classes of its features.

    Parameters
    ----------
    kind : str
        Key of `FORMATS`, for stacks.
    writer : callable
        ``writer(path, labels, classes, **options)``, for planes.
    path, data, attributes
        As napari gives them.
    """
    from .stacks import write_all
    from .tasks import tasks_of_data

    labels = data[0] if isinstance(data, Sequence) else data
    with _told():
        if len(labels.shape) > 2:
            tasks = tasks_of_data(labels, attributes)
            write_all(kind, path, tasks, lambda part: None, lambda: False)
        else:
            writer(path, labels, class_names(attributes.get("features")), **options)
    return [path]


def write_coco_json(path: str, data: Any, attributes: Attributes) -> list[str]:
    """Write a Labels layer as COCO JSON with run lengths; returns the path."""
    from ...data.exports.coco import write_coco

    name = attributes.get("name", "image")
    return _write("coco", write_coco, path, data, attributes, image_name=name)


def write_geojson_file(path: str, data: Any, attributes: Attributes) -> list[str]:
    """Write a Labels layer as GeoJSON polygons in pixels; returns the path."""
    from ...data.exports.geojson import write_geojson

    return _write("geojson", write_geojson, path, data, attributes)


def write_roi_set(path: str, data: Any, attributes: Attributes) -> list[str]:
    """Write a Labels layer as a zip of ImageJ ROIs; returns the path."""
    from ...data.exports.imagej import write_roi_zip

    return _write("rois", write_roi_zip, path, data, attributes)


def write_class_table(path: str, data: Any, attributes: Attributes) -> list[str]:
    """Write the classes of a Labels layer as CSV; returns the path."""
    from ...data.exports.tables import write_classes

    return _write("classes", write_classes, path, data, attributes)


def write_measurement_table(path: str, data: Any, attributes: Attributes) -> list[str]:
    """Write measurements of a Labels layer's objects as CSV; returns the path."""
    from ...data.exports.measurements import measure, write_measurements

    def measured(path: str, labels: Any, classes: dict[int, str]) -> None:
        write_measurements(path, measure(labels, classes=classes, pixel_size=_size(attributes)))

    return _write("measurements", measured, path, data, attributes)


def write_ome_zarr(path: str, data: Any, attributes: Attributes) -> list[str]:
    """Write a Labels layer as a Zarr array, or an OME-Zarr image with its pixel size."""
    from ...data.mask_writer import save_mask
    from .saving import unsigned

    def written(path: str, labels: Any, classes: dict[int, str]) -> None:
        save_mask(path, unsigned(labels), pixel_size=_size(attributes))

    return _write("zarr", written, path, data, attributes)


def _size(attributes: Attributes) -> Any:
    scale = attributes.get("scale", (1.0, 1.0))
    return pixel_size(scale, attributes.get("units") or (), (0, 1))
