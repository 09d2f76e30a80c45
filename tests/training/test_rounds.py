"""Rounds of clicks during training, groups of weights, and how networks begin."""

import numpy as np
import pytest
import torch

from napari_clickseg.models.base import ClickModel, ModelSpec
from napari_clickseg.models.checkpoint import write_model
from napari_clickseg.models.click_input import ClickInput
from napari_clickseg.models.compact import CompactModel
from napari_clickseg.models.hrnet import HRNetModel
from napari_clickseg.models.plain_vit import PlainViTModel
from napari_clickseg.training.examples import Batch
from napari_clickseg.training.parameters import OptimizerOptions, make_optimizer, xavier
from napari_clickseg.training.recipe import load_recipe
from napari_clickseg.training.rounds import Objective, RoundOptions, Rounds, State
from napari_clickseg.training.start import begin_model

TINY = {"encoder_scale": 1.0, "widths": [8] * 5, "decoder": [8] * 3}
OBJECTIVE = Objective({"bce": {}})


class Remembers(ClickModel):
    """Answers a constant, and remembers what it was shown and in which mode."""

    def __init__(self, kinds=("click",)):
        super().__init__()
        self.spec = ModelSpec("remembers", "ritm", True, frozenset(kinds))
        self.answer = torch.nn.Parameter(torch.tensor(-1.0))
        self.seen = []

    @property
    def splits(self):
        return {}

    def encode(self, interactions, shape, offset=0):
        raise NotImplementedError

    def maps_from_points(self, points, shape):
        raise NotImplementedError

    def before(self, split, inputs):
        raise NotImplementedError

    def after(self, split, tensors, inputs):
        raise NotImplementedError

    def interaction_maps(self, points, shape, interaction_maps, input_type):
        self.shown = {
            "points": points.clone(),
            "maps": {k: v.clone() for k, v in interaction_maps.items()},
            "latest": input_type,
            "learns": self.training and torch.is_grad_enabled(),
        }
        return torch.zeros(len(points), 2, *shape)

    def forward(self, inputs):
        self.seen.append({**self.shown, "prev": inputs.prev_mask.clone()})
        return self.answer.expand(inputs.image.shape[0], 1, *inputs.image.shape[-2:])


def batch(kinds=()):
    target = torch.zeros(2, 1, 20, 24)
    target[0, 0, 4:14, 5:15] = 1
    target[1, 0, 8:18, 10:20] = 1
    target[:, :, 0] = -1
    points = torch.full((2, 8, 3), -1.0)
    points[:, 0] = torch.tensor([10.0, 12.0, 100.0])
    drawn = {kind: torch.ones(2, 2, 20, 24) for kind in kinds}
    return Batch(torch.rand(2, 3, 20, 24), target, points, drawn, ("a", "b"), ())


def play(model, options, objective=OBJECTIVE, of=None, seed=0):
    losses = []
    rounds = Rounds(model, options, objective)
    rng = np.random.default_rng(seed)
    logits, parts = rounds.learn(of or batch(), rng, lambda loss: losses.append(loss))
    return logits, parts, losses


def test_next_clicks_are_made_without_learning_and_kept_in_the_last_places():
    model = Remembers()
    _, _, losses = play(model, RoundOptions(least=3, most=3))
    assert [seen["learns"] for seen in model.seen] == [False, False, False, True]
    assert len(losses) == 1
    assert not model.seen[0]["prev"].any()
    torch.testing.assert_close(model.seen[1]["prev"], torch.full((2, 1, 20, 24), 0.26894143))
    points = model.seen[-1]["points"]
    truth = batch().target
    for i in range(2):
        assert points[i, 0].tolist() == [10.0, 12.0, 100.0]
        assert points[i, 1:4, 2].tolist() == [3.0, 2.0, 1.0]  # the order; the latest is first
        rows, cols = points[i, 1:4, :2].long().T
        assert (truth[i, 0, rows, cols] == 1).all()
        assert (points[i, 4:] == -1).all()


def test_what_was_shown_last_has_the_corrections():
    rounds = Rounds(Remembers(), RoundOptions(least=2, most=2), OBJECTIVE)
    rounds.judge(batch(), np.random.default_rng(0))
    assert (rounds.shown.points[0, :, 0] >= 0).sum() == 3


