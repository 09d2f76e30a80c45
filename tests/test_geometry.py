import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_clickseg.geometry import Box, bounding_box

sides = st.integers(-20, 20)
boxes = st.builds(Box, sides, sides, sides, sides)


def _pixels(box: Box) -> set[tuple[int, int]]:
    return {(r, c) for r in range(box.top, box.bottom) for c in range(box.left, box.right)}


@given(boxes, boxes)
def test_intersection_and_union_hold_the_right_pixels(a, b):
    assert _pixels(a.intersect(b)) == _pixels(a) & _pixels(b)
    assert _pixels(a.union(b)) >= _pixels(a) | _pixels(b)


@given(boxes)
def test_area_counts_pixels(box):
    assert box.area == len(_pixels(box)) == box.height * box.width
    assert box.empty == (not _pixels(box))


@given(boxes, st.floats(-21, 21), st.floats(-21, 21))
def test_contains_asks_for_the_pixel_that_holds_the_point(box, row, col):
    pixel = (int(np.floor(row + 0.5)), int(np.floor(col + 0.5)))
    assert box.contains(row, col) == (pixel in _pixels(box))


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_bounding_box_is_tight(mask):
    box = bounding_box(mask)
    if not mask.any():
        assert box is None
        return
    rows, cols = np.nonzero(mask)
    assert box == Box(rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)


def test_shift_and_clip():
    assert Box(1, 2, 3, 4).shift(-2, 5) == Box(-1, 7, 1, 9)
    assert Box(-3, -3, 50, 4).clip((10, 20, 3)) == Box(0, 0, 10, 4)
    with pytest.raises(AttributeError):
        Box(0, 0, 1, 1).top = 3


@pytest.mark.parametrize("side", [float("nan"), float("inf"), "a", None])
def test_sides_that_are_no_numbers_are_refused(side):
    with pytest.raises(ValueError, match="as its left. Give whole numbers"):
        Box(0, side, 1, 1)
