"""OpenImages with object masks (Benenson et al., CVPR 2019)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..scenes import DatasetError, Scene, SceneObject
from .base import Reader, need
from .pickles import load_plain_pickle
from .reading import read_rgb, resized

__all__ = ["OpenImages"]

LAYOUT = (
    "SPLIT/images/ID.jpg, SPLIT/masks/*.png and "
    "SPLIT/SPLIT-annotations-object-segmentation_clean.pkl (made by 'clickseg-data openimages')"
)


class OpenImages(Reader):
    """Images with masks that may overlap. Image and masks are shrunk to their common size.

    Parameters
    ----------
    path : str or Path
    split : str
        ``train``, ``val`` or ``test``. On a visit with a generator one mask is drawn, as published.

    Raises
    ------
    DatasetError
        If the layout is another, or the annotations are damaged.
    """

    name = "OpenImages"

    def __init__(self, path: str | Path, split: str = "train") -> None:
        self._root = Path(path) / split
        listing = f"{split}/{split}-annotations-object-segmentation_clean.pkl"
        folders = (f"{split}/images/", f"{split}/masks/")
        *_, listed = need(self.name, Path(path), *folders, listing, layout=LAYOUT)
        content: Any = load_plain_pickle(listed)
        try:
            self.ids = [str(name) for name in content["dataset_samples"]]
            self._masks = {name: list(content["image_id_to_masks"][name]) for name in self.ids}
        except (KeyError, TypeError) as error:
            raise DatasetError(
                f"{listed} lacks {error}. Make it again with 'clickseg-data openimages'."
            ) from error

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with one layer for each mask."""
        name = self.ids[index]
        files = self._masks[name]
        if rng is not None:
            files = [files[int(rng.integers(len(files)))]]
        image = read_rgb(self._root / "images" / f"{name}.jpg")
        masks = [read_rgb(self._root / "masks" / file)[..., 2] > 0 for file in files]
        height, width = np.min([array.shape[:2] for array in (image, *masks)], axis=0).tolist()
        layers = [resized(mask, (height, width)) for mask in masks]
        objects = tuple(SceneObject(i + 1, i, 1) for i in range(len(masks)))
        return Scene(name, resized(image, (height, width)), np.stack(layers, axis=2) * 1, objects)
