"""The published rule against recorded cases, and the promises of ours."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.fitted_zoom_in import FittedZoomIn
from napari_clickseg.engine.session import Session
from napari_clickseg.engine.tiles import TileMap
from napari_clickseg.engine.views import CornerView
from napari_clickseg.engine.zoom_in import ZoomIn, fit_size
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import Click

DATA = Path(__file__).parent.parent / "data"
NAMES = {"recompute_thresh_iou": "recompute_iou", "prob_thresh": "threshold"}


def choose(zoom, session):
    return zoom.choose(session, session.interactions)


def settle(zoom, session, zoomed):
    return zoom.settle(session, session.interactions, zoomed)[0]


def _load(family):
    arrays = np.load(DATA / f"zoom_in_{family}.npz")
    return arrays, json.loads(bytes(arrays["meta"]))["cases"]


def _session(shape):
    return Session.of_image(as_reader(np.zeros(shape, np.uint8)), (0.0, 255.0))


CASES = [
    (family, i)
    for family in ("ritm", "fbrs")
    for i, case in enumerate(_load(family)[1])
    if case["kind"] == "ZoomIn"
]


@pytest.mark.parametrize(("family", "number"), CASES)
def test_published_zoom_in(family, number):
    arrays, cases = _load(family)
    case, image = cases[number], torch.from_numpy(arrays[f"z{number}_image"])[None]
    zoom = ZoomIn(**{NAMES.get(key, key): value for key, value in case["params"].items()})
    session = _session(image.shape[-2:])
    for k, step in enumerate(case["steps"]):
        session = session.add(Click(*step["click"]))
        roi = choose(zoom, session)
        assert (roi is not None and roi != session.roi) == step["image_changed"], k
        if step["roi"] is None:
            assert roi is None
            view = CornerView(Box.of_shape(session.shape), session.shape)
        else:
            top, bottom, left, right = step["roi"]
            assert roi == Box(top, left, bottom + 1, right + 1), k
            view = CornerView(roi, zoom.view_size(roi))
        placed = [view.place(click).points[0] for click in session.interactions]
        np.testing.assert_allclose(placed, step["view_clicks"], atol=1e-9)

        crop = image[(..., *view.box.slices)]
        shown = view.resize(crop, view.size)[0].numpy()
        np.testing.assert_allclose(shown, arrays[f"z{number}_{k}_view"], atol=2e-3)

        answer = torch.from_numpy(arrays[f"z{number}_{k}_prob"].astype(np.float32))[None, None]
        canvas = session.probabilities if roi is None else zoom.canvas(session.probabilities)
        pasted = view.paste(canvas, torch.logit(answer))
        np.testing.assert_allclose(np.asarray(pasted), arrays[f"z{number}_{k}_pasted"], atol=1e-3)

        session = replace(session, roi=roi, probabilities=pasted)
        assert (settle(zoom, session, 1) != roi) == step["recalculation"], k


@pytest.mark.parametrize("family", ["ritm", "fbrs"])
def test_published_limit_of_the_longest_side(family):
    arrays, cases = _load(family)
    case, image = cases[-1], torch.from_numpy(arrays["l_image"])
    image = image.reshape(1, -1, *image.shape[-2:])
    whole = Box.of_shape(image.shape[-2:])
    view = CornerView(whole, fit_size(whole.shape, case["params"]["max_size"], 1.0))
    shown = view.resize(image, view.size)[0].numpy()
    np.testing.assert_allclose(shown, arrays["l_view"].reshape(shown.shape), atol=2e-3)
    assert view.to_view(*case["click"]) == pytest.approx(case["view_click"])
    assert fit_size((50, 60), 70, 1.0) == (50, 60)


# ------------------------------------------------------------------------------- our rule

SHAPE = (400, 500)
rows, cols = st.integers(0, SHAPE[0] - 1), st.integers(0, SHAPE[1] - 1)
clicks = st.lists(st.builds(Click, rows, cols, st.booleans()), min_size=1, max_size=6)


def _with_mask(session, box):
    return replace(session, probabilities=TileMap(session.shape).paste(box, np.ones(box.shape)))


@given(rows, cols, st.integers(1, 60), st.integers(1, 60), clicks)
def test_our_region_holds_the_mask_and_its_clicks(row, col, height, width, clicks):
    mask = Box(row, col, row + height, col + width).clip(SHAPE)
    session = _with_mask(_session(SHAPE), mask).replace_interactions(clicks)
    roi = choose(FittedZoomIn(), session) or Box.of_shape(SHAPE)
    assert roi == roi.clip(SHAPE)
    assert roi.intersect(mask) == mask
    inside_mask = [click for click in clicks if mask.contains(*click.pixel)]
    positive = [click for click in clicks if click.positive]
    assert all(roi.contains(*click.pixel) for click in inside_mask + positive)


def test_our_region_holds_negative_clicks_near_the_object_but_not_far_ones():
    session = _with_mask(_session(SHAPE), Box(100, 100, 160, 160))
    near, far = Click(185, 130, False), Click(390, 490, False)
    alone = choose(FittedZoomIn(), session.add(far))
    assert alone == choose(FittedZoomIn(), session.add(Click(130, 130)))
    assert not alone.contains(*near.pixel)
    assert choose(FittedZoomIn(), session.add(near)).contains(*near.pixel)


def test_our_region_is_kept_while_it_still_fits():
    zoom = FittedZoomIn()
    session = _with_mask(_session(SHAPE), Box(100, 100, 200, 200)).add(Click(150, 150))
    first = choose(zoom, session)
    session = replace(session, roi=first)
    assert choose(zoom, _with_mask(session, Box(105, 95, 190, 205))) == first
    assert choose(zoom, _with_mask(session, Box(140, 140, 160, 160))) != first
    assert choose(zoom, session.add(Click(first.top - 30, 150))) != first


def test_our_rule_looks_again_at_small_objects_and_not_at_large_ones():
    zoom, session = FittedZoomIn(), _session(SHAPE).add(Click(150, 150))
    assert choose(zoom, session) is None
    small = _with_mask(session, Box(140, 140, 180, 180))
    assert settle(zoom, small, 0) == Box(128, 128, 192, 192)
    assert settle(zoom, _with_mask(session, Box(20, 20, 380, 480)), 0) is None
    assert settle(zoom, session, 0) == Box(118, 118, 183, 183)  # nothing found: look at the click


def test_our_region_grows_where_it_cuts_the_mask_and_not_at_the_image_border():
    zoom = FittedZoomIn()
    roi = Box(0, 100, 100, 200)
    session = replace(_session(SHAPE).add(Click(50, 150)), roi=roi)
    assert settle(zoom, _with_mask(session, Box(20, 120, 80, 180)), 1) == roi
    assert settle(zoom, _with_mask(session, Box(0, 120, 80, 180)), 1) == roi
    assert settle(zoom, _with_mask(session, Box(0, 120, 80, 200)), 1) == Box(0, 100, 100, 250)
    assert settle(zoom, _with_mask(session, Box(0, 100, 100, 200)), 2) == Box(0, 50, 150, 250)
    assert settle(zoom, _with_mask(session, Box(0, 100, 100, 200)), 3) == roi


def test_the_published_rule_cuts_fractions_off_and_holds_the_click_itself():
    """Against ours, which takes the pixel that holds the click."""
    zoom = ZoomIn(skip_clicks=0, expansion_ratio=1.0, min_crop_size=1, target_size=64)
    mask = Box(20, 20, 31, 31)
    clicked = _with_mask(_session(SHAPE).add(Click(40.7, 25)), mask)
    assert choose(zoom, clicked) == choose(zoom, replace(clicked, interactions=(Click(40, 25),)))
    roi = Box(20, 20, 41, 31)
    for row, kept in ((39.9, True), (40.0, False)):
        session = replace(clicked, interactions=(Click(row, 25),), roi=roi)
        assert zoom._holds(roi, session.interactions) == kept


def test_sizes():
    assert ZoomIn(target_size=0).view_size(Box(5, 5, 64, 90)) == (59, 85)
    assert FittedZoomIn().view_size(Box(0, 0, 64, 64)) == (128, 128)
    assert FittedZoomIn().view_size(Box(0, 0, 640, 480)) == (256, 192)
    assert FittedZoomIn(target_size=(100, 50)).view_size(Box(0, 0, 640, 480)) == (100, 50)
    assert fit_size((3, 10000), 320, 2.0, least=32) == (3, 320)
    assert fit_size((1, 1), 320, 2.0) == (2, 2)


@pytest.mark.parametrize(
    "bad",
    [
        {"target_size": -1},
        {"target_size": (3, 4, 5)},
        {"expansion_ratio": 0.9},
        {"skip_clicks": -2},
        {"threshold": 1.0},
        {"recompute_iou": 2},
        {"min_crop_size": 0},
        {"target_size": 320.5},
        {"target_size": (320, 0.5)},
        {"target_size": "large"},
        {"target_size": None},
        {"target_size": float("nan")},
        {"expansion_ratio": float("inf")},
        {"threshold": "a"},
        {"skip_clicks": None},
        {"skip_clicks": 1.5},
        {"recompute_iou": np.zeros(2)},
        {"min_crop_size": [3]},
    ],
)
def test_impossible_numbers_are_refused(bad):
    for kind in (ZoomIn, FittedZoomIn):
        with pytest.raises(ValueError, match=next(iter(bad))):
            kind(**bad)


@pytest.mark.parametrize(
    "bad", [{"max_enlargement": 0}, {"max_enlargement": "a"}, {"max_growths": -1}]
)
def test_impossible_numbers_of_our_rule_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        FittedZoomIn(**bad)


@pytest.mark.parametrize("size", [320, 320.0, np.int64(320), np.float32(320)])
def test_integral_sizes_of_any_kind_are_taken_as_int(size):
    assert ZoomIn(target_size=size) == ZoomIn(target_size=320)
    assert type(ZoomIn(target_size=size).target_size) is int
    pair = ZoomIn(target_size=np.array([size, size])).target_size
    assert pair == (320, 320) and {type(side) for side in pair} == {int}


def test_in_large_images_the_object_is_looked_for_in_a_window_that_grows():
    zoom, shape = FittedZoomIn(first_window=400), (3000, 4000)
    session = _session(shape).add(Click(1000, 150))
    first = choose(zoom, session)
    assert first == Box(800, 0, 1200, 400)
    assert choose(zoom, _session((300, 400)).add(Click(100, 150))) is None
    looked = replace(_with_mask(session, Box(900, 100, 1200, 300)), roi=first)
    grown, searching = zoom.settle(looked, looked.interactions, 0, searching=True)
    assert grown == Box(800, 0, 1400, 400) and searching
    found = replace(_with_mask(session, Box(900, 100, 1100, 300)), roi=first)
    fitted, searching = zoom.settle(found, found.interactions, 0, searching=True)
    assert fitted.contains(1000, 200) and not searching
    tiles = found.probabilities.paste(Box(900, 100, 1100, 300), np.full((200, 200), 0.6))
    unsure = replace(found, probabilities=tiles)
    wider, searching = zoom.settle(unsure, unsure.interactions, 0, searching=True)
    assert wider == Box(600, 0, 1400, 600) and searching
    seen = replace(unsure, viewport=first)
    assert zoom.settle(seen, seen.interactions, 0, searching=True)[1] is False


def test_what_the_user_sees_is_where_the_object_is_looked_for():
    session = _session((3000, 4000)).add(Click(1000, 150))
    view = Box(900, 0, 1100, 300)
    roi = choose(FittedZoomIn(), replace(session, viewport=view))
    assert roi.intersect(view) == view and roi.area < 4 * view.area
    assert choose(FittedZoomIn(), replace(session, viewport=Box(0, 0, 3000, 4000))) is None
