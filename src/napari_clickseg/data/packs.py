"""Folders of images with indexed masks: ``images/ID.jpg`` beside ``masks/ID.png``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .scenes import DatasetError, Scene

__all__ = ["Pack", "PackError"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
IGNORE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


class PackError(DatasetError):
    """A pack's folder or one of its files is not as expected."""


class Pack:
    """A folder with ``images/`` and ``masks/`` of the same names and sizes.

    In the masks 0 is background and 1..N are objects; 255 (65535 in 16-bit masks) is to be ignored.

    Parameters
    ----------
    folder : str or Path
        The folder that holds ``images`` and ``masks``.

    Raises
    ------
    PackError
        If the folders are missing or no image has a mask; the message says what was found.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.name = self.folder.resolve().name
        images, masks = self.folder / "images", self.folder / "masks"
        for part in (images, masks):
            if not part.is_dir():
                found = (
                    ", ".join(sorted(p.name for p in self.folder.iterdir())[:6]) or "nothing"
                    if self.folder.is_dir()
                    else "no such folder"
                )
                raise PackError(
                    f"{self.folder} has no folder '{part.name}' (found: {found}). A data set needs "
                    "images/ID.jpg and masks/ID.png with equal names."
                )
        self._images = {
            p.stem: p for p in sorted(images.iterdir()) if p.suffix.lower() in IMAGE_SUFFIXES
        }
        self._masks = {p.stem: p for p in sorted(masks.glob("*.png"))}
        self.ids = [name for name in self._images if name in self._masks]
        self.without_mask = [name for name in self._images if name not in self._masks]
        if not self.ids:
            raise PackError(
                f"No image in {images} ({len(self._images)} images) has a mask of the same name in "
                f"{masks} ({len(self._masks)} png files). Rename the masks to the images' names."
            )

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Scene:
        name = self.ids[index]
        picture = _open(self._images[name])
        if picture.mode.startswith(("I", "F")):
            raise PackError(
                f"{self._images[name]} has more than 8 bits per pixel; packs hold 8-bit images. "
                f"Open it as 'folder@{self.folder}', which scales each image to 8 bits, or save it "
                "with 8 bits as you look at it."
            )
        image = np.asarray(picture.convert("RGB"))
        labels = self.labels(index)
        if labels.shape != image.shape[:2]:
            raise PackError(
                f"The mask of '{name}' in {self.folder} is {labels.shape} but the image is "
                f"{image.shape[:2]}. Both must have the same size."
            )
        return Scene.flat(name, image, labels)

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """The same as by indexing: nothing of a pack is drawn at random."""
        return self[index]

    def labels(self, index: int) -> np.ndarray:
        """The mask alone, ``(H, W)`` int32 with -1 for pixels to ignore."""
        path = self._masks[self.ids[index]]
        raw = np.asarray(_open(path))
        if raw.ndim != 2:
            raise PackError(f"{path} has {raw.ndim} axes. Masks must be single-channel PNG files.")
        if raw.dtype == np.int32:  # 16-bit files come as 32-bit integers from some versions
            raw = raw.astype(np.uint16)
        labels = raw.astype(np.int32)
        labels[raw == IGNORE.get(raw.dtype, -1)] = -1
        return labels


def _open(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except (OSError, UnidentifiedImageError) as error:
        raise PackError(f"{path} cannot be read: {error}. Replace or remove the file.") from error
    return image
