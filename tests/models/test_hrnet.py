"""HRNet with object context: published numbers, splits, sizes, folding."""

import copy

import numpy as np
import pytest
import torch
from parity import call_inputs, fill, load_case
from torch import nn

from napari_clickseg.models.base import Inputs
from napari_clickseg.models.enlarged import conv_of_enlarged
from napari_clickseg.models.folding import fold_batch_norms
from napari_clickseg.models.hrnet import HRNetModel, joined
from napari_clickseg.models.inference import for_inference

FBRS = {"fusion": "rgb_fbrs", "disks": False, "radius": 260, "prev_mask": False}
KINDS = ("click", "contour", "stroke")
CASES = {
    "fbrs_hrnet18_ocr64": (FBRS, 18, 64),
    "fbrs_hrnet32_ocr128": (FBRS, 32, 128),
    "ritm_hrnet18_itermask": ({}, 18, 64),
    "ritm_hrnet18_rgbconv_tanh": ({**FBRS, "fusion": "rgb"}, 18, 64, True),
    "ritm_hrnet18s_itermask": ({}, 18, 48, True),
    "ritm_hrnet32_itermask": ({}, 32, 128),
    "saicis_hrnet18_accum": ({"kinds": KINDS, "radius": 3}, 18, 64),
    "saicis_hrnet18_last": ({"kinds": KINDS, "radius": 3, "accumulate": False}, 18, 64),
}


def some_inputs(height: int, width: int) -> Inputs:
    rng = torch.Generator().manual_seed(1)
    image = torch.rand(1, 3, height, width, generator=rng)
    maps = (torch.rand(1, 2, height, width, generator=rng) > 0.9).float()
    return Inputs(image, maps, torch.rand(1, 1, height, width, generator=rng))


@pytest.fixture(scope="module")
def small() -> HRNetModel:
    name = "ritm_hrnet18s_itermask"
    return fill(HRNetModel(*CASES[name]), load_case(name)[1])


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("saicis")])
@torch.inference_mode()
def test_logits_are_the_published_ones(name):
    case, meta = load_case(name)
    model, call = fill(HRNetModel(*CASES[name]), meta), call_inputs(case)
    logits = model.logits(**call)
    assert np.abs(logits[0, 0].numpy() - case["logits"]).max() < 2e-3
    if "logits_aux" in case:
        prev_mask = call["prev_mask"] if model.spec.takes_prev_mask else None
        maps = model.maps_from_points(call["points"], call["image"].shape[-2:])
        again, aux = model.logits_and_aux(Inputs(call["image"], maps, prev_mask))
        assert np.abs(aux[0, 0].numpy() - case["logits_aux"]).max() < 2e-3
        torch.testing.assert_close(again, logits)


@pytest.mark.parametrize("size", [(64, 96), (75, 50), (33, 130)])
def test_a_network_for_inference_gives_the_same(small, size):
    inputs, fast = some_inputs(*size), for_inference(copy.deepcopy(small))
    with torch.inference_mode():
        wanted = small(inputs)
        torch.testing.assert_close(fast(inputs), wanted, rtol=1e-4, atol=1e-4)
        for split in ("maps", "features", "context"):
            again = fast.after(split, fast.before(split, inputs), inputs)
            torch.testing.assert_close(again, wanted, rtol=1e-4, atol=1e-4)
    slopes = []
    for network in (small, fast):  # as BRS asks for them
        maps = inputs.maps.clone().requires_grad_()
        network.after("maps", {"maps": maps}, inputs).square().mean().backward()
        slopes.append(maps.grad)
    # rounding may put a feature on the other side of a ReLU's bend
    assert (slopes[1] - slopes[0]).norm() < 1e-2 * slopes[0].norm()


