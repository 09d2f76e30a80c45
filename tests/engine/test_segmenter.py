import gc
import weakref

import numpy as np
import pytest
from fakes import ColourModel, DiskModel, StubbornModel

from napari_clickseg import Box, Profile, Segmenter
from napari_clickseg.cancel import Cancelled
from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine import segmenter as module
from napari_clickseg.engine.tiles import MaskView, TileMap

EMPTY = Box(0, 0, 0, 0)


@pytest.fixture
def seg(scene):
    segmenter = Segmenter(ColourModel())
    segmenter.set_image(scene)
    return segmenter


def test_from_click_to_mask(seg, scene):
    box = seg.click(40, 50)
    disk = (scene == (220, 30, 30)).all(axis=-1)
    assert seg.mask.dtype == bool and seg.probabilities.dtype == np.float32
    assert seg.mask.shape == seg.probabilities.shape == (120, 160)
    assert (seg.mask & disk).sum() / (seg.mask | disk).sum() > 0.95
    assert seg.mask[box.slices].sum() == seg.mask.sum()
    seg.click(95, 80)
    assert seg.mask[95, 80] and seg.mask[40, 50]
    seg.click(95, 80, positive=False)
    assert not seg.mask[95, 80]


def test_the_box_holds_exactly_what_changed():
    rng = np.random.default_rng(0)
    seg = Segmenter(StubbornModel())
    seg.set_image(rng.integers(0, 255, (300, 400, 3), dtype=np.uint8))
    before = seg.probabilities
    for i in range(12):
        row, col = rng.integers(0, 300), rng.integers(0, 400)
        box = seg.click(row, col, positive=i % 3 != 1)
        changed = seg.probabilities != before
        expected = EMPTY
        if changed.any():
            rows, cols = np.nonzero(changed)
            expected = Box(rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)
        assert box == expected
        before = seg.probabilities


def test_undo_fifty_and_redo_fifty_are_bit_exact(tiny_model):
    rng = np.random.default_rng(1)
    seg = Segmenter(tiny_model, network_size=64, zoom_in={"target_size": 64})
    seg.set_image(rng.integers(0, 255, (90, 130, 3), dtype=np.uint8))
    kept = [seg.probabilities]
    for i in range(50):
        seg.click(rng.integers(0, 90), rng.integers(0, 130), positive=i % 4 != 2)
        kept.append(seg.probabilities)
    for earlier, later in zip(kept[-2::-1], kept[:0:-1], strict=True):
        box = seg.undo()
        np.testing.assert_array_equal(seg.probabilities, earlier)
        changed = earlier != later
        assert changed[box.slices].sum() == changed.sum()
    assert seg.undo() == EMPTY
    for later in kept[1:]:
        seg.redo()
        np.testing.assert_array_equal(seg.probabilities, later)
    assert seg.redo() == EMPTY


def test_clicking_after_undo_is_clicking_without_what_was_undone(tiny_model, scene):
    plain, detour = Segmenter(tiny_model), Segmenter(tiny_model)
    for segmenter in (plain, detour):
        segmenter.set_image(scene)
        segmenter.click(40, 50)
    detour.click(95, 80)
    detour.click(30, 120, positive=False)
    detour.undo()
    detour.undo()
    for segmenter in (plain, detour):
        segmenter.click(50, 60)
    np.testing.assert_array_equal(plain.probabilities, detour.probabilities)


def test_reset_forgets_the_object(seg):
    seg.click(40, 50)
    box = seg.reset()
    assert not box.empty and not seg.mask.any()
    assert seg.undo() == seg.redo() == seg.reset() == EMPTY


def test_set_mask_starts_from_a_mask_and_can_be_undone(seg):
    seg.click(40, 50)
    found = seg.mask
    mask = np.zeros((120, 160), bool)
    mask[60:80, 60:80] = True
    box = seg.set_mask(mask)
    np.testing.assert_array_equal(seg.mask, mask)
    assert (found ^ mask)[box.slices].sum() == (found ^ mask).sum()
    seg.undo()
    np.testing.assert_array_equal(seg.mask, found)


def test_a_mask_is_refused_where_the_model_would_not_see_it(scene):
    seg = Segmenter(DiskModel(takes_prev_mask=False))
    seg.set_image(scene)
    with pytest.raises(ValueError, match="previous mask"):
        seg.set_mask(np.ones((120, 160)))


def test_a_cancelled_click_leaves_all_as_it_was(seg):
    seg.click(40, 50)
    before, history = seg.probabilities, seg.history
    with pytest.raises(Cancelled):
        seg.click(95, 80, cancelled=lambda: True)
    assert seg.history is history
    np.testing.assert_array_equal(seg.probabilities, before)


