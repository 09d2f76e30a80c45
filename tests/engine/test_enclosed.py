"""What contours enclose and what lies near them."""

import numpy as np
import pytest
from fakes import ColourModel

from napari_clickseg import Segmenter
from napari_clickseg.engine.enclosed import REACH, box_around, filled
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import Contour


def square(top, left, side):
    """The corners of a contour around so many pixels."""
    bottom, right = top + side - 1, left + side - 1
    return (top, left), (top, right), (bottom, right), (bottom, left)


@pytest.fixture
def band():
    """A segmenter that takes all of a bright band, 40 pixels high, for the object."""
    image = np.zeros((100, 600, 3), np.uint8)
    image[30:70] = 255
    segmenter = Segmenter(ColourModel(), profile="clickseg")
    segmenter.set_image(image)
    return segmenter


def columns(segmenter):
    """First and last column of the mask."""
    inside = np.flatnonzero(np.asarray(segmenter.mask).any(axis=0))
    return int(inside[0]), int(inside[-1])


def test_a_contour_is_filled_inside_of_a_box():
    contour = Contour(square(20, 30, 41))
    assert box_around(contour, Box(0, 0, 50, 50)) == Box(20, 30, 50, 50)
    inside = filled(contour, Box(10, 20, 70, 80))
    assert inside[10:51, 10:51].all() and inside.sum() == 41 * 41
    assert abs(16 * filled(contour, Box(10, 20, 70, 80), 4).sum() - 41 * 41) < 41 * 8
    assert filled(contour, Box(5, 5, 5, 9)).size == 0


def test_the_answer_to_a_contour_stays_near(band):
    band.click(50, 300)
    first, last = columns(band)
    assert last - first > 300  # a click alone spreads
    band.reset()
    band.contour(square(30, 280, 40))
    assert columns(band) == (280 - REACH * 40, 319 + REACH * 40)
    mask = np.asarray(band.mask)
    assert mask[32:68, 275:325].all() and not mask[:28].any() and not mask[72:].any()


def test_a_click_after_a_contour_is_not_held_back(band):
    band.contour(square(30, 280, 40))
    band.click(50, 400)
    assert columns(band)[1] > 400


def test_what_is_far_from_a_contour_stays_as_it_was(band):
    given = np.zeros((100, 600))
    given[5:15, 500:520] = 1  # dark: the model would take it out
    band.set_mask(given)
    band.contour(square(30, 280, 40))
    mask = np.asarray(band.mask)
    np.testing.assert_array_equal(mask[:, 400:], given[:, 400:] == 1)
    assert mask[50, 300]


def test_two_contours_at_once(band):
    session = band.history.present.add(Contour(square(30, 280, 40)))
    session = session.add(Contour(square(30, 400, 40)))
    mask = band.predictor.run(session).mask(0.5)
    assert mask[50, [270, 329, 390, 449]].all()
    assert not mask[50, [268, 331, 388, 451]].any()


def test_a_negative_contour_may_change_more(band):
    band.set_mask(np.ones((100, 600)))
    band.contour(square(0, 0, 30), positive=False)
    assert not np.asarray(band.mask)[:30, :30].any()
    assert not np.asarray(band.mask)[5, 60]  # as dark as what was taken out


def test_near_a_large_contour():
    image = np.full((3000, 6000, 3), 255, np.uint8)
    segmenter = Segmenter(ColourModel(), profile="clickseg")
    segmenter.set_image(image)
    segmenter.contour(square(400, 400, 2000))
    found = np.asarray(segmenter.mask[1400])
    last = np.flatnonzero(found)[-1]
    assert found[:2400].all() and abs(last - (2399 + REACH * 2000)) <= 4
