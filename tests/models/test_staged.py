"""Several networks that take turns."""

import pytest
import torch
from checkpoints import logits_of, ritm_config, ritm_state

from napari_clickseg import Click, Contour, Stroke, model_from_state_dict
from napari_clickseg.models.checkpoint import read_model, write_model
from napari_clickseg.models.folding import fold_batch_norms
from napari_clickseg.models.header import CheckpointError
from napari_clickseg.models.staged import StagedModel, TypedModel

CLICK = Click(3, 4, True)
LINE = [(0, 0), (5, 5), (9, 2)]


def stages(count):
    return [{"state_dict": ritm_state(seed), "config": ritm_config()} for seed in range(count)]


def typed(*kinds):
    state = ritm_state(kinds=kinds)
    return model_from_state_dict(
        state, ritm_config(input_type=list(kinds), is_strided_maps_transform=True)
    )


def test_the_number_of_interactions_chooses_the_network():
    model = model_from_state_dict(stages(3))
    assert isinstance(model, StagedModel) and not model.training
    chosen = [model.choose([CLICK] * n) for n in range(6)]
    a, b, c = model.stages
    assert all(x is y for x, y in zip(chosen, [a, a, b, c, c, c], strict=True))
    assert a.choose([CLICK]) is a
    assert model.spec.brs == {} and a.spec.brs
    assert (model.spec.profile, model.spec.takes_prev_mask) == ("ritm", True)


def test_a_start_mask_counts_like_a_click():
    model = model_from_state_dict(stages(2))
    assert model.choose([CLICK]) is model.stages[0]
    assert model.choose([CLICK], offset=1) is model.stages[1]


def test_stages_differ_and_each_image_is_answered_by_its_number_of_points(tmp_path):
    model = model_from_state_dict(stages(2))
    first, second = map(logits_of, model.stages)
    assert not torch.equal(first, second)
    assert torch.equal(logits_of(model), second)  # of two points
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    pad = [-1.0, -1, -1]
    points = torch.tensor(
        [[[5.0, 5, 0], pad, [20, 9, 1], pad], [[5, 5, 0], pad, pad, [-1, -1, -1]]]
    )
    with torch.no_grad():
        answers = model.logits(image, points, interaction_maps={}, input_type="point")
        for row, stage in ((0, model.stages[1]), (1, model.stages[0])):
            one = stage.logits(image[row : row + 1], points[row : row + 1])
            torch.testing.assert_close(answers[row : row + 1], one, rtol=1e-4, atol=1e-4)
    path = tmp_path / "stages.pth"
    torch.save(stages(2), path)
    assert torch.equal(logits_of(read_model(path).stages[1]), second)


def test_several_networks_are_written_and_read(tmp_path):
    model, path = model_from_state_dict(stages(2)), tmp_path / "stages.safetensors"
    write_model(model, path, {"name": "stages"}, half=False)
    again = read_model(path, profile="avalanche")
    assert isinstance(again, StagedModel) and len(again.stages) == 2
    assert {stage.spec.profile for stage in (again, *again.stages)} == {"avalanche"}
    assert {stage["config"]["profile"] for stage in again.config["stages"]} == {"avalanche"}
    for old, new in zip(model.stages, again.stages, strict=True):
        assert torch.equal(logits_of(old), logits_of(new))
    before = logits_of(again.stages[1])
    torch.testing.assert_close(logits_of(fold_batch_norms(again).stages[1]), before)


def test_a_broken_stage_is_told_by_its_number():
    broken = stages(2)
    broken[1]["state_dict"].pop("feature_extractor.cls_head.bias")
    with pytest.raises(CheckpointError, match="Network 2 of The checkpoint does not fit"):
        model_from_state_dict(broken)
    with pytest.raises(CheckpointError, match="Give no config"):
        model_from_state_dict(stages(2), ritm_config())


def test_a_list_of_one_is_that_network():
    assert model_from_state_dict(stages(1)).spec.architecture == "hrnet"


def test_the_kind_of_the_latest_interaction_chooses_the_network(tmp_path):
    model = TypedModel([typed("click"), typed("contour", "click"), typed("stroke")])
    clicks, contours, strokes = model.stages
    assert model.spec.interactions == {"click", "contour", "stroke"}
    assert model.spec.brs == {}
    assert model.choose([]) is clicks
    assert model.choose([Stroke(LINE, True), CLICK]) is clicks
    assert model.choose([CLICK, Contour(LINE, True)]) is contours
    assert model.choose([Stroke(LINE, False)]) is strokes
    path = tmp_path / "typed.safetensors"
    write_model(model, path, {"name": "typed"}, half=False)
    again = read_model(path)
    assert again.choose([Stroke(LINE, True)]).inputs.kinds == ("stroke",)


def test_logits_are_those_of_the_network_for_the_latest_kind():
    model = TypedModel([typed("click"), typed("stroke")])
    image, maps = torch.rand(1, 3, 32, 32), {"stroke": torch.rand(1, 2, 32, 32)}
    points = torch.tensor([[[5.0, 5, 0], [-1, -1, -1]]])
    clicks, strokes = model.stages
    with torch.no_grad():
        assert torch.equal(model.logits(image, points), clicks.logits(image, points))
        seen = model.logits(image, points, None, maps, "point")
        assert torch.equal(seen, clicks.logits(image, points))
        drawn = model.logits(image, points, None, maps, "stroke")
        assert torch.equal(drawn, strokes.logits(image, points, None, maps, "stroke"))
    assert not torch.equal(drawn, seen)
    with pytest.raises(ValueError, match="say which is the latest"):
        model.logits(image, points, None, maps)
    with pytest.raises(ValueError, match="not a contour"):
        model.logits(image, points, input_type="contour")


def test_kinds_that_no_network_takes_are_refused():
    with pytest.raises(ValueError, match="takes click, contour, not a stroke"):
        TypedModel([typed("click"), typed("contour")]).choose([Stroke(LINE, True)])
    with pytest.raises(ValueError, match="Network 2 takes no kind"):
        TypedModel([typed("click", "contour"), typed("contour")])
