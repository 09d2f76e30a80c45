"""COCO+LVIS: instances of both with a hierarchy of parts (Sofiiuk et al., ICIP 2022)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..scenes import DatasetError, Scene, SceneObject
from .base import Reader, need
from .layers import decode_layer
from .pickles import load_plain_pickle
from .reading import read_rgb

__all__ = ["CocoLvis"]

LAYOUT = "SPLIT/images/ID.jpg, SPLIT/masks/ID.pickle and SPLIT/hannotation.pickle"


class CocoLvis(Reader):
    """Images with instances, their parts, and stuff.

    The object with the number N of the annotations has the id N + 1.

    Parameters
    ----------
    path : str or Path
    split : str
        ``train`` or ``val``.
    stuff_prob : float
        Probability with which the stuff of an image is among its objects on a visit with a
        generator; without one it is if this is above 0.

    Raises
    ------
    DatasetError
        If the layout is another, or the annotations are damaged.
    """

    name = "COCO_LVIS"

    def __init__(self, path: str | Path, split: str = "train", *, stuff_prob: float = 0.0) -> None:
        self._root = Path(path) / split
        *_, listing = need(
            self.name,
            Path(path),
            f"{split}/images/",
            f"{split}/masks/",
            f"{split}/hannotation.pickle",
            layout=LAYOUT,
        )
        self._images: dict[str, Any] = load_plain_pickle(listing)
        if not isinstance(self._images, dict) or not self._images:
            raise DatasetError(f"{listing} is no dictionary of images. Build or copy it again.")
        self.stuff_prob = stuff_prob
        self.ids = [str(name) for name in self._images]
        self._keys = list(self._images)

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its objects."""
        name = self.ids[index]
        path = self._root / "masks" / f"{name}.pickle"
        known = self._images[self._keys[index]]
        try:
            encoded, places = load_plain_pickle(path)
            layers = np.stack([decode_layer(layer) for layer in encoded], axis=2)
            instances = int(known["num_instance_masks"])
            objects = [
                _object(int(number), node, places[int(number)])
                for number, node in sorted(known["hierarchy"].items())
                if int(number) < instances
            ]
        except DatasetError:
            raise
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise DatasetError(
                f"The masks {path} do not fit hannotation.pickle ("
                f"{type(error).__name__}: {error}). Get or build both again."
            ) from error
        if self.stuff_prob > 0 and (rng is None or rng.random() < self.stuff_prob):
            objects += [_object(n, None, places[n]) for n in range(instances, len(places))]
        image = read_rgb(self._root / "images" / f"{name}.jpg")
        return Scene(name, image, layers, tuple(objects))


def _object(number: int, node: dict[str, Any] | None, place: tuple[int, int]) -> SceneObject:
    layer, value = (int(part) for part in place)
    if node is None:
        return SceneObject(number + 1, layer, value)
    parent = node["parent"]
    children = tuple(int(child) + 1 for child in node["children"])
    parent_id = None if parent is None else int(parent) + 1
    return SceneObject(number + 1, layer, value, parent_id, children)
