"""A folder of pictures of bright discs, and a recipe that a tiny network learns them by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

RECIPE = """
name = "tiny"
epochs = {epochs}
epoch_length = 16
validation_length = 4
batch = 4
crop = [32, 32]
held_out = 0.2
seed = 3
{more}
augment = [{{ kind = "flip" }}, {{ kind = "crop" }}, {{ kind = "colour_shift" }}]
losses = {{ normalized_focal = {{}}, soft_iou = {{}} }}
rounds = {{ most = 2 }}
points = {{ most = 4 }}
optimizer = {{ kind = "adamw", lr = 3e-3, encoder_factor = 0.5, clip = 3.0 }}
schedule = {{ kind = "poly", warmup = 2 }}
pictures = 3
checkpoints = [[0, 2]]

[model]
architecture = "compact"
config = {{ encoder_scale = 1.0, widths = [8, 8, 8, 8, 8], decoder = [8, 8, 8] }}

[data.discs]
path = "{folder}"
"""


def write_discs(folder: Path, count: int = 10) -> Path:
    """Images (56, 64) with two discs each, as a folder data set."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows, cols = np.mgrid[:56, :64]
    for i in range(count):
        labels = np.zeros((56, 64), np.uint8)
        labels[(rows - 16) ** 2 + (cols - rng.integers(12, 52)) ** 2 < 90] = 1
        labels[(rows - 42) ** 2 + (cols - rng.integers(12, 52)) ** 2 < 70] = 2
        image = rng.integers(0, 60, (56, 64, 3)).astype(np.uint8) + 70 * labels[..., None]
        Image.fromarray(image).save(folder / "images" / f"{i:02}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{i:02}.png")
    return folder


def write_recipe(path: Path, folder: Path, epochs: int = 3, more: str = "") -> Path:
    """The recipe as a file."""
    path.write_text(RECIPE.format(folder=folder.as_posix(), epochs=epochs, more=more))
    return path
