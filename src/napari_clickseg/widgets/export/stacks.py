"""All planes of a stack of labels in one file or one table. No Qt, no napari."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...cancel import Progress, part_of, stop_if
from ...data.exports.errors import ExportError
from ...data.exports.label_objects import LabelPlane
from ...data.exports.tables import Table
from .saving import FORMATS, Stop, Task, check_suffix, counted, measured, unsigned, write

__all__ = ["measure_all", "write_all"]

UNNAMED = "tcz", "tz", "z"
"""What one, two and three axes before rows and columns are called in OME without names."""
HELD = "TIFF, OME-Zarr, COCO JSON, ImageJ ROI sets and measurements hold all planes"


def write_all(
    kind: str,
    path: str | os.PathLike[str],
    tasks: Sequence[Task],
    progress: Progress,
    cancelled: Stop,
) -> str:
    """Write one plane, or all planes of a stack, and say what was written.

    Parameters
    ----------
    kind : str
        Key of `FORMATS`.
    path : str or path
    tasks : sequence of Task
        One for each plane, with its `place` if all planes are meant.
    progress, cancelled : callable

    Raises
    ------
    ValueError
        If the format holds one plane only, the suffix is not of it, or it cannot be written.
    Cancelled
        If `cancelled` answered true.
    """
    path = Path(path)
    if not tasks[0].place:
        return write(kind, path, tasks[0], progress, cancelled)
    if kind not in WRITERS:
        raise ExportError(
            f"{FORMATS[kind].title}: this format holds one plane. Export the plane that is shown "
            f"(Layers > Segment > Export objects); {HELD}."
        )
    check_suffix(kind, path)
    return WRITERS[kind](path, tasks, progress, cancelled)


def measure_all(tasks: Sequence[Task], progress: Progress, cancelled: Stop) -> Table:
    """The table of measurements; of all planes, the place of each object's plane comes first."""
    tables = []
    for done, task in enumerate(tasks):
        tell = part_of(progress, done / len(tasks), (done + 1) / len(tasks))
        tables.append(measured(task, tell, cancelled))
    if not tasks[0].place:
        return tables[0]
    columns = next((table.columns for table in tables if table.rows), tables[0].columns)
    rows = (
        (*task.place.values(), *row)
        for task, table in zip(tasks, tables, strict=True)
        for row in table.rows
    )
    return Table((*tasks[0].place, *columns), tuple(rows))


def _stack(
    path: Path, tasks: Sequence[Task], progress: Progress, cancelled: Stop, wide: bool = False
) -> str:
    from ...data.plane_spacing import axis_spacing, plane_spacing
    from ...data.stack_writer import save_stack

    first, planes = tasks[0], [unsigned(task.labels) for task in tasks]
    dtype = np.uint32 if wide else np.result_type(np.uint8, *(plane.dtype for plane in planes))
    lengths = [len({task.place[name] for task in tasks}) for name in first.place]
    names = _ome_names(first)
    in_ome = path.name.lower().endswith((".ome.tif", ".ome.tiff", ".ome.zarr"))
    file = first.source if first.source is not None and first.source.is_file() else None
    spacing = {} if file is None else plane_spacing(file)
    for name, axis in zip(names, first.place, strict=True):
        spacing |= axis_spacing(name, *first.steps[axis]) if axis in first.steps else {}

    def read() -> Iterator[np.ndarray]:
        for done, labels in enumerate(planes):
            stop_if(cancelled, f"Saving {path}")
            progress(done / len(planes))
            yield np.asarray(labels[0 : labels.shape[0], 0 : labels.shape[1]]).astype(dtype)

    shape = (*lengths, *planes[0].shape)
    axes = names if in_ome else list(first.place)
    size = first.size if first.size.known else None
    save_stack(path, read(), shape, dtype, axes, size, spacing)
    progress(1.0)
    return f"Labels of {' x '.join(map(str, shape))} pixels ({np.dtype(dtype)}) are in {path}."


def _ome_names(task: Task) -> list[str]:
    """What the axes of planes are called in OME: by their names, or by how many there are."""
    from ...data.stack_writer import OME_AXES

    names = [name.lower() for name in task.place]
    if set(names) <= OME_AXES and len(set(names)) == len(names):
        return names
    return next((list(known) for known in UNNAMED if len(known) == len(names)), names)


def _coco(
    path: Path, tasks: Sequence[Task], progress: Progress, cancelled: Stop, polygons: bool
) -> str:
    from ...data.exports.coco import write_coco

    first = tasks[0]
    name = first.name if first.source is None else first.source.name
    planes = [LabelPlane(task.labels, task.place) for task in tasks]
    count = write_coco(path, planes, first.classes, name, polygons, progress, cancelled)
    progress(1.0)
    return counted(count, path, f"on {len(tasks)} planes")


def _rois(path: Path, tasks: Sequence[Task], progress: Progress, cancelled: Stop) -> str:
    from ...data.exports.imagej import write_roi_zip

    names = _ome_names(tasks[0])
    planes = [
        LabelPlane(task.labels, dict(zip(names, task.place.values(), strict=True)))
        for task in tasks
    ]
    count = write_roi_zip(path, planes, tasks[0].classes, progress, cancelled)
    progress(1.0)
    return counted(count, path, f"on {len(tasks)} planes")


def _measurements(path: Path, tasks: Sequence[Task], progress: Progress, cancelled: Stop) -> str:
    from ...data.exports.measurements import write_measurements

    table = measure_all(tasks, progress, cancelled)
    write_measurements(path, table)
    return counted(len(table.rows), path, f"on {len(tasks)} planes")


WRITERS: dict[str, Callable[[Path, Sequence[Task], Progress, Stop], str]] = {
    "tiff": _stack,
    "tiff32": lambda *given: _stack(*given, wide=True),
    "zarr": _stack,
    "coco": lambda *given: _coco(*given, polygons=False),
    "coco_polygons": lambda *given: _coco(*given, polygons=True),
    "rois": _rois,
    "measurements": _measurements,
}
"""Of the formats that hold all planes."""
