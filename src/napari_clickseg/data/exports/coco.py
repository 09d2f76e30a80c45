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
from .label_objects import LabelObject, label_objects, shape_of
from .polygons import fill, pieces_without_holes
from .read_labels import ReadLabels, blank, paint_all
from .rle import counts_of, from_text, mask_of, to_text

__all__ = ["is_coco", "read_coco", "segmentation_mask", "write_coco"]

UNNAMED = "object"
"""Category of objects without a class."""


def write_coco(
    path: str | os.PathLike[str],
    labels: Any,
    classes: Mapping[int, str] | None = None,
    image_name: str = "image",
    polygons: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Write the objects of one image; returns how many.

    Parameters
    ----------
    path : str or path
    labels : (H, W) array
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
    shape = shape_of(labels)
    names = sorted({*(classes or {}).values()} - {""})
    categories = {name: number for number, name in enumerate([UNNAMED, *names], 1)}
    count = 0
    with writing(path, "COCO file") as unfinished, unfinished.open("w", encoding="utf-8") as file:
        head = {
            "info": {"description": "Objects clicked with napari-clickseg"},
            "images": [
                {"id": 1, "file_name": image_name, "height": shape[0], "width": shape[1]},
            ],
            "categories": [
                {"id": number, "name": name, "supercategory": ""}
                for name, number in categories.items()
            ],
        }
        file.write(json.dumps(head)[:-1] + ', "annotations": [')
        for item in label_objects(labels, classes, progress, cancelled):
            category = categories[item.class_name or UNNAMED]
            file.write(",\n" if count else "\n")
            file.write(json.dumps(_annotation(item, shape, category, polygons)))
            count += 1
        file.write("\n]}\n")
    return count


def _annotation(
    item: LabelObject, shape: tuple[int, int], category: int, polygons: bool
) -> dict[str, Any]:
    box = item.box
    mask: Any = {
        "size": list(shape),
        "counts": None if polygons else to_text(counts_of(item.mask, box, shape)),
    }
    if polygons:
        pieces = pieces_without_holes(item.mask, (box.top, box.left))
        mask = [ring[:, ::-1].ravel().tolist() for ring in pieces]
    return {
        "id": item.id,
        "image_id": 1,
        "category_id": category,
        "iscrowd": 0,
        "area": item.area,
        "bbox": [box.left, box.top, box.width, box.height],
        "segmentation": mask,
    }


def is_coco(value: Any) -> bool:
    """Whether JSON is a COCO file with objects."""
    return isinstance(value, Mapping) and all(
        isinstance(value.get(name), list) for name in ("images", "annotations")
    )


def read_coco(path: str | os.PathLike[str]) -> list[ReadLabels]:
    """Read the objects of all images of a COCO file, each image as labels.

    Objects of one image keep their ids where these are labels, otherwise they are counted from 1.
    Where objects overlap, the smaller one is seen.

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
        return [
            _image(image, grouped[image["id"]], categories, Path(path)) for image in value["images"]
        ]
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
    ids = [annotation["id"] for annotation in found]
    labels_fit = len(set(ids)) == len(ids) and all(
        type(label) is int and 0 < label < 2**32 for label in ids
    )
    ids = ids if labels_fit else list(range(1, len(ids) + 1))
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
