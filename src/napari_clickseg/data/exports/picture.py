"""A picture of labels to look at: its colours are no values."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ExportError, writing
from .label_objects import shape_of

__all__ = ["write_picture"]

MOST_PIXELS = 2**25
GOLDEN = 0.6180339887498949  # turns of hue between neighbouring labels


def write_picture(
    path: str | os.PathLike[str],
    labels: Any,
    colour: Callable[[int], tuple[int, int, int]] | None = None,
    most_pixels: int = MOST_PIXELS,
) -> int:
    """Write labels as a coloured PNG on black; a single label is white.

    Parameters
    ----------
    path : str or path
    labels : (H, W) array
        Anything that can be sliced.
    colour : callable, optional
        ``colour(label) -> (red, green, blue)``, each 0..255.
    most_pixels : int
        Of larger images every second, third, ... pixel is taken.

    Returns
    -------
    int
        1, or the step that was taken.

    Raises
    ------
    ExportError
        If these are no labels, the name does not end in ``.png``, or it cannot be written.
    """
    from PIL import Image

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ExportError(
            f"A picture is a PNG, and {path.name} is none. Save it as {path.stem}.png."
        )
    height, width = shape_of(labels)
    step = max(1, int(np.ceil((height * width / most_pixels) ** 0.5)))
    rows = [np.asarray(labels[row : row + 1, 0:width])[0, ::step] for row in range(0, height, step)]
    values, places = np.unique(np.stack(rows), return_inverse=True)
    present = [int(value) for value in values if value]
    choose = colour or (_colour if len(present) > 1 else lambda label: (255, 255, 255))
    table = np.array([choose(int(v)) if v else (0, 0, 0) for v in values], np.uint8)
    picture = table[places.reshape(len(rows), -1)]
    with writing(path, "picture") as unfinished:
        Image.fromarray(picture).save(unfinished, format="PNG")
    return step


def _colour(label: int) -> tuple[int, int, int]:
    """A bright colour, far from those of the labels before and after."""
    import colorsys

    red, green, blue = colorsys.hsv_to_rgb(label * GOLDEN % 1, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)
