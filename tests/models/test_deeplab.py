"""ResNet and DeepLabV3+: published numbers, splits, sizes, folding."""

import copy

import numpy as np
import pytest
import torch
from parity import call_inputs, fill, load_case

from napari_clickseg.models.base import Inputs
from napari_clickseg.models.deeplab import DeepLabModel
from napari_clickseg.models.folding import fold_batch_norms

FBRS = {"fusion": "rgb_fbrs", "disks": False, "radius": 260, "prev_mask": False}
CASES = {
    "fbrs_resnet34_dh128": (FBRS, "resnet34", 128),
    "fbrs_resnet50_dh128": (FBRS, "resnet50", 128),
    "fbrs_resnet101_dh256": (FBRS, "resnet101", 256),
    "ritm_r34_dh128": ({"prev_mask": False}, "resnet34", 128),
}


def some_inputs(height: int, width: int, channels: int = 2) -> Inputs:
    rng = torch.Generator().manual_seed(1)
    image = torch.rand(1, 3, height, width, generator=rng)
    maps = (torch.rand(1, channels, height, width, generator=rng) > 0.9).float()
    return Inputs(image, maps, torch.rand(1, 1, height, width, generator=rng))


@pytest.fixture(scope="module", params=["fbrs_resnet34_dh128", "fbrs_resnet50_dh128"])
def model(request) -> DeepLabModel:
    _, meta = load_case(request.param)
    return fill(DeepLabModel(*CASES[request.param]), meta)


@pytest.mark.parametrize("name", CASES)
@torch.inference_mode()
def test_logits_are_the_published_ones(name):
    case, meta = load_case(name)
    logits = fill(DeepLabModel(*CASES[name]), meta).logits(**call_inputs(case))
    assert np.abs(logits[0, 0].numpy() - case["logits"]).max() < 2e-3


@pytest.mark.parametrize("shape", [(64, 48), (65, 51), (33, 97)])
@torch.inference_mode()
def test_every_split_gives_the_same_logits_as_often_as_it_is_used(model, shape):
    inputs = some_inputs(*shape)
    whole = model(inputs)
    assert whole.shape == (1, 1, *shape)
    for name, split in model.splits.items():
        tensors = model.before(name, inputs)
        for tensor, channels in split.channels.items():
            assert tensors[tensor].shape[1] == channels
        for _ in range(2):
            torch.testing.assert_close(model.after(name, tensors, inputs), whole)


def test_brs_modes_have_their_splits(model):
    brs = {"f-BRS-A": "c4", "f-BRS-B": "aspp", "f-BRS-C": "head"}
    assert model.spec.brs == {"RGB-BRS": "image", "DistMap-BRS": "maps", **brs}
    assert set(model.spec.brs.values()) <= set(model.splits)


def test_gradients_reach_every_split(model):
    inputs = some_inputs(32, 32)
    for name, split in model.splits.items():
        with torch.no_grad():
            tensors = model.before(name, inputs)
        for tensor in (*split.channels, *split.added):
            tensors[tensor] = tensors[tensor].clone().requires_grad_()
        model.after(name, tensors, inputs).sum().backward()
        for tensor in (*split.channels, *split.added):
            assert tensors[tensor].grad.abs().sum() > 0


@torch.inference_mode()
def test_no_batch_norm_is_left_after_folding_and_logits_stay(model):
    inputs = some_inputs(64, 64)
    folded = fold_batch_norms(copy.deepcopy(model))
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(folded(inputs), model(inputs), rtol=1e-3, atol=1e-3)


def test_resnet152_and_the_deep_stem_have_the_published_shapes():
    with torch.device("meta"):
        model = DeepLabModel({"prev_mask": False}, "resnet152", 256)
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    backbone = "feature_extractor.backbone."
    assert shapes[backbone + "conv1.6.weight"] == (128, 64, 3, 3)
    assert shapes[backbone + "layer2.7.conv3.weight"] == (512, 128, 1, 1)
    assert shapes[backbone + "layer3.35.conv2.weight"] == (256, 256, 3, 3)
    assert backbone + "layer2.8.conv1.weight" not in shapes
    assert backbone + "layer3.36.conv1.weight" not in shapes
    assert shapes["feature_extractor.aspp.concurent.4.gap.1.weight"] == (256, 2048, 1, 1)


@torch.inference_mode()
def test_click_features_join_the_first_channels_of_a_deep_stem():
    torch.manual_seed(0)
    resnet = DeepLabModel({"prev_mask": False}, "resnet50").feature_extractor.backbone.eval()
    image, stems = torch.rand(1, 3, 32, 32), []
    resnet.maxpool.register_forward_pre_hook(lambda _, inputs: stems.append(inputs[0].clone()))
    resnet(image)
    resnet(image, torch.ones(1, 64, 16, 16))
    torch.testing.assert_close(stems[1][:, :64], stems[0][:, :64] + 1)
    torch.testing.assert_close(stems[1][:, 64:], stems[0][:, 64:])


@pytest.mark.parametrize(
    ("inputs", "backbone", "words"),
    [
        ({}, "resnet18", "There is no backbone 'resnet18'; there are resnet34"),
        ({"fusion": "patches"}, "resnet34", "DeepLab takes features of clicks at stride 2"),
        ({"stride": 1}, "resnet34", "not fusion 'maps' at stride 1"),
    ],
)
def test_what_can_not_be_built_is_refused_with_a_sentence(inputs, backbone, words):
    with torch.device("meta"), pytest.raises(ValueError, match=words):
        DeepLabModel(inputs, backbone)
