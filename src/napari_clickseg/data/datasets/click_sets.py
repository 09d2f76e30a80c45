"""The sets that click systems are compared on: a folder of images beside a folder of masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..scenes import DatasetError, Scene
from .base import Reader, files_by_stem, folder_of, need, some
from .reading import grey, read_labels, read_rgb

__all__ = ["CLICK_SETS", "ClickSet", "PairLayout"]

UNKNOWN = 128  # of a trimap


def trimap(path: Path) -> np.ndarray:
    """Above 128 the object, 128 to be ignored (GrabCut, Berkeley)."""
    mask = read_rgb(path)[..., 2]
    values = np.unique(mask)
    between = values[(values > 0) & (values < 255)]
    if len(between) and between.max() < 32:
        raise DatasetError(
            f"The mask {path} has the values {some(values)}, so it numbers its objects; masks of "
            "this set are 255 object, 128 unknown. If it was converted, open it as 'pack'."
        )
    return np.where(mask == UNKNOWN, -1, mask > UNKNOWN).astype(np.int32)


def union(path: Path) -> np.ndarray:
    """All that is not black is one object (DAVIS, COCO_MVal, HARD, BraTS)."""
    return (read_rgb(path).max(axis=2) > 0).astype(np.int32)


def greys(path: Path) -> np.ndarray:
    """Each grey value above 0 is an object (SAIC_IS)."""
    return grey(read_rgb(path)).astype(np.int32)


def components(path: Path) -> np.ndarray:
    """Each 4-connected part is an object (ssTEM)."""
    from scipy import ndimage

    return ndimage.label(read_rgb(path).max(axis=2) > 0)[0].astype(np.int32)


@dataclass(frozen=True)
class PairLayout:
    """Where a set has its images and masks, and what the masks mean.

    Attributes
    ----------
    images, masks : str
        Names of the folders.
    read : callable
        Gives the labels ``(H, W)`` int32 of a mask's file: 0 background, -1 ignore.
    image_suffixes, mask_suffixes : tuple of str
        Kinds of files that count; all that can be read if empty.
    split : str or None
        The folder above both, if there is one.
    """

    images: str
    masks: str
    read: Callable[[Path], np.ndarray]
    image_suffixes: tuple[str, ...] = ()
    mask_suffixes: tuple[str, ...] = ()
    split: str | None = None

    @property
    def words(self) -> str:
        """The layout in words."""
        above = f"{self.split}/" if self.split else ""
        return f"{above}{self.images}/ and {above}{self.masks}/ with files of the same names"


CLICK_SETS = {
    "GrabCut": PairLayout("data_GT", "boundary_GT", trimap),
    "Berkeley": PairLayout("images", "masks", trimap),
    "DAVIS": PairLayout("img", "gt", union),
    "COCO_MVal": PairLayout("img", "gt", union),
    "HARD": PairLayout("img", "gt", union),
    "SAIC_IS": PairLayout("imgs", "masks", greys, (".jpg", ".jpeg"), (".png",)),
    "BraTS": PairLayout("image", "annotation", union, (".png",), (".png",)),
    "ssTEM": PairLayout("raw", "mitochondria", components, (".tif", ".tiff"), (".png",)),
    "OAIZIB": PairLayout("image", "annotations", read_labels, (".png",), (".png",), "test"),
}


class ClickSet(Reader):
    """One of the sets for comparing click systems.

    Images without mask are refused; masks without image are left out.

    Parameters
    ----------
    path : str or Path
    name : str
        One of `CLICK_SETS`.
    split : str, optional
        A folder below `path`; ``test`` for OAIZIB by default.

    Raises
    ------
    DatasetError
        If the folders or masks are not there.
    """

    def __init__(self, path: str | Path, name: str, split: str | None = None) -> None:
        self.name = name
        self._layout = layout = CLICK_SETS[name]
        root = folder_of(path, split or layout.split)
        folders = need(name, root, f"{layout.images}/", f"{layout.masks}/", layout=layout.words)
        self._images, masks = (
            files_by_stem(folder, *([kinds] if kinds else []))
            for folder, kinds in zip(
                folders, (layout.image_suffixes, layout.mask_suffixes), strict=True
            )
        )
        partners = {stem: masks.get(stem, masks.get(stem.split(".")[0])) for stem in self._images}
        self._masks = {stem: path for stem, path in partners.items() if path is not None}
        missing = [path.name for stem, path in self._images.items() if stem not in self._masks]
        if missing:
            raise DatasetError(
                f"{len(missing)} of {len(self._images)} images in {folders[0]} have no mask of the "
                f"same name in {folders[1]} ({len(masks)} masks): {some(missing)}."
            )
        self.ids = list(self._images)

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its objects."""
        name = self.ids[index]
        labels = self._layout.read(self._masks[name])
        return Scene.flat(name, read_rgb(self._images[name]), labels)