def test_a_refused_click_leaves_all_as_it_was(seg):
    seg.click(40, 50)
    history = seg.history
    for row, col in ((120, 5), (-1, 5), (5, 160), (np.nan, 5)):
        with pytest.raises(ValueError, match=r"outside the image|no place"):
            seg.click(row, col)
    for refused in (
        lambda: seg.stroke([(1, 1)]),
        lambda: seg.contour([(1, 1), (4, 4)]),
        lambda: seg.box(Box(500, 500, 505, 505)),
    ):
        with pytest.raises(ValueError, match="at least|outside the image"):
            refused()
    assert seg.history is history


def test_strokes_contours_and_boxes_reach_models_that_take_them(scene):
    model = DiskModel(interactions=frozenset({"click", "stroke", "contour", "box"}))
    seg = Segmenter(model, zoom_in=None, flip=False)
    seg.set_image(scene)
    seg.stroke([(10, 10), (10, 20)])
    assert seg.mask[10, 10] and seg.mask[10, 20]
    seg.reset()
    seg.box(Box(40, 40, 101, 101))
    assert seg.mask[40, 40] and seg.mask[100, 100]
    seg.contour([(50, 50), (60, 60), (60, 50)], positive=False)
    assert not seg.mask[60, 60] and seg.mask[40, 40]


def test_nonsense_is_refused_with_a_sentence(seg):
    for say, words in (
        (lambda: seg.click(None, 3), "no place in the image"),
        (lambda: seg.stroke(5), "sequence of"),
        (lambda: seg.stroke([1, 2]), "sequence of"),
        (lambda: seg.contour("abc"), "sequence of"),
        (lambda: seg.confine((1, 2, 3, 4)), "is no Box"),
        (lambda: seg.set_mask(np.full((120, 160), None)), "is not a mask"),
        (lambda: Segmenter(5), "^5 is not a model"),
    ):
        with pytest.raises(ValueError, match=words):
            say()
    assert not seg.history.present.interactions


def test_without_an_image_there_is_a_sentence():
    seg = Segmenter(DiskModel())
    for call in (
        lambda: seg.click(1, 1),
        lambda: seg.mask,
        lambda: seg.probabilities,
        seg.undo,
        seg.redo,
        seg.reset,
        lambda: seg.set_mask(np.ones((3, 3))),
    ):
        with pytest.raises(ValueError, match="Call set_image"):
            call()


def test_models_profiles_and_options():
    assert Segmenter(DiskModel()).profile.name == "clickseg"
    assert Segmenter(DiskModel(profile="ritm")).profile.name == "ritm"
    assert Segmenter(DiskModel(), "ritm", threshold=0.3).profile.threshold == 0.3
    assert Segmenter(DiskModel(), Profile("mine", flip=False)).profile.name == "mine"
    assert Segmenter(DiskModel(), zoom_in=None).profile.zoom_in is None
    for bad in ({"profile": "nothing"}, {"brs": "f-BRS-Z"}, {"brss": 3}, {"threshold": 7}):
        with pytest.raises(ValueError, match=r"."):
            Segmenter(DiskModel(), **bad)
    for wrong in (5, ["ritm"]):
        with pytest.raises(ValueError, match="There is no profile"):
            Segmenter(DiskModel(), wrong)
    with pytest.raises(ValueError, match="is not a model"):
        Segmenter(5)


def test_a_name_or_path_is_loaded(monkeypatch):
    from napari_clickseg.models import zoo

    model = DiskModel()
    asked = []
    monkeypatch.setattr(zoo, "load_model", lambda name: asked.append(name) or model)
    assert Segmenter("clickseg-compact").predictor.model is model
    assert asked == ["clickseg-compact"]


