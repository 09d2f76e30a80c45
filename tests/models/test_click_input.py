"""How interactions are shown to published networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_clickseg.interactions import Click, Contour, Stroke
from napari_clickseg.models.base import Inputs
from napari_clickseg.models.click_input import ClickInput
from napari_clickseg.models.published import PublishedModel

SHAPE = (40, 50)
KINDS = ("click", "contour", "stroke")

CLICK = Click(5, 6)
BACKGROUND_CLICK = Click(30, 40, positive=False)
STROKE = Stroke([(20, 10), (20, 30)], positive=False)
CONTOUR = Contour([(8, 30), (8, 45), (16, 45), (16, 30)])


@pytest.fixture(scope="module")
def published():
    """Points and the maps that the published systems draw of them."""
    return np.load(Path(__file__).parents[1] / "data" / "click_maps.npz")


def interactions_of(points: np.ndarray) -> list[Click]:
    """The clicks of a point array, in their order."""
    half = len(points) // 2
    clicks = [(p[2], Click(p[0], p[1], i < half)) for i, p in enumerate(points) if p[2] >= 0]
    return [click for _, click in sorted(clicks, key=lambda pair: pair[0])]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("maps_disk5", ClickInput(radius=5)),
        ("maps_disk3", ClickInput(radius=3)),
        ("maps_tanh260", ClickInput(disks=False, radius=260)),
    ],
)
def test_clicks_become_the_published_maps(published, name: str, given: ClickInput) -> None:
    expected = published[name]
    shape = expected.shape[1:]
    drawn = given.draw_points(torch.from_numpy(published["points"])[None], shape)[0].numpy()
    np.testing.assert_allclose(drawn, expected, atol=1e-6)
    encoded = given.encode(interactions_of(published["points"]), shape)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded[0], expected, atol=1e-6)


@pytest.mark.parametrize(("disks", "empty"), [(True, 0.0), (False, 1.0)])
def test_without_clicks_maps_are_those_of_far_clicks(disks: bool, empty: float) -> None:
    assert (ClickInput(disks=disks).encode([], SHAPE) == empty).all()


@pytest.mark.parametrize("kinds", [KINDS, ("stroke", "click", "contour")])
def test_each_kind_has_its_pair_of_maps_in_the_order_of_kinds(kinds: tuple[str, ...]) -> None:
    given = ClickInput(kinds=kinds, radius=3)
    maps = given.encode([CLICK, BACKGROUND_CLICK, STROKE, CONTOUR], SHAPE)
    assert maps.shape == (1, given.map_channels, *SHAPE) == (1, 6, *SHAPE)
    positive = {kind: maps[0, 2 * i] for i, kind in enumerate(kinds)}
    negative = {kind: maps[0, 2 * i + 1] for i, kind in enumerate(kinds)}
    assert positive["click"][5, 6] == 1
    assert positive["click"].sum() == negative["click"].sum() == 29  # pixels of a disk of radius 3
    assert negative["click"][30, 40] == 1
    assert not positive["stroke"].any()
    assert negative["stroke"][15:26, 10:31].all()
    assert positive["contour"].sum() == 9 * 16
    assert not negative["contour"].any()


def test_accumulating_models_see_everything_others_the_latest_kind_only() -> None:
    said = [CLICK, STROKE, CONTOUR, BACKGROUND_CLICK]
    everything = ClickInput(kinds=KINDS).encode(said, SHAPE)[0]
    assert [bool(pair.any()) for pair in everything.reshape(3, -1)] == [True, True, True]
    latest = ClickInput(kinds=KINDS, accumulate=False).encode(said, SHAPE)[0]
    assert np.array_equal(latest[:2], everything[:2])  # both clicks
    assert not latest[2:].any()
    latest = ClickInput(kinds=KINDS, accumulate=False).encode(said[:3], SHAPE)[0]
    assert np.array_equal(latest[2:4], everything[2:4])
    assert not latest[:2].any()
    assert not latest[4:].any()


def test_interactions_of_one_kind_and_sign_are_united() -> None:
    given = ClickInput(kinds=("contour",))
    other = Contour([(2, 2), (2, 6), (6, 6)])
    one, two = (given.encode([item], SHAPE) for item in (CONTOUR, other))
    assert np.array_equal(given.encode([CONTOUR, other], SHAPE), np.maximum(one, two))


def test_a_kind_not_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="takes clicks, not a stroke"):
        ClickInput().encode([CLICK, STROKE], SHAPE)
    with pytest.raises(ValueError, match="takes clicks and strokes, not a contour"):
        ClickInput(kinds=("click", "stroke")).encode([CONTOUR], SHAPE)


def test_groups_draw_clicks_by_their_order() -> None:
    given = ClickInput(groups=(8, 2))
    said = [Click(10, 10), Click(30, 10, positive=False), Click(20, 40)]
    maps = given.encode(said, SHAPE)[0]
    assert maps.shape[0] == given.map_channels == 4
    sizes = [int((m > 0).sum()) for m in maps]
    assert sizes == [197, 0, 13, 13]  # disks of radius 8 and 2
    assert maps[0, 10, 10] == maps[2, 20, 40] == maps[3, 30, 10] == 1


def test_after_a_start_mask_the_order_counts_from_one() -> None:
    maps = ClickInput(groups=(8, 2)).encode([Click(10, 10)], SHAPE, 1)[0]
    assert [int(m.sum()) for m in maps] == [0, 0, 13, 0]


def test_a_first_click_that_is_negative_is_in_the_last_group() -> None:
    maps = ClickInput(groups=(8, 2)).encode([Click(20, 20, positive=False)], SHAPE)[0]
    assert [int(m.sum()) for m in maps] == [0, 0, 0, 13]


def test_groups_need_the_order_of_clicks() -> None:
    with pytest.raises(ValueError, match="points of three values"):
        ClickInput(groups=(8, 2)).draw_points(torch.zeros(1, 2, 2), SHAPE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fusion": "late"}, "no fusion 'late'"),
        ({"kinds": ("lasso",)}, "no interaction 'lasso'"),
        ({"radius": 0.0}, "radius of the clicks is 0"),
        ({"groups": (5.0, float("nan"))}, "radius of the clicks"),
        ({"groups": (5.0, 3.0), "kinds": ("click", "stroke")}, "with clicks only"),
    ],
)
def test_an_impossible_input_is_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClickInput(**wrong)


def test_plain_values_give_the_same_input_back() -> None:
    given = ClickInput(groups=(8, 2), stride=1, binary_prev_mask=True)
    assert ClickInput.of(given.as_dict()) == given
    assert all(not isinstance(value, tuple) for value in given.as_dict().values())


class Mirror(PublishedModel):
    """Its logits are the previous mask as the network sees it."""

    def __init__(self, inputs: ClickInput) -> None:
        super().__init__("mirror", "ritm", inputs, {}, [self.inner_split("seen", prev=1)], {})

    def _steps(self, split):
        return [("seen", lambda tensors: {"prev": tensors["coordinates"][:, :1]})]

    def _classify(self, tensors):
        return tensors["prev"]


@pytest.mark.parametrize(
    ("binary", "seen"), [(False, [0.2, 0.5, 0.51, 0.9]), (True, [0.0, 0.0, 1.0, 1.0])]
)
def test_a_binary_previous_mask_is_cut_at_one_half(binary: bool, seen: list[float]) -> None:
    model = Mirror(ClickInput(fusion="patches", binary_prev_mask=binary))
    prev = torch.tensor([0.2, 0.5, 0.51, 0.9]).view(1, 1, 2, 2)
    logits = model(Inputs(torch.zeros(1, 3, 2, 2), torch.zeros(1, 2, 2, 2), prev))
    assert logits.flatten().tolist() == pytest.approx(seen)


def test_a_model_draws_points_and_leaves_maps_of_other_kinds_empty() -> None:
    model = Mirror(ClickInput(fusion="patches", kinds=KINDS, radius=3))
    points = torch.tensor([[[5.0, 6, 0], [30, 40, 1]]])
    maps = model.maps_from_points(points, SHAPE)
    expected = model.inputs.encode([CLICK, BACKGROUND_CLICK], SHAPE)
    assert np.array_equal(maps.numpy(), expected)
