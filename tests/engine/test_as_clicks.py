"""What a model of clicks is shown of strokes, contours and boxes."""

import numpy as np
import pytest

from napari_clickseg import Segmenter
from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.as_clicks import as_clicks, confinement, interior_points
from napari_clickseg.engine.network import Network
from napari_clickseg.engine.session import Session
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke

CLICKS = frozenset({"click"})
SQUARE = ((20, 30), (20, 70), (60, 70), (60, 30))


@pytest.fixture
def session():
    return Session.of_image(as_reader(np.zeros((100, 120), np.uint8)), (0, 255))


def clicks_of(session):
    return [item for item in session.interactions if isinstance(item, Click)]


def test_what_the_model_knows_is_left_alone(session):
    said = session.add(Click(5, 5)).add(Stroke(((1, 1), (9, 9))))
    assert as_clicks(said, CLICKS | {"stroke"}) is said


@pytest.mark.parametrize("positive", [True, False])
def test_a_stroke_becomes_clicks_along_it(session, positive):
    said = session.add(Stroke(((50, 10), (50, 60), (90, 60)), positive))
    shown = as_clicks(said, CLICKS)
    clicks = clicks_of(shown)
    assert len(clicks) == 4 and all(c.positive is positive for c in clicks)
    assert all(c.row == 50 or c.col == 60 for c in clicks)
    steps = np.diff([[c.row, c.col] for c in clicks], axis=0)
    assert np.allclose(np.abs(steps).sum(axis=1), 22.5)
    assert not np.asarray(shown.probabilities).any()
    assert len(clicks_of(as_clicks(session.add(Stroke(((5, 5), (5, 8)))), CLICKS))) == 1


def test_a_contour_is_drawn_and_clicked_inside(session):
    shown = as_clicks(session.add(Contour(SQUARE)), CLICKS)
    inside = np.asarray(shown.probabilities) > 0
    assert inside[20:61, 30:71].all() and inside.sum() == 41 * 41
    first, *others = clicks_of(shown)
    assert (first.row, first.col) == (40, 50)
    assert all(inside[c.pixel] for c in (first, *others))


def test_a_negative_contour_takes_away(session):
    whole = session.with_mask(np.ones((100, 120)))
    shown = as_clicks(whole.add(Contour(SQUARE, False)), CLICKS)
    left = np.asarray(shown.probabilities)
    assert not left[20:61, 30:71].any() and left.sum() == 100 * 120 - 41 * 41
    assert not any(c.positive for c in clicks_of(shown))


def test_contours_that_the_mask_knows_of_are_not_drawn_again(session):
    from dataclasses import replace

    said = replace(session.add(Contour(SQUARE)), predicted=1).add(Click(5, 5))
    assert not np.asarray(as_clicks(said, CLICKS).probabilities).any()


def test_contours_may_leave_the_image(session):
    outside = Contour(((-50, -50), (-50, 30), (30, 30), (30, -50)))
    shown = as_clicks(session.add(outside), CLICKS)
    assert np.asarray(shown.probabilities)[:31, :31].all()
    assert np.asarray(shown.probabilities).sum() == 31 * 31


def test_what_began_with_a_contour_is_looked_at_again(monkeypatch):
    shown, look = [], Network.look

    def counted(network, session, mask, view, *rest):
        shown.append(mask)
        return look(network, session, mask, view, *rest)

    monkeypatch.setattr(Network, "look", counted)
    seg = Segmenter("clickseg-compact", zoom_in=None)
    seg.set_image(np.zeros((100, 120, 3), np.uint8))
    seg.contour(SQUARE)
    assert len(shown) == 3 and np.asarray(shown[0]).sum() == 41 * 41
    assert not np.array_equal(np.asarray(shown[0]), np.asarray(shown[1]))  # its own answer
    seg.click(50, 50)
    assert len(shown) == 4


def test_a_box_is_clicked_at_its_centre_while_nothing_else_is_said(session):
    box = Box(10, 20, 31, 61)
    alone = as_clicks(session.add(BoxPrompt(box)), CLICKS)
    assert alone.interactions == (Click(20, 40),)
    told = as_clicks(session.add(Click(12, 22)).add(BoxPrompt(box)), CLICKS)
    assert told.interactions == (Click(12, 22),)
    beside = as_clicks(session.add(Click(90, 90)).add(BoxPrompt(box)), CLICKS)
    assert beside.interactions == (Click(20, 40),)


def test_the_latest_box_confines(session):
    said = session.add(BoxPrompt(Box(0, 0, 50, 50))).add(BoxPrompt(Box(40, 40, 200, 200)))
    assert confinement(said) == Box(40, 40, 100, 120)
    assert confinement(said.confine(Box(0, 0, 60, 60))) == Box(40, 40, 60, 60)
    assert as_clicks(said, CLICKS, crop=True).region == Box(40, 40, 100, 120)
    assert as_clicks(said, CLICKS).region is None


def test_a_model_of_boxes_is_shown_the_one_that_came_first(session):
    kinds, box, click = CLICKS | {"box"}, BoxPrompt(Box(10, 10, 50, 50)), Click(20, 20)
    assert as_clicks(session.add(box).add(click), kinds).interactions == (box, click)
    assert as_clicks(session.add(click).add(box), kinds).interactions == (click,)
    (middle,) = as_clicks(session.with_mask(np.ones(session.shape)).add(box), kinds).interactions
    assert isinstance(middle, Click)


def test_interior_points_are_deep_and_apart():
    mask = np.zeros((40, 100), bool)
    mask[10:31, 5:95] = True
    points = interior_points(mask, 3)
    assert len(points) == 3 and all(mask[p] for p in points)
    cols = sorted(col for _, col in points)
    assert min(np.diff(cols)) > 15
    assert interior_points(np.zeros((5, 5)), 3) == []
    assert interior_points(np.ones((1, 1)), 3) == [(0, 0)]


def test_all_tools_change_the_mask_of_the_bundled_model_and_can_be_undone():
    rows, cols = np.mgrid[:120, :160]
    image = np.full((120, 160, 3), 60, np.uint8)
    disk = np.hypot(rows - 60, cols - 80) < 30
    image[disk] = 220
    seg = Segmenter("clickseg-compact")
    seg.set_image(image)
    seg.contour([(60 + 36 * np.sin(a), 80 + 34 * np.cos(a)) for a in np.linspace(0, 6, 20)])
    assert (seg.mask & disk).sum() / (seg.mask | disk).sum() > 0.9
    before = seg.mask
    seg.box(Box(0, 0, 120, 80))
    assert not seg.mask[:, 80:].any() and seg.mask[60, 60]
    seg.undo()
    assert np.array_equal(seg.mask, before)
    seg.reset()
    seg.stroke([(60, 65), (60, 95)])
    assert (seg.mask & disk).sum() / (seg.mask | disk).sum() > 0.8