IMAGES = {
    "one pixel": np.full((1, 1), 200, np.uint8),
    "thin": np.random.default_rng(0).integers(0, 255, (3, 10000), dtype=np.uint8),
    "tall": np.random.default_rng(0).integers(0, 255, (2000, 1, 3), dtype=np.uint8),
    "constant": np.full((50, 60), 7.0),
    "nan": np.full((50, 60), np.nan),
    "some nan": np.where(np.eye(50, 60) > 0, np.inf, np.random.default_rng(0).random((50, 60))),
    "bool": np.eye(50, 60) > 0,
    "16 bit": np.random.default_rng(0).integers(0, 60000, (50, 60), dtype=np.uint16),
    "rgba": np.random.default_rng(0).integers(0, 255, (50, 60, 4), dtype=np.uint8),
    "read-only": np.broadcast_to(np.uint8(5), (40, 50, 3)),
    "reversed": np.random.default_rng(0).integers(0, 255, (50, 60), dtype=np.uint8)[::-1, ::-1],
}


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize(
    ("profile", "sizes"),
    [
        ("clickseg", {}),
        ("ritm", {"zoom_in": {"target_size": 80}}),
        ("ritm_demo", {"zoom_in": {"target_size": (80, 80)}}),
    ],
)
def test_any_image_takes_clicks(name, profile, sizes, tiny_model):
    image = IMAGES[name]
    seg = Segmenter(tiny_model, profile, **sizes)
    seg.set_image(image)
    height, width = image.shape[:2]
    for row, col, positive in ((height // 2, width // 2, True), (0, width - 1, False)):
        seg.click(row, col, positive)
        if profile == "clickseg":
            assert seg.mask[row, col] == positive
    assert seg.mask.shape == (height, width) and np.isfinite(seg.probabilities).all()


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), complex), np.zeros((9, 9, 5)), np.zeros((9, 9, 2)), np.zeros((0, 9))]
)
def test_what_is_no_image_is_refused_and_the_old_one_stays(image, seg):
    seg.click(40, 50)
    with pytest.raises(ValueError, match="image"):
        seg.set_image(image)
    assert seg.mask.any()


def test_sixteen_bits_with_limits_give_the_mask_of_eight_bits(tiny_model, scene):
    grey = scene[..., 0]
    eight, sixteen = (Segmenter(tiny_model, bfloat16=False) for _ in range(2))
    eight.set_image(grey)
    sixteen.set_image(grey.astype(np.uint16) * 100 + 300, contrast_limits=(300, 300 + 25500))
    for seg in (eight, sixteen):
        seg.click(40, 50)
        seg.click(30, 120, positive=False)
    np.testing.assert_allclose(eight.probabilities, sixteen.probabilities, atol=1e-5)


def test_a_new_image_of_the_same_array_is_read_again(scene):
    seg = Segmenter(ColourModel(cached="image"), zoom_in=None)
    seg.set_image(scene)
    seg.click(40, 50)
    scene[:] = 90
    seg.set_image(scene)
    seg.click(40, 50)
    assert seg.mask.all()


def test_a_new_image_frees_the_memory_of_the_old_one(scene):
    seg = Segmenter(ColourModel(cached="image"))
    image = scene.copy()
    gone = weakref.ref(image)
    seg.set_image(image)
    seg.click(40, 50)
    assert seg.predictor._network.memory
    del image
    seg.set_image(scene)
    gc.collect()
    assert gone() is None and not seg.predictor._network.memory


def test_a_reader_given_again_is_read_again(scene):
    reader = as_reader(scene)
    seg = Segmenter(ColourModel(cached="image"), zoom_in=None)
    for colour in (30, 90):
        seg.set_image(reader)
        seg.click(40, 50)
        assert seg.mask.all() == (colour == 90)
        scene[:] = 90


def test_images_too_large_for_arrays_are_given_as_tiles():
    class Endless:
        shape, dtype = (40_000, 50_000), np.dtype(np.uint8)
        levels = ((40_000, 50_000), (5_000, 6_250), (625, 782))

        def read(self, box, level=0):
            assert box.area < 4e6
            scale = self.levels[0][0] / self.levels[level][0]
            rows = (np.arange(box.top, box.bottom) * scale - 20_000)[:, None]
            cols = np.arange(box.left, box.right) * scale - 30_000
            return np.where(rows**2 + cols**2 < 2_000**2, 250, 20).astype(np.uint8)

    seg = Segmenter(ColourModel(), zoom_in=None)
    seg.set_image(as_reader(Endless()))
    seg.click(20_000, 30_000)
    assert isinstance(seg.mask, MaskView) and isinstance(seg.probabilities, TileMap)
    radius = seg.mask[20_000, 30_000:40_000].sum()
    assert radius == pytest.approx(2_000, abs=200)
    assert seg.mask.shape == (40_000, 50_000)
    seg.undo()
    assert seg.mask.bounding_box() is None


def test_dense_up_to_a_limit(seg, monkeypatch):
    seg.click(40, 50)
    dense = seg.mask
    monkeypatch.setattr(module, "DENSE_PIXELS", 100)
    np.testing.assert_array_equal(np.asarray(seg.mask), dense)
    assert isinstance(seg.mask, MaskView)
