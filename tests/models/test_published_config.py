"""Which network a published config, or weights without one, mean."""

import pytest
import torch
from checkpoints import config, ritm_config, ritm_state
from parity import load_case

from napari_clickseg import model_from_state_dict
from napari_clickseg.engine import profiles
from napari_clickseg.models.click_input import ClickInput
from napari_clickseg.models.describe import SYSTEMS, describe, name_of
from napari_clickseg.models.detect import OCR, detect
from napari_clickseg.models.header import CheckpointError
from napari_clickseg.models.hrnet import HRNetModel
from napari_clickseg.models.published_config import parse_config
from napari_clickseg.models.registry import build_model
from napari_clickseg.models.unpickle import InteractionKind

ALL = ("IType.point", "IType.contour", "IType.stroke")
HRNET18 = {"width": 18, "ocr_width": 64, "small": False}
HRNET32 = {"width": 32, "ocr_width": 128, "small": False}
CLICK = {"kinds": ["click"], "prev_mask": False}
MASK = {"kinds": ["click"], "prev_mask": True, "radius": 5}
MULTI = {"kinds": ["click", "contour", "stroke"], "prev_mask": True, "radius": 3}
FBRS = {**CLICK, "fusion": "rgb_fbrs", "disks": False, "radius": 260.0, "leaky": True}
TINY_VIT = {"image_size": [224, 224], "embed_dim": 96, "depth": 4, "heads": 4, "upsample": "x1"}
WINDOWED = {**TINY_VIT, "image_size": [448, 448], "depth": 8, "upsample": "x2", "head_channels": 64}
BASE = {"image_size": [224, 224], "embed_dim": 768, "depth": 12, "heads": 12, "mlp_ratio": 4}

PARITY = {
    "fbrs_resnet34_dh128": ("deeplab", {"backbone": "resnet34", "channels": 128}, FBRS),
    "fbrs_resnet50_dh128": ("deeplab", {"backbone": "resnet50", "channels": 128}, FBRS),
    "fbrs_resnet101_dh256": ("deeplab", {"backbone": "resnet101", "aspp_dropout": 0.5}, FBRS),
    "fbrs_hrnet18_ocr64": ("hrnet", HRNET18, FBRS),
    "fbrs_hrnet32_ocr128": ("hrnet", HRNET32, FBRS),
    "ritm_r34_dh128": ("deeplab", {"backbone": "resnet34", "channels": 128}, CLICK),
    "ritm_hrnet18_itermask": ("hrnet", HRNET18, MASK),
    "ritm_hrnet18s_itermask": ("hrnet", {"width": 18, "ocr_width": 48, "small": True}, MASK),
    "ritm_hrnet32_itermask": ("hrnet", HRNET32, MASK),
    "ritm_hrnet18_rgbconv_tanh": ("hrnet", {"small": True}, {"fusion": "rgb", "disks": False}),
    "saicis_hrnet18_accum": ("hrnet", HRNET18, {**MULTI, "accumulate": True, "stride": 2}),
    "saicis_hrnet18_last": ("hrnet", HRNET18, {**MULTI, "accumulate": False}),
    "saicis_segformer_b1_accum": ("segformer", {"backbone": "mit_b1"}, {**MULTI, "stride": 1}),
    "saicis_segformer_b4_last": ("segformer", {"backbone": "mit_b4"}, {"accumulate": False}),
    "cfricl_vit_tiny": ("plain_vit", TINY_VIT, {**MASK, "fusion": "patches"}),
    "cfricl_vit_windowed": ("plain_vit", WINDOWED, MASK),
    "cfricl_vit_base": ("plain_vit", BASE, {**MASK, "fusion": "patches"}),
}
PROFILES = {"fbrs": "fbrs", "ritm": "ritm", "saicis": "saic_is", "cfricl": "simpleclick"}


def published(name):
    """Config, and weights without content."""
    _, meta = load_case(name)
    keys = {key: tuple(shape) for key, shape in meta["state_dict_keys"]}
    return meta["config"], {key: torch.empty(keys[key], device="meta") for key in keys}


