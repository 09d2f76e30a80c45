import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes import ColourModel, DiskModel, FixedModel, StubbornModel
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.cancel import Cancelled
from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.postprocess import honour_clicks
from napari_clickseg.engine.predictor import Predictor
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.engine.segmenter import Segmenter
from napari_clickseg.engine.tiles import TileMap
from napari_clickseg.engine.tiling import Tiling
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke
from napari_clickseg.models.staged import StagedModel


def _predictor(model, profile="clickseg", **overrides):
    """A predictor; ours shows no mirrored copy here, so that network calls can be counted."""
    if profile == "clickseg":
        overrides = {"flip": False, **overrides}
    return Predictor(model, get_profile(profile).override(**overrides))


def _run(predictor, image, *clicks):
    session = predictor.start(as_reader(image))
    for click in clicks:
        session = predictor.run(session.add(click))
    return session


@pytest.mark.parametrize("profile", ["clickseg", "ritm", "ritm_demo", "simpleclick", "avalanche"])
def test_a_click_finds_what_has_its_colour(profile, scene):
    predictor = _predictor(ColourModel(), profile)
    mask = _run(predictor, scene, Click(40, 50)).mask(predictor.profile.threshold)
    disk = (scene == (220, 30, 30)).all(axis=-1)
    assert (mask & disk).sum() / (mask | disk).sum() > 0.9


@pytest.mark.parametrize("flip", [False, True])
def test_a_click_corrects_a_started_mask_only_where_it_is_connected(flip):
    """The network would drop the second disk and shift the first; only a bump was asked for."""
    rows, cols = np.mgrid[:96, :128]
    disk = np.hypot(rows - 40, cols - 40) < 20
    other = np.hypot(rows - 70, cols - 100) < 12
    image = np.zeros((96, 128, 3), np.uint8)
    image[disk | (np.hypot(rows - 40, cols - 62) < 8)] = 220, 30, 30
    seg = Segmenter(ColourModel(), flip=flip)
    seg.set_image(image)
    seg.set_mask((disk & (cols > 25)) | other)
    before = np.array(seg.mask)
    seg.click(40, 66)
    assert seg.mask[36:45, 62:68].all(), "the bump is added"
    assert (np.array(seg.mask) & ~before)[:, :50].sum() == 0, "the far side of the disk stays"
    np.testing.assert_array_equal(seg.mask[:, 85:], before[:, 85:])
    seg.click(40, 40)
    assert not seg.mask[:, 85:].any(), "a click that agrees may change all"


def test_the_picture_is_what_the_network_was_shown_last():
    """Dark 12-bit values are shown bright, and only the region is shown."""
    values = np.zeros((300, 400), np.uint16)
    values[100:140, 200:260] = 900
    predictor = _predictor(ColourModel(), "clickseg")
    session = predictor.start(as_reader(values), (0, 1000))
    assert predictor.picture(session) is None
    session = predictor.run(session.add(Click(120, 230)))
    picture, roi = predictor.picture(session, longest=50), session.roi
    assert picture.dtype == np.uint8 and picture.shape[2] == 3 and max(picture.shape) == 50
    seen = (values[roi.slices] > 0).mean() if roi else (values > 0).mean()
    assert np.isclose((picture[..., 0] > 115).mean(), seen, atol=0.05)
    assert picture.min() == 0 and picture.max() in (229, 230)
    only_tiles = _predictor(ColourModel(), "clickseg", tiling=Tiling(128, 32))
    assert only_tiles.picture(only_tiles.run(session.add(Click(110, 210)))) is None


def test_nothing_new_is_not_predicted(scene):
    model = ColourModel()
    predictor = _predictor(model)
    session = predictor.start(as_reader(scene))
    assert predictor.run(session) is session
    session = predictor.run(session.add(Click(40, 50)))
    calls = model.calls
    assert predictor.run(session) is session and model.calls == calls


