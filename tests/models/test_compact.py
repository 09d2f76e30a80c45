"""The compact network: its splits agree, any size works, folding and files change nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke
from napari_clickseg.models.base import Inputs
from napari_clickseg.models.checkpoint import read_model, write_model
from napari_clickseg.models.compact import CompactModel, widened
from napari_clickseg.models.folding import fold_batch_norms
from napari_clickseg.models.header import KEY, CheckpointError, read_header
from napari_clickseg.models.maps import disk_maps, draw_disk
from napari_clickseg.models.zoo import ModelCard, find_model, list_models, load_model

TINY = {"encoder_scale": 1.0, "widths": (8, 8, 8, 8, 8), "decoder": (8, 8, 8)}
CARD = {"name": "tiny", "licence": "test", "trained_on": ["nothing"]}


def tiny(seed: int = 0, **options) -> CompactModel:
    """A small network whose batch norms have statistics that matter."""
    torch.manual_seed(seed)
    model = CompactModel(**TINY, **options)
    for name, value in model.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            value.normal_(0, 0.1)
        elif name.endswith("running_var") or value.ndim == 1 and name.endswith("weight"):
            value.uniform_(0.5, 1.5)
    return model.eval()


def some_inputs(height: int, width: int) -> Inputs:
    rng = torch.Generator().manual_seed(1)
    maps = disk_maps(torch.tensor([[[3.0, 4.0], [1.0, 0.0]]]), (height, width), 5)
    return Inputs(
        torch.rand(1, 3, height, width, generator=rng),
        maps,
        torch.rand(1, 1, height, width, generator=rng),
    )


@pytest.mark.parametrize("encoder", ["espnetv2", "efficientnet_lite0"])
@pytest.mark.parametrize("shape", [(64, 64), (37, 50), (1, 1), (3, 200)])
@torch.inference_mode()
def test_every_split_gives_the_same_logits(shape, encoder):
    model, inputs = tiny(encoder=encoder), some_inputs(*shape)
    whole = model(inputs)
    assert whole.shape == (1, 1, *shape)
    for name in model.splits:
        parts = model.after(name, model.before(name, inputs), inputs)
        torch.testing.assert_close(parts, whole)


@pytest.mark.parametrize("encoder", ["espnetv2", "efficientnet_lite0"])
@torch.inference_mode()
def test_splits_hold_the_tensors_and_channels_they_announce_and_read_what_they_say(encoder):
    model, inputs = tiny(encoder=encoder), some_inputs(64, 48)
    other = some_inputs(64, 48)
    other = Inputs(inputs.image, 1 - other.maps, 1 - other.prev_mask)
    for name, split in model.splits.items():
        tensors = model.before(name, inputs)
        for tensor, channels in split.channels.items():
            assert tensors[tensor].shape[1] == channels
        assert set(split.added) <= set(tensors)
        if split.depends == {"image"}:
            for tensor, value in model.before(name, other).items():
                torch.testing.assert_close(value, tensors[tensor])
    assert model.splits[model.spec.cached].depends == {"image"}
    assert set(model.spec.brs.values()) <= set(model.splits)


@torch.inference_mode()
def test_clicks_and_previous_mask_matter():
    model, inputs = tiny(), some_inputs(64, 64)
    base = model(inputs)
    assert not torch.allclose(base, model(Inputs(inputs.image, inputs.maps * 0, inputs.prev_mask)))
    assert not torch.allclose(base, model(Inputs(inputs.image, inputs.maps, inputs.prev_mask * 0)))


def test_disks_match_brute_force_and_padding_draws_nothing():
    points = torch.tensor([[[5.0, 7.0], [-1.0, -1.0], [0.0, 11.0], [30.5, -3.0]]])
    maps = disk_maps(points, (20, 12), 5)[0].numpy()
    rows, cols = np.mgrid[:20, :12]
    np.testing.assert_array_equal(maps[0], (rows - 5) ** 2 + (cols - 7) ** 2 <= 25)
    np.testing.assert_array_equal(maps[1], rows**2 + (cols - 11) ** 2 <= 25)


@pytest.mark.parametrize("radius", [3, 5])
def test_disks_equal_the_published_ones(radius):
    case = np.load(Path(__file__).parents[1] / "data" / "training_values.npz")
    points = torch.from_numpy(case["points"])[None]
    expected = case[f"maps_disk{radius}"]
    np.testing.assert_array_equal(disk_maps(points, expected.shape[1:], radius)[0], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("row", "col"), [(0, 0), (5, 9), (11, 3), (-0.25, -0.25), (14.5, -3), (99, 4), (-99, 1e9)]
)
def test_a_drawn_disk_matches_brute_force(row, col, dtype):
    canvas = np.zeros((12, 10), dtype)
    draw_disk(canvas, row, col, 5)
    rows, cols = np.mgrid[:12, :10]
    np.testing.assert_array_equal(canvas, (rows - row) ** 2 + (cols - col) ** 2 <= 25)


@given(
    st.lists(st.tuples(st.floats(0, 40), st.floats(0, 30)), min_size=1, max_size=6),
    st.floats(0.1, 60),
)
def test_drawn_disks_equal_disk_maps(points, radius):
    canvas = np.zeros((40, 30), np.float32)
    for row, col in points:
        draw_disk(canvas, row, col, radius)
    both = torch.tensor([[*points, *[(-1.0, -1.0)] * len(points)]])
    np.testing.assert_array_equal(disk_maps(both, (40, 30), radius)[0, 0], canvas)


def test_every_click_is_drawn_also_those_just_outside_the_view():
    """The corner of a shrunk image is shown at (-0.25, -0.25), which is no padding."""
    maps = tiny().encode([Click(-0.25, -0.25), Click(-3.5, -0.5, positive=False)], (9, 9))[0]
    rows, cols = np.mgrid[:9, :9]
    np.testing.assert_array_equal(maps[0], (rows + 0.25) ** 2 + (cols + 0.25) ** 2 <= 25)
    np.testing.assert_array_equal(maps[1], (rows + 3.5) ** 2 + (cols + 0.5) ** 2 <= 25)


def test_encode_equals_points_and_refuses_strokes():
    model = tiny()
    clicks = [Click(3, 4), Click(10, 2), Click(7, 7, positive=False)]
    points = torch.tensor([[[3, 4], [10, 2], [7, 7], [-1, -1]]])
    expected = model.maps_from_points(points, (16, 16))
    torch.testing.assert_close(model.encode(clicks, (16, 16)), expected)
    assert model.encode([], (16, 16)).sum() == 0
    with pytest.raises(ValueError, match="takes clicks, not a stroke"):
        model.encode([Stroke(((0, 0), (1, 1)))], (16, 16))


def test_kinds_that_it_was_not_to_take_are_left_to_clicks():
    model = tiny(every_kind=True, takes=("click", "box"))
    assert model.spec.interactions == {"click", "box"}
    assert CompactModel(**model.config).spec.interactions == {"click", "box"}
    for wrong in ({"takes": ("click", "box")}, {"every_kind": True, "takes": ("box",)}):
        with pytest.raises(ValueError, match="it takes .*; there are"):
            tiny(**wrong)


@torch.inference_mode()
def test_every_kind_is_drawn_where_it_is_and_changes_the_answer():
    model = tiny(every_kind=True)
    assert model.spec.interactions == {"click", "stroke", "contour", "box"}
    square = ((4, 4), (4, 12), (12, 12), (12, 4))
    said = {
        0: Stroke(((8, 2), (8, 29))),
        1: Click(20, 20, positive=False),
        2: Contour(square),
        3: Contour(square, positive=False),
        4: BoxPrompt(Box(-3, 5, 9, 40)),
    }
    image, prev = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    answers = [model(Inputs(image, model.encode([], (32, 32)), prev))]
    for channel, item in said.items():
        maps = model.encode([item], (32, 32))
        assert maps.shape == (1, 5, 32, 32)
        assert [bool(part.any()) for part in maps[0]] == [i == channel for i in range(5)]
        answers.append(model(Inputs(image, maps, prev)))
        assert not torch.allclose(answers[-1], answers[0])
    line, area = (model.encode([said[i]], (32, 32))[0, i] for i in (0, 2))
    assert line[3:14, 2:30].all() and not line[:2].any() and not line[15:].any()
    assert area[4:13, 4:13].all() and area.sum() == 81
    box = model.encode([said[4]], (32, 32))[0, 4]
    assert box[:9, 5:].all() and box.sum() == 9 * 27
    outside = model.encode([BoxPrompt(Box(-9, 0, -2, 5))], (32, 32))
    assert not outside.any()
    points = torch.tensor([[[3.0, 4.0], [10.0, 2.0]]])
    clicks = [Click(3, 4), Click(10, 2, positive=False)]
    torch.testing.assert_close(
        model.maps_from_points(points, (32, 32)), model.encode(clicks, (32, 32))
    )


@torch.inference_mode()
def test_logits_from_points_fill_in_an_empty_previous_mask():
    model, inputs = tiny(), some_inputs(32, 32)
    points = torch.tensor([[[3.0, 4.0], [1.0, 0.0]]])
    expected = model(Inputs(inputs.image, inputs.maps, torch.zeros(1, 1, 32, 32)))
    torch.testing.assert_close(model.logits(inputs.image, points), expected)


@torch.inference_mode()
def test_maps_of_other_kinds_are_refused():
    image, points = torch.rand(1, 3, 32, 32), torch.tensor([[[5.0, 5, 0], [-1, -1, -1]]])
    model = tiny().eval()
    with torch.no_grad():
        said = model.logits(image, points, None, {}, "point")
        assert torch.equal(said, model.logits(image, points))
    for maps, kind in (({"stroke": image[:, :2]}, None), (None, "stroke")):
        with pytest.raises(ValueError, match="no stroke maps"):
            model.logits(image, points, None, maps, kind)


def test_folding_batch_norms_keeps_the_logits():
    inputs = some_inputs(64, 48)
    expected = tiny()(inputs)
    folded = fold_batch_norms(tiny())
    torch.testing.assert_close(folded(inputs), expected, rtol=1e-4, atol=1e-4)
    norms = [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    # what is left: norms after a sum, which have no convolution of their own
    assert len(norms) < 30
    assert len(norms) < sum(isinstance(m, torch.nn.BatchNorm2d) for m in tiny().modules()) / 2


@torch.inference_mode()
def test_file_round_trip(tmp_path):
    path = tmp_path / "tiny.safetensors"
    write_model(tiny(), path, CARD)
    again, inputs = read_model(path), some_inputs(40, 40)
    torch.testing.assert_close(again(inputs), tiny()(inputs), rtol=0.02, atol=0.02)
    write_model(tiny(), path, CARD, half=False)
    torch.testing.assert_close(read_model(path)(inputs), tiny()(inputs), rtol=0, atol=0)
    card = ModelCard.of_file(path)
    assert (card.name, card.architecture, card.trained_on) == ("tiny", "compact", ("nothing",))
    assert card.size == path.stat().st_size


def change(path, edit):
    """Rewrite a model file after `edit` changed its weights and description."""
    from safetensors.torch import load_file, save_file

    state, about = load_file(str(path)), read_header(path)
    edit(state, about)
    save_file(state, str(path), metadata={KEY: json.dumps(about)})


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda s, a: s.pop("head.bias"), r"1 missing weights \(first: head.bias\)"),
        (lambda s, a: s.update(other=torch.zeros(1)), r"1 unexpected weights \(first: other\)"),
        (lambda s, a: s.update({"head.bias": torch.zeros(3)}), r"1 mis-shaped weights"),
        (lambda s, a: s["head.bias"].fill_(float("nan")), "NaN or infinite weights"),
        (lambda s, a: a.update(architecture="other"), "does not know. Update"),
        (lambda s, a: a.update(format=99), "does not know. Update"),
        (lambda s, a: a.update(config={"colour": 1}), "cannot be built"),
        (lambda s, a: a.update(config={"radius": "a"}), "cannot be built"),
        (lambda s, a: a.update(config={"encoder_scale": float("inf")}), "cannot be built"),
        (lambda s, a: a.update(config={"widths": [8]}), "cannot be built"),
        (lambda s, a: a.pop("card"), "does not say which clickseg network"),
        (lambda s, a: a.update(card=[]), "card"),
        (lambda s, a: a.update(config=None), "config"),
        (lambda s, a: a.update(architecture=["a"]), "architecture"),
        (lambda s, a: a.update(format="1"), "format"),
        (lambda s, a: a.update(format=True), "format"),
        (lambda s, a: a["card"].update(trained_on=None), "trained_on"),
        (lambda s, a: a["card"].update(trained_on="nothing"), "trained_on"),
        (lambda s, a: a["card"].update(trained_on=[["nothing"]]), "trained_on"),
    ],
)
def test_files_that_do_not_fit_are_refused_with_a_sentence(tmp_path, edit, words):
    path = tmp_path / "tiny.safetensors"
    write_model(tiny(), path, CARD)
    change(path, edit)
    with pytest.raises(CheckpointError, match=words):
        read_model(path)


@pytest.mark.parametrize(
    "about", [None, 5, [], "text", ["format", "architecture", "config", "card"], {"format": 1}]
)
def test_descriptions_of_another_kind_are_refused(tmp_path, about):
    from safetensors.torch import save_file

    path = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(1)}, str(path), metadata={KEY: json.dumps(about)})
    with pytest.raises(CheckpointError, match="does not say which clickseg network"):
        ModelCard.of_file(path)


def test_a_card_may_leave_out_what_it_was_trained_on(tmp_path):
    path = tmp_path / "tiny.safetensors"
    write_model(tiny(), path, {"name": "tiny"})
    assert ModelCard.of_file(path).trained_on == ()


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]"])
def test_files_that_are_no_safetensors_are_refused(tmp_path, content):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.safetensors"):
        load_model(path)


def test_truncated_file_is_refused(tmp_path):
    path = tmp_path / "tiny.safetensors"
    write_model(tiny(), path, CARD)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(path)


def test_unknown_names_and_devices_say_what_there_is():
    with pytest.raises(CheckpointError, match="clickseg-compact"):
        find_model("no-such-model")
    with pytest.raises(ValueError, match="Choose one of: auto, cpu"):
        load_model("clickseg-compact", device="abacus")
    with pytest.raises(ValueError, match="There is no device 'None' here"):
        load_model("clickseg-compact", device=None)
    for name in (5, None, b"x"):
        with pytest.raises(CheckpointError, match="by its name or path"):
            load_model(name)
    for name in ("a" * 5000, "\0", "~nobody-here/x.pth"):
        with pytest.raises(CheckpointError, match="There is no model") as told:
            load_model(name)
        assert len(str(told.value)) < 400


def test_the_bundled_model_keeps_its_promises():
    cards = list_models()
    assert cards[0].name == "clickseg-compact"
    assert cards[0].size <= 10 * 2**20
    assert cards[0].trained_on
    model = read_model(cards[0].path)
    assert sum(p.numel() for p in model.parameters()) <= 5_000_000


def test_a_model_file_may_be_read_by_whom_other_new_files_may_be_read(tmp_path):
    write_model(tiny(), tmp_path / "a.safetensors", {"name": "a", "licence": "x"})
    (tmp_path / "other").touch()
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


@torch.inference_mode()
def test_a_widened_network_answers_clicks_as_before():
    narrow, wide = tiny(), CompactModel(**TINY, every_kind=True).eval()
    wide.load_state_dict(widened(narrow.state_dict(), wide))
    image, prev = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    clicks = [Click(3, 4), Click(20, 9, positive=False)]
    both = [model(Inputs(image, model.encode(clicks, (32, 32)), prev)) for model in (narrow, wide)]
    torch.testing.assert_close(*both)
    again = widened(wide.state_dict(), wide)
    torch.testing.assert_close(again["stem.0.weight"], wide.stem[0].weight)