@pytest.mark.parametrize("kernel", [1, 3])
def test_small_maps_are_convolved_before_they_are_enlarged(kernel):
    torch.manual_seed(0)
    maps = [torch.randn(2, 4, *size) for size in ((24, 31), (12, 16), (6, 8), (3, 4))]
    conv = nn.Conv2d(16, 5, kernel, padding=kernel // 2)
    enlarged = conv_of_enlarged(conv, maps)
    torch.testing.assert_close(enlarged, conv(joined(maps)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["saicis_hrnet18_accum", "saicis_hrnet18_last"])
@torch.inference_mode()
def test_logits_of_mixed_interactions_are_the_published_ones(name):
    case, meta = load_case(name)
    model = fill(HRNetModel(*CASES[name]), meta)
    maps = {kind: torch.from_numpy(case[f"{kind}_maps"])[None] for kind in KINDS[1:]}
    for kind in ("point", "contour", "stroke"):
        logits = model.logits(**call_inputs(case), interaction_maps=maps, input_type=kind)
        assert np.abs(logits[0, 0].numpy() - case[f"logits_{kind}"]).max() < 2e-3


@pytest.mark.parametrize("shape", [(64, 48), (65, 51), (33, 98)])
@torch.inference_mode()
def test_every_split_gives_the_same_logits_as_often_as_it_is_used(small, shape):
    inputs = some_inputs(*shape)
    whole = small(inputs)
    assert whole.shape == (1, 1, *shape)
    for name, split in small.splits.items():
        tensors = small.before(name, inputs)
        for tensor, channels in split.channels.items():
            assert tensors[tensor].shape[1] == channels
        for _ in range(2):
            torch.testing.assert_close(small.after(name, tensors, inputs), whole)


def test_gradients_reach_every_split(small):
    inputs = some_inputs(32, 32)
    for name, split in small.splits.items():
        with torch.no_grad():
            tensors = small.before(name, inputs)
        for tensor in (*split.channels, *split.added):
            tensors[tensor] = tensors[tensor].clone().requires_grad_()
        small.after(name, tensors, inputs).sum().backward()
        for tensor in (*split.channels, *split.added):
            assert tensors[tensor].grad.abs().sum() > 0


def test_both_outputs_train_all_weights_but_the_attention_over_one_class():
    torch.manual_seed(0)
    model = HRNetModel({}, 8, 8, small=True)
    inputs = some_inputs(64, 64)
    both = Inputs(*(t.repeat(2, 1, 1, 1) for t in (inputs.image, inputs.maps, inputs.prev_mask)))
    sum(logits.square().mean() for logits in model.logits_and_aux(both)).backward()
    idle = {name for name, weight in model.named_parameters() if weight.grad is None}
    assert idle
    assert all(".f_pixel." in name or ".f_object." in name for name in idle)


@torch.inference_mode()
def test_only_the_attention_over_one_class_keeps_no_say(small):
    """Weights of `f_pixel` and `f_object` change nothing, as in the published networks."""
    other, inputs = copy.deepcopy(small), some_inputs(64, 64)
    attention = other.feature_extractor.ocr_distri_head.object_context_block
    for weight in (*attention.f_pixel.parameters(), *attention.f_object.parameters()):
        weight.fill_(7)
    torch.testing.assert_close(other(inputs), small(inputs), rtol=0, atol=0)


@torch.inference_mode()
def test_without_object_context_there_is_no_f_brs_c_and_no_second_output():
    torch.manual_seed(0)
    model, inputs = HRNetModel({}, 8, ocr_width=0, small=True).eval(), some_inputs(48, 64)
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert shapes["feature_extractor.cls_head.0.weight"] == (120, 120, 3, 3)
    assert shapes["feature_extractor.cls_head.3.weight"] == (1, 120, 1, 1)
    assert not any("aux_head" in key or "ocr" in key for key in shapes)
    assert model.spec.brs["f-BRS-A"] == model.spec.brs["f-BRS-B"] == "features"
    assert "f-BRS-C" not in model.spec.brs
    whole = model(inputs)
    tensors = model.before("features", inputs)
    torch.testing.assert_close(model.after("features", tensors, inputs), whole)
    with pytest.raises(ValueError, match="no auxiliary output"):
        model.logits_and_aux(inputs)


@pytest.mark.parametrize("name", ["ritm_hrnet18s_itermask", "ritm_hrnet18_rgbconv_tanh"])
@torch.inference_mode()
def test_no_batch_norm_is_left_after_folding_and_logits_stay(name):
    model = fill(HRNetModel(*CASES[name]), load_case(name)[1])
    inputs = some_inputs(65, 64)
    expected = model(inputs)
    folded = fold_batch_norms(model)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(folded(inputs), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("width", [40, 48, 64])
def test_wider_networks_have_the_published_shapes(width):
    with torch.device("meta"):
        model = HRNetModel({}, width, 128)
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    _, meta = load_case("ritm_hrnet32_itermask")
    assert set(shapes) == {key for key, _ in meta["state_dict_keys"]}
    net = "feature_extractor."
    assert shapes[net + "stage4.2.branches.3.3.conv2.weight"] == (8 * width, 8 * width, 3, 3)
    assert shapes[net + "stage4.2.fuse_layers.0.3.0.weight"] == (width, 8 * width, 1, 1)
    assert shapes[net + "transition3.3.0.0.weight"] == (8 * width, 4 * width, 3, 3)
    assert shapes[net + "conv3x3_ocr.0.weight"] == (256, 15 * width, 3, 3)


@pytest.mark.parametrize("inputs", [{"fusion": "patches"}, {"stride": 1}])
def test_clicks_that_can_not_enter_are_refused_with_a_sentence(inputs):
    with torch.device("meta"), pytest.raises(ValueError, match="HRNet takes features of clicks"):
        HRNetModel(inputs)
