"""What a profile asks for besides ZoomIn: cascades, regions, start masks, sizes, memory."""

import numpy as np
import pytest
import torch
from fakes import ColourModel, DiskModel, FixedModel

from napari_clickseg import Box, Segmenter
from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.memory import Memory
from napari_clickseg.engine.network import Network
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.engine.together import together
from napari_clickseg.interactions import Click, Contour, Stroke

PLAIN = {"zoom_in": None, "flip": False}


def constant(value, pixels=0):
    """Logits of a (8, 10) image: one value everywhere, its opposite in the first pixels."""
    logits = torch.full((1, 1, 8, 10), float(value))
    logits.view(-1)[:pixels] *= -1
    return logits


def segmenter(answers, **options):
    model = FixedModel(answers)
    seg = Segmenter(model, "cfr_icl", **PLAIN, **options)
    seg.set_image(np.zeros((8, 10), np.uint8))
    return seg, model


def test_a_cascade_shows_the_network_its_own_answer():
    seg, model = segmenter([constant(-3), constant(2), constant(4)], cascade_steps=2)
    seg.click(3, 3)
    shown = [inputs.prev_mask.mean().item() for inputs in model.seen]
    expected = [0, *torch.sigmoid(torch.tensor([-3.0, 2.0])).tolist()]
    assert shown == pytest.approx(expected, abs=1e-4)
    assert seg.probabilities[0, 0] == pytest.approx(torch.sigmoid(torch.tensor(4.0)).item())


@pytest.mark.parametrize(("pixels", "calls"), [(20, 2), (21, 5)])
def test_an_adaptive_cascade_ends_when_hardly_a_pixel_changes(pixels, calls):
    seg, model = segmenter([constant(3), constant(3, pixels)], cascade_adaptive=True)
    seg.click(3, 3)
    assert model.calls == calls


def test_a_cascade_follows_the_first_clicks_only():
    seg, model = segmenter([constant(3), constant(-3)], cascade_adaptive=False, cascade_clicks=2)
    for count in (5, 10, 11):
        seg.click(3, 3)
        assert model.calls == count


@pytest.mark.parametrize("profile", ["clickseg", "avalanche", "ritm"])
def test_a_confined_object_stays_in_its_box(scene, profile):
    model = ColourModel()
    seg = Segmenter(model, profile)
    seg.set_image(scene)
    seg.click(95, 80)
    assert seg.mask[95, 20] and seg.mask[95, 140]
    region = Box(80, 60, 110, 120)
    changed = seg.confine(region)
    assert not seg.mask[95, 20] and seg.mask[95, 80] and changed.contains(95, 20)
    model.seen.clear()
    seg.click(95, 90)
    rows, cols = np.nonzero(seg.mask)
    assert rows.size and cols.min() >= 60 and cols.max() < 120 and rows.min() >= 80
    assert seg.history.present.roi.intersect(region) == seg.history.present.roi
    with pytest.raises(ValueError, match="confined"):
        seg.click(20, 20)
    seg.undo()
    seg.undo()
    assert seg.mask[95, 20]
    seg.redo()
    seg.confine(None)
    seg.click(20, 20, positive=False)


def test_a_box_must_lie_in_the_image_and_hold_the_clicks(scene):
    seg = Segmenter(ColourModel(), "avalanche")
    seg.set_image(scene)
    with pytest.raises(ValueError, match="outside the image"):
        seg.confine(Box(500, 500, 600, 600))
    seg.click(40, 50)
    with pytest.raises(ValueError, match="confined"):
        seg.confine(Box(60, 60, 100, 100))
    assert seg.history.present.region is None


def test_the_published_box_is_shown_at_its_own_resolution(scene):
    model = DiskModel()
    seg = Segmenter(model, "avalanche")
    seg.set_image(scene)
    seg.confine(Box(10, 20, 60, 90))
    seg.click(30, 40)
    assert model.seen[-1].image.shape[-2:] == (50, 70)
    assert model.seen[-1].maps[0, 0, 20, 49] == 1  # the mirrored copy comes last


def test_without_feedback_the_start_mask_is_shown_all_along(scene):
    for feedback, last in ((True, 0.0), (False, 1.0)):
        model = ColourModel()
        seg = Segmenter(model, "ritm_demo", mask_feedback=feedback, **PLAIN)
        seg.set_image(scene)
        seg.set_mask(np.ones(scene.shape[:2]))
        seg.click(40, 50)
        assert model.seen[-1].prev_mask.min() == 1
        seg.click(95, 80)
        assert model.seen[-1].prev_mask.min().item() == pytest.approx(last, abs=0.01)