def test_several_clicks_at_once_are_one_prediction(scene):
    model = ColourModel()
    predictor = _predictor(model, zoom_in=None)
    session = predictor.start(as_reader(scene)).add(Click(40, 50)).add(Click(95, 80))
    assert predictor.run(session).predicted == 2
    assert model.calls == 1 and session.predicted == 0


def test_the_mask_so_far_is_fed_back(scene):
    model = ColourModel()
    predictor = _predictor(model, zoom_in=None)
    session = _run(predictor, scene, Click(40, 50))
    assert not model.seen[-1].prev_mask.any()
    predictor.run(session.add(Click(10, 10, False)))
    before = model.seen[-1].prev_mask[0, 0]
    assert before[80, 100] == pytest.approx(1, abs=0.01) and before[0, 0] < 0.01


def test_the_start_mask_is_fed_back_first_and_replaced_then(scene):
    model = ColourModel()
    predictor = _predictor(model, zoom_in=None)
    session = predictor.start(as_reader(scene))
    session = predictor.run(session.with_mask(np.ones((120, 160))).add(Click(40, 50)))
    assert model.seen[-1].prev_mask.min() == 1
    predictor.run(session.add(Click(95, 80)))
    assert model.seen[-1].prev_mask.min() < 0.01


def test_models_without_a_mask_input_get_none(scene):
    model = ColourModel(takes_prev_mask=False)
    _run(_predictor(model, "ritm"), scene, Click(40, 50))
    assert model.seen[-1].prev_mask is None


def test_flip_averages_logits_with_the_mirrored_copy():
    left = torch.zeros(1, 1, 4, 6)
    left[..., :3] = 8
    predictor = _predictor(FixedModel([left, 2 * left]), "ritm", zoom_in=None)
    got = np.asarray(_run(predictor, np.zeros((4, 6)), Click(0, 0)).probabilities)
    np.testing.assert_allclose(got[:, :3], 1 / (1 + np.exp(-4)), atol=1e-6)
    np.testing.assert_allclose(got[:, 3:], 1 / (1 + np.exp(-8)), atol=1e-6)


def test_the_mirrored_copy_shows_the_same_things_mirrored(scene):
    model = ColourModel()
    _run(_predictor(model, "ritm", zoom_in=None), scene, Click(40, 50), Click(7, 9, False))
    plain, mirrored = model.seen[-2:]
    for name in ("image", "maps", "prev_mask"):
        a, b = getattr(plain, name), getattr(mirrored, name)
        torch.testing.assert_close(a.flip(-1), b)


def test_only_the_oldest_clicks_are_shown_if_there_is_a_limit(scene):
    model = DiskModel()
    predictor = _predictor(model, zoom_in=None, max_clicks=2, network_size=None)
    _run(predictor, scene, Click(10, 10), Click(50, 50), Click(90, 90))
    maps = model.seen[-1].maps[0, 0]
    assert maps[50, 50] == 1 and maps[90, 90] == 0


@pytest.mark.parametrize("profile", ["clickseg", "ritm"])
def test_a_model_of_fixed_size_gets_that_size(profile, scene):
    model = ColourModel(fixed_size=(48, 64))
    _run(_predictor(model, profile), scene, Click(40, 50), Click(45, 55))
    assert {tuple(inputs.image.shape[-2:]) for inputs in model.seen} == {(48, 64)}


def test_the_view_fits_the_network_whose_turn_it_is(scene):
    wide, fixed = ColourModel(), ColourModel(fixed_size=(64, 48))
    for network in (wide, fixed):
        network.config = {}
    predictor = _predictor(StagedModel([wide, fixed]), "ritm", zoom_in=None)
    _run(predictor, scene, Click(40, 50), Click(42, 52))
    assert {tuple(seen.image.shape[-2:]) for seen in wide.seen} == {(120, 160)}
    assert {tuple(seen.image.shape[-2:]) for seen in fixed.seen} == {(64, 48)}


