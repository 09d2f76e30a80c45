"""EfficientNet-Lite0's encoder: sizes, TensorFlow's padding, weights by published names."""

import pytest
import torch
from torch import nn

from napari_clickseg.models.efficientnet_lite import (
    ConvNorm,
    EfficientNetLiteEncoder,
    lite_encoder_state,
)

NORM = ("weight", "bias", "running_mean", "running_var")


@pytest.mark.parametrize("shape", [(64, 64), (37, 50), (1, 1), (3, 200)])
@torch.inference_mode()
def test_features_halve_from_a_quarter_on_and_have_the_announced_channels(shape):
    encoder = EfficientNetLiteEncoder().eval()
    maps = encoder(torch.rand(1, 3, *shape))
    assert encoder.channels == (24, 40, 112, 192)
    for stride, channels, found in zip((4, 8, 16, 32), encoder.channels, maps, strict=True):
        assert found.shape == (1, channels, *(-(-n // stride) for n in shape))


@pytest.mark.parametrize(
    ("values", "size", "sums"),
    [
        ([1, 2, 3, 4], 3, [6, 7]),  # windows start at the first pixel: 1+2+3, 3+4
        ([1, 2, 3, 4, 5], 3, [3, 9, 9]),  # one pixel of padding on both sides
        ([1, 2, 3, 4], 5, [10, 9]),  # one before, two after
    ],
)
@torch.inference_mode()
def test_strided_convolutions_pad_as_tensorflow_does(values, size, sums):
    layer = ConvNorm(1, 1, size, stride=2, act=False).eval()
    layer.conv.weight.fill_(1)
    row, expected = (
        torch.tensor(values, dtype=torch.float32),
        torch.tensor(sums, dtype=torch.float32),
    )
    found = layer(torch.outer(row, row)[None, None])[0, 0] * (1 + layer.bn.eps) ** 0.5
    torch.testing.assert_close(found, torch.outer(expected, expected))


def published_state() -> dict[str, torch.Tensor]:
    """A file of the published names and shapes with random values."""
    torch.manual_seed(0)
    found = {"_conv_stem.weight": torch.randn(32, 3, 3, 3)}
    found |= {f"_bn0.{name}": torch.rand(32) for name in NORM}
    cin, number = 32, 0
    for size, expansion, cout, blocks in (
        (3, 1, 16, 1),
        (3, 6, 24, 2),
        (5, 6, 40, 2),
        (3, 6, 80, 3),
        (5, 6, 112, 3),
        (5, 6, 192, 4),
        (3, 6, 320, 1),
    ):
        for _ in range(blocks):
            wide, at = cin * expansion, f"_blocks.{number}."
            layers = {"_depthwise_conv": ("_bn1", (wide, 1, size, size))}
            layers["_project_conv"] = ("_bn2", (cout, wide, 1, 1))
            if expansion > 1:
                layers["_expand_conv"] = ("_bn0", (wide, cin, 1, 1))
            for conv, (norm, shape) in layers.items():
                found[f"{at}{conv}.weight"] = torch.randn(shape)
                found |= {f"{at}{norm}.{name}": torch.rand(shape[0]) for name in NORM}
            cin, number = cout, number + 1
    return found | {
        key: torch.tensor(0)
        for key in (name.replace("running_var", "num_batches_tracked") for name in found)
        if key.endswith("tracked")
    }


def test_a_published_file_gives_every_weight_its_place():
    state, encoder = published_state(), EfficientNetLiteEncoder()
    encoder.load_state_dict(lite_encoder_state(state))
    last = encoder.stages[5][3]
    torch.testing.assert_close(
        last.project.conv.weight.data, state["_blocks.14._project_conv.weight"]
    )
    torch.testing.assert_close(
        encoder.stages[0][0].depthwise.bn.running_mean, state["_blocks.0._bn1.running_mean"]
    )
    assert isinstance(encoder.stages[0][0].expand, nn.Identity)


def test_a_file_without_one_of_them_is_refused():
    state = published_state()
    del state["_blocks.3._bn2.bias"]
    with pytest.raises(KeyError, match="_blocks.3"):
        lite_encoder_state(state)
