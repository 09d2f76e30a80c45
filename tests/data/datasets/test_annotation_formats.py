"""Pickles without code, COCO's masks, layers, and the colours that become grey."""

import os
import pickle
import pickletools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.data.datasets.coco_masks import annotation_mask
from napari_clickseg.data.datasets.layers import decode_layer, encode_layer, pack_masks
from napari_clickseg.data.datasets.pickles import load_plain_pickle
from napari_clickseg.data.datasets.reading import grey
from napari_clickseg.data.scenes import DatasetError

PLAIN = {
    "a": [1, 2.5, "x", None, True, b"bytes"],
    ("t", 1): {3, 4},
    "n": (np.float32(0.5), np.int64(7), np.arange(6, dtype=">u2").reshape(2, 3)),
    "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_and_arrays_come_back(tmp_path, protocol):
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(PLAIN, protocol))
    found = load_plain_pickle(path)
    assert found["a"] == PLAIN["a"] and found["t", 1] == {3, 4}
    assert found["n"][:2] == (0.5, 7)
    np.testing.assert_array_equal(found["n"][2], PLAIN["n"][2])
    np.testing.assert_array_equal(found["f"], PLAIN["f"])


def test_pickles_of_older_numpy(tmp_path):
    path = tmp_path / "a.pickle"
    content = pickle.dumps(PLAIN["n"], 2)
    assert b"numpy._core" in content
    path.write_bytes(content.replace(b"numpy._core", b"numpy.core"))
    np.testing.assert_array_equal(load_plain_pickle(path)[2], PLAIN["n"][2])


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "value",
    [
        Evil(os.mkdir, ("made-by-a-pickle",)),
        Evil(eval, ("__import__('os').mkdir('made-by-a-pickle')",)),
        Evil(getattr, ("x", "upper")),
        np.array([None, "x"], object),
        np.zeros(2, [("a", "u1")]),
    ],
)
def test_nothing_else_is_loaded(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pickle").write_bytes(pickle.dumps([1, value]))
    with pytest.raises(DatasetError, match=r"a\.pickle .*not loaded, because it could run code"):
        load_plain_pickle("a.pickle")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pickle"]


def test_damaged_pickles_are_told(tmp_path):
    content = pickle.dumps(PLAIN)
    assert list(pickletools.genops(content))
    for cut in (0, 1, 40, len(content) // 2, len(content) - 1):
        (tmp_path / "a.pickle").write_bytes(content[:cut])
        with pytest.raises(DatasetError, match="damaged"):
            load_plain_pickle(tmp_path / "a.pickle")


def test_a_polygon_covers_the_pixels_whose_centres_it_holds():
    mask = annotation_mask([[2, 1, 5, 1, 5, 3, 2, 3], [0, 0, 0.4, 0, 0.4, 9, 0, 9]], (4, 6), "x")
    expected = np.zeros((4, 6), bool)
    expected[1:3, 2:5] = True
    np.testing.assert_array_equal(mask, expected)


def test_run_lengths_as_numbers_and_as_text():
    expected = np.zeros((3, 4), bool)
    expected[1:3, 0] = expected[0, 1] = expected[2, 3] = True
    for counts in ([1, 3, 7, 1], "137N"):  # down the columns
        found = annotation_mask({"size": [3, 4], "counts": counts}, (3, 4), "x")
        np.testing.assert_array_equal(found, expected)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=12))
def test_compressed_run_lengths(runs):
    text, previous = "", [0, 0, *runs]
    for place, run in enumerate(runs):
        number = run - (previous[place] if place > 2 else 0)
        while True:
            group, number = number & 31, number >> 5
            last = number == (-1 if group & 16 else 0)
            text += chr(group + (0 if last else 32) + 48)
            if last:
                break
    size = [sum(runs), 1]
    found = annotation_mask({"size": size, "counts": text}, tuple(size), "x")
    np.testing.assert_array_equal(found[:, 0], np.repeat(np.arange(len(runs)) % 2 == 1, runs))


@pytest.mark.parametrize(
    "segmentation",
    [None, {"size": [2, 2], "counts": [3]}, {"size": [9, 9], "counts": [81]}],
)
def test_what_is_no_segmentation(segmentation):
    with pytest.raises(DatasetError, match="annotation 5"):
        annotation_mask(segmentation, (2, 2), "annotation 5")


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_packed_masks_can_be_taken_out_again(seed, count):
    rng = np.random.default_rng(seed)
    masks = [np.zeros((9, 9), bool) for _ in range(count)]
    for mask in masks:
        row, col = rng.integers(0, 7, 2)
        mask[row : row + rng.integers(1, 5), col : col + rng.integers(1, 5)] = True
    layers, places = pack_masks(masks)
    assert layers.shape[2] <= count
    for mask, (layer, value) in zip(masks, places, strict=True):
        np.testing.assert_array_equal(layers[..., layer] == value, mask)


def test_masks_that_do_not_overlap_share_a_layer_of_255():
    masks = list(np.eye(300, dtype=bool).reshape(300, 10, 30))
    layers, places = pack_masks(masks)
    assert layers.shape == (10, 30, 2) and layers.max() == 255
    assert len(set(places)) == 300


def test_layers_as_png():
    layer = np.arange(256).reshape(16, 16)
    np.testing.assert_array_equal(decode_layer(encode_layer(layer)), layer)


def test_grey_values_of_pascal_voc():
    colours = np.array([[(224, 224, 192), (128, 0, 0), (0, 128, 0), (192, 128, 128)]], np.uint8)
    assert grey(colours).tolist() == [[220, 38, 75, 147]]
