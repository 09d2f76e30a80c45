"""Holes, parts and outline: what cleaning does to a mask, and what it never takes away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.mask_rule import MaskRule
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.engine.session import Session
from napari_clickseg.engine.tiles import TileMap
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke

SIDE = 600  # more than two tiles


def answered(mask: np.ndarray, *said, start=None) -> Session:
    """A session whose network answered a mask to what was said."""
    session = Session.of_image(as_reader(np.zeros(mask.shape, np.uint8)), (0.0, 1.0))
    if start is not None:
        session = session.with_mask(start)
    tiles = TileMap(mask.shape).paste(Box.of_shape(mask.shape), np.where(mask, 0.9, 0.1))
    session = session.replace_interactions(said)
    return Session(
        **{
            **{name: getattr(session, name) for name in session.__dataclass_fields__},
            "probabilities": tiles,
            "predicted": len(said),
        }
    )


def cleaned(mask: np.ndarray, *said, start=None, **fields) -> np.ndarray:
    return np.asarray(MaskRule(0.5, **fields).view(answered(mask, *said, start=start)))


@pytest.fixture
def ring() -> np.ndarray:
    """A ring over several tiles, with a hole of several tiles, and a hole open to one side."""
    rows, cols = np.ogrid[:SIDE, :SIDE]
    far = np.hypot(rows - 300, cols - 300)
    mask = (far < 290) & (far > 150)
    mask[295:305, :20] = False
    return mask


def test_a_rule_that_only_cuts_gives_the_probabilities_as_they_are(ring):
    session = answered(ring, Click(300, 60))
    assert MaskRule(0.5).apply(session) is session.probabilities


def test_holes_are_filled_over_tiles(ring):
    assert (cleaned(ring, fill_holes=True) == ndi.binary_fill_holes(ring)).all()


def test_a_hole_with_a_negative_click_stays(ring):
    assert (cleaned(ring, Click(300, 300, False), fill_holes=True) == ring).all()


def test_background_that_reaches_the_border_of_the_image_is_no_hole():
    mask = np.ones((20, 30), bool)
    mask[0:5, 10:15] = False
    assert (cleaned(mask, fill_holes=True) == mask).all()


def test_a_hole_that_was_painted_stays_and_others_are_filled(ring):
    start = ring.copy()
    ring[300, 60] = False
    found = cleaned(ring, Click(300, 70), start=start, fill_holes=True)
    assert found[300, 60] and (found == start).all()


def three_parts() -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[10:50, 10:50] = mask[200:400, 200:400] = mask[500:503, 500:503] = True
    return mask


def test_parts_that_were_not_clicked_go():
    found = cleaned(three_parts(), Click(20, 20), keep_parts="clicked")
    assert found[20, 20] and found.sum() == 40 * 40


def test_every_part_that_was_clicked_stays_however_small():
    for rule in ({"keep_parts": "largest"}, {"keep_parts": "clicked"}, {"min_size": 10**5}):
        found = cleaned(three_parts(), Click(20, 20), Click(501, 501), **rule)
        assert found[20, 20] and found[501, 501], rule


@pytest.mark.parametrize(
    "said",
    [
        Stroke([(20, 5), (20, 70)]),
        Contour([(5, 5), (5, 55), (55, 55), (55, 5)]),
    ],
)
def test_strokes_and_contours_hold_parts_too(said):
    found = cleaned(three_parts(), said, keep_parts="clicked")
    assert found[20, 20] and not found[300, 300]


def test_without_a_click_in_any_part_all_are_kept():
    mask = three_parts()
    box = BoxPrompt(Box(0, 0, SIDE, SIDE))
    assert (cleaned(mask, box, Click(0, 590, False), keep_parts="clicked") == mask).all()


def test_parts_of_the_mask_it_was_started_from_stay():
    start = np.zeros((SIDE, SIDE), bool)
    start[500:503, 500:503] = True
    found = cleaned(three_parts(), Click(20, 20), start=start, keep_parts="clicked")
    assert found[501, 501] and not found[300, 300]


def test_a_mask_that_nobody_predicted_is_left_as_it_is():
    session = answered(three_parts())
    painted = session.with_mask(three_parts())
    rule = MaskRule(0.5, keep_parts="largest", min_size=99, fill_holes=True, smooth=3)
    assert rule.apply(painted) is painted.probabilities


def test_a_mask_is_not_cleaned_away_altogether():
    mask = np.zeros((40, 40), bool)
    mask[5:8, 5:8] = True
    assert (cleaned(mask, min_size=100, smooth=5) == mask).all()


def test_smoothing_takes_spikes_and_notches_but_not_those_that_were_clicked():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[200:400, 200:400] = True
    mask[300, 400:560] = True  # a whisker over a border of tiles
    mask[300, 200:230] = False  # and a notch
    smooth = cleaned(mask, smooth=3)
    assert not smooth[300, 410:].any() and smooth[300, 205:225].all()
    kept = cleaned(mask, Click(300, 550), Click(300, 215, False), smooth=3)
    assert kept[300, 410:560].all() and not kept[300, 205:225].any()


def test_smoothing_is_the_same_over_tiles_as_in_one_piece():
    rng = np.random.default_rng(1)
    mask = ndi.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 12) > 0
    whole = ndi.gaussian_filter(mask.astype(np.float32), 2.5, truncate=3) > 0.5
    found = cleaned(mask, smooth=2.5)
    parts, count = ndi.label(mask, np.ones((3, 3)))
    lost = [n for n in range(1, count + 1) if not whole[parts == n].any()]
    assert (found == (whole | np.isin(parts, lost))).all()


def test_the_answer_and_undo_are_not_touched():
    session = answered(three_parts(), Click(20, 20))
    before = np.asarray(session.probabilities)
    MaskRule(0.5, keep_parts="clicked", smooth=2).apply(session)
    assert (np.asarray(session.probabilities) == before).all()


def test_other_options_are_seen_at_once():
    session = answered(three_parts(), Click(20, 20))
    clicked = MaskRule(0.5, keep_parts="clicked").view(session)
    largest = MaskRule(0.5, keep_parts="largest").view(session)
    assert np.asarray(clicked).sum() < np.asarray(largest).sum()
    assert np.asarray(MaskRule(0.5).view(session)).sum() == three_parts().sum()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from((0.1, 0.5, 0.59, 0.7, 0.95)))
def test_parts_are_those_of_the_whole_image(seed, filled):
    """Small and large parts over borders and corners of tiles, against SciPy on one piece."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((30, 30)) < filled
    mask = np.kron(coarse, np.ones((18, 18), bool))
    mask[rng.integers(0, 540, 40), rng.integers(0, 540, 40)] ^= True
    parts, count = ndi.label(mask, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    if not (sizes[1:] >= 400).any():
        return
    expected = mask & (sizes[parts] >= 400)
    assert (cleaned(mask, min_size=400) == expected).all()
    assert (cleaned(mask, fill_holes=True) == ndi.binary_fill_holes(mask)).all()


@pytest.mark.parametrize("wrong", [{"keep_parts": "some"}, {"min_size": -1}, {"smooth": -1}])
def test_impossible_values_are_refused_in_a_sentence(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        get_profile("clickseg").override(**wrong)
