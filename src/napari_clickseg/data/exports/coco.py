"""COCO JSON: objects with class, box, area and mask, as run lengths or polygons."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...cancel import Progress
from ...geometry import Box
from ..json_file import read_json
from .errors import ExportError, writing
from .label_objects import LabelObject, as_planes, plane_objects, shape_of
from .polygons import fill, pieces_without_holes
from .read_labels import ReadLabels, blank, paint_all
from .rle import counts_of, from_text, mask_of, to_text

__all__ = ["is_coco", "read_coco", "segmentation_mask", "write_coco"]

UNNAMED = "object"
"""Category of objects without a class."""
PLANE, LABEL = "plane", "label"
"""Members of ours, which other readers pass over: an image's plane, an object's label in it."""


def write_coco(
    path: str | os.PathLike[str],
    labels: Any,
    classes: Mapping[int, str] | None = None,
    image_name: str = "image",
    polygons: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Write the objects of one image, or of the planes of a stack; returns how many.

    Parameters
    ----------
    path : str or path
    labels : (H, W) array, or sequence of LabelPlane
        Of a stack, each plane is an image of its own: its place is in its file name, such as
        ``cells_t0_z4.tif``, and as ``"plane": {"t": 0, "z": 4}`` beside it.
    classes : mapping of int to str, optional
        Class names of labels; the others are an ``object``.
    image_name : str
        What the file says the image is called.
    polygons : bool
        Masks as polygons along pixel edges; an object with holes is cut into pieces without, whose
        union it is. Otherwise compressed run lengths (and ``iscrowd`` is 0 all the same).
    progress, cancelled : callable, optional
        See `label_objects`.

    Raises
    ------
    ExportError
        If these are no labels, or the file cannot be written.
    """
    planes = as_planes(labels)
    shapes = [shape_of(plane.labels) for plane in planes]
    names = sorted({*(classes or {}).values()} - {""})
    categories = {name: number for number, name in enumerate([UNNAMED, *names], 1)}
    count = 0
    with writing(path, "COCO file") as unfinished, unfinished.open("w", encoding="utf-8") as file:
        head = {
            "info": {"description": "Objects clicked with napari-clickseg"},
            "images": [
                {
                    "id": number,
                    "file_name": _plane_name(image_name, plane.place),
                    "height": shape[0],
                    "width": shape[1],
                    **({PLANE: dict(plane.place)} if plane.place else {}),
                }
                for number, (plane, shape) in enumerate(zip(planes, shapes, strict=True), 1)
            ],
            "categories": [
                {"id": number, "name": name, "supercategory": ""}
                for name, number in categories.items()
            ],
        }
        file.write(json.dumps(head)[:-1] + ', "annotations": [')
        for number, item in plane_objects(planes, classes, progress, cancelled):
            written = {
                "id": count + 1 if planes[number].place else item.id,
                "image_id": number + 1,
                "category_id": categories[item.class_name or UNNAMED],
                **_annotation(item, shapes[number], polygons),
            }
            if planes[number].place:
                written[LABEL] = item.id
            file.write(",\n" if count else "\n")
            file.write(json.dumps(written))
            count += 1
        file.write("\n]}\n")
    return count


def _annotation(item: LabelObject, shape: tuple[int, int], polygons: bool) -> dict[str, Any]:
    box = item.box
    mask: Any = {
        "size": list(shape),
        "counts": None if polygons else to_text(counts_of(item.mask, box, shape)),
    }
    if polygons:
        pieces = pieces_without_holes(item.mask, (box.top, box.left))
        mask = [ring[:, ::-1].ravel().tolist() for ring in pieces]
    return {
        "iscrowd": 0,
        "area": item.area,
        "bbox": [box.left, box.top, box.width, box.height],
        "segmentation": mask,
    }


def _plane_name(image_name: str, place: Mapping[str, int]) -> str:
    """The name of a plane's image, such as ``cells_t0_z4.ome.tif``."""
    stem, dot, suffix = image_name.partition(".")
    return f"{stem}{_plane_mark(place)}{dot}{suffix}"


def _plane_mark(place: Mapping[str, int]) -> str:
    return "".join(f"_{name}{step}" for name, step in place.items())


def is_coco(value: Any) -> bool:
    """Whether JSON is a COCO file with objects."""
    return isinstance(value, Mapping) and all(
        isinstance(value.get(name), list) for name in ("images", "annotations")
    )


