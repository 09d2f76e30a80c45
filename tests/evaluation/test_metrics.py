"""IoU, boundary IoU, NoC and its interval."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_clickseg.evaluation import metrics

DATA = Path(__file__).parents[1] / "data"
CLICKER = np.load(DATA / "clicker_values.npz")
PUBLISHED = json.loads(bytes(CLICKER["meta"]))


def test_published_iou():
    for target, prediction, wanted in zip(
        CLICKER["user_gt"], CLICKER["user_pred"], CLICKER["user_iou"], strict=True
    ):
        assert metrics.iou(prediction, target) == pytest.approx(wanted, abs=1e-12)


def test_published_noc_and_counts():
    sequences = PUBLISHED["iou_sequences"]
    for threshold, (mean, at_limit) in PUBLISHED["noc_and_count_at_20"].items():
        assert metrics.mean_noc(sequences, float(threshold), 20) == pytest.approx(mean, abs=1e-12)
        assert metrics.clicks_at_limit(sequences, float(threshold), 20) == at_limit


def test_published_boundary_iou():
    case = np.load(DATA / "boundary_iou.npz")
    for target, prediction, row in zip(case["gt"], case["pred"], case["boundary_iou"], strict=True):
        for ratio, wanted in zip(case["dilation_ratio"], row, strict=True):
            found = metrics.boundary_iou(prediction, target, float(ratio))
            assert found == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_iou_by_counting_pixels(data):
    shape = data.draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    target = data.draw(arrays(np.int8, shape, elements=st.sampled_from([-1, 0, 1])))
    prediction = data.draw(arrays(bool, shape))
    both = either = 0
    for found, wanted in zip(prediction.ravel(), target.ravel(), strict=True):
        if wanted >= 0:
            both += found and wanted == 1
            either += found or wanted == 1
    assert metrics.iou(prediction, target) == (both / either if either else 1.0)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), width=st.integers(1, 3))
def test_boundary_iou_by_looking_around_each_pixel(data, width):
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    target = data.draw(arrays(np.int8, shape, elements=st.sampled_from([-1, 0, 1, 1, 1])))
    prediction = data.draw(arrays(bool, shape))

    def boundary(mask):
        padded = np.pad(mask, width)
        return {
            (r, c)
            for r, c in np.argwhere(mask)
            if not padded[r : r + 2 * width + 1, c : c + 2 * width + 1].all()
        }

    valid = set(map(tuple, np.argwhere(target >= 0)))
    found, wanted = boundary(prediction) & valid, boundary(target == 1) & valid
    either = len(found | wanted)
    answer = len(found & wanted) / either if either else 1.0
    assert metrics.boundary_iou(prediction, target, width) == pytest.approx(answer)


@pytest.mark.parametrize("ratio", [0.0, -1.0, math.nan])
def test_a_boundary_has_a_width(ratio):
    with pytest.raises(ValueError, match="boundary"):
        metrics.boundary_iou(np.ones((3, 3), bool), np.ones((3, 3), np.int8), ratio)


def test_two_empty_masks_agree():
    target = np.array([[0, -1]], np.int8)
    assert metrics.iou(np.array([[False, True]]), target) == 1.0
    assert metrics.iou(np.array([[True, True]]), target) == 0.0


def test_noc_counts_from_one_and_compares_in_float32():
    assert metrics.noc([0.9], 0.9, 20) == 1
    assert metrics.noc([0.1, 0.85, 0.8], 0.85, 20) == 2
    assert metrics.noc([0.1] * 20, 0.85, 20) == 20
    assert metrics.noc(np.array([0.3, 0.85], np.float32), 0.85, 20) == 2


def test_success_at_the_limit_is_counted_there_but_is_no_failure():
    sequences = [[0.1, 0.2, 0.9], [0.1, 0.2, 0.3], [0.9]]
    assert metrics.clicks_at_limit(sequences, 0.9, 3) == 2
    assert metrics.failures(sequences, 0.9) == 1


@pytest.mark.parametrize(
    ("target", "wanted"),
    [(0.9, (0.8, 0.85, 0.9)), (0.95, (0.8, 0.85, 0.9, 0.95)), (0.85, (0.8, 0.85)), (0.5, ())],
)
def test_thresholds_end_at_the_target(target, wanted):
    assert metrics.noc_thresholds(target) == wanted


def test_a_stopped_object_keeps_its_last_iou():
    sequences = [[0.5, 0.9], [0.1, 0.2, 0.3, 0.7]]
    assert metrics.mean_iou_at(sequences, 1) == pytest.approx(0.3)
    assert metrics.mean_iou_at(sequences, 4) == pytest.approx(0.8)


def test_harmful_clicks_lose_more_than_a_point():
    assert metrics.harmful_clicks([[0.5, 0.48, 0.475], [0.9]]) == 0.25
    assert metrics.harmful_clicks([[0.9]]) == 0.0


def test_the_interval_holds_the_mean_and_is_repeatable():
    values = np.random.default_rng(3).integers(1, 20, 60)
    low, high = metrics.mean_interval(values, range(60))
    assert low < values.mean() < high
    error = values.std() / math.sqrt(60)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert (low, high) == metrics.mean_interval(values, range(60))


def test_the_interval_draws_images_not_objects():
    values = [1.0] * 30 + [9.0] * 30
    by_image = metrics.mean_interval(values, ["first"] * 30 + ["second"] * 30)
    by_object = metrics.mean_interval(values, range(60))
    assert by_image == (1.0, 9.0)
    assert by_object[0] > 3.0
    assert by_object[1] < 7.0