def test_a_start_mask_counts_like_a_click_for_networks_in_turn(scene):
    first, second = ColourModel(), ColourModel()
    for network in (first, second):
        network.config = {}
    predictor = _predictor(StagedModel([first, second]), "ritm")
    session = predictor.start(as_reader(scene)).with_mask(np.ones((120, 160)))
    predictor.run(session.add(Click(40, 50)))
    assert second.calls and not first.calls


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_of_another_precision_are_refused(dtype, tiny_model):
    with pytest.raises(ValueError, match=r"and prediction works in float32. Call model.float"):
        Predictor(tiny_model.to(dtype), get_profile("clickseg"))


def test_features_are_computed_once_per_view(scene):
    model = ColourModel(cached="image")
    predictor = _predictor(model, zoom_in=None, flip=True)
    session = _run(predictor, scene, *(Click(40, 45 + i) for i in range(4)))
    assert (model.images, model.calls) == (2, 8)
    plain = _run(_predictor(ColourModel(), zoom_in=None, flip=True), scene, *session.interactions)
    np.testing.assert_array_equal(session.probabilities, plain.probabilities)
    _run(predictor, scene.copy(), Click(40, 50))
    assert model.images == 4


def test_memory_of_views_is_bounded(scene):
    predictor = _predictor(ColourModel(cached="image"), zoom_in=None)
    for _ in range(30):
        _run(predictor, scene.copy(), Click(40, 50))
    assert len(predictor._network.memory) <= 12


def test_memory_of_views_ends_with_the_image(scene):
    predictor = _predictor(ColourModel(cached="image"), zoom_in=None)
    image = scene.copy()
    gone = weakref.ref(image)
    session = _run(predictor, image, Click(40, 50))
    del image, session
    gc.collect()
    assert gone() is None
    _run(predictor, scene, Click(40, 50))
    assert len(predictor._network.memory) == 2


def test_an_image_is_forgotten_when_asked(scene):
    model = ColourModel(cached="image")
    predictor = _predictor(model, zoom_in=None)
    one, other = (_run(predictor, scene.copy(), Click(40, 50)) for _ in range(2))
    assert model.images == 2
    predictor.forget(one.reader)
    predictor.run(other.add(Click(41, 51)))
    assert model.images == 2
    predictor.run(one.add(Click(41, 51)))
    assert model.images == 3


def test_outside_the_region_ours_keeps_and_the_published_rule_forgets():
    """An old region is kept although a bit of the mask has come to lie outside it."""
    image = np.zeros((300, 300), np.uint8)
    mask = np.zeros((300, 300))
    mask[100:160, 100:160] = 1
    mask[130, 160:220] = 1
    zoom = {"skip_clicks": 0, "min_crop_size": 8, "recompute_iou": 0.2}
    roi = Box(80, 80, 180, 180)
    for profile, kept in (("clickseg", True), ("ritm", False)):
        predictor = _predictor(DiskModel(), profile, zoom_in=zoom)
        session = replace(predictor.start(as_reader(image)).with_mask(mask), roi=roi)
        done = predictor.run(session.add(Click(130, 130)))
        assert done.roi == roi
        assert done.mask(0.5)[130, 200] == kept
        assert done.mask(0.5)[130, 130] and not done.mask(0.5)[105, 105]


def test_small_objects_are_looked_at_again_in_their_own_region(scene):
    image = np.zeros((600, 800, 3), np.uint8)
    image[300:340, 500:560] = 255
    model = ColourModel()
    session = _run(_predictor(model), image, Click(320, 530))
    assert model.calls == 2 and session.roi.area < 600 * 800 / 10
    assert model.seen[0].image.shape[-2:] == (192, 256)
    true = image[..., 0] > 0
    mask = session.mask(0.5)
    assert (mask & true).sum() / (mask | true).sum() > 0.9


def test_negative_clicks_alone_leave_nothing(scene):
    model = StubbornModel()
    session = _run(_predictor(model), scene, Click(40, 50, False), Click(60, 50, False))
    assert session.predicted == 2 and model.calls == 0
    assert session.probabilities.bounding_box(0.0) is None


