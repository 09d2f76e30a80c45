import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import label

from napari_clickseg.cancel import Cancelled
from napari_clickseg.data.exports.coco import read_coco, write_coco
from napari_clickseg.data.exports.errors import ExportError
from napari_clickseg.data.exports.polygons import fill, outlines, pieces_without_holes
from napari_clickseg.data.exports.rle import counts_of, from_text, mask_of, to_text
from napari_clickseg.geometry import Box, bounding_box

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(mask=masks, place=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_outlines_enclose_exactly_the_mask(mask, place):
    box = Box.of_shape(mask.shape).shift(*place)
    found = outlines(mask, place)
    covered = sum((fill(polygon.rings, box).astype(int) for polygon in found), 0 * mask)
    np.testing.assert_array_equal(covered, mask)
    assert len(found) == label(mask)[1]
    assert all(len(polygon.outer) % 2 == 0 for polygon in found)
    pieces = sum((fill([r], box).astype(int) for r in pieces_without_holes(mask, place)), 0 * mask)
    np.testing.assert_array_equal(pieces, mask)


@given(mask=masks, place=st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_runs_are_those_of_pycocotools(mask, place):
    coco = pytest.importorskip("pycocotools.mask")
    box = bounding_box(mask)
    if box is None:
        return
    shape = mask.shape[0] + 2 * place[0], mask.shape[1] + place[1]
    whole = np.zeros(shape, np.uint8)
    whole[place[0] : place[0] + mask.shape[0], place[1] :] = mask
    counts = counts_of(mask[box.slices], box.shift(*place), shape)
    theirs = coco.encode(np.asfortranarray(whole))
    assert to_text(counts) == theirs["counts"].decode()
    assert from_text(to_text(counts)) == counts
    found, part = mask_of(counts, shape)
    assert found == box.shift(*place)
    again = np.zeros(shape, np.uint8)
    again[found.slices] = part
    np.testing.assert_array_equal(again, whole)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("polygons", [False, True])
def test_masks_areas_and_boxes_are_those_of_pycocotools(rings, polygons, tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    mask_tools = pytest.importorskip("pycocotools.mask")
    path = tmp_path / "objects.json"
    assert write_coco(path, rings, {3: "ring", 7: "dot"}, "cells.tif", polygons) == 4
    reader = coco.COCO(str(path))
    for annotation in reader.loadAnns(reader.getAnnIds()):
        ours = rings == annotation["id"]
        np.testing.assert_array_equal(reader.annToMask(annotation), ours)
        encoded = mask_tools.encode(np.asfortranarray(ours.astype(np.uint8)))
        assert annotation["area"] == mask_tools.area(encoded) == ours.sum()
        assert annotation["bbox"] == mask_tools.toBbox(encoded).tolist()
        if not polygons:
            assert annotation["segmentation"]["counts"] == encoded["counts"].decode()
    named = {c["id"]: c["name"] for c in reader.loadCats(reader.getCatIds())}
    classes = {a["id"]: named[a["category_id"]] for a in reader.loadAnns(reader.getAnnIds())}
    assert classes == {3: "ring", 7: "dot", 300: "object", 301: "object"}


@pytest.mark.parametrize("polygons", [False, True])
def test_what_was_written_is_read_again(rings, polygons, tmp_path):
    path = tmp_path / "objects.json"
    write_coco(path, rings, {3: "ring", 300: "bar"}, "cells.tif", polygons)
    (read,) = read_coco(path)
    np.testing.assert_array_equal(read.labels, rings)
    assert read.classes == {3: "ring", 300: "bar"} and read.name == "cells"


def test_files_of_others_are_read(tmp_path):
    pytest.importorskip("pycocotools")
    value = {
        "images": [{"id": "a", "height": 10, "width": 12}, {"id": "b", "height": 4, "width": 4}],
        "categories": [{"id": 9, "name": "leaf"}],
        "annotations": [
            {"id": 5, "image_id": "a", "category_id": 9, "segmentation": [[1, 1, 3, 1, 3, 3]]},
            {"id": 6, "image_id": "a", "segmentation": [[0, 0, 12, 0, 12, 10, 0, 10]]},
            {"id": 6, "image_id": "b", "segmentation": {"counts": [3, 2, 11], "size": [4, 4]}},
            {"id": 6, "image_id": "b", "segmentation": []},
        ],
    }
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(value))
    first, second = read_coco(path)
    assert first.classes == {5: "leaf"} and (first.labels == 6).sum() == 120 - 3
    assert first.labels[1, 2] == 5  # the smaller one stays visible
    assert second.labels.T.ravel().tolist() == [0] * 3 + [1] * 2 + [0] * 11


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("[1, 2]", "no COCO file"),
        ('{"images": [{}], "annotations": []}', "lacks 'id'"),
        ('{"images": [{"id": 1, "height": 0, "width": 3}], "annotations": []}', "0 x 3"),
        (
            '{"images": [{"id": 1, "height": 2, "width": 3}], "annotations": '
            '[{"id": 1, "image_id": 1, "segmentation": {"counts": [4], "size": [2, 3]}}]}',
            "cover 4 pixels",
        ),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(text, words, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ExportError, match=words) as caught:
        read_coco(path)
    assert "\n" not in str(caught.value)


def test_what_are_no_labels_is_refused(tmp_path):
    for labels, words in (
        (np.zeros((3, 3)), "float64"),
        (np.zeros((2, 3, 3), int), "one plane"),
        (np.full((3, 3), -2), "label -2"),
    ):
        with pytest.raises(ExportError, match=words):
            write_coco(tmp_path / "bad.json", labels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("polygons", [False, True])
def test_a_cancelled_export_leaves_the_older_file(rings, polygons, tmp_path):
    path, answers = tmp_path / "objects.json", iter([False, False, False, True])
    path.write_text("older")
    told = []
    with pytest.raises(Cancelled, match="export"):
        write_coco(path, rings, None, "", polygons, told.append, lambda: next(answers))
    assert path.read_text() == "older" and list(tmp_path.iterdir()) == [path]
    assert told == [0.0, 0.25]