def read_coco(path: str | os.PathLike[str]) -> list[ReadLabels]:
    """Read the objects of all images of a COCO file, each image as labels.

    Objects of one image keep their ids where these are labels, otherwise they are counted from 1.
    Where objects overlap, the smaller one is seen. Planes that `write_coco` wrote are one stack.

    Raises
    ------
    ExportError
        If the file cannot be read, is no COCO file or damaged.
    """
    value = read_json(path, ExportError)
    if not is_coco(value):
        raise ExportError(
            f'{path} is no COCO file with objects: it lacks "images" or "annotations". '
            "Choose another."
        )
    try:
        categories = {c["id"]: str(c["name"]) for c in value.get("categories", [])}
        grouped: dict[Any, list[Any]] = {image["id"]: [] for image in value["images"]}
        for annotation in value["annotations"]:
            grouped[annotation["image_id"]].append(annotation)
        images = value["images"]
        read = [_image(image, grouped[image["id"]], categories, Path(path)) for image in images]
        places = [image.get(PLANE) for image in images]
        if all(isinstance(place, Mapping) and place for place in places):
            return _stacked(read, places)
        return read
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        if isinstance(error, ExportError):
            raise ExportError(f"{path}: {error}") from error
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ExportError(
            f"The COCO file {path} is damaged: something in it {reason:.80}. Write it again."
        ) from error


def _image(
    image: Mapping[str, Any], found: list[Any], categories: Mapping[Any, str], path: Path
) -> ReadLabels:
    shape = int(image["height"]), int(image["width"])
    choices = ([annotation.get(LABEL) for annotation in found], [a["id"] for a in found])
    ids = next(filter(_are_labels, choices), list(range(1, len(found) + 1)))
    labels = blank(shape, max(ids, default=0))
    paint_all(
        labels,
        (
            (label, *segmentation_mask(a["segmentation"], shape))
            for label, a in zip(ids, found, strict=True)
        ),
    )
    named = {
        label: categories.get(a.get("category_id"), "") for label, a in zip(ids, found, strict=True)
    }
    classes = {label: name for label, name in named.items() if name not in ("", UNNAMED)}
    return ReadLabels(Path(str(image.get("file_name", path.name))).stem, labels, classes)


def _are_labels(ids: list[Any]) -> bool:
    fit = all(type(label) is int and 0 < label < 2**32 for label in ids)
    return fit and len(set(ids)) == len(ids)


def _stacked(read: list[ReadLabels], places: list[Mapping[str, int]]) -> list[ReadLabels]:
    """One stack of all planes, if they are all there and of one size; otherwise as they are."""
    names, indices = list(places[0]), [tuple(map(int, place.values())) for place in places]
    lengths = tuple(max(steps) + 1 for steps in zip(*indices, strict=True))
    whole = sorted(indices) == list(np.ndindex(lengths))
    shapes = {plane.labels.shape for plane in read}
    if not whole or len(shapes) > 1 or any(list(place) != names for place in places):
        return read
    stack = np.empty((*lengths, *shapes.pop()), np.result_type(*(p.labels.dtype for p in read)))
    for index, plane in zip(indices, read, strict=True):
        stack[index] = plane.labels
    name = read[0].name.partition(".")[0].removesuffix(_plane_mark(places[0]))
    classes = {label: text for plane in read for label, text in plane.classes.items()}
    return [ReadLabels(name, stack, classes)]


def segmentation_mask(value: Any, shape: tuple[int, int]) -> tuple[Box, np.ndarray]:
    """A segmentation of COCO as a box and the mask in it.

    Parameters
    ----------
    value : list or dict
        Polygons ``[[x0, y0, x1, y1, ...], ...]``, or ``{"size": [H, W], "counts": ...}`` with
        runs as numbers or in COCO's compressed text.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    (Box, ``box.shape`` bool array)
        Of polygons the pixels whose centres lie in any of them.

    Raises
    ------
    ExportError, KeyError, TypeError, ValueError
        If it is neither, or of another size.
    """
    if isinstance(value, Mapping):
        counts = value["counts"]
        runs = from_text(counts) if isinstance(counts, str) else [int(n) for n in counts]
        size = value.get("size", shape)
        if tuple(size) != shape:
            raise ExportError(
                f"A mask is of {size} pixels and its image of {list(shape)}. Write it again."
            )
        return mask_of(runs, shape)
    rings = [np.asarray(ring, float).reshape(-1, 2)[:, ::-1] for ring in value]
    if not rings:
        return Box(0, 0, 0, 0), np.zeros((0, 0), bool)
    corners = np.concatenate(rings)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    box = Box(*low, *high).clip(shape)
    mask = np.zeros(box.shape, bool)
    for ring in rings:
        mask |= fill([ring], box)
    return box, mask
