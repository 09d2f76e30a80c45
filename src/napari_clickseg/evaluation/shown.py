"""What an evaluation leaves to look at: pictures, and masks and boxes after each click."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ..geometry import bounding_box
from ..interactions import Click, Interaction
from .protocol import ObjectResult, Watch
from .sizes import Sized

__all__ = ["Shown", "as_file_name", "picture"]

MASK, MISSED, ADDED = (0, 160, 255), (255, 60, 60), (255, 190, 0)
POSITIVE, NEGATIVE = (0, 200, 0), (230, 0, 0)


@dataclass(frozen=True)
class Shown:
    """Which files are written for each interaction.

    Attributes
    ----------
    folder : Path
    pictures : bool
        ``pictures/SET/IMAGE_OBJECT_CLICK.jpg``, see `picture`.
    masks : bool
        ``masks/SET/IMAGE_OBJECT_click_CLICK.png`` and beside it a JSON file with the image and the
        mask's box in pixels of the original image, as the extended evaluation of Interactive
        Avalanche Segmentation writes them.
    """

    folder: Path
    pictures: bool = False
    masks: bool = False

    def watch(self, data: str) -> Watch:
        """What writes the files of a data set."""

        def write(
            image: str, label: int, user: str, shown: Sized, mask: np.ndarray, so_far: ObjectResult
        ) -> None:
            name = as_file_name(f"{image}_{label}" + ("" if user == "centre" else f"_{user}"))
            count = len(so_far.ious)
            if self.pictures:
                folder = _made(self.folder / "pictures" / as_file_name(data))
                drawn = Image.fromarray(picture(shown, mask, so_far.interactions))
                drawn.save(folder / f"{name}_{count:03d}.jpg", quality=90)
            if self.masks:
                folder = _made(self.folder / "masks" / as_file_name(data))
                file = folder / f"{name}_click_{count}.png"
                Image.fromarray(mask.astype(np.uint8) * 255).save(file)
                text = json.dumps(_asset(image, file, shown, mask), indent=1)
                file.with_suffix(".json").write_text(text + "\n", encoding="utf-8")

        return write


def _asset(image: str, file: Path, shown: Sized, mask: np.ndarray) -> dict[str, object]:
    """The image and one box around the mask, in pixels of the original image."""
    height, width = shown.full
    down, across = height / mask.shape[0], width / mask.shape[1]
    box = bounding_box(mask)
    found = None
    if box is not None:
        found = {
            "height": box.height * down,
            "width": box.width * across,
            "left": box.left * across,
            "top": box.top * down,
        }
    return {
        "asset": {
            "format": "png",
            "id": image,
            "name": image,
            "path": file.name,
            "size": {"width": width, "height": height},
        },
        "boundingBox": found,
    }


def picture(shown: Sized, mask: np.ndarray, said: tuple[Interaction, ...]) -> np.ndarray:
    """The mask and the interactions on the image, and beside it what is wrong.

    Parameters
    ----------
    shown : Sized
    mask : (h, w) bool array
    said : tuple of Interaction

    Returns
    -------
    (h, 2w, 3) uint8 array
        Left: the mask in blue with the outline of the object in white, interactions in green and
        red. Right: missed pixels in red, wrongly added ones in orange.
    """
    wanted = shown.target == 1
    left, right = shown.image.astype(np.float32), shown.image.astype(np.float32) * 0.6
    left[mask] = 0.6 * left[mask] + 0.4 * np.array(MASK)
    left[wanted & ~ndimage.binary_erosion(wanted)] = 255
    right[wanted & ~mask] = MISSED
    right[(shown.target == 0) & mask] = ADDED
    drawn = Image.fromarray(left.astype(np.uint8))
    pen, size = ImageDraw.Draw(drawn), max(2, max(mask.shape) // 150)
    for item in said:
        colour = POSITIVE if item.positive else NEGATIVE
        points = [(col, row) for row, col in item.points]
        if isinstance(item, Click):
            ((x, y),) = points
            pen.ellipse((x - size, y - size, x + size, y + size), colour, (255, 255, 255))
        else:
            closed = points + points[:1] if item.kind == "contour" else points
            pen.line(closed, colour, size)
    return np.hstack([np.asarray(drawn), right.astype(np.uint8)])


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def as_file_name(name: str) -> str:
    """A name without what file systems forbid."""
    return re.sub(r"[^\w.+-]+", "_", name)
