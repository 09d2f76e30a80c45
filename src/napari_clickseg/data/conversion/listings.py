"""The lists of masks that the readers of OpenImages and ADE20k take, made from the releases."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.ade20k import LISTING
from ..datasets.base import lines_of, need, some
from ..datasets.reading import read_rgb
from ..scenes import DatasetError
from .written_files import write_pickle

__all__ = ["STUFF", "list_ade20k", "list_open_images"]

ADE_FOLDERS = {"train": "training", "val": "validation"}
REGIONS = """
wall floor ceiling road sidewalk path runway stairs stairway step escalator bridge pier fence
railing grandstand stage platform partition sky earth ground grass field land sand dirt water sea
river lake pool waterfall mountain hill rock cliff tree palm plant bush flower hedge forest snow
fog cloud building house skyscraper hovel tower column arcade bannister roof canopy awning rug
carpet curtain blind mat
"""
STUFF = frozenset(REGIONS.split())
"""Kinds of ADE20k that are regions rather than objects, by the first of their names."""


def list_open_images(path: str | Path, split: str = "train") -> int:
    """Write ``SPLIT-annotations-object-segmentation_clean.pkl`` for the reader OpenImages.

    Only masks that are there, of images that are there, are listed.

    Parameters
    ----------
    path : str or Path
        Holds ``SPLIT/images``, ``SPLIT/masks`` and in ``SPLIT`` the release's CSV file of masks.
    split : str

    Returns
    -------
    int
        The number of images listed.

    Raises
    ------
    DatasetError
        If something is missing, or nothing is left to be listed.
    """
    root = Path(path) / split
    layout = "SPLIT/images/ID.jpg, SPLIT/masks/*.png, SPLIT/*annotations-object-segmentation.csv"
    folders = need("OpenImages", root, "images/", "masks/", layout=layout)
    tables = sorted(root.glob("*annotations-object-segmentation.csv"))
    if not tables:
        raise DatasetError(
            f"{root} has no file *annotations-object-segmentation.csv; it holds "
            f"{some(sorted(p.name for p in root.iterdir()))}. Download it with the masks."
        )
    images, files = ({entry.name for entry in folder.iterdir()} for folder in folders)
    masks: dict[str, list[str]] = {}
    with tables[0].open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if not {"ImageID", "MaskPath"} <= set(rows.fieldnames or ()):
            raise DatasetError(f"{tables[0]} has no columns ImageID and MaskPath.")
        for row in rows:
            if f"{row['ImageID']}.jpg" in images and row["MaskPath"] in files:
                masks.setdefault(row["ImageID"], []).append(row["MaskPath"])
    if not masks:
        raise DatasetError(
            f"None of the masks that {tables[0].name} lists is in {folders[1]} with its image in "
            f"{folders[0]}."
        )
    content = {"image_id_to_masks": masks, "dataset_samples": list(masks)}
    write_pickle(root / f"{split}-annotations-object-segmentation_clean.pkl", content)
    return len(masks)


def list_ade20k(path: str | Path, split: str = "train", stuff: Collection[str] = STUFF) -> int:
    """Write ``SPLIT-annotations-object-segmentation.pkl`` for the reader ADE20k.

    Parameters
    ----------
    path : str or Path
        The release of July 2016, with ``images/training`` and ``images/validation``.
    split : str
        ``train`` or ``val``.
    stuff : collection of str
        Kinds that are no objects: names of the release, or the first of several.

    Returns
    -------
    int
        The number of images listed.

    Raises
    ------
    DatasetError
        If something is missing, or nothing is left to be listed.
    """
    root = Path(path)
    below = f"images/{ADE_FOLDERS.get(split, split)}"
    (folder,) = need("ADE20k", root, f"{below}/", layout=f"{below}/**/NAME.jpg, _seg.png, _atr.txt")
    content = {
        picture.stem: {
            "folder": picture.parent.relative_to(root).as_posix(),
            "layers": list(_layers(picture, stuff)),
        }
        for picture in sorted(folder.rglob("*.jpg"))
        if picture.with_name(f"{picture.stem}_seg.png").exists()
    }
    if not content:
        raise DatasetError(f"{folder} holds no NAME.jpg with NAME_seg.png beside it.")
    write_pickle(root / LISTING.format(split=split), content)
    return len(content)


def _layers(picture: Path, stuff: Collection[str]) -> Iterator[dict[str, Any]]:
    """What is in the masks of objects and of parts of one image."""
    attributes = picture.with_name(f"{picture.stem}_atr.txt")
    rows = [line.split("#") for line in lines_of(attributes)] if attributes.exists() else []
    level = 0
    mask = picture.with_name(f"{picture.stem}_seg.png")
    while mask.exists():
        names = {int(row[0]): row[3].strip() for row in rows if int(row[1]) == level}
        values = [value for value in np.unique(read_rgb(mask)[..., 2]).tolist() if value]
        if not set(values) <= set(names) and len(values) == len(names):
            names = dict(zip(values, (names[n] for n in sorted(names)), strict=True))
        kinds = {value: names.get(value, "") for value in values}
        regions = [value for value, name in kinds.items() if _is_stuff(name, stuff)]
        yield {
            "mask_name": mask.name,
            "instance_to_class": kinds,
            "object_instances": [value for value in values if value not in regions],
            "stuff_instances": regions,
        }
        level += 1
        mask = picture.with_name(f"{picture.stem}_parts_{level}.png")


def _is_stuff(name: str, stuff: Collection[str]) -> bool:
    first = name.split(",")[0].strip().lower()
    return first in stuff or name.lower() in stuff