def test_a_negative_click_on_a_start_mask_is_predicted(scene):
    model = ColourModel()
    predictor = _predictor(model)
    session = predictor.start(as_reader(scene)).with_mask(np.ones((120, 160)))
    done = predictor.run(session.add(Click(40, 50, False)))
    assert model.calls > 0 and not done.mask(0.5)[40, 50]


@given(
    st.lists(
        st.tuples(st.integers(0, 59), st.integers(0, 79), st.booleans()), min_size=1, max_size=6
    )
)
def test_clicked_pixels_have_their_label_whatever_the_network_says(clicks):
    predictor = _predictor(StubbornModel())
    image = np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)
    session = predictor.start(as_reader(image))
    said = {}
    for row, col, positive in clicks:
        session = predictor.run(session.add(Click(row, col, positive)))
        said[row, col] = positive
        for threshold in (1e-6, 0.3, 0.5, 0.999999):
            mask = session.mask(threshold)
            assert all(mask[pixel] == label for pixel, label in said.items())


def test_the_later_of_two_clicks_on_a_pixel_counts():
    clicks = [Click(3, 3), Click(3.4, 2.6, False), Click(5, 5, False), Click(5, 5)]
    kept = honour_clicks(TileMap((9, 9)), clicks)
    assert kept[3, 3] == 0 and kept[5, 5] == 1


def test_cancelling_is_asked_before_each_network_call(scene):
    model = ColourModel()
    predictor = _predictor(model)
    session = predictor.start(as_reader(scene)).add(Click(40, 50))
    for allowed in range(3):
        answers = iter([False] * allowed + [True] * 9)
        model.calls = 0
        try:
            predictor.run(session, lambda answers=answers: next(answers))
        except Cancelled:
            assert model.calls == allowed
        else:
            assert model.calls <= allowed
    assert session.predicted == 0 and session.probabilities.bounding_box(0) is None
    assert predictor.run(session, lambda: False).predicted == 1


@pytest.mark.parametrize(
    ("interaction", "name"),
    [
        (Stroke(((1, 1), (5, 5))), "stroke"),
        (Contour(((1, 1), (5, 5), (5, 1))), "contour"),
        (BoxPrompt(Box(1, 1, 5, 5)), "box"),
    ],
)
def test_interactions_the_model_does_not_know_are_refused(interaction, name, scene):
    predictor = _predictor(DiskModel(interactions=frozenset({"scribble"})))
    session = predictor.start(as_reader(scene)).add(interaction)
    with pytest.raises(ValueError, match=f"does not take a {name}, only scribble"):
        predictor.run(session)
    known = _predictor(DiskModel(interactions=frozenset({"click", name})))
    assert known.run(session).mask(0.5)[1, 1]


def test_refinements_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="as brs"):
        _predictor(DiskModel(), brs="f-BRS-Z")
    with pytest.raises(ValueError, match="is not available for .* Use brs= one of NoBRS"):
        _predictor(DiskModel(), brs="f-BRS-B")


def test_several_networks_say_why_they_are_not_refined():
    one = ColourModel(brs={"f-BRS-B": "image"})
    one.config = {}
    with pytest.raises(ValueError, match="made of several networks"):
        _predictor(StagedModel([one]), "fbrs")


def test_the_model_is_put_into_evaluation_mode(tiny_model):
    tiny_model.train()
    _predictor(tiny_model)
    assert not tiny_model.training


@pytest.mark.parametrize("profile", ["clickseg", "ritm"])
def test_the_real_network_with_and_without_remembered_features(profile, scene, tiny_model):
    """Features from memory give what the whole network gives."""
    clicks = [Click(40, 50), Click(30, 50), Click(95, 60, False)]
    session = _run(_predictor(tiny_model, profile), scene, *clicks)
    tiny_model.spec = replace(tiny_model.spec, cached=None)
    again = _run(_predictor(tiny_model, profile), scene, *clicks)
    np.testing.assert_allclose(session.probabilities, again.probabilities, atol=1e-5)
