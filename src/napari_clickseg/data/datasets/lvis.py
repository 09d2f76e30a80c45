"""LVIS (Gupta et al., CVPR 2019): many instances of COCO's images, as polygons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..scenes import DatasetError, Scene, SceneObject
from .annotations import Rows
from .base import Reader, need
from .coco_masks import annotation_mask
from .layers import pack_masks
from .reading import read_rgb

__all__ = ["LVIS"]

LAYOUT = "SPLIT/lvis_SPLIT.json, train/images/*.jpg and val/images/*.jpg"
YEARS = {"train2017": "train", "val2017": "val"}


class LVIS(Reader):
    """Images with instances that may overlap.

    Parameters
    ----------
    path : str or Path
    split : str
        ``train`` or ``val``; images of ``val`` may lie in ``train/images``, as their address in
        COCO says.
    max_overlap : float
        On a visit with a generator the instances are painted over each other in random order, as
        published, without those that would hide more than this part of another one. Without a
        generator all are there, in layers.

    Raises
    ------
    DatasetError
        If the layout is another.
    """

    name = "LVIS"

    def __init__(self, path: str | Path, split: str = "val", *, max_overlap: float = 0.5) -> None:
        self._root, self._split, self.max_overlap = Path(path), split, max_overlap
        (listing,) = need(self.name, self._root, f"{split}/lvis_{split}.json", layout=LAYOUT)
        self._rows = Rows(listing, "instances", _by_image)
        self.numbers = self._rows.numbers
        self.ids = [str(number) for number in self.numbers]
        if not self.ids:
            raise DatasetError(f"{listing} has no image with annotations. Copy it again.")

    def image(self, index: int) -> np.ndarray:
        """One image, ``(H, W, 3)`` uint8."""
        return read_rgb(self.image_path(index))

    def image_path(self, index: int) -> Path:
        """Where an image lies."""
        row = self._rows[self.numbers[index]]
        parts = row["address"].split("/")
        folder = next((YEARS[part] for part in parts if part in YEARS), self._split)
        return self._root / folder / "images" / parts[-1]

    def masks(self, index: int) -> list[np.ndarray]:
        """The instances of one image in the order of the file, ``(H, W)`` bool, none empty."""
        row = self._rows[self.numbers[index]]
        what = f"image {self.ids[index]} of LVIS"
        masks = [annotation_mask(s, tuple(row["size"]), what) for s in row["segmentations"]]
        return [mask for mask in masks if mask.any()]

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its instances."""
        image, masks = self.image(index), self.masks(index)
        name = self.ids[index]
        if rng is not None or not masks:
            shape = image.shape[:2]
            return Scene.flat(name, image, _painted(masks, shape, rng, self.max_overlap))
        layers, places = pack_masks(masks)
        objects = tuple(SceneObject(i + 1, *place) for i, place in enumerate(places))
        return Scene(name, image, layers, objects)


def _painted(
    masks: list[np.ndarray],
    shape: tuple[int, ...],
    rng: np.random.Generator | None,
    max_overlap: float,
) -> np.ndarray:
    """Masks painted over each other in random order, ``(H, W)`` int32."""
    labels = np.zeros(shape, np.int32)
    areas = np.zeros(len(masks) + 1)
    order = [] if rng is None else rng.permutation(len(masks)).tolist()
    for number in order:
        mask = masks[number]
        hidden = np.bincount(labels[mask], minlength=len(areas))
        hidden[0] = 0
        if (hidden / np.maximum(areas, 1)).max() > max_overlap:
            continue
        labels[mask] = number + 1
        areas[number + 1] = np.count_nonzero(mask)
    return labels


def _by_image(content: dict[str, Any]) -> tuple[None, Iterator[tuple[int, Any]]]:
    segmentations: dict[int, list[Any]] = {}
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd", 0):
            found = segmentations.setdefault(annotation["image_id"], [])
            found.append(annotation["segmentation"])
    rows = (
        (
            image["id"],
            {
                "size": [image["height"], image["width"]],
                "address": image.get("coco_url") or image["file_name"],
                "segmentations": segmentations[image["id"]],
            },
        )
        for image in content["images"]
        if image["id"] in segmentations
    )
    return None, rows
