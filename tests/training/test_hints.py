"""Strokes, contours, boxes and rough masks that training draws itself."""

import numpy as np
import pytest

from napari_clickseg.training.hints import (
    lasso,
    loose_box,
    part_at,
    rough_contour,
    rough_mask,
    scribble,
)


def blob(radius: float = 24.0) -> np.ndarray:
    rows, cols = np.ogrid[:96, :96]
    return np.hypot(rows - 44, cols - 52) < radius


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("seed", range(8))
def test_a_lasso_is_near_the_region_and_never_exact(seed):
    drawn = lasso(blob(), np.random.default_rng(seed))
    assert 0.6 < iou(drawn, blob()) < 1


def test_lassos_lie_outside_rather_than_inside():
    areas = [lasso(blob(), np.random.default_rng(seed)).sum() for seed in range(40)]
    assert np.mean(areas) > blob().sum()


@pytest.mark.parametrize("seed", range(8))
def test_a_rough_contour_encloses_much_of_the_region_and_is_clicked_in_it(seed):
    inside, clicks = rough_contour(blob(), True, np.random.default_rng(seed))
    assert 0.3 < iou(inside, blob()) < 1
    assert 1 <= len(clicks) <= 3 and all(inside[place] and blob()[place] for place in clicks)
    dot = np.zeros((9, 9), bool)
    dot[4, 4] = True
    inside, clicks = rough_contour(dot, True, np.random.default_rng(seed))
    assert np.array_equal(inside, dot) and clicks == [(4, 4)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("radius", [2.0, 24.0])
def test_a_scribble_stays_in_the_region_but_for_its_thickness(seed, radius):
    rng = np.random.default_rng(seed)
    drawn = scribble(blob(radius), 5, rng)
    assert drawn.any()
    assert not (drawn & ~blob(radius + 3)).any()


@pytest.mark.parametrize("seed", range(8))
def test_a_loose_box_holds_most_of_the_region(seed):
    box = loose_box(blob(), np.random.default_rng(seed))
    assert blob()[box.slices].sum() > 0.8 * blob().sum()
    assert box.area < 3 * blob().sum()


def test_boxes_of_single_pixels_are_boxes():
    dot = np.zeros((9, 9), bool)
    dot[0, 8] = True
    for seed in range(20):
        assert loose_box(dot, np.random.default_rng(seed)).area >= 1


def test_rough_masks_differ_from_a_little_to_a_lot():
    scores = [iou(rough_mask(blob(), np.random.default_rng(seed)), blob()) for seed in range(60)]
    assert min(scores) < 0.6 and max(scores) > 0.85


def test_the_part_is_the_connected_one():
    both = blob(10) | np.roll(blob(10), 40, axis=0)
    part = part_at(both, 44, 52)
    assert part.sum() == blob(10).sum() and part[44, 52]


def test_the_same_seed_draws_the_same():
    for draw in (lasso, rough_mask, lambda r, g: scribble(r, 5, g)):
        one, two = (draw(blob(), np.random.default_rng(3)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
