import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_click_is_within_half_a_pixel_of_its_pixel(row, col):
    pixel = Click(row, col).pixel
    assert abs(pixel[0] - row) <= 0.5 and abs(pixel[1] - col) <= 0.5


def test_the_border_between_pixels_belongs_to_the_next_one():
    assert Click(0.5, -0.5).pixel == (1, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_click_nowhere_is_refused(bad):
    with pytest.raises(ValueError, match="no place in the image"):
        Click(bad, 0)
    with pytest.raises(ValueError, match="no place in the image"):
        Stroke(((0, 0), (1, bad)))


@pytest.mark.parametrize("bad", [None, "a", [1, 2], 10**400])
def test_what_is_no_place_is_refused(bad):
    with pytest.raises(ValueError, match="no place in the image"):
        Click(bad, 3)
    with pytest.raises(ValueError, match="no place in the image"):
        Stroke(((0, 0), (bad, 1)))


@pytest.mark.parametrize("bad", [5, [1, 2], "abc", None, [(1, 2, 3), (2, 3, 4)]])
def test_what_is_no_line_is_refused(bad):
    for kind in (Stroke, Contour):
        with pytest.raises(ValueError, match=r"sequence of \(row, col\) points"):
            kind(bad)


def test_a_prompt_needs_a_box():
    with pytest.raises(ValueError, match="is no Box"):
        BoxPrompt((1, 2, 3, 4))


@pytest.mark.parametrize(("kind", "least"), [(Stroke, 2), (Contour, 3)])
def test_lines_need_points(kind, least):
    assert len(kind(tuple((i, i) for i in range(least))).points) == least
    with pytest.raises(ValueError, match="Draw it longer"):
        kind(tuple((i, i) for i in range(least - 1)))


def test_a_box_shows_the_object_by_its_corner_pixels():
    prompt = BoxPrompt(Box(2, 3, 10, 20))
    assert prompt.positive
    assert prompt.points == ((2.0, 3.0), (9.0, 19.0))


def test_values_can_be_compared_and_kept_in_sets():
    assert Click(1, 2) == Click(1.0, 2.0, True)
    assert len({Click(1, 2), Click(1, 2), Click(1, 2, False)}) == 2