def test_a_fixed_size_is_shown_whatever_the_proportions(scene):
    model = DiskModel()
    seg = Segmenter(model, "saic_is", fixed_size=(64, 48))
    seg.set_image(scene)
    seg.click(40, 50)
    seg.click(42, 52)
    assert {tuple(inputs.image.shape[-2:]) for inputs in model.seen} == {(64, 48)}
    with pytest.raises(ValueError, match="fixed_size"):
        Segmenter(model, fixed_size=(64, 0))


@pytest.mark.parametrize(("profile", "larger"), [("saic_is_demo", False), ("clickseg", True)])
def test_the_longest_side_limits_published_regions_and_not_ours(profile, larger):
    model = DiskModel()
    seg = Segmenter(model, profile, zoom_in={"target_size": 0}, network_size=50)
    seg.set_image(np.zeros((300, 400, 3), np.uint8))
    seg.click(150, 200)
    assert (max(model.seen[-1].image.shape) > 50) is larger


def test_without_accumulation_only_the_latest_line_counts():
    lines = Stroke(((1, 1), (2, 2))), Contour(((1, 1), (2, 2), (3, 1)))
    said = [Click(1, 1), lines[0], Click(2, 2, False), lines[1]]
    profile = get_profile("saic_is")
    network = Network(DiskModel(), profile)
    assert network.counted(said) == [said[0], said[2], lines[1]]
    assert network.counted(said[:3]) == [said[0], said[2]]
    assert Network(DiskModel(), profile.override(accumulate=True)).counted(said) == said


def test_features_before_a_split_are_remembered_once_all_clicks_are_in(tiny_model, scene):
    """Without a previous mask they depend on the image and the first eight clicks only."""
    from dataclasses import replace

    tiny_model.spec = replace(tiny_model.spec, takes_prev_mask=False)
    before = tiny_model.before
    calls = []

    def counted(split, inputs):
        calls.append(split)
        prev = torch.zeros_like(inputs.image[:, :1])
        return before(split, replace(inputs, prev_mask=prev))

    tiny_model.before = counted
    tiny_model.after = lambda split, tensors, inputs: torch.zeros_like(inputs.image[:, :1])
    seg = Segmenter(tiny_model, "fbrs", **PLAIN)
    seg.set_image(scene)
    for k in range(11):
        seg.click(40 + k, 50)
    assert calls == ["decoder"] * 8


