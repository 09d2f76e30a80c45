"""A look at a data set before a run begins: what is in it, and a picture of it. No Qt."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from ...cancel import Cancelled
from ...data.datasets.survey import survey
from ...data.scenes import Scene, SceneDataset

__all__ = ["Checked", "check", "contact_sheet"]

LOOKED_AT = 60  # scenes of each data set
SHOWN = 6
SIDE = 200  # pixels of a picture
COLUMNS = 3
COLOURS = np.array(
    [(230, 120, 30), (60, 140, 230), (80, 190, 90), (200, 90, 200), (230, 200, 50), (70, 200, 200)]
)
IGNORED = (128, 128, 128)


@dataclass(frozen=True, eq=False)
class Checked:
    """What a look at data sets has shown.

    Attributes
    ----------
    words : str
    picture : (H, W, 3) uint8 array or None
        Some images with their objects tinted; None if none could be read.
    """

    words: str
    picture: np.ndarray | None


def check(
    datasets: Sequence[SceneDataset],
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[float], object] = lambda part: None,
) -> Checked:
    """Read some scenes of each data set.

    Raises
    ------
    Cancelled
        If `cancelled` answered yes.
    """
    words, scenes = [], []
    for number, dataset in enumerate(datasets):

        def step(done: int, total: int, number: int = number) -> None:
            if cancelled():
                raise Cancelled
            progress((number + done / total) / len(datasets))

        found = survey(dataset, LOOKED_AT, step)
        words.append(str(found))
        if len(dataset) > LOOKED_AT:
            words.append(f"  ({LOOKED_AT} of {len(dataset)} images were looked at)")
        scenes += islice(_usable(dataset), -(-SHOWN // len(datasets)))
    shown = scenes[:SHOWN]
    return Checked("\n".join(words), contact_sheet(shown) if shown else None)


def _usable(dataset: SceneDataset) -> Iterator[Scene]:
    """Scenes that can be read and have objects."""
    for index in range(min(len(dataset), LOOKED_AT)):
        with contextlib.suppress(ValueError, OSError):
            scene = dataset[index]
            if scene.objects:
                yield scene


def contact_sheet(scenes: Sequence[Scene]) -> np.ndarray:
    """Images with their objects tinted, side by side; ``(H, W, 3)`` uint8."""
    rows = -(-len(scenes) // COLUMNS)
    columns = min(len(scenes), COLUMNS)
    sheet = np.zeros((rows * SIDE, columns * SIDE, 3), np.uint8)
    for number, scene in enumerate(scenes):
        tile = _tinted(scene)
        top = number // COLUMNS * SIDE + (SIDE - tile.shape[0]) // 2
        left = number % COLUMNS * SIDE + (SIDE - tile.shape[1]) // 2
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet


def _tinted(scene: Scene) -> np.ndarray:
    height, width = scene.image.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = Image.fromarray(scene.image).resize(size[::-1], Image.Resampling.BILINEAR)
    rows, cols = ((np.arange(n) + 0.5) / n for n in size)
    pick = np.ix_((rows * height).astype(int), (cols * width).astype(int))
    tile = np.asarray(small, np.float32).copy()
    for number, item in enumerate(scene.objects):
        mask = scene.mask(item.id)[pick]
        tile[mask] = 0.5 * tile[mask] + 0.5 * COLOURS[number % len(COLOURS)]
    ignored = scene.ignore[pick]
    tile[ignored] = 0.5 * tile[ignored] + 0.5 * np.array(IGNORED)
    return tile.astype(np.uint8)