@pytest.mark.parametrize("name", PARITY)
def test_published_networks_are_built_with_their_arguments_and_keys(name):
    published_config, state = published(name)
    architecture, arguments = (
        detect(state) if published_config is None else parse_config(published_config)
    )
    expected, plain, inputs = PARITY[name]
    assert architecture == expected
    assert {key: arguments[key] for key in plain} == plain
    assert {key: arguments["inputs"][key] for key in inputs} == inputs
    assert arguments["profile"] == PROFILES[name.partition("_")[0]]
    with torch.device("meta"):
        built = build_model(architecture, arguments).state_dict()
    assert {k: v.shape for k, v in built.items()} == {k: v.shape for k, v in state.items()}


@pytest.mark.parametrize(
    "name",
    [
        "ritm_hrnet18s_itermask",
        "ritm_r34_dh128",
        "saicis_hrnet18_accum",
        "saicis_segformer_b1_accum",
        "cfricl_vit_base",
    ],
)
def test_weights_alone_are_recognised_as_their_config_says(name):
    published_config, state = published(name)
    stated, found = parse_config(published_config), detect(state)
    if name == "cfricl_vit_base":  # its clicks pass no activation, so that it cannot matter
        stated[1]["inputs"]["leaky"] = True
    assert found == stated


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ritm_hrnet18s_itermask", "a RITM HRNet18s"),
        ("fbrs_resnet101_dh256", "an f-BRS ResNet-101"),
        ("saicis_segformer_b4_last", "a SAIC-IS SegFormer MiT-B4"),
        ("cfricl_vit_base", "a SimpleClick or CFR-ICL ViT-Base"),
        ("cfricl_vit_tiny", "a part or an unknown variant of a click network"),
    ],
)
def test_weights_are_described_in_words(name, words):
    assert describe(published(name)[1]) == words


def test_several_networks_are_described_in_words():
    stage = {"architecture": "hrnet", "config": parse_config(ritm_config())[1]}
    assert name_of("staged", {"stages": [stage] * 3}) == "3 networks, the first a RITM HRNet2s"


def test_the_same_class_is_told_apart_by_its_arguments():
    assert parse_config(ritm_config())[1]["profile"] == "ritm"
    saic_is = parse_config(ritm_config(input_type="IType.stroke"))[1]
    assert saic_is["profile"] == "saic_is"
    assert saic_is["inputs"]["kinds"] == ["stroke"]
    assert saic_is["inputs"]["stride"] == 1 and not saic_is["inputs"]["accumulate"]


@pytest.mark.parametrize(
    "types", [ALL, list(ALL), [InteractionKind(w) for w in ("point", "contour", "stroke")]]
)
def test_kinds_of_interaction_may_be_enum_members_or_strings(types):
    inputs = parse_config(ritm_config(input_type=types))[1]["inputs"]
    assert inputs["kinds"] == ["click", "contour", "stroke"]


def test_defaults_of_the_published_classes_hold_where_nothing_is_said():
    architecture, arguments = parse_config(config())
    assert architecture == "hrnet"
    assert (arguments["width"], arguments["ocr_width"], arguments["small"]) == (48, 256, False)
    inputs = arguments["inputs"]
    assert (inputs["fusion"], inputs["disks"], inputs["radius"]) == ("rgb", False, 260)
    deeplab = parse_config(config("is_deeplab_model.DeeplabModel"))[1]
    assert (deeplab["backbone"], deeplab["channels"]) == ("resnet50", 256)
    assert parse_config(config(conv_extend=True, use_rgb_conv=False))[1]["inputs"]["fusion"] == (
        "conv_extend"
    )


def test_unknown_arguments_matter_only_if_they_were_given():
    stated = ritm_config()
    stated["params"]["new_idea"] = {"type": "builtin", "value": 3, "specified": False}
    assert parse_config(stated) == parse_config(ritm_config())
    assert parse_config(ritm_config(cpu_dist_maps=True)) == parse_config(ritm_config())
    stated["params"]["new_idea"]["specified"] = True
    with pytest.raises(CheckpointError, match="sets 'new_idea', which is not known"):
        parse_config(stated)


