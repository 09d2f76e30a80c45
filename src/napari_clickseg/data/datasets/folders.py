"""A folder of images with a folder of masks: a scientist's own, a directory of them, avalanches."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ..scenes import DatasetError, Scene, SceneObject
from .base import Reader, files_by_stem, folder_of, masks_of_images, need, some
from .reading import LOSSY, SCALINGS, Scaling, read_labels, read_rgb

__all__ = ["AvalancheSet", "Folder", "ImagesDirectory", "MaskKind", "train_and_val"]

MaskKind = Literal["auto", "labels", "binary", "components"]
MASK_KINDS = ("auto", "labels", "binary", "components")
ENDINGS = ("_mask", "_masks", "_cp_masks", "_seg", "_label", "_labels", "_gt", "-mask", "-labels")
HALF = 128
RARE = 0.25  # part of a mask's pixels that are between black and white if it is smooth black-white


class Folder(Reader):
    """A scientist's own images and masks, of equal names.

    Masks are label images (each value above 0 an object) or black and white. An image's mask is
    named as the image, or with ``_mask``, ``_labels``, ``_cp_masks``, ... behind; several masks
    ``NAME_0``, ``NAME_1``, ... may overlap. Images without a mask are left out.

    Parameters
    ----------
    path : str or Path
        Holds the folders of images and of masks. PNG, JPEG, TIFF, BMP, GIF or npy.
    split : str, optional
        A folder below `path` that holds them.
    images, masks : str
        The names of the two folders.
    kind : {"auto", "labels", "binary", "components"}
        What a mask's values mean: ids of objects; one object where above the half of white (128
        of 8-bit masks, else above 0); or the same with each 8-connected part an object. ``auto``
        is binary for JPEG masks and for masks of black, white and a few greys between, else
        labels.
    ignore : int, optional
        The value of pixels to ignore; negative values are ignored always.
    scaling : {"percentiles", "range", "depth"}
        How images of more than 8 bits become 8: see `reading.read_rgb`. Each image by itself.

    Raises
    ------
    DatasetError
        If the folders are not there or no image has a mask; the message says what was found.
    """

    def __init__(
        self,
        path: str | Path,
        split: str | None = None,
        *,
        images: str = "images",
        masks: str = "masks",
        kind: MaskKind = "auto",
        ignore: int | None = None,
        scaling: Scaling = "percentiles",
    ) -> None:
        for value, allowed in ((kind, MASK_KINDS), (scaling, SCALINGS)):
            if value not in allowed:
                raise DatasetError(f"'{value}' is none of {', '.join(allowed)}.")
        root = folder_of(path, split)
        self.name = Path(path).resolve().name
        words = f"{images}/ and {masks}/ with files of the same names"
        folders = need(self.name, root, f"{images}/", f"{masks}/", layout=words)
        self._images, found = (files_by_stem(folder) for folder in folders)
        self._masks, left = masks_of_images(self._images, found, ENDINGS)
        self.ids = [stem for stem, paths in self._masks.items() if paths]
        self.without_mask = [stem for stem, paths in self._masks.items() if not paths]
        if not self.ids:
            raise DatasetError(
                f"No image in {folders[0]} ({some(p.name for p in self._images.values())}) has a "
                f"mask of its name in {folders[1]} ({some(p.name for p in left)}). Rename the "
                "masks to the images' names."
            )
        self._kind, self._ignore, self._scaling = kind, ignore, scaling

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its objects, numbered through all of its masks."""
        name = self.ids[index]
        image = read_rgb(self._images[name], self._scaling)
        masks = [self._labels(path) for path in self._masks[name]]
        if len(masks) == 1:
            return Scene.flat(name, image, masks[0])
        return _stacked(name, image, masks)

    def _labels(self, path: Path) -> np.ndarray:
        lossy = path.suffix.lower() in LOSSY
        labels = read_labels(path)
        ignored = labels < 0
        if self._ignore is not None:
            ignored |= labels == self._ignore
        kind = self._kind
        if kind == "auto":
            kind = "binary" if lossy or _is_smooth(labels[~ignored]) else "labels"
        if kind != "labels":
            white = labels.max(initial=0, where=~ignored)
            labels = labels >= (HALF if HALF < white < 2 * HALF else 1)
            if kind == "components":
                from scipy import ndimage

                labels = ndimage.label(labels & ~ignored, np.ones((3, 3)))[0]
            labels = labels.astype(np.int32)
        labels[ignored] = -1
        return labels


