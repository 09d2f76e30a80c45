"""The files that the examples of the documentation speak of, small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
import torch
from checkpoints import ritm_config, ritm_state
from miniature_sets import coins, named, save, write_set
from PIL import Image
from scipy import ndimage

from napari_clickseg.data.exports.coco import write_coco
from napari_clickseg.data.session_file import (
    ImageSignature,
    SavedModel,
    SavedObject,
    SavedSession,
    write_session,
)
from napari_clickseg.interactions import Click


def write_material(folder: Path) -> None:
    """Make all files in a folder."""
    for parent in (folder, folder / "mine", folder / "held-out"):
        for name, photograph, labels in named():
            save(photograph, parent / "images" / f"{name}.png")
            save(labels.astype(np.uint8), parent / "masks" / f"{name}.png")
    _write_clicks(folder)
    write_set("GrabCut", folder / "GrabCut")
    for name in ("Berkeley", "COCO_LVIS"):
        write_set(name, folder / "data" / name)
    photograph, labels = coins()[0]
    tifffile.imwrite(folder / "image.tif", photograph)
    write_coco(folder / "annotations.json", labels)
    for name in ("any.pth", "old_checkpoint.pth"):
        torch.save({"state_dict": ritm_state(), "config": ritm_config()}, folder / name)
    _write_slide(folder / "slide.ome.tif")


def _write_clicks(folder: Path) -> None:
    """Clicks on a coin of the first image, and a mask with that coin corrected."""
    name, photograph, labels = named()[0]
    save(photograph, folder / "image.png")
    rows, cols = np.nonzero(labels == 1)
    click = Click(float(rows.mean().round()), float(cols.mean().round()))
    image = ImageSignature.of(photograph, f"{name}.png")
    session = SavedSession(
        image, SavedModel("clickseg-compact"), (SavedObject(1, interactions=(click,)),)
    )
    (folder / "sessions").mkdir()
    write_session(folder / "sessions" / f"{name}.clickseg.json", session)
    write_session(folder / "image.clickseg.json", session)
    corrected = np.where(ndimage.binary_dilation(labels == 1, iterations=3), 1, labels)
    save(corrected.astype(np.uint8), folder / "corrected" / f"{name}.png")


def _write_slide(path: Path) -> None:
    """A pyramid of 2200 x 3300 pixels with a dark disk at row 2040, column 3125."""
    rows, cols = np.ogrid[:2200, :3300]
    slide = np.full((2200, 3300), 200, np.uint8)
    slide[(rows - 2040) ** 2 + (cols - 3125) ** 2 < 60**2] = 60
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(slide, subifds=1, tile=(256, 256), photometric="minisblack")
        file.write(slide[::4, ::4], subfiletype=1, tile=(256, 256), photometric="minisblack")


def namespace(folder: Path) -> dict[str, object]:
    """Names that examples take for granted."""
    return {
        "image": torch.zeros(1, 3, 64, 64),
        "points": torch.tensor([[[30.0, 30.0, 0.0], [-1.0, -1.0, -1.0]]]),
        "prev_mask": torch.zeros(1, 1, 64, 64),
        "photograph": np.asarray(Image.open(folder / "images" / "coin_a.png")),
    }
