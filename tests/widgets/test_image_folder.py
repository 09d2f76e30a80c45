"""Which files of a folder are images, and which mask belongs to which."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_clickseg.data.readers import open_image
from napari_clickseg.geometry import Box
from napari_clickseg.widgets.folder.image_files import _Level, copied
from napari_clickseg.widgets.folder.image_folder import FolderError, MaskNames, list_folder


@pytest.fixture
def folder(tmp_path):
    def make(*names):
        for name in names:
            (tmp_path / name).touch()
        return tmp_path

    return make


def listed(folder, names=None):
    found = list_folder(folder, MaskNames() if names is None else names)
    return [(image.path.name, image.mask.name) for image in found]


def test_images_in_the_order_of_their_numbers_without_masks_and_other_files(folder):
    where = folder("b10.jpg", "b9.JPG", "b9_mask.png", "c_mask.png", "notes.txt", ".hidden.png")
    assert listed(where) == [
        ("b9.JPG", "b9_mask.png"),
        ("b10.jpg", "b10_mask.png"),
        ("c_mask.png", "c_mask_mask.png"),  # there is no c, so that it is an image
    ]


def test_masks_with_the_images_names_are_no_images(folder):
    assert listed(folder("a.jpg", "a.png"), MaskNames("{name}.png")) == [("a.jpg", "a.png")]


def test_masks_in_a_folder_of_their_own(folder, tmp_path):
    [image] = list_folder(folder("a.ome.tif"), MaskNames("{name}.tif", tmp_path / "masks"))
    assert image.mask == tmp_path / "masks" / "a.tif"
    assert image.session == tmp_path / "masks" / "a.clickseg.json"


@pytest.mark.parametrize(
    ("names", "pattern", "sentence"),
    [
        ((), "{name}_mask.png", "holds no image. Choose a folder with files that end in"),
        (("a.png",), "{name}.png", "The mask of a.png would replace the image itself."),
        (("a.jpg", "a.bmp"), "{name}_mask.png", "a.bmp and a.jpg would share the mask a_mask.png"),
    ],
)
def test_folders_that_cannot_be_used(folder, names, pattern, sentence):
    with pytest.raises(FolderError, match=sentence):
        list_folder(folder(*names), MaskNames(pattern))


def test_a_folder_that_is_not_there():
    with pytest.raises(FolderError, match="There is no folder"):
        list_folder(Path("nowhere"), MaskNames())


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("mask.png", "all images would share one mask"),
        ("{name}.jpg", "Masks cannot be written as"),
        ("../{name}.png", "characters that file names cannot have"),
    ],
)
def test_names_that_masks_cannot_have(pattern, sentence):
    with pytest.raises(FolderError, match=sentence):
        MaskNames(pattern)


def test_levels_are_read_where_they_are_looked_at(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(64, 64))
    level = _Level(open_image(tmp_path / "a.tif"), 0)
    assert level.shape == pixels.shape and level.ndim == 3
    for index in (
        np.s_[10:50, 20:90],
        np.s_[5],
        np.s_[:, 7, 1],
        np.s_[::3, 10:90:2, :2],
        np.s_[-1],
    ):
        assert np.array_equal(level[index], pixels[index])
    assert np.array_equal(np.asarray(level), pixels)


def test_a_copy_of_labels_stays_what_they_were():
    labels = np.zeros((700, 40), np.uint16)
    labels[300:310, 5:9] = 3
    copy, before = copied(labels), labels.copy()
    labels[:] = 9
    for box in (Box(0, 0, 700, 40), Box(250, 3, 305, 7), Box(600, 0, 700, 1)):
        assert np.array_equal(copy[box.slices], before[box.slices])
