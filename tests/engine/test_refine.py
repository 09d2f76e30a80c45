"""Masks that exist already, moved to the edges of the image."""

import numpy as np
import pytest
from fakes import ColourModel, FakeModel
from scipy.ndimage import binary_dilation, binary_erosion
from skimage.morphology import disk

from napari_clickseg.cancel import Cancelled
from napari_clickseg.engine.refine import (
    BAND,
    MaskRefiner,
    RefinedMask,
    band_width,
    near_mask,
)
from napari_clickseg.engine.refine_labels import corrections, refine_labels
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import Click


class NothingModel(FakeModel):
    """Sees no object anywhere."""

    def answer(self, inputs):
        return inputs.image[:, :1] * 0 - 20


@pytest.fixture
def refiner(scene):
    made = MaskRefiner(ColourModel())
    made.set_image(scene)
    return made


def objects(scene):
    labels = np.zeros(scene.shape[:2], np.uint16)
    for label, colour in ((1, (220, 30, 30)), (300, (30, 220, 30)), (7, (30, 30, 220))):
        labels[(scene == colour).all(axis=2)] = label
    return labels


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def smaller(labels, by=4):
    return labels * binary_erosion(labels != 0, disk(by))


@pytest.mark.parametrize("damage", [binary_erosion, binary_dilation])
def test_the_outline_moves_to_the_objects_edge(refiner, scene, damage):
    truth = objects(scene) == 1
    start = damage(truth, disk(4))
    refined = refiner.refine(start)
    after = np.zeros_like(truth)
    after[refined.box.slices] = refined.mask
    assert iou(start, truth) < 0.8
    assert iou(after, truth) > 0.97


def test_nothing_moves_farther_than_the_band(refiner, scene):
    start = np.zeros(scene.shape[:2], bool)
    start[38:43, 48:53] = True  # the disk reaches 20 pixels from its middle
    refined = refiner.refine(start)
    rows, cols = np.nonzero(refined.mask)
    far = np.hypot(rows + refined.box.top - 40, cols + refined.box.left - 50)
    assert 5 < far.max() <= BAND + 3


def test_the_band_is_wider_for_a_mask_that_was_enlarged():
    small = np.hypot(*(np.mgrid[:40, :40] - 20)) < 15
    assert band_width(small) == BAND
    assert band_width(np.kron(small, np.ones((16, 16), bool))) == 28
    assert band_width(np.ones((50, 30), bool)) == BAND  # no steps to tell from


def test_what_the_network_does_not_see_stays(scene):
    refiner = MaskRefiner(NothingModel())
    refiner.set_image(scene)
    start = np.zeros(scene.shape[:2], bool)
    start[10:12, 5:90] = True  # thin
    start[60:64, 60:64] = True  # a cell
    start[80:83, 110] = True  # hardly a cell
    refined = refiner.refine(start)
    after = np.zeros_like(start)
    after[refined.box.slices] = refined.mask
    assert np.array_equal(after, start)


def test_a_long_thin_arm_is_not_cut_off():
    start = np.zeros((80, 160), bool)
    start[20:60, 10:50] = True
    start[38:41, 50:150] = True
    answer = np.zeros(start.shape, np.float32)
    answer[18:62, 8:52] = 1
    refined = near_mask(start, answer)
    assert refined[39, 10:150].all()
    assert refined[19, 9]


def test_a_foreign_piece_is_not_taken_up():
    start = np.zeros((60, 60), bool)
    start[20:40, 20:40] = True
    answer = start.astype(np.float32)
    answer[28:32, 46:50] = 1
    assert np.array_equal(near_mask(start, answer), start)


def test_doubt_is_larger_where_the_network_disagrees(refiner, scene):
    truth = objects(scene) == 1
    right = refiner.refine(truth).doubt
    wrong = np.zeros_like(truth)
    wrong[60:80, 60:80] = True  # background
    wrong[60:64, 60:64] = False
    assert 0 <= right < 0.05 < refiner.refine(wrong).doubt <= 1


def test_clicks_of_a_user_reach_beyond_the_band(refiner, scene):
    start = np.zeros(scene.shape[:2], bool)
    start[90:100, 12:30] = True
    said = [Click(95, 20), Click(95, 140)]
    refined = refiner.refine(start, interactions=said)
    after = np.zeros_like(start)
    after[refined.box.slices] = refined.mask
    assert iou(after, objects(scene) == 300) > 0.97


def test_all_objects_of_a_label_image(refiner, scene):
    truth = objects(scene)
    start = smaller(truth)
    start[60:62, 20:22] = 9  # a speck of nothing
    before = start.copy()
    after, changes = refine_labels(refiner, start)
    assert np.array_equal(start, before)
    assert after.dtype == truth.dtype
    assert [change.label for change in changes] == [1, 7, 9, 300]
    for change in changes:
        old, new = start == change.label, after == change.label
        assert (change.area_before, change.area_after) == (old.sum(), new.sum())
        assert change.iou == pytest.approx(iou(old, new))
        assert after[change.row, change.col] == change.label
    for label in (1, 7, 300):
        assert iou(after == label, truth == label) > 0.9