def _is_smooth(values: np.ndarray) -> bool:
    """Whether a mask is black and white with greys only at the edges, as after a resize."""
    counts = np.bincount(values, minlength=256) if values.size and values.max() == 255 else None
    if counts is None:
        return False
    dark, bright = counts[1:HALF].sum(), counts[HALF:255].sum()
    return bool(dark and bright and dark + bright < RARE * counts[1:].sum())


def _stacked(name: str, image: np.ndarray, masks: list[np.ndarray]) -> Scene:
    """A scene of one layer for each mask, the objects numbered on from mask to mask."""
    if len({mask.shape for mask in masks}) > 1:
        sizes = " and ".join(sorted({f"{m.shape[0]} x {m.shape[1]}" for m in masks}))
        raise DatasetError(f"The masks of '{name}' differ in size ({sizes}).")
    places = [
        (layer, int(value))
        for layer, mask in enumerate(masks)
        for value in np.unique(mask[mask > 0])
    ]
    objects = tuple(SceneObject(i + 1, *place) for i, place in enumerate(places))
    return Scene(name, image, np.stack(masks, axis=2), objects)


class ImagesDirectory(Reader):
    """The published reader for any images: ``images/`` and ``masks/STEM.png`` or ``STEM_K.png``.

    Above 128 is the object, 128 is to be ignored; several masks are several layers.

    Parameters
    ----------
    path : str or Path
    split : str, optional
        A folder below `path`.

    Raises
    ------
    DatasetError
        If folders are missing, an image has no mask or a mask no image.
    """

    name = "images_dir"

    def __init__(self, path: str | Path, split: str | None = None) -> None:
        words = "images/, and masks/ with STEM.png or STEM_0.png, STEM_1.png, ..."
        self._images, self._masks = _all_paired(self.name, folder_of(path, split), words)
        self.ids = list(self._images)

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with one object for each of its masks."""
        name = self.ids[index]
        blue = [read_rgb(path)[..., 2] for path in self._masks[name]]
        masks = [np.where(mask == HALF, -1, mask > HALF).astype(np.int32) for mask in blue]
        return _stacked(name, read_rgb(self._images[name]), masks)


class AvalancheSet(Reader):
    """Avalanche photographs with masks, matched by name (published: by sorted position).

    All above 0 is one avalanche; of several masks ``NAME_ID`` each is one.

    Parameters
    ----------
    path : str or Path
    name : str
        Name of the set, such as Avalanche1.
    split : {"train", "val"}, optional
        The published four fifths or last fifth of the images in the order of their names.

    Raises
    ------
    DatasetError
        If folders are missing, an image has no mask or a mask no image.
    """

    def __init__(self, path: str | Path, name: str = "Avalanche", split: str | None = None) -> None:
        self.name = name
        words = "images/ and masks/ with files of the same names"
        self._images, self._masks = _all_paired(name, Path(path), words)
        ids = list(self._images)
        if split not in (None, "train", "val"):
            raise DatasetError(f"{name} has the splits train and val, and no '{split}'.")
        if split is not None:
            parts = dict(zip(("train", "val"), train_and_val(len(ids)), strict=True))
            ids = [ids[i] for i in parts[split]]
        self.ids = ids

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its avalanche or avalanches."""
        name = self.ids[index]
        masks = [(read_rgb(path)[..., 2] > 0).astype(np.int32) for path in self._masks[name]]
        return _stacked(name, read_rgb(self._images[name]), masks)


def train_and_val(count: int) -> tuple[list[int], list[int]]:
    """Indices of the published split of avalanche images: a fifth, rounded up, for validation.

    The same as scikit-learn's ``train_test_split`` with ``random_state=42``.
    """
    order = np.random.RandomState(42).permutation(count).tolist()
    val = -(-count // 5)
    return order[val:], order[:val]


def _all_paired(name: str, root: Path, words: str) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    """Images and their masks where every file must have a partner."""
    folders = need(name, root, "images/", "masks/", layout=words)
    images, found = (files_by_stem(folder) for folder in folders)
    masks, left = masks_of_images(images, found)
    alone = [images[stem].name for stem, paths in masks.items() if not paths]
    if alone or left:
        raise DatasetError(
            f"{name}: images without mask in {folders[0]}: {some(alone)}; masks without image in "
            f"{folders[1]}: {some(path.name for path in left)}. Rename or remove them."
        )
    return images, masks