def test_next_clicks_may_come_after_the_points_there_are():
    model = Remembers()
    play(model, RoundOptions(least=2, most=2, append=True))
    assert model.seen[-1]["points"][0, :4, 2].tolist() == [100.0, 1.0, 2.0, -1.0]


def test_as_many_corrections_as_drawn_and_none_without_rounds():
    counts = set()
    for seed in range(20):
        model = Remembers()
        play(model, RoundOptions(most=3), seed=seed)
        counts.add(len(model.seen))
    assert counts == {1, 2, 3, 4}
    model = Remembers()
    play(model, RoundOptions())
    assert len(model.seen) == 1


def test_click_loss_learns_from_every_round_with_its_weight():
    model = Remembers()
    options = RoundOptions("click_loss", least=3, most=3, weights=(1.0, 2.0, 3.0), from_centre=True)
    _, parts, losses = play(model, options)
    assert all(seen["learns"] for seen in model.seen)
    values = [float(loss.detach()) for loss in losses]
    np.testing.assert_allclose(np.array(values) / values[0], [1, 2, 3], rtol=1e-6)
    assert parts["overall"] == pytest.approx(sum(values), rel=1e-6)
    counts = [int((seen["points"][0, :, 0] >= 0).sum()) for seen in model.seen]
    assert counts == [1, 2, 3]
    row, col = model.seen[0]["points"][0, 0, :2]
    assert abs(row - 8.5) <= 1
    assert abs(col - 9.5) <= 1


def test_a_full_half_is_written_over_at_its_end():
    model = Remembers()
    of = batch()
    of.points[:, :4] = torch.tensor([1.0, 1.0, 100.0])
    play(model, RoundOptions("click_loss", least=2, most=2), of=of)
    points = model.seen[-1]["points"]
    assert (points[:, :3, 0] == 1).all()
    assert (points[:, 3, 0] != 1).all()


def test_kinds_are_drawn_and_the_force_pulls_at_the_latest():
    kinds = ("click", "contour", "stroke")
    latest = set()
    for seed in range(12):
        model = Remembers(kinds)
        of = batch(kinds[1:])
        _, parts, _ = play(
            model, RoundOptions(least=1, most=1), Objective({"bce": {}}, force=0.3), of, seed
        )
        last = model.seen[-1]
        latest.add(last["latest"])
        assert parts["force_loss"] > 0
        assert parts["overall"] == pytest.approx(
            parts["instance_loss"] + 0.3 * parts["force_loss"], rel=1e-5
        )
        if last["latest"] != "point":  # the latest contour or stroke stands in for those before
            maps = last["maps"][last["latest"]]
            assert 0 < maps[:, 0].mean() < 0.9
            assert not maps[:, 1].any()
    assert latest == {"point", "contour", "stroke"}


def test_forgotten_previous_masks():
    model = Remembers()
    play(model, RoundOptions(least=1, most=1, drop_prev=1.0))
    assert not model.seen[-1]["prev"].any()


def test_the_auxiliary_output_counts_with_its_weight():
    torch.manual_seed(0)
    model = HRNetModel(ClickInput(radius=3.0), width=4, ocr_width=4, small=True)
    of = batch()
    _, parts, losses = play(model, RoundOptions(), Objective({"bce": {}}, aux=0.4), of)
    expected = parts["instance_loss"] + 0.4 * parts["instance_aux_loss"]
    assert parts["overall"] == pytest.approx(expected, rel=1e-5)
    losses[0].backward()
    assert model.feature_extractor.aux_head[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "guess"}, "not 'guess'"),
        ({"least": 2, "most": 1}, "no range"),
        ({"kind": "click_loss", "most": 4}, "4 rounds but 3 weights"),
    ],
)
def test_rounds_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        RoundOptions(**wrong)


def test_nothing_said_pulls_at_nothing():
    state = State(torch.zeros(1, 2, 3), {}, torch.zeros(1, 1, 4, 4))
    zeros = torch.zeros(1, 1, 4, 4)
    assert float(Objective({"bce": {}}, force=1.0)(zeros, None, zeros, state)["force_loss"]) == 0


# ------------------------------------------------------------------ groups of weights
def factors(model, **options):
    optimizer = make_optimizer(model, OptimizerOptions(lr=1.0, **options))
    group = {id(p): g for g in optimizer.param_groups for p in g["params"]}
    return {n: group[id(p)] for n, p in model.named_parameters() if id(p) in group}


