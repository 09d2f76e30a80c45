"""COCO with panoptic annotations (Kirillov et al., CVPR 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..scenes import DatasetError, Scene
from .annotations import Rows
from .base import Reader, need
from .reading import read_rgb

__all__ = ["CocoPanoptic"]

LAYOUT = "annotations/panoptic_SPLIT.json, annotations/panoptic_SPLIT/*.png and SPLIT/*.jpg"


class CocoPanoptic(Reader):
    """Images with segments, of which things are objects and stuff is background mostly.

    Parameters
    ----------
    path : str or Path
    split : str
        ``train`` or ``val``, also as ``train2017`` or ``val2017``.
    stuff_prob : float
        Probability with which each stuff segment is an object on a visit with a generator;
        without one, all are if this is above 0. Crowds never are.

    Attributes
    ----------
    known : frozenset of int
        The ids of all images.

    Raises
    ------
    DatasetError
        If the layout is another.
    """

    name = "COCO"

    def __init__(self, path: str | Path, split: str = "val", *, stuff_prob: float = 0.0) -> None:
        self._root = root = Path(path)
        if not (root / "annotations" / f"panoptic_{split}.json").exists():
            year = root / "annotations" / f"panoptic_{split}2017.json"
            split = f"{split}2017" if year.exists() else split
        listing, self._maps, self._images = need(
            self.name,
            root,
            f"annotations/panoptic_{split}.json",
            f"annotations/panoptic_{split}/",
            f"{split}/",
            layout=LAYOUT,
        )
        self._rows = Rows(listing, "panoptic", _by_image)
        self._things = set(self._rows.head)
        self.stuff_prob = stuff_prob
        self.known = frozenset(self._rows.numbers)
        self.ids = [str(number) for number in self._rows.numbers]

    def segments(self, number: int) -> Iterator[tuple[bool, np.ndarray]]:
        """The segments of the image with this id, without crowds: is it a thing, and its mask."""
        yield from self._segments(self._rows[number])

    def _segments(self, row: dict[str, Any]) -> Iterator[tuple[bool, np.ndarray]]:
        ids = _panoptic_ids(self._maps / row["file_name"])
        for segment in row["segments_info"]:
            if not segment.get("iscrowd", 0):
                yield segment["category_id"] in self._things, ids == segment["id"]

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its objects, numbered in the order of the annotations."""
        row = self._rows[self._rows.numbers[index]]
        image = read_rgb(self._images / Path(row["file_name"]).with_suffix(".jpg"))
        labels = np.zeros(image.shape[:2], np.int32)
        count = 0
        for thing, mask in self._segments(row):
            if mask.shape != labels.shape:
                raise DatasetError(f"{row['file_name']} of {self.name} is not of its image's size.")
            if thing or (self.stuff_prob > 0 and (rng is None or rng.random() < self.stuff_prob)):
                count += 1
                labels[mask] = count
        return Scene.flat(self.ids[index], image, labels)


def _panoptic_ids(path: Path) -> np.ndarray:
    """Red + 256 green + 65536 blue, ``(H, W)`` int32."""
    return read_rgb(path).astype(np.int32) @ np.array([1, 256, 65536], np.int32)


def _by_image(content: dict[str, Any]) -> tuple[list[int], Iterator[tuple[int, Any]]]:
    things = [kind["id"] for kind in content["categories"] if kind["isthing"]]
    fields = ("file_name", "segments_info")
    rows = ((row["image_id"], {key: row[key] for key in fields}) for row in content["annotations"])
    return things, rows
