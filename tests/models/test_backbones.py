"""Pretrained encoder files go into the right part of a network, or are refused with the reason."""

from argparse import Namespace

import pytest
import torch

from napari_clickseg.models.backbones import load_backbone
from napari_clickseg.models.compact import CompactModel
from napari_clickseg.models.deeplab import DeepLabModel
from napari_clickseg.models.header import CheckpointError
from napari_clickseg.models.hrnet import HRNetModel
from napari_clickseg.models.plain_vit import PlainViTModel
from napari_clickseg.models.resnet import DilatedResNet
from napari_clickseg.models.segformer import SegFormerModel
from napari_clickseg.models.vit import resize_position

HEADS = ("aux_head.", "cls_head.", "conv3x3_ocr.", "ocr_distri_head.")


@pytest.fixture(autouse=True)
def _short_resnets(monkeypatch):
    """One block in each stage, so that building and saving them is quick."""
    for name, (block, _) in list(DilatedResNet.DEPTHS.items()):
        monkeypatch.setitem(DilatedResNet.DEPTHS, name, (block, (1, 1, 1, 1)))


def hrnet(width=4, small=True):
    return HRNetModel({"fusion": "maps"}, width, 4, small)


def deeplab(backbone="resnet34"):
    return DeepLabModel({"fusion": "maps"}, backbone, 16)


def plain_vit(image_size=(64, 64), **changes):
    sizes = {"embed_dim": 16, "depth": 4, "heads": 2, "head_channels": 8, "neck_dims": (4, 4, 4, 4)}
    return PlainViTModel({"fusion": "patches"}, image_size, **{**sizes, **changes})


def segformer():
    inputs = {"fusion": "maps", "stride": 1, "kinds": ("click", "contour", "stroke")}
    return SegFormerModel(inputs, "mit_b1")


def encoder(model, part):
    """Its weights without prefix, with other values than the network's own."""
    state = {k: v for k, v in model.state_dict().items() if k.startswith(f"{part}.")}
    torch.manual_seed(7)
    return {
        k.removeprefix(f"{part}."): torch.rand(v.shape).half() if v.is_floating_point() else v + 3
        for k, v in state.items()
    }


def saved(tmp_path, content):
    torch.save(content, tmp_path / "encoder.pth")
    return tmp_path / "encoder.pth"


def assert_taken(model, part, expected, before):
    """The expected weights are in their part and everything else is as before."""
    taken = 0
    for key, value in model.state_dict().items():
        name = key.removeprefix(f"{part}.")
        if key.startswith(f"{part}.") and name in expected:
            assert torch.equal(value, expected[name].to(value.dtype)), key
            taken += 1
        else:
            assert torch.equal(value, before[key]), key
    assert taken == len(expected)


def copy(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


@pytest.mark.parametrize("prefix", ["", "model.", "module."])
def test_an_imagenet_hrnet_goes_into_the_branches(tmp_path, prefix):
    model = hrnet()
    before, weights = copy(model), encoder(model, "feature_extractor")
    weights = {k: v for k, v in weights.items() if not k.startswith(HEADS)}
    others = {
        "classifier.weight": torch.rand(1000, 8),
        "incre_modules.0.0.conv1.bias": torch.rand(3),
    }
    path = saved(tmp_path, {prefix + k: v for k, v in {**weights, **others}.items()})
    said = load_backbone(model, path)
    assert "small HRNet of width 4" in said
    assert str(path) in said
    assert f"{len(weights)} weights taken, 2 others in the file left out" in said
    assert_taken(model, "feature_extractor", weights, before)


def test_the_last_layer_of_an_hrnet_of_other_classes_goes_into_the_auxiliary_head(tmp_path):
    model = hrnet()
    before, weights = copy(model), encoder(model, "feature_extractor")
    weights = {k: v for k, v in weights.items() if not k.startswith(HEADS[1:])}
    file = {f"model.{k.replace('aux_head', 'last_layer')}": v for k, v in weights.items()}
    for kind in ("weight", "bias"):  # one class here, many there
        single = weights.pop(f"aux_head.3.{kind}")
        file[f"model.last_layer.3.{kind}"] = single.expand(19, *single.shape[1:]).clone()
    load_backbone(model, saved(tmp_path, file))
    assert_taken(model, "feature_extractor", weights, before)


def test_a_resnet_without_counts_of_batches_goes_into_the_encoder(tmp_path):
    model = deeplab()
    before, weights = copy(model), encoder(model, "feature_extractor.backbone")
    weights = {k: v for k, v in weights.items() if "num_batches" not in k}
    others = {"fc.weight": torch.rand(10, 512), "fc.bias": torch.rand(10)}
    said = load_backbone(model, saved(tmp_path, {**weights, **others}))
    assert "a ResNet of 1-1-1-1 basic blocks" in said
    assert_taken(model, "feature_extractor.backbone", weights, before)


STEM = [
    "conv1.0.weight",
    *(f"conv1.1.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")),
    "conv1.3.weight",
    *(f"conv1.4.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")),
    "conv1.6.weight",
    *(f"bn1.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")),
]


