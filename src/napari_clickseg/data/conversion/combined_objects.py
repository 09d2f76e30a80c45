"""COCO's and LVIS's objects of one image as one hierarchy (Sofiiuk et al., ICIP 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...geometry import bounding_box
from ..datasets.layers import pack_masks

__all__ = ["CombinedObjects", "combine"]

LEAST_AREA = 80  # pixels of an object
LEAST_STUFF = 500  # pixels of stuff outside of all objects
SAME_BOX = 0.7  # IoU of bounding boxes above which masks are compared
SAME_THING = 0.7  # IoU of a thing of COCO with an object of LVIS
SAME_OBJECT = 0.85  # IoU of two objects of LVIS
INSIDE_BOX = 0.7  # part of a part's bounding box inside of its whole's
INSIDE = 0.8  # part of a part's pixels inside of its whole


@dataclass(frozen=True)
class CombinedObjects:
    """The objects of one image, packed.

    Attributes
    ----------
    layers : (H, W, L) int32 array
        Values up to 255, without overlaps in a layer.
    places : list of (int, int)
        Layer and value of each object; stuff last.
    instances : int
        The number of objects that are no stuff.
    hierarchy : dict
        For each of these None, or ``children``, ``parent`` and ``node_level``.
    """

    layers: np.ndarray
    places: list[tuple[int, int]]
    instances: int
    hierarchy: dict[int, dict[str, Any] | None]


def combine(
    lvis: Sequence[np.ndarray], things: Sequence[np.ndarray], stuff: Sequence[np.ndarray]
) -> CombinedObjects | None:
    """Join the objects of both data sets, each once, and find what is part of what.

    Parameters
    ----------
    lvis, things, stuff : sequence of (H, W) bool array
        Objects of LVIS, and things and stuff of COCO.

    Returns
    -------
    CombinedObjects or None
        None if nothing is large enough.
    """
    lvis = [mask for mask in lvis if mask.sum() >= LEAST_AREA]
    things = [mask for mask in things if mask.sum() >= LEAST_AREA]
    known = _Masks(lvis)
    new = [mask for mask in things if not known.has(mask, SAME_THING)]
    once = [mask for place, mask in enumerate(lvis) if not known.has(mask, SAME_OBJECT, place + 1)]
    objects = [*new, *once]
    covered = np.any(objects, axis=0) if objects else False
    free = [mask & ~covered for mask in stuff]
    free = [mask for mask in free if mask.sum() > LEAST_STUFF]
    if not objects and not free:
        return None
    layers, places = pack_masks([*objects, *free])
    return CombinedObjects(layers, places, len(objects), _hierarchy(objects))


class _Masks:
    """Masks with their bounding boxes as ``(N, 4)`` array: top, left, bottom, right."""

    def __init__(self, masks: Sequence[np.ndarray]) -> None:
        self.masks = masks
        self.areas = [int(np.count_nonzero(mask)) for mask in masks]
        self.boxes = np.array([_box(mask) for mask in masks]).reshape(-1, 4)

    def has(self, mask: np.ndarray, least: float, start: int = 0) -> bool:
        """Whether one of the masks from `start` on is the same object."""
        box = _box(mask)
        inner = _shared(self.boxes[start:], box)
        outer = _areas(self.boxes[start:]) + _areas(box[None])[0] - inner
        area = int(np.count_nonzero(mask))
        for place in np.flatnonzero(inner > SAME_BOX * outer) + start:
            both = _common_pixels(self.masks[place], mask, box)
            if both > least * (self.areas[place] + area - both):
                return True
        return False


def _hierarchy(masks: Sequence[np.ndarray]) -> dict[int, dict[str, Any] | None]:
    """Each object's place in the tree; a part belongs to the deepest of its wholes."""
    known = _Masks(masks)
    boxes, areas = known.boxes, known.areas
    nodes = [{"children": [], "parent": None, "node_level": 0} for _ in masks]
    order = sorted(range(len(masks)), key=lambda i: -areas[i])
    for rank, part in enumerate(order):
        wholes = order[:rank]
        inner = _shared(boxes[wholes], boxes[part]) / _areas(boxes[part][None])[0]
        inside = [
            whole
            for whole, share in zip(wholes, inner, strict=True)
            if share >= INSIDE_BOX
            and _common_pixels(masks[whole], masks[part], boxes[part]) > INSIDE * areas[part]
        ]
        if inside:
            whole = max(inside, key=lambda i: (nodes[i]["node_level"], -areas[i]))
            nodes[whole]["children"].append(part)
            nodes[part].update(parent=whole, node_level=nodes[whole]["node_level"] + 1)
    return {
        number: node if node["children"] or node["parent"] is not None else None
        for number, node in enumerate(nodes)
    }


def _box(mask: np.ndarray) -> np.ndarray:
    box = bounding_box(mask)
    return np.array([box.top, box.left, box.bottom, box.right])


def _common_pixels(first: np.ndarray, second: np.ndarray, box: np.ndarray) -> int:
    """Pixels of two masks inside of the box of one of them."""
    top, left, bottom, right = box
    part = np.s_[top:bottom, left:right]
    return int(np.count_nonzero(first[part] & second[part]))


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _shared(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Areas that boxes share with one box."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    return (high - low).clip(0).prod(axis=1)