VIT = "is_plainvit_model.PlainVitModel"


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        (config("is_swinformer_model.SwinformerModel"), "'SwinformerModel', and no weights"),
        (config("is_hrformer_model.HRFormerModel"), "'HRFormerModel', and no weights"),
        (config("is_segformer_model.SegformerModel"), "'SegformerModel', and no weights"),
        ({"class": "os.system", "params": {}}, "names the class 'os.system'"),
        ({"params": {}}, "names no class and params"),
        ({"class": "isegm.model.is_hrnet_model.HRNetModel", "params": {"width": 3}}, "no class"),
        ("text", "names no class and params"),
        (ritm_config(norm_mean_std=[[0, 0, 0], [1, 1, 1]]), "normalises images"),
        (ritm_config(norm_layer="torch.nn.GroupNorm"), "sets norm_layer to 'torch.nn.GroupNorm'"),
        (ritm_config(width="a"), "sets width to 'a', which is not a whole number"),
        (ritm_config(ocr_width=-1), "sets ocr_width to -1"),
        (ritm_config(width=torch.tensor(8)), "sets width to something of type Tensor"),
        (ritm_config(norm_radius=torch.ones(2)), "sets norm_radius to something of type Tensor"),
        (config(VIT, head_params={"channels": [torch.ones(1)]}), "head_params .* no plain value"),
        (ritm_config(norm_radius="far"), "describes a HRNetModel that cannot be built"),
        (ritm_config(input_type="IType.gaze"), "no interaction 'gaze'"),
        (config("is_segformer_model.SegFormerModel", align_corners=True), "sets align_corners"),
        (config(VIT, random_split=True), "sets random_split to True"),
        (config(VIT, backbone_params={"patch_size": (8, 16)}), "not square"),
        (config(VIT, backbone_params={"qkv_bias": False}), "sets qkv_bias to False"),
        (config(VIT, backbone_params={"rope": 1}), "sets 'rope', which is not known"),
        (config(VIT, neck_params={"in_dim": 8}), "in_dim is 8"),
        (config(VIT, head_params={"in_index": [0]}), "in_index is"),
        (config(VIT, head_params=3), "cannot be built"),
    ],
)
def test_configs_that_cannot_be_followed_are_refused(stated, words):
    with pytest.raises(CheckpointError, match=words):
        parse_config(stated)


def test_the_keys_say_how_clicks_enter_where_the_config_means_something_else():
    state = ritm_state()  # its clicks pass a maps_transform
    model = model_from_state_dict(state, ritm_config(use_rgb_conv=True))
    assert model.inputs.fusion == "maps"


@pytest.mark.parametrize(
    ("fusion", "channels", "prev_mask"),
    [("rgb", ("click",), True), ("conv_extend", ("click",), False), ("maps", ("click",), False)],
)
def test_every_fusion_is_recognised(fusion, channels, prev_mask):
    model = model_from_state_dict(ritm_state(fusion=fusion, kinds=channels, prev_mask=prev_mask))
    assert (model.inputs.fusion, model.inputs.prev_mask) == (fusion, prev_mask)


def test_unknown_profiles_are_refused():
    for name in ("nonsense", 5):
        with pytest.raises(CheckpointError, match="There is no profile"):
            model_from_state_dict(ritm_state(), ritm_config(), profile=name)
    with pytest.raises(ValueError, match="There is no profile 'nonsense'"):
        HRNetModel(ClickInput(), 2, 2, True, profile="nonsense")
    assert SYSTEMS.keys() == profiles.PROFILES.keys()


def test_what_is_no_state_dict_is_named_by_its_type():
    for content in (b"abc", None, {1, 2}):
        with pytest.raises(CheckpointError, match=f"of type {type(content).__name__}"):
            model_from_state_dict(content)


def test_the_dropout_in_files_of_fbrs_is_used():
    _, state = published("fbrs_resnet34_dh128")
    state = {key: torch.zeros(value.shape) for key, value in state.items()}
    model = model_from_state_dict({**state, "aspp_dropout": torch.tensor(0.35)})
    assert model.config["aspp_dropout"] == pytest.approx(0.35)
    with pytest.raises(CheckpointError, match="no probability"):
        model_from_state_dict({**state, "aspp_dropout": torch.tensor(2.0)})


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda s: s.pop("maps_transform.0.weight"), "no layer that takes clicks"),
        (
            lambda s: s.update({"maps_transform.0.weight": torch.zeros(16, 5, 1, 1)}),
            "takes 5 channels",
        ),
        (lambda s: s.update({"maps_transform.0.weight": torch.zeros(16)}), "mis-shaped"),
        (lambda s: s.update({OCR: torch.tensor(1.0)}), "mis-shaped"),
    ],
)
def test_unknown_variants_are_refused(edit, words):
    state = ritm_state()
    edit(state)
    with pytest.raises(CheckpointError, match=words):
        model_from_state_dict(state)