def test_memory_forgets_the_oldest():
    reader = as_reader(np.zeros((4, 4)))
    memory, made = Memory(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        memory.recall(reader, key, lambda key=key: made.append(key) or key)
    assert made == ["a", "b", "c", "b"]
    memory.forget(reader)
    assert len(memory) == 0


def test_memory_is_bounded_by_bytes():
    reader = as_reader(np.zeros((4, 4)))
    memory, made = Memory(12, most_bytes=1000), []

    def kept(key, *sizes):
        value = {str(i): torch.zeros(size, dtype=torch.uint8) for i, size in enumerate(sizes)}
        memory.recall(reader, key, lambda: made.append(key) or value)

    kept("a", 300, 300)
    kept("b", 400)
    assert memory.nbytes == 1000
    kept("c", 100)
    assert memory.nbytes == 500 and len(memory) == 2  # the oldest is gone
    kept("large", 600, 600)  # is not kept, and drives nothing out
    assert memory.nbytes == 500
    made.clear()
    for key in "bca":
        kept(key, 100)
    assert made == ["a"]


@pytest.mark.parametrize(
    ("mode", "calls", "kept"), [("RGB-BRS", 1, [2, 2, 2]), ("f-BRS-A", 3, [1, 1, 1])]
)
def test_refinement_remembers_only_what_it_can_use_again(tiny_model, scene, mode, calls, kept):
    """What depends on the image stays; what depends on the clicks changes until all are in."""
    from dataclasses import replace

    tiny_model.spec = replace(tiny_model.spec, takes_prev_mask=False)
    before, asked, lengths = tiny_model.before, [], []
    tiny_model.before = lambda split, inputs: (
        asked.append(split)
        or before(split, replace(inputs, prev_mask=torch.zeros_like(inputs.image[:, :1])))
    )
    tiny_model.after = lambda split, tensors, inputs: torch.zeros_like(inputs.image[:, :1])
    seg = Segmenter(tiny_model, "fbrs", brs=mode, **PLAIN)
    seg.set_image(scene)
    for k in range(3):
        seg.click(40 + k, 50)
        lengths.append(len(seg.predictor._network.memory))
    assert len(asked) == calls and lengths == kept


def test_a_limit_of_clicks_leaves_lines_shown():
    line = Stroke(((1, 1), (5, 5)))
    said = [Click(i, i) for i in range(8)] + [line, Click(9, 9)]
    network = Network(DiskModel(), get_profile("saic_is").override(accumulate=True, brs="f-BRS-B"))
    assert network._shown(said) == said[:9]
    network = Network(DiskModel(), get_profile("ritm").override(max_clicks=2))
    assert network._shown(said) == [*said[:2], line]


def test_bfloat16_changes_masks_by_rounding_only(tiny_model, scene):
    answers = []
    for bfloat16 in (False, True):
        seg = Segmenter(tiny_model, bfloat16=bfloat16)
        seg.set_image(scene)
        seg.click(40, 50)
        answers.append(seg.probabilities)
    assert answers[1].dtype == np.float32
    np.testing.assert_allclose(*answers, atol=0.05)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("record", [False, True])
def test_calls_side_by_side_answer_as_one_after_the_other(threads, record):
    before = torch.get_num_threads()
    weight = torch.arange(4.0, requires_grad=True)
    try:
        torch.set_num_threads(threads)
        with torch.set_grad_enabled(record):
            calls = [lambda k=k: (k * weight).sum() for k in range(2)]
            answers = together(calls, torch.device("cpu"))
        assert [a.item() for a in answers] == [0, 6]
        assert all(a.requires_grad == record for a in answers)
        assert torch.get_num_threads() == threads
        with pytest.raises(ZeroDivisionError):
            together([lambda: torch.ones(1), lambda: 1 / 0], torch.device("cpu"))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_mirrored_copies_side_by_side_change_nothing(tiny_model, scene):
    before, answers = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for brs in ("NoBRS", "f-BRS-B", "RGB-BRS"):
                seg = Segmenter(tiny_model, flip=True, brs=brs)
                seg.set_image(scene)
                seg.click(40, 50)
                seg.click(60, 90, positive=False)
                answers.append(seg.probabilities)
    finally:
        torch.set_num_threads(before)
    for one, two in zip(answers[:3], answers[3:], strict=True):
        np.testing.assert_allclose(one, two, atol=1e-3)


def test_an_object_is_looked_for_by_glances_and_answered_by_a_full_look():
    """In a window of a large image: small and not mirrored; the answer comes from both copies."""
    image = np.zeros((900, 1200), np.uint8)
    image[300:380, 400:500] = 200
    model = ColourModel()
    zoom_in = {"first_window": 512, "search_size": 96}
    seg = Segmenter(model, "clickseg", zoom_in=zoom_in)
    seg.set_image(image)
    seg.click(340, 450)
    glance, *looks = [tuple(inputs.image.shape[-2:]) for inputs in model.seen]
    assert glance == (96, 96) and len(looks) == 2 and min(max(size) for size in looks) > 96
    np.testing.assert_array_equal(seg.mask, image > 0)


def test_a_glance_that_was_right_is_answered_by_a_full_look_there():
    image = np.zeros((900, 1200), np.uint8)
    image[30:500, 30:470] = 200
    model = ColourModel()
    seg = Segmenter(model, "clickseg", zoom_in={"first_window": 512, "search_size": 96})
    seg.set_image(image)
    seg.click(250, 250)
    sizes = [tuple(inputs.image.shape[-2:]) for inputs in model.seen]
    assert sizes[0] == (96, 96) and sizes[1:] == [(256, 256)] * 2
    assert seg.history.present.roi == Box(0, 0, 512, 512)


def test_small_images_are_not_glanced_at(scene):
    model = ColourModel()
    seg = Segmenter(model, "clickseg", zoom_in={"search_size": 64})
    seg.set_image(scene)
    seg.click(95, 80)
    assert len(model.seen) % 2 == 0
    assert min(max(inputs.image.shape[-2:]) for inputs in model.seen) > 64
