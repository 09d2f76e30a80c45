"""Objects that may overlap, packed into few layers in which none do; and PNG-encoded layers."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from ...geometry import bounding_box
from ..scenes import DatasetError

__all__ = ["decode_layer", "encode_layer", "pack_masks"]

MOST_PER_LAYER = 255


def pack_masks(masks: Sequence[np.ndarray]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Put masks into as few layers as a greedy search finds, large ones first.

    Parameters
    ----------
    masks : sequence of (H, W) bool array
        At least one, all of one size, none empty.

    Returns
    -------
    layers : (H, W, L) int32 array
        0 background, values 1..255 in each layer.
    places : list of (int, int)
        Layer and value of each mask.
    """
    layers: list[np.ndarray] = []
    counts: list[int] = []
    places = [(0, 0)] * len(masks)
    areas = [int(np.count_nonzero(mask)) for mask in masks]
    for number in sorted(range(len(masks)), key=lambda i: -areas[i]):
        box = bounding_box(masks[number])
        if box is None:
            raise DatasetError("An object without pixels cannot be packed. Leave it out.")
        mask = masks[number][box.slices]
        free = (
            layer
            for layer, plane in enumerate(layers)
            if counts[layer] < MOST_PER_LAYER and not plane[box.slices][mask].any()
        )
        layer = next(free, len(layers))
        if layer == len(layers):
            layers.append(np.zeros(masks[0].shape, np.int32))
            counts.append(0)
        counts[layer] += 1
        layers[layer][box.slices][mask] = counts[layer]
        places[number] = (layer, counts[layer])
    return np.stack(layers, axis=2), places


def encode_layer(layer: np.ndarray) -> np.ndarray:
    """A layer ``(H, W)`` of values up to 255 as the bytes of a PNG file, ``(N,)`` uint8."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(layer.astype(np.uint8)).save(file, "PNG")
    return np.frombuffer(file.getvalue(), np.uint8)


def decode_layer(content: np.ndarray) -> np.ndarray:
    """The layer ``(H, W)`` int32 of a PNG file's bytes; OSError or ValueError if damaged."""
    from PIL import Image

    with Image.open(io.BytesIO(np.asarray(content, np.uint8).tobytes()), formats=["PNG"]) as image:
        return np.asarray(image).astype(np.int32)
