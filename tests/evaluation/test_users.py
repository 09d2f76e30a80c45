"""Simulated users with chance: where they click, what they draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_clickseg.evaluation.clicker import next_click
from napari_clickseg.evaluation.contours import draw_contour, star_region
from napari_clickseg.evaluation.mixed import PRODUCTS, MixedUser
from napari_clickseg.evaluation.random_clicks import PLACES, RandomClicker
from napari_clickseg.evaluation.strokes import draw_stroke
from napari_clickseg.evaluation.users import hand, user_variants

SHAPE = (120, 150)
ROWS, COLS = np.mgrid[: SHAPE[0], : SHAPE[1]]


def disk(row, col, radius):
    return (ROWS - row) ** 2 + (COLS - col) ** 2 <= radius**2


def target():
    wanted = (disk(60, 70, 35) | disk(20, 130, 8)).astype(np.int8)
    wanted[:, 75:77] = -1
    return wanted


EMPTY = np.zeros(SHAPE, bool)


def clicks(place, count=200, prediction=EMPTY, wanted=None):
    wanted = target() if wanted is None else wanted
    rng = np.random.default_rng(1)
    return [RandomClicker(place).next(prediction, wanted, (), rng) for _ in range(count)]


@pytest.mark.parametrize("place", ["near-centre", "uniform", "near-boundary"])
def test_clicks_lie_in_the_region_of_the_centre_click(place):
    centre = next_click(EMPTY, target())
    labels, _ = ndimage.label(target() == 1, np.ones((3, 3)))
    found = clicks(place)
    assert all(labels[click.pixel] == labels[centre.pixel] for click in found)
    assert all(click.positive for click in found)
    assert len(set(found)) > 50


def test_places_differ_in_depth():
    depth = ndimage.distance_transform_edt(np.pad(target() == 1, 1))[1:-1, 1:-1]
    deepest = depth[:, :75].max()
    means = {p: np.mean([depth[c.pixel] for c in clicks(p)]) / deepest for p in PLACES}
    assert means["near-centre"] > 0.75 > means["uniform"] > 0.25
    assert 0 < means["near-boundary"] < 0.25


def test_slipped_clicks_lie_just_outside_and_not_on_ignored_pixels():
    wanted = target()
    away = ndimage.distance_transform_edt(~(wanted == 1))
    found = clicks("outside", 100)
    assert all(0 < away[click.pixel] <= 0.01 * np.hypot(*SHAPE) for click in found)
    assert all(wanted[click.pixel] == 0 for click in found)


def test_wrongly_added_regions_get_negative_clicks():
    prediction = disk(60, 60, 50)
    wanted = disk(60, 60, 10).astype(np.int8)
    for place in ("near-centre", "uniform"):
        for click in clicks(place, 20, prediction, wanted):
            assert not click.positive
            assert prediction[click.pixel]
            assert not wanted[click.pixel]


def test_clicked_pixels_are_left_alone_while_there_are_others():
    wanted = np.zeros(SHAPE, np.int8)
    wanted[5, 5:8] = 1
    said, rng = [], np.random.default_rng(0)
    for _ in range(3):
        said.append(RandomClicker("uniform").next(EMPTY, wanted, said, rng))
    assert {click.pixel for click in said} == {(5, 5), (5, 6), (5, 7)}
    assert RandomClicker("uniform").next(EMPTY, wanted, said, rng) == next_click(
        EMPTY, wanted, said
    )


def blobs(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros(SHAPE, bool)
    for _ in range(rng.integers(1, 5)):
        mask |= disk(rng.integers(120), rng.integers(150), rng.integers(1, 40))
    return mask


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), positive=st.booleans())
def test_strokes_run_through_the_image_near_the_region(seed, positive):
    mask = blobs(seed)
    stroke = draw_stroke(mask, positive, np.random.default_rng(seed))
    if stroke is None:
        assert mask.sum() < 2
        return
    points = np.array(stroke.points)
    assert stroke.positive == positive
    assert (points >= 0).all()
    assert (points <= np.subtract(SHAPE, 1)).all()
    rows, cols = np.nonzero(mask)
    assert points[:, 0].min() >= rows.min() - np.ptp(rows) - 1
    assert points[:, 1].max() <= cols.max() + np.ptp(cols) + 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), positive=st.booleans())
def test_contours_enclose_about_the_region(seed, positive):
    from skimage.draw import polygon2mask

    mask = disk(60, 70, 15 + seed % 30)
    contour = draw_contour(mask, positive, np.random.default_rng(seed))
    inside = polygon2mask(SHAPE, contour.points)
    both = np.count_nonzero(inside & mask) / np.count_nonzero(inside | mask)
    assert contour.positive == positive
    assert both > 0.35
    points = np.array(contour.points)
    assert (points >= 0).all()
    assert (points <= np.subtract(SHAPE, 1)).all()


def test_nothing_to_draw_around():
    assert draw_contour(disk(5, 5, 0), True, np.random.default_rng(0)) is None
    assert draw_stroke(disk(5, 5, 0), True, np.random.default_rng(0)) is None


def test_only_the_part_around_a_deep_pixel_is_drawn_around():
    mask = disk(40, 40, 25) | disk(90, 120, 12)
    depth = ndimage.distance_transform_edt(mask)
    part = star_region(depth, np.random.default_rng(0))
    assert part[40, 40]
    assert not part[90, 120]
    assert not (part & ~mask).any()


def test_all_sequences_of_three_kinds():
    assert len(PRODUCTS) == len(set(PRODUCTS)) == 27
    variants = user_variants("product")
    assert len({v.variant for v in variants}) == 27
    for variant in variants[::5]:
        said = []
        for k in range(4):
            said.append(variant.user.next(EMPTY, target(), said, hand(0, k)))
        assert tuple(item.kind for item in said) == (*variant.user.kinds, "click")


def test_the_published_choice_of_kinds():
    user, rng = MixedUser(), np.random.default_rng(0)
    small, large = disk(60, 70, 10), disk(60, 70, 30)
    said = []
    for prediction, kind in ((EMPTY, "contour"), (small, "click"), (large, "stroke")):
        said.append(user.next(prediction, target(), said, rng))
        assert said[-1].kind == kind
    assert user.next(large, target(), said, rng).kind == "click"


def test_too_small_an_error_gets_a_click():
    wanted = np.zeros(SHAPE, np.int8)
    wanted[7, 9] = 1
    for kind in ("contour", "stroke"):
        said = MixedUser((kind,)).next(EMPTY, wanted, (), np.random.default_rng(0))
        assert (said.kind, said.pixel, said.positive) == ("click", (7, 9), True)


@pytest.mark.parametrize("name", ["saic-is", "product", "outside", "contour-stroke"])
def test_a_seed_decides_all(name):
    def draw(seed):
        variant = user_variants(name, seeds=1, seed=seed)[0]
        rng = hand(variant.seed, "set", "image", 1)
        return [variant.user.next(EMPTY, target(), (), rng) for _ in range(3)]

    assert draw(4) == draw(4)
    assert draw(4) != draw(5)


def test_unknown_users():
    for name in ("somebody", "click-tap", ""):
        with pytest.raises(ValueError, match="no simulated user"):
            user_variants(name)
    with pytest.raises(ValueError, match="seeds"):
        user_variants("uniform", seeds=0)