@pytest.mark.parametrize("naming", ["published", "own"])
def test_a_deep_stem_goes_in_by_name_or_else_by_order_and_shape(tmp_path, naming):
    model = deeplab("resnet50")
    before, weights = copy(model), encoder(model, "feature_extractor.backbone")
    ordered = STEM + [k for k in weights if k not in STEM and "num_batches" not in k]
    weights = {k: weights[k] for k in ordered}
    file = dict(weights)
    if naming == "own":
        file = {f"layers.{i}.{k.rsplit('.', 1)[-1]}": v for i, (k, v) in enumerate(file.items())}
        file |= {"output.weight": torch.rand(9, 2048), "output.bias": torch.rand(9)}
    said = load_backbone(model, saved(tmp_path, file))
    assert "bottlenecks behind three convolutions" in said
    assert ("by order and shape" in said) is (naming == "own")
    assert_taken(model, "feature_extractor.backbone", weights, before)


def test_weights_in_another_order_are_not_guessed(tmp_path):
    model = deeplab()
    before, weights = copy(model), encoder(model, "feature_extractor.backbone")
    weights = {k: v for k, v in weights.items() if "num_batches" not in k}
    kinds = {
        "weight": "a",
        "bias": "b",
        "running_mean": "running_var",
        "running_var": "running_mean",
    }
    swapped = {}
    for i, (key, value) in enumerate(weights.items()):
        swapped[f"x{i}.{kinds[key.rsplit('.', 1)[-1]]}"] = value
    with pytest.raises(CheckpointError, match=r"first weight is 'x0.a'.*missing \(first: conv1"):
        load_backbone(model, saved(tmp_path, swapped))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("container", [None, "state_dict"])
def test_a_mit_goes_into_the_encoder(tmp_path, container):
    model = segformer()
    before, weights = copy(model), encoder(model, "feature_extractor.backbone")
    file = {**weights, "head.weight": torch.rand(10, 512), "head.bias": torch.rand(10)}
    said = load_backbone(model, saved(tmp_path, {container: file} if container else file))
    assert "a MiT of 2-2-2-2 blocks, 64 wide at first" in said
    assert_taken(model, "feature_extractor.backbone", weights, before)


def mae(model):
    """An MAE file's content, and the part of it that the network needs."""
    weights = encoder(model, "backbone")
    weights = {k: v for k, v in weights.items() if not k.startswith(("fc_norm", "head"))}
    decoder = {
        "mask_token": torch.rand(1, 1, 8),
        "decoder_pos_embed": torch.rand(1, 5, 8),
        "decoder_blocks.0.attn.qkv.weight": torch.rand(24, 8),
        "norm.weight": torch.rand(16),
    }
    return {"model": {**weights, **decoder}}, weights


def test_a_masked_autoencoder_goes_into_the_encoder(tmp_path):
    model = plain_vit()
    before = copy(model)
    file, weights = mae(model)
    said = load_backbone(model, saved(tmp_path, file))
    assert "a plain ViT of 4 blocks of width 16" in said
    assert "interpolated" not in said
    assert_taken(model, "backbone", weights, before)


