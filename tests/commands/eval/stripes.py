"""Packs for evaluations."""

import numpy as np
from PIL import Image


def write_pack(folder, pairs):
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for name, (image, labels) in pairs.items():
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        Image.fromarray(labels.astype(np.uint8)).save(folder / "masks" / f"{name}.png")
    return folder
