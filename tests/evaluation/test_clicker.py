"""The simulated user: published picks, and a brute-force reference."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from napari_clickseg.evaluation.clicker import next_click
from napari_clickseg.interactions import Click

VALUES = np.load(Path(__file__).parents[1] / "data" / "clicker_values.npz")


def slow_click(prediction, target, clicked):
    """The published rule on whole images, word for word."""
    missed = (target == 1) & ~prediction & (target != -1)
    added = (target != 1) & prediction & (target != -1)
    free = np.ones(target.shape)
    for click in clicked:
        free[click.pixel] = 0
    depths = [distance_transform_edt(np.pad(error, 1))[1:-1, 1:-1] for error in (missed, added)]
    missed, added = (depth * free for depth in depths)
    positive = missed.max() > added.max()
    depth = missed if positive else added
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    return Click(row, col, positive)


def test_published_picks():
    cases = zip(VALUES["user_gt"], VALUES["user_pred"], VALUES["user_clicks"], strict=True)
    for target, prediction, wanted in cases:
        clicks = []
        for row, col, positive in wanted:
            click = next_click(prediction, target, clicks)
            assert click == Click(row, col, bool(positive))
            clicks.append(click)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_equals_the_rule_on_whole_images(data):
    shape = data.draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    target = data.draw(arrays(np.int8, shape, elements=st.sampled_from([-1, 0, 1])))
    prediction = data.draw(arrays(bool, shape))
    clicks = []
    for _ in range(4):
        click = next_click(prediction, target, clicks)
        assert click == slow_click(prediction, target, clicks)
        clicks.append(click)


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_rule_on_blobs(seed):
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:70, :90]
    target = np.zeros((70, 90), np.int8)
    prediction = np.zeros((70, 90), bool)
    for k in range(12):
        row, col, radius = rng.integers(70), rng.integers(90), rng.integers(2, 15)
        disk = (rows - row) ** 2 + (cols - col) ** 2 < radius**2
        if k % 3 == 0:
            prediction |= disk
        else:
            target[disk] = 1
    target[rng.random(target.shape) < 0.01] = -1
    clicks = []
    for _ in range(8):
        click = next_click(prediction, target, clicks)
        assert click == slow_click(prediction, target, clicks)
        clicks.append(click)


def test_equal_depths_give_a_negative_click():
    target = np.zeros((9, 20), np.int8)
    target[2:7, 2:7] = 1
    prediction = np.zeros((9, 20), bool)
    prediction[2:7, 12:17] = True
    assert next_click(prediction, target) == Click(4, 14, False)
    target[2:7, 1:7] = 1  # wider, not deeper
    assert next_click(prediction, target) == Click(4, 14, False)
    target[1:8, 1:8] = 1
    assert next_click(prediction, target) == Click(4, 4, True)


def test_of_equally_deep_regions_the_first_in_row_major_order():
    target = np.zeros((20, 20), np.int8)
    target[4:9, 12:17] = 1
    target[3:8, 2:7] = 1
    target[14:19, 0:5] = 1
    assert next_click(np.zeros((20, 20), bool), target) == Click(5, 4, True)


def test_nothing_wrong_gives_a_negative_click_on_the_first_pixel():
    target = np.full((5, 6), -1, np.int8)
    target[1:3, 2:4] = 1
    assert next_click(target == 1, target) == Click(0, 0, False)
    assert next_click(np.ones((5, 6), bool), target) == Click(0, 0, False)


def test_an_error_whose_only_pixel_is_clicked_counts_as_none():
    target = np.zeros((5, 6), np.int8)
    target[3, 4] = 1
    clicks = [next_click(np.zeros((5, 6), bool), target)]
    assert clicks == [Click(3, 4, True)]
    assert next_click(np.zeros((5, 6), bool), target, clicks) == Click(0, 0, False)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="one size"):
        next_click(np.zeros((4, 5), bool), np.zeros((5, 4), np.int8))
