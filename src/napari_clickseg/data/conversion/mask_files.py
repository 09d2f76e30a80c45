"""Masks as files: out of COCO's annotations, one for each value, cropped or resized."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...geometry import Box, bounding_box
from ..datasets.base import files_by_stem, masks_of_images, need, some
from ..datasets.coco_masks import annotation_mask
from ..datasets.folders import ENDINGS
from ..datasets.reading import read_labels, read_rgb, resized
from ..json_file import read_json
from ..scenes import DatasetError
from .written_files import write_picture

__all__ = ["crop_to_objects", "masks_of_coco", "resize_all", "split_values"]

Progress = Callable[[str], None] | None


def masks_of_coco(
    annotations: str | Path,
    out: str | Path,
    kind: Literal["union", "each", "labels"] = "union",
    categories: Iterable[str] = (),
    progress: Progress = None,
) -> int:
    """Write the masks of a COCO file as PNG, as the avalanche work made its masks.

    Parameters
    ----------
    annotations : str or Path
        JSON with images, annotations and categories.
    out : str or Path
        The folder to write.
    kind : {"union", "each", "labels"}
        One mask ``NAME.png`` of 0 and 255 for each image; one ``NAME_ID.png`` for each
        annotation; or ``NAME.png`` with the values 1..N, later ones over earlier ones.
    categories : iterable of str
        Names of those to take; all by default.
    progress : callable, optional
        Called with the name of each image.

    Returns
    -------
    int
        The number of files written.

    Raises
    ------
    DatasetError
        If the file is damaged or has none of `categories`, or `out` cannot be written.
    """
    path, out = Path(annotations), Path(out)
    content = _coco(path)
    kinds = {kind["id"]: kind["name"] for kind in content.get("categories", [])}
    wanted = set(categories)
    if wanted - set(kinds.values()):
        raise DatasetError(
            f"{path} has no category {some(sorted(wanted - set(kinds.values())))}; it has "
            f"{some(kinds.values())}."
        )
    found: dict[Any, list[Any]] = {}
    for annotation in content["annotations"]:
        if not wanted or kinds.get(annotation.get("category_id")) in wanted:
            found.setdefault(annotation["image_id"], []).append(annotation)
    count = 0
    for image in content["images"]:
        name, shape = Path(image["file_name"]).stem, (int(image["height"]), int(image["width"]))
        masks = {
            annotation["id"]: annotation_mask(
                annotation["segmentation"], shape, f"annotation {annotation['id']} of {path}"
            )
            for annotation in found.get(image["id"], [])
        }
        if progress is not None and masks:
            progress(name)
        if kind == "each":
            for number, mask in masks.items():
                write_picture(out / f"{name}_{number}.png", mask * np.uint8(255))
            count += len(masks)
        elif masks:
            labels = np.zeros(shape, np.int32)
            for number, mask in enumerate(masks.values(), start=1):
                labels[mask] = number if kind == "labels" else 255
            write_picture(out / f"{name}.png", labels)
            count += 1
    return count


def _coco(path: Path) -> dict[str, Any]:
    content = read_json(path, DatasetError)
    lists = ("images", "annotations")
    if not isinstance(content, dict) or not all(isinstance(content.get(k), list) for k in lists):
        raise DatasetError(f"{path} is no COCO file: it needs lists of images and annotations.")
    for name, keys in (
        ("images", {"id", "file_name", "height", "width"}),
        ("annotations", {"id", "image_id", "segmentation"}),
    ):
        for row in content[name]:
            if not keys <= set(row):
                lacking = some(sorted(keys - set(row)))
                raise DatasetError(f"{path}: one of its {name} lacks {lacking}.")
    return content


def split_values(masks: str | Path, out: str | Path, progress: Progress = None) -> int:
    """Write each value above 0 of label masks as a mask ``NAME_VALUE.png`` of 0 and 255.

    Parameters
    ----------
    masks, out : str or Path
        Folders to read and to write.
    progress : callable, optional

    Returns
    -------
    int
        The number of files written.

    Raises
    ------
    DatasetError
        If there are no masks, or one cannot be read.
    """
    count = 0
    for name, path in files_by_stem(_folder(masks)).items():
        labels = read_labels(path)
        for value in np.unique(labels[labels > 0]).tolist():
            write_picture(Path(out) / f"{name}_{value}.png", (labels == value) * np.uint8(255))
            count += 1
        if progress is not None:
            progress(name)
    return count


def crop_to_objects(
    path: str | Path,
    out: str | Path,
    factor: float = 1.1,
    least: int = 1000,
    longest: int = 1000,
    progress: Progress = None,
) -> int:
    """Cut images and masks to their objects, and shrink large ones.

    Parameters
    ----------
    path, out : str or Path
        Folders with ``images`` and ``masks``.
    factor : float
        Sides of the crop in those of the box around all objects.
    least : int
        But no shorter than this, in pixels, where the image is that large.
    longest : int
        Crops with longer sides are shrunk to it: images bilinearly, masks to the nearest pixel.
    progress : callable, optional

    Returns
    -------
    int
        The number of images written; those without object are left out.

    Raises
    ------
    DatasetError
        If the layout is another, or `out` cannot be written.
    """

    def change(image: np.ndarray, masks: list[np.ndarray]) -> tuple[Box, tuple[int, int]] | None:
        box = bounding_box(np.any([mask != 0 for mask in masks], axis=0))
        if box is None:
            return None
        spans = []
        sides = ((box.top, box.bottom), (box.left, box.right))
        for (start, stop), length in zip(sides, image.shape[:2], strict=True):
            side = min(length, max(least, math.ceil((stop - start) * factor)))
            first = min(max(0, (start + stop - side) // 2), length - side)
            spans.append((first, first + side))
        crop = Box(spans[0][0], spans[1][0], spans[0][1], spans[1][1])
        scale = min(1.0, longest / max(crop.height, crop.width))
        return crop, (max(1, round(crop.height * scale)), max(1, round(crop.width * scale)))

    return _change_all(Path(path), Path(out), change, progress)


def resize_all(
    path: str | Path, out: str | Path, size: tuple[int, int], progress: Progress = None
) -> int:
    """Bring images and masks to one size: images bilinearly, masks to the nearest pixel.

    Parameters
    ----------
    path, out : str or Path
        Folders with ``images`` and ``masks``.
    size : (int, int)
        Width and height.
    progress : callable, optional

    Returns
    -------
    int
        The number of images written.

    Raises
    ------
    DatasetError
        If the layout is another, or `out` cannot be written.
    """
    width, height = size
    return _change_all(
        Path(path),
        Path(out),
        lambda image, masks: (Box.of_shape(image.shape), (height, width)),
        progress,
    )


Change = Callable[[np.ndarray, list[np.ndarray]], tuple[Box, tuple[int, int]] | None]


def _change_all(path: Path, out: Path, change: Change, progress: Progress) -> int:
    """Write each image and its masks cut to a box and brought to a size."""
    layout = "images/ and masks/ with files of the same names"
    folders = need(str(path), path, "images/", "masks/", layout=layout)
    if out.resolve() == path.resolve():
        raise DatasetError(f"{out} is the folder to read. Name another one to write.")
    images, found = (files_by_stem(folder) for folder in folders)
    masks, _ = masks_of_images(images, found, ENDINGS)
    count = 0
    for name, source in images.items():
        image = read_rgb(source)
        labels = [read_labels(mask) for mask in masks[name]]
        for mask, file in zip(labels, masks[name], strict=True):
            if mask.shape != image.shape[:2]:
                raise DatasetError(f"{file} is of another size than its image {source}.")
        changed = change(image, labels) if labels else None
        if changed is None:
            continue
        box, shape = changed
        lossy = source.suffix.lower() in (".jpg", ".jpeg")
        picture = out / "images" / (source.name if lossy else f"{name}.png")
        write_picture(picture, resized(image[box.slices], shape))
        for mask, file in zip(labels, masks[name], strict=True):
            write_picture(out / "masks" / f"{file.stem}.png", resized(mask[box.slices], shape))
        count += 1
        if progress is not None:
            progress(name)
    return count


def _folder(path: str | Path) -> Path:
    if not Path(path).is_dir():
        raise DatasetError(f"There is no folder {path}.")
    return Path(path)
