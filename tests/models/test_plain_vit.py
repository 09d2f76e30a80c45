"""The plain vision transformer: the published logits, keys, windows and splits."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from parity import call_inputs, fill, load_case

from napari_clickseg.models.base import Inputs
from napari_clickseg.models.click_input import ClickInput
from napari_clickseg.models.plain_vit import PlainViTModel
from napari_clickseg.models.vit import WindowedViT, resize_position

PATCHES = ClickInput(fusion="patches")
TINY = {"embed_dim": 96, "heads": 4, "neck_dims": (32, 64, 128, 256)}
SMALL = {"image_size": (64, 64), "embed_dim": 16, "depth": 4, "heads": 2, "head_channels": 8}
SMALL["neck_dims"] = (4, 8, 12, 16)


@pytest.fixture(scope="module")
def windowed():
    case, meta = load_case("cfricl_vit_windowed")
    model = PlainViTModel(PATCHES, depth=8, head_channels=64, upsample="x2", **TINY)
    return case, fill(model, meta)


def small(seed=0, **changes):
    torch.manual_seed(seed)
    return PlainViTModel(PATCHES, **{**SMALL, **changes}).eval().requires_grad_(False)


def inputs_of(height, width, batch=2):
    torch.manual_seed(1)
    image, maps, prev = (torch.rand(batch, c, height, width) for c in (3, 2, 1))
    return Inputs(image, maps.round(), prev)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("cfricl_vit_tiny", {"depth": 4, **TINY}), ("cfricl_vit_base", {})],
)
def test_logits_are_the_published_ones(name, sizes):
    case, meta = load_case(name)
    model = fill(PlainViTModel(PATCHES, image_size=(224, 224), **sizes), meta)
    with torch.inference_mode():
        logits = model.logits(**call_inputs(case))[0, 0]
    assert (logits - torch.from_numpy(case["logits"])).abs().max() <= 2e-3


def close_to_half(logits, published):
    """Equal within 2e-3 beyond the rounding of float16."""
    published = torch.from_numpy(published.astype(np.float32))
    return bool(((logits - published).abs() <= 2e-3 + published.abs() / 2048).all())


def test_logits_of_several_windows_are_the_published_ones(windowed):
    case, model = windowed
    with torch.inference_mode():
        logits = model.logits(**call_inputs(case))[0, 0]
    assert close_to_half(logits[::2, ::2], case["logits"])


def test_larger_images_give_the_published_logits_and_change_nothing(windowed):
    case, model = windowed
    given = call_inputs(case)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    large = torch.from_numpy(case["image_672"]).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        first = model.logits(**given)
        prev = F.pad(given["prev_mask"], (0, 224, 0, 224))
        logits = model.logits(large, given["points"], prev)[0, 0]
        again = model.logits(**given)
    assert close_to_half(logits[::3, ::3], case["logits_672"])
    assert torch.equal(first, again)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


def test_position_embedding_of_another_grid_keeps_the_class_token():
    ramp = torch.arange(16.0).view(4, 4, 1).expand(4, 4, 3)
    embedding = torch.cat([torch.full((1, 1, 3), 9.0), ramp.reshape(1, 16, 3)], dim=1)
    assert resize_position(embedding, (4, 4), (4, 4)) is embedding
    other = resize_position(embedding, (4, 4), (8, 6))
    assert other.shape == (1, 49, 3)
    assert (other[:, 0] == 9).all()
    values = other[0, 1:].view(8, 6, 3)
    assert (values.diff(dim=0) > 0).all()
    assert (values.diff(dim=1) > 0).all()
    assert torch.allclose(values.mean(dim=(0, 1)), ramp.mean(dim=(0, 1)), atol=1e-4)


@pytest.mark.parametrize(
    ("image_size", "patch", "window", "stride"),
    [(448, 16, 14, 224), (448, 14, 16, 224), (224, 16, 14, 224), (1024, 16, 16, 256),
     (896, 16, 14, 224), (64, 16, 4, 64)],
)  # fmt: skip
def test_windows_are_as_published(image_size, patch, window, stride):
    with torch.device("meta"):
        model = PlainViTModel(PATCHES, image_size=(image_size, image_size), patch_size=patch)
    assert model.backbone.window == window
    assert model.spec.stride == stride


@pytest.mark.parametrize("shape", [(448, 300), (225, 224), (112, 112)])
def test_a_size_that_does_not_divide_into_windows_is_refused(shape):
    model = small(image_size=(224, 224))
    with pytest.raises(ValueError, match=r"windows of 224 x 224 pixels.*multiples of 224"):
        model(inputs_of(*shape, batch=1))


def test_blocks_see_their_window_and_some_see_everything():
    torch.manual_seed(0)
    vit = WindowedViT((448, 448), 16, 8, 4, 2, 4).eval()
    image = torch.rand(1, 3, 448, 448)
    changed = image.clone()
    changed[..., :16, :16] = 0
    with torch.inference_mode():
        for period, seen in ((99, 14), (1, 28)):  # no block sees all tokens; all blocks do
            vit.period = period
            a, b = (vit(x, torch.zeros(1, 28, 28, 8)) for x in (image, changed))
            moved = (a != b).any(dim=1)[0]
            assert moved[:seen, :seen].float().mean() > 0.9
            assert not moved[seen:].any()
            assert not moved[:, seen:].any()


@pytest.mark.parametrize(("depth", "last"), [(4, 1), (8, 2), (12, 6), (24, 6), (32, 8)])
def test_blocks_that_see_all_tokens_are_the_published_ones(depth, last):
    with torch.device("meta"):
        assert WindowedViT((448, 448), 16, 8, depth, 1, 4).period == last


@pytest.mark.parametrize(
    ("upsample", "channels", "scale"), [("x1", 8, 4), ("x2", 8, 2), ("x4", 8, 1)]
)
def test_splits_agree_and_have_the_channels_they_say(upsample, channels, scale):
    model = small(upsample=upsample, head_channels=channels)
    inputs = inputs_of(64, 128)
    expected = model(inputs)
    assert expected.shape == (2, 1, 64, 128)
    assert set(model.splits) == {"image", "maps", "tokens", "levels", "fused"}
    for name, split in model.splits.items():
        tensors = model.before(name, inputs)
        kept = {key: value.clone() for key, value in tensors.items()}
        assert torch.allclose(model.after(name, tensors, inputs), expected, atol=1e-6), name
        assert all(torch.equal(value, kept[key]) for key, value in tensors.items()), name
        assert {key: tensors[key].shape[1] for key in split.channels} == dict(split.channels)
    assert model.before("tokens", inputs)["tokens"].shape == (2, 16, 4, 8)
    assert model.before("fused", inputs)["fused"].shape[-2:] == (64 // scale, 128 // scale)
    for mode, name in model.spec.brs.items():
        assert name in model.splits, mode


def test_gradients_reach_every_split():
    model = small()
    inputs = inputs_of(64, 64)
    for name in model.splits:
        tensors = {k: v.clone() for k, v in model.before(name, inputs).items()}
        for value in tensors.values():
            value.requires_grad_()
        model.after(name, tensors, inputs).sum().backward()
        assert all(value.grad.abs().sum() > 0 for value in tensors.values()), name


def test_without_previous_mask_there_are_two_channels_of_clicks():
    model = PlainViTModel({"fusion": "patches", "prev_mask": False}, **SMALL)
    assert model.patch_embed_coords.proj.weight.shape == (16, 2, 16, 16)
    assert not model.spec.takes_prev_mask
    logits = model.logits(torch.rand(1, 3, 64, 64), torch.tensor([[[5.0, 6, 0], [-1, -1, -1]]]))
    assert logits.shape == (1, 1, 64, 64)


def test_the_network_can_be_built_again_from_its_config():
    model = small(upsample="x4")
    again = PlainViTModel(**model.config).eval()
    again.load_state_dict(model.state_dict())
    assert torch.equal(model(inputs_of(64, 64)), again(inputs_of(64, 64)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": ClickInput()}, "patches"),
        ({"upsample": "x3"}, "x1, x2, x4"),
        ({"depth": 6}, "quarters"),
        ({"depth": 0}, "quarters"),
        ({"heads": 7}, "heads"),
        ({"image_size": (450, 448)}, "image size"),
        ({"image_size": (448, 720)}, "windows of 224"),
        ({"head_channels": 6}, "halve"),
        ({"neck_dims": (8, 16)}, "four"),
    ],
)
def test_sizes_that_make_no_network_are_refused(changes, message):
    with pytest.raises(ValueError, match=message), torch.device("meta"):
        PlainViTModel(**{"inputs": PATCHES, **changes})


SIZES = {  # patch, D, depth, heads, neck, head channels, tokens, channels between the neck's layers
    "xTiny": (16, 160, 8, 4, (96, 192, 288, 384), 128, 785, (192, 192, 384)),
    "Large": (16, 1024, 24, 16, (192, 384, 768, 1536), 256, 785, (512, 512, 2048)),
    "Huge": (14, 1280, 32, 16, (240, 480, 960, 1920), 256, 1025, (640, 640, 2560)),
}


@pytest.mark.parametrize("name", SIZES)
def test_keys_and_shapes_are_the_published_ones(name):
    p, d, depth, heads, neck, ch, tokens, (a, b, c) = SIZES[name]
    with torch.device("meta"):
        model = PlainViTModel(
            PATCHES, patch_size=p, embed_dim=d, depth=depth, heads=heads, neck_dims=neck,
            head_channels=ch,
        )  # fmt: skip
    o0, o1, o2, o3 = neck
    both = {  # weight shape of layers with a bias of as many values as the output has channels
        "patch_embed_coords.proj": (d, 3, p, p),
        "backbone.patch_embed.proj": (d, 3, p, p),
        "backbone.fc_norm": (d,),
        "backbone.head": (1000, d),
        "neck.down_4.1": (a,),
        "neck.down_4.4": (a // 2,),
        "neck.down_4.5": (o0, a // 2, 1, 1),
        "neck.down_4.6": (o0,),
        "neck.down_8.1": (b,),
        "neck.down_8.2": (o1, b, 1, 1),
        "neck.down_8.3": (o1,),
        "neck.down_16.0": (o2, d, 1, 1),
        "neck.down_16.1": (o2,),
        "neck.down_32.0": (c, d, 2, 2),
        "neck.down_32.1": (c,),
        "neck.down_32.2": (o3, c, 1, 1),
        "neck.down_32.3": (o3,),
        "head.conv_seg": (1, ch, 1, 1),
        "head.fusion_conv.conv": (ch, 4 * ch, 1, 1),
    }
    transposed = {"neck.down_4.0": (d, a), "neck.down_4.3": (a, a // 2), "neck.down_8.0": (d, b)}
    for i, o in enumerate(neck):
        both[f"head.convs.{i}.conv"] = (ch, o, 1, 1)
    for i in range(depth):
        block = f"backbone.blocks.{i}"
        both |= {f"{block}.norm1": (d,), f"{block}.norm2": (d,)}
        both |= {f"{block}.attn.qkv": (3 * d, d), f"{block}.attn.proj": (d, d)}
        both |= {f"{block}.mlp.fc1": (4 * d, d), f"{block}.mlp.fc2": (d, 4 * d)}
    for i, wide in ((1, ch), (2, ch // 2)):
        up, half = f"head.up_conv{i}", wide // 2
        transposed[f"{up}.0"] = (wide, half)
        both |= {f"{up}.1": (half,), f"{up}.2": (half, half, 1, 1), f"{up}.3": (half,)}
    expected = {"backbone.cls_token": (1, 1, d), "backbone.pos_embed": (1, tokens, d)}
    for layer, shape in both.items():
        expected |= {f"{layer}.weight": shape, f"{layer}.bias": shape[:1]}
    for layer, (cin, cout) in transposed.items():
        expected |= {f"{layer}.weight": (cin, cout, 2, 2), f"{layer}.bias": (cout,)}
    assert {k: tuple(v.shape) for k, v in model.state_dict().items()} == expected
