"""Masks as whole numbers: colours that two masks share, and large labels."""

import numpy as np
import pytest
from PIL import Image
from tifffile import imwrite

from napari_clickseg.data.datasets.reading import read_labels
from napari_clickseg.data.scenes import DatasetError

LABELS = np.repeat(np.arange(3, dtype=np.uint8), 4).reshape(3, 4)
COLOURS = np.array([(0, 0, 0), (40, 0, 9), (200, 1, 1), (1, 1, 1)], np.uint8)


@pytest.fixture
def saved(tmp_path):
    def save(name, array):
        path = tmp_path / name
        if path.suffix == ".tif":
            imwrite(path, array)
        else:
            Image.fromarray(array).save(path)
        return path

    return save


def test_colours_have_the_numbers_of_the_other_mask(saved):
    mask = saved("mask.png", COLOURS[LABELS])
    other = LABELS.copy()
    other[0, 0], other[1] = 3, 2
    fixed = saved("fixed.png", COLOURS[other])
    assert np.array_equal(read_labels(mask), LABELS)
    assert np.array_equal(read_labels(fixed, like=mask), other)
    assert not np.array_equal(read_labels(fixed), other)


def test_a_palette_and_colours_are_one(saved, tmp_path):
    indexed = Image.fromarray(LABELS[::-1] * 2, "P")
    indexed.putpalette([*COLOURS[[0, 3, 1, 3, 2]].ravel()])
    indexed.save(tmp_path / "mask.png")
    mask = tmp_path / "mask.png"
    assert np.array_equal(read_labels(mask), LABELS[::-1] * 2)
    fixed = saved("fixed.png", COLOURS[LABELS])
    assert np.array_equal(read_labels(fixed, like=mask), LABELS * 2)
    assert np.array_equal(read_labels(mask, like=fixed), LABELS[::-1])


def test_numbers_stay_what_they_are(saved):
    mask, fixed = saved("mask.png", COLOURS[LABELS]), saved("fixed.png", LABELS * 2)
    assert np.array_equal(read_labels(fixed, like=mask), LABELS * 2)


def test_colours_do_not_go_with_numbers(saved):
    mask, fixed = saved("mask.png", LABELS), saved("fixed.png", COLOURS[LABELS])
    with pytest.raises(DatasetError, match="has colours and .*mask.png has numbers"):
        read_labels(fixed, like=mask)


@pytest.mark.parametrize("kind", [np.uint32, np.int64, np.uint64, np.float64])
def test_labels_of_32_bits(saved, kind):
    labels = np.array([[0, 5], [2**31, 2**32 - 1]])
    read = read_labels(saved("mask.tif", labels.astype(kind)))
    assert read.dtype == np.int64 and np.array_equal(read, labels)


@pytest.mark.parametrize("value", [2**32, 2**63 - 1, -(2**31) - 1])
def test_larger_ones_are_refused(saved, value):
    with pytest.raises(DatasetError, match="beyond 4294967295. Number its objects anew"):
        read_labels(saved("mask.tif", np.full((3, 4), value, np.int64)))
