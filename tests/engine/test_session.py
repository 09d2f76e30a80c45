import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.session import History, Session
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Stroke


@pytest.fixture
def session():
    return Session.of_image(as_reader(np.zeros((300, 400), np.uint8)), (0, 255))


def _clicks(session, n):
    for i in range(n):
        session = session.add(Click(i, i))
    return session


def test_adding_makes_a_new_value(session):
    more = session.add(Click(1, 2))
    assert session.interactions == () and more.interactions == (Click(1, 2),)
    assert more.probabilities is session.probabilities


@pytest.mark.parametrize(
    "outside",
    [
        Click(-1, 5),
        Click(5, 399.5),
        Click(300, 0),
        Stroke(((-5, -5), (-9, -9))),
        BoxPrompt(Box(300, 0, 320, 10)),
    ],
)
def test_what_is_outside_the_image_is_refused(session, outside):
    with pytest.raises(ValueError, match="outside the image of 300 x 400 pixels"):
        session.add(outside)
    with pytest.raises(ValueError, match="outside the image"):
        session.replace_interactions([outside])


def test_a_click_on_the_last_half_pixel_is_inside(session):
    assert session.add(Click(299.4, -0.5)).interactions[0].pixel == (299, 0)


def test_replacing_keeps_probabilities_only_when_it_adds(session):
    from dataclasses import replace

    known = replace(
        _clicks(session, 2),
        predicted=2,
        probabilities=session.probabilities.paste(Box(0, 0, 5, 5), np.ones((5, 5))),
    )
    added = known.replace_interactions((*known.interactions, Click(9, 9)))
    assert added.probabilities is known.probabilities and added.predicted == 2
    for changed in (known.interactions[:1], (Click(5, 5), *known.interactions), ()):
        again = known.replace_interactions(changed)
        assert again.predicted == 0 and again.roi is None
        assert again.interactions == tuple(changed)
        assert again.probabilities.bounding_box(0) is None


def test_a_start_mask_is_what_restarting_returns_to(session):
    mask = np.zeros((300, 400), np.uint8)
    mask[250:270, 255:260] = 7
    started = session.with_mask(mask)
    np.testing.assert_array_equal(started.mask(0.5), mask > 0)
    again = started.add(Click(0, 0)).replace_interactions(())
    np.testing.assert_array_equal(again.mask(0.99), mask > 0)
    assert session.mask(0.5).sum() == 0


def test_a_mask_of_another_shape_is_refused(session):
    with pytest.raises(ValueError, match=r"\(300, 401\)"):
        session.with_mask(np.zeros((300, 401)))


def test_nested_lists_are_masks():
    session = Session.of_image(as_reader(np.zeros((2, 2))), (0, 1))
    mask = session.with_mask([[0, 1], [1, 0]]).mask(0.5)
    assert mask.tolist() == [[False, True], [True, False]]
    none, text = np.full((2, 2), None), np.full((2, 2), "a")
    for wrong in (None, "ab", [[0, 1], [1]], [["a", "b"], ["c", "d"]], none, text, mask + 1j):
        with pytest.raises(ValueError, match="is not a mask"):
            session.with_mask(wrong)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        session.with_mask([0, 1, 2])


def test_nan_is_no_part_of_a_mask():
    session = Session.of_image(as_reader(np.zeros((1, 3))), (0, 1))
    assert session.with_mask([[np.nan, 0, 0.25]]).mask(0.5).tolist() == [[False, False, True]]


@pytest.mark.parametrize("box", [Box(40, 10, 20, 30), Box(10, 10, 10, 30)])
def test_a_box_without_pixels_is_told_as_such(session, box):
    with pytest.raises(ValueError, match="holds no pixel"):
        session.add(BoxPrompt(box))


def test_a_start_mask_is_cut_to_the_region(session):
    confined = session.confine(Box(10, 20, 40, 60))
    started = confined.with_mask(np.ones(session.shape))
    assert started.probabilities.bounding_box(0.5) == Box(10, 20, 40, 60)
    assert started.restart().probabilities.bounding_box(0.5) == Box(10, 20, 40, 60)


@pytest.mark.parametrize("region", [(1, 2, 3, 4), "x", 5])
def test_a_region_is_a_box(session, region):
    with pytest.raises(ValueError, match="is no Box"):
        session.confine(region)


def test_mask_of_a_box(session):
    mask = np.random.default_rng(0).random((300, 400)) > 0.5
    box = Box(100, 200, 290, 330)
    np.testing.assert_array_equal(session.with_mask(mask).mask(0.5, box), mask[box.slices])


@given(st.lists(st.sampled_from(["do", "undo", "redo", "amend"]), max_size=30))
def test_history_is_a_list_with_a_place_in_it(steps):
    """Against the plain model: a list of values and an index."""
    start = Session.of_image(as_reader(np.zeros((3, 3))), (0, 1))
    history, values, at = History(start), [start], 0
    for number, step in enumerate(steps):
        new = start.add(Click(1, 1)) if number % 2 else start
        if step == "do":
            history, values, at = history.do(new), [*values[: at + 1], new], at + 1
        elif step == "amend":
            history = history.amend(new)
            values[at] = new
        elif step == "undo":
            history, at = history.undo(), max(0, at - 1)
        else:
            history, at = history.redo(), min(len(values) - 1, at + 1)
        assert history.present is values[at]
        assert (history.can_undo, history.can_redo) == (at > 0, at < len(values) - 1)
        assert history.past == tuple(values[:at])
        assert history.future == tuple(values[at + 1 :])