def test_refined_objects_leave_the_others_alone(refiner, scene):
    truth = objects(scene)
    start = smaller(truth)
    start[25:30, 50:60] = 8  # in the disk; not to be refined
    after, changes = refine_labels(refiner, start, only=[1])
    assert [change.label for change in changes] == [1]
    assert np.array_equal(after == 8, start == 8)
    assert np.array_equal(after == 300, start == 300)


def test_touching_objects_share_no_pixel_and_none_is_lost(refiner, scene):
    start = np.zeros(scene.shape[:2], np.int32)
    start[25:55, 35:50] = 1
    start[25:55, 50:65] = 2  # both in one disk
    start[39:41, 49:51] = 3
    after, _ = refine_labels(refiner, start)
    assert set(np.unique(after)) == {0, 1, 2, 3}


def test_an_object_that_takes_its_pixels_back_leaves_no_other_without():
    start = np.array([[2, 2, 2, 0, 1]])
    wanted = {1: [[1, 1, 1, 0, 0]], 2: [[1, 0, 0, 0, 0]]}
    sure = {1: 0.9, 2: 0.1}

    class Swapping:
        shape = start.shape

        def refine(self, mask, place, interactions, cancelled):
            label = int(start[0, place[1]])
            answer = np.full(start.shape, sure[label], np.float32)
            return RefinedMask(Box(0, 0, 1, 5), np.array(wanted[label]) == 1, answer, 0.0)

    after, changes = refine_labels(Swapping(), start)
    assert set(np.unique(after)) == {0, 1, 2}
    assert all(change.area_after for change in changes)


def test_labels_may_be_very_large_numbers(refiner, scene):
    start = smaller(objects(scene)).astype(np.int64) * 10_000_019
    after, changes = refine_labels(refiner, start)
    assert [change.label for change in changes] == [n * 10_000_019 for n in (1, 7, 300)]
    small, _ = refine_labels(refiner, smaller(objects(scene)))
    assert np.array_equal(after, small.astype(np.int64) * 10_000_019)


def test_cancelling_changes_nothing(refiner, scene):
    start = smaller(objects(scene))
    with pytest.raises(Cancelled):
        refine_labels(refiner, start, cancelled=lambda: True)


def test_corrections_become_clicks():
    before = np.zeros((60, 60), np.uint8)
    before[10:30, 10:30] = 4
    before[40:50, 40:50] = 5
    after = before.copy()
    after[10:30, 30:40] = 4
    after[10:20, 10:16] = 0
    [(label, clicks)] = corrections(before, after).items()
    assert label == 4
    assert all((after[click.pixel] == 4) == click.positive for click in clicks)
    assert any(click.col >= 30 and click.positive for click in clicks)
    assert any(click.col < 16 and not click.positive for click in clicks)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((5, 5), np.uint8), "5 x 5 pixels and the image 120 x 160"),
        (np.zeros((120, 160)), "float64"),
        (np.full((120, 160), -1), "below 0"),
    ],
)
def test_what_is_no_label_image_is_refused(refiner, labels, words):
    with pytest.raises(ValueError, match=words):
        refine_labels(refiner, labels)


def test_a_model_that_sees_no_mask_is_refused():
    with pytest.raises(ValueError, match="does not look at an existing mask"):
        MaskRefiner(ColourModel(takes_prev_mask=False))


def test_masks_may_have_any_type_but_are_planes(refiner, scene):
    start = smaller(objects(scene)) == 1
    wanted = refiner.refine(start)
    for mask in (start * np.uint8(255), np.where(start, 0.5, np.nan), start.tolist()):
        refined = refiner.refine(mask)
        assert refined.box == wanted.box and np.array_equal(refined.mask, wanted.mask)
    with pytest.raises(ValueError, match="Give one plane"):
        refiner.refine(np.dstack([start] * 4))


def test_the_outline_of_an_object_larger_than_the_view_moves_as_well():
    rows, cols = np.ogrid[:1800, :1800]
    truth = np.hypot(rows - 900, cols - 900) < 800
    image = np.where(truth[..., None], (220, 30, 30), (90, 90, 90)).astype(np.uint8)
    start = np.hypot(rows - 900, cols - 900) < 793
    refiner = MaskRefiner(ColourModel())
    refiner.set_image(image)
    refined = refiner.refine(start)
    found = np.zeros_like(truth)
    found[refined.box.slices] = refined.mask
    assert iou(start, truth) < 0.985 and iou(found, truth) > 0.998
