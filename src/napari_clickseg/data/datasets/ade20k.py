"""ADE20k, the release of July 2016 with parts (Zhou et al., CVPR 2017)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..scenes import DatasetError, Scene, SceneObject
from .base import Reader, need
from .pickles import load_plain_pickle
from .reading import read_rgb

__all__ = ["ADE20k"]

LISTING = "{split}-annotations-object-segmentation.pkl"
LAYOUT = (
    "the folders of the release and SPLIT-annotations-object-segmentation.pkl (made by "
    "'clickseg-data ade20k')"
)


class ADE20k(Reader):
    """Images with a layer of objects and layers of parts of them.

    Parameters
    ----------
    path : str or Path
    split : str
        ``train`` or ``val``.
    stuff_prob : float
        Probability with which the stuff of a layer is among the objects on a visit with a
        generator, which draws one layer too, as published. Without one all layers are there, with
        stuff if this is above 0.

    Raises
    ------
    DatasetError
        If the layout is another, or the annotations are damaged.
    """

    name = "ADE20k"

    def __init__(self, path: str | Path, split: str = "train", *, stuff_prob: float = 0.0) -> None:
        self._root = Path(path)
        (listing,) = need(self.name, self._root, LISTING.format(split=split), layout=LAYOUT)
        self._images: dict[str, Any] = load_plain_pickle(listing)
        if not isinstance(self._images, dict) or not self._images:
            raise DatasetError(f"{listing} is no dictionary of images. Make it again.")
        self.stuff_prob = stuff_prob
        self.ids = [str(name) for name in self._images]

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its objects and their parts."""
        name = self.ids[index]
        try:
            row = self._images[name]
            folder, layers = self._root / row["folder"], list(row["layers"])
            if rng is not None:
                layers = [layers[int(rng.integers(len(layers)))]]
            planes, objects = [], []
            for number, layer in enumerate(layers):
                planes.append(read_rgb(folder / layer["mask_name"])[..., 2].astype(np.int32))
                stuff = {int(value) for value in layer["stuff_instances"]}
                if self.stuff_prob > 0 and (rng is None or rng.random() < self.stuff_prob):
                    stuff = set()
                values = np.unique(planes[-1][planes[-1] > 0]).tolist()
                objects += [(number, value) for value in values if value not in stuff]
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise DatasetError(
                f"The annotations of '{name}' in {self.name} lack {error}. Make them again with "
                "'clickseg-data ade20k'."
            ) from error
        image = read_rgb(folder / f"{name}.jpg")
        numbered = tuple(SceneObject(i + 1, *place) for i, place in enumerate(objects))
        return Scene(name, image, np.stack(planes, axis=2), numbered)