def test_the_position_embedding_of_another_grid_is_interpolated(tmp_path):
    model = plain_vit((128, 128))
    before = copy(model)
    file, weights = mae(plain_vit((64, 64)))
    said = load_backbone(model, saved(tmp_path, file))
    assert "interpolated from (4, 4) to (8, 8)" in said
    given = weights["pos_embed"].float()
    weights["pos_embed"] = resize_position(given, (4, 4), (8, 8))
    assert_taken(model, "backbone", weights, before)
    assert torch.equal(model.backbone.pos_embed[:, 0], given[:, 0])


def test_of_a_click_network_only_the_encoder_is_taken(tmp_path):
    model, source = plain_vit(), plain_vit(head_channels=16)
    before = copy(model)
    file = {"state_dict": source.state_dict(), "config": {"class": "some.Model", "params": {}}}
    load_backbone(model, saved(tmp_path, file))
    weights = {f"backbone.{k}": v for k, v in source.backbone.state_dict().items()}
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights.get(key, before[key])), key


def refused(model, path, match):
    before = copy(model)
    with pytest.raises(CheckpointError, match=match):
        load_backbone(model, path)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_encoders_of_another_kind_or_size_are_refused_by_both_names(tmp_path):
    file, _ = mae(plain_vit())
    path = saved(tmp_path, file)
    refused(
        hrnet(), path, r"plain ViT of 4 blocks.*built on a small HRNet of width 4.*conv1\.weight"
    )
    refused(plain_vit(depth=8), path, r"of 4 blocks.*of 8 blocks.*missing \(first: blocks\.4\.")
    match = (
        r"width 16.*width 32.*mis-shaped \(first: pos_embed is \(1, 17, 16\) instead of \(1, 17, 32"
    )
    refused(plain_vit(embed_dim=32), path, match)
    path = saved(tmp_path, encoder(hrnet(), "feature_extractor"))
    refused(hrnet(width=6), path, r"HRNet of width 4, .*HRNet of width 6: \d+ are mis-shaped")
    refused(hrnet(small=False), path, "a small HRNet of width 4, .* built on an HRNet of width 4")
    refused(deeplab(), path, "holds a small HRNet .* built on a ResNet of 1-1-1-1 basic blocks")
    plain_stem = encoder(deeplab(), "feature_extractor.backbone")
    refused(deeplab("resnet50"), saved(tmp_path, plain_stem), "missing .first: .*conv1.*mis-shaped")


def test_a_position_embedding_of_no_square_is_refused(tmp_path):
    file, weights = mae(plain_vit())
    file["model"]["pos_embed"] = weights["pos_embed"][:, :-1]
    refused(plain_vit(), saved(tmp_path, file), r"pos_embed is \(1, 16, 16\) instead of \(1, 17")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    file, weights = mae(plain_vit())
    weights["blocks.2.norm1.bias"][3] = value
    refused(plain_vit(), saved(tmp_path, file), r"NaN or infinite.*blocks\.2\.norm1\.bias")


@pytest.mark.parametrize("content", [[1, 2], {"model": {}}, {"epoch": 3}, torch.rand(3)])
def test_files_without_weights_by_name_are_refused(tmp_path, content):
    refused(plain_vit(), saved(tmp_path, content), "holds no weights by name")


def test_files_that_would_run_code_and_damaged_ones_are_refused(tmp_path):
    file, _ = mae(plain_vit())
    path = saved(tmp_path, {**file, "args": Namespace(lr=1)})
    refused(plain_vit(), path, "argparse.Namespace")
    path = saved(tmp_path, file)
    path.write_bytes(path.read_bytes()[:-700])
    refused(plain_vit(), path, "damaged|cut")
    refused(plain_vit(), tmp_path / "none.pth", "There is no")


def test_networks_without_such_an_encoder_say_so(tmp_path):
    file, _ = mae(plain_vit())
    with pytest.raises(ValueError, match="'compact' has no encoder"):
        load_backbone(CompactModel(), saved(tmp_path, file))
