"""The image encoder against features of the published network."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_clickseg.models.espnetv2 import ESPNetv2Encoder, encoder_state

ROOT = Path(os.environ.get("CLICKSEG_DATA", "missing")).parent
WEIGHTS = ROOT / "backbones" / "espnetv2_s_2.0_pascal_384x384.pth"
FEATURES = ROOT / "parity" / "espnetv2_s2.npz"


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="needs the published weights (CLICKSEG_DATA)")
def test_features_equal_the_published_ones():
    encoder = ESPNetv2Encoder(2.0).eval()
    state = torch.load(WEIGHTS, map_location="cpu", weights_only=True)
    encoder.load_state_dict(encoder_state(state), strict=True)
    case = np.load(FEATURES)
    image = torch.from_numpy(case["image"]).permute(2, 0, 1)[None].float() / 255
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.inference_mode():
        features = encoder((image - mean) / std)
    for feature, name in zip(features, ("level2", "level3", "level4"), strict=True):
        published = torch.from_numpy(case[name].astype(np.float32))
        assert (feature - published).abs().max() <= 1e-2


@pytest.mark.parametrize(("scale", "parameters"), [(1.0, 207_158), (1.5, 434_886), (2.0, 745_686)])
def test_sizes_are_the_published_ones(scale, parameters):
    encoder = ESPNetv2Encoder(scale)
    assert sum(p.numel() for p in encoder.parameters()) == parameters
    assert len(encoder.state_dict()) == 361


@pytest.mark.parametrize("shape", [(1, 1), (17, 33), (64, 48)])
def test_any_size_gives_a_quarter_an_eighth_and_a_sixteenth(shape):
    with torch.inference_mode():
        features = ESPNetv2Encoder(1.0).eval()(torch.zeros(1, 3, *shape))
    for feature, stride in zip(features, (4, 8, 16), strict=True):
        assert feature.shape[-2:] == tuple(-(-side // stride) for side in shape)
