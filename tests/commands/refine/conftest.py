"""Images, masks and a model for `clickseg-refine`."""

import numpy as np
import pytest
from commands.refine.calls import truth
from fakes import ColourModel
from PIL import Image
from scipy.ndimage import binary_erosion
from tifffile import imwrite

from napari_clickseg.commands import refine_files
from napari_clickseg.engine.refine import MaskRefiner


@pytest.fixture
def colours(monkeypatch):
    """The command with a network that knows colours; gives it to count its calls."""
    model = ColourModel()
    monkeypatch.setattr(refine_files, "_refiner", lambda options: MaskRefiner(model))
    return model


@pytest.fixture
def folders(tmp_path, scene):
    """Images and too small masks: a PNG, and a TIFF with larger labels."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    labels = truth(scene)
    small = labels * binary_erosion(labels != 0, np.ones((7, 7)))
    Image.fromarray(scene).save(images / "a.png")
    Image.fromarray(small.astype(np.uint8)).save(masks / "a.png")
    imwrite(images / "b.tif", scene[::-1].copy(), photometric="rgb")
    imwrite(masks / "b.tif", (small * np.uint16(300))[::-1].copy())
    Image.fromarray(scene).save(images / "without.png")
    return images, masks, tmp_path / "out"