def test_encoders_learn_slower_with_the_published_exceptions():
    found = factors(HRNetModel(ClickInput(), width=4, ocr_width=4, small=True), encoder_factor=0.1)
    rates = {name: group["lr"] for name, group in found.items()}
    assert rates["feature_extractor.conv1.weight"] == pytest.approx(0.1)
    assert rates["feature_extractor.aux_head.0.weight"] == pytest.approx(0.1)
    assert rates["feature_extractor.cls_head.weight"] == pytest.approx(0.1)
    assert rates["feature_extractor.conv3x3_ocr.0.weight"] == 1
    assert rates["maps_transform.0.weight"] == 1


def test_layers_of_a_vit_learn_ever_slower_towards_the_image():
    vit = PlainViTModel(
        ClickInput("patches"), (64, 64), 16, 16, 4, 2, neck_dims=[4] * 4, head_channels=4
    )
    found = factors(vit, kind="adamw", layer_decay=0.5, weight_decay=0.02)
    rates = {name: group["lr"] for name, group in found.items()}
    assert rates["head.conv_seg.weight"] == 1
    assert rates["backbone.blocks.3.attn.qkv.weight"] == 0.5
    assert rates["backbone.blocks.0.attn.qkv.weight"] == 0.5**4
    assert rates["backbone.patch_embed.proj.weight"] == 0.5**5
    assert rates["patch_embed_coords.proj.weight"] == 0.5**5
    assert found["backbone.blocks.0.norm1.weight"]["weight_decay"] == 0
    assert found["backbone.blocks.0.attn.qkv.weight"]["weight_decay"] == 0.02
    assert len(found) == len(list(vit.parameters()))
    published = factors(vit, kind="adam", layer_decay=0.75, weight_decay=0.02)
    for name in ("backbone.blocks.0.norm1.weight", "backbone.pos_embed", "backbone.cls_token"):
        assert published[name]["weight_decay"] == 0
    assert published["backbone.blocks.0.attn.qkv.weight"]["weight_decay"] == 0.02


def test_norms_decay_only_if_all_weights_are_to():
    model = CompactModel(**TINY)
    norm = next(name for name, p in model.named_parameters() if p.ndim == 1)
    for decay_all, expected in ((False, 0), (True, 0.01)):
        found = factors(model, kind="adamw", weight_decay=0.01, decay_all=decay_all)
        assert found[norm]["weight_decay"] == expected


def test_a_factor_of_nothing_freezes_the_encoder():
    model = CompactModel(**TINY)
    found = factors(model, encoder_factor=0.0)
    assert not any(name.startswith("encoder.") for name in found)
    assert not any(p.requires_grad for p in model.encoder.parameters())


def test_xavier_scales_by_the_mean_of_inputs_and_outputs():
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(16, 48, 3)
    xavier(torch.nn.Sequential(layer, torch.nn.BatchNorm2d(48)))
    expected = (2 / ((16 * 9 + 48 * 9) / 2)) ** 0.5
    assert float(layer.weight.detach().std()) == pytest.approx(expected, rel=0.05)
    assert not layer.bias.any()


# ------------------------------------------------------------------ how networks begin
def test_a_recipe_that_needs_a_start_says_so():
    with pytest.raises(ValueError, match="--backbone FILE"):
        begin_model(load_recipe("ritm_hrnet18s_cocolvis_itermask"))


def test_weights_of_the_same_network_are_taken_and_others_refused(tmp_path):
    torch.manual_seed(0)
    given = CompactModel(**TINY)
    write_model(given, tmp_path / "a.safetensors", {"name": "a"}, half=False)
    whole = begin_model(load_recipe("finetune"), weights=str(tmp_path / "a.safetensors"))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, given.state_dict()[name]), name
    assert all(p.requires_grad for p in whole.parameters())
    other = load_recipe("ritm_hrnet18s_cocolvis_itermask", ["model.config.width=4"])
    with pytest.raises(ValueError, match="does not fit the recipe"):
        begin_model(other, weights=str(tmp_path / "a.safetensors"))


def test_a_config_that_makes_no_network_is_refused():
    recipe = load_recipe(
        "ritm_resnet34_sbd_baseline", ["model.config.colour=1", 'model.start="nothing"']
    )
    with pytest.raises(ValueError, match="cannot be built"):
        begin_model(recipe)
