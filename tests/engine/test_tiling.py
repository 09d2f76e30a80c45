"""Plain tiling: every pixel covered, no seams, the answer of the whole image."""

import numpy as np
import pytest
import torch
from fakes import ColourModel, FakeModel
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_clickseg import Box, Segmenter, Tiling
from napari_clickseg.cancel import Cancelled
from napari_clickseg.models.zoo import load_model


@settings(max_examples=60)
@given(
    st.integers(1, 400),
    st.integers(1, 300),
    st.integers(32, 150),
    st.floats(0, 0.5),
    st.integers(0, 50),
)
def test_every_pixel_is_covered_and_weights_add_up_to_one(height, width, size, part, shift):
    tiling = Tiling(size, int(part * size))
    box = Box(shift, 2 * shift, shift + height, 2 * shift + width)
    total = np.zeros((box.bottom, box.right))
    for tile, weights in tiling.cover(box):
        assert tile.shape == (min(size, height), min(size, width)) == weights.shape
        assert tile.intersect(box) == tile and weights.min() >= 0
        total[tile.slices] += weights
    np.testing.assert_allclose(total[box.slices], 1, atol=1e-5)
    assert not total[:shift].any() and not total[:, : 2 * shift].any()


def test_neighbours_have_the_overlap_and_no_weight_beside_their_border():
    tiles = list(Tiling(64, 16).cover(Box(0, 0, 64, 300)))
    for (one, first), (two, second) in zip(tiles[:-1], tiles[1:], strict=True):
        assert one.right - two.left >= 16
        assert not first[:, -4:].any() and not second[:, :4].any()
    assert tiles[0][1][:, :40].all() and len(tiles) == 6


class LocalModel(FakeModel):
    """What is bright after smoothing over 11 pixels; it pads with zeros, as networks do."""

    def answer(self, inputs):
        kernel = torch.ones(1, 1, 11, 11) / 121
        grey = inputs.image.mean(dim=1, keepdim=True)
        return 12 * (torch.nn.functional.conv2d(grey, kernel, padding=5) - 0.5)


@pytest.fixture(scope="module")
def texture():
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(330, 410)), 6)
    return np.uint8(255 * (noise > 0))


@pytest.mark.parametrize("profile", ["ritm", "clickseg"])
def test_seams_cannot_be_seen(profile, texture):
    """A network that sees 5 pixels far answers in tiles what it answers for all at once."""
    found = []
    for tiling in (Tiling(1000, 100), Tiling(96, 24)):
        seg = Segmenter(LocalModel(), profile, tiling=tiling, honour_clicks=False)
        seg.set_image(texture)
        seg.click(100, 100)
        found.append(seg.probabilities)
    np.testing.assert_allclose(found[1], found[0], atol=2e-3)


def test_without_an_overlap_seams_can_be_seen(texture):
    found = []
    for tiling in (Tiling(1000, 0), Tiling(96, 0)):
        seg = Segmenter(LocalModel(), "ritm", tiling=tiling)
        seg.set_image(texture)
        seg.click(100, 100)
        found.append(seg.probabilities)
    assert np.abs(found[1] - found[0]).max() > 0.05


def test_a_real_network_gives_the_object_of_the_whole_image():
    rows, cols = np.ogrid[:320, :384]
    disk = (rows - 160) ** 2 + (cols - 200) ** 2 < 90**2
    noise = np.random.default_rng(0).normal(0, 8, (320, 384, 3))
    image = np.where(disk[..., None], (190, 80, 60), (70, 110, 90)) + noise
    model, found = load_model("clickseg-compact"), []
    for tiling in (Tiling(384, 0), Tiling(224, 96)):
        seg = Segmenter(model, tiling=tiling, flip=False)
        seg.set_image(image.clip(0, 255).astype(np.uint8))
        for row, col in ((160, 200), (110, 160), (210, 240), (110, 240), (210, 160)):
            seg.click(row, col)
        found.append(seg.mask)
    whole, tiled = found
    assert (tiled & disk).sum() / (tiled | disk).sum() > 0.95
    assert (tiled & whole).sum() / (tiled | whole).sum() > 0.9


def test_each_tile_is_shown_at_its_own_resolution_and_knows_the_mask_so_far(scene):
    model = ColourModel()
    seg = Segmenter(model, tiling=Tiling(96, 32), flip=False)
    seg.set_image(scene)
    seg.click(95, 80)
    assert {tuple(inputs.image.shape[-2:]) for inputs in model.seen} == {(96, 96)}
    model.seen.clear()
    seg.click(20, 20, positive=False)
    assert any(inputs.prev_mask.max() > 0.9 for inputs in model.seen)


def test_a_confined_object_is_tiled_in_its_box_only(scene):
    seg = Segmenter(LocalModel(), tiling=Tiling(64, 16), honour_clicks=False)
    seg.set_image(np.full_like(scene, 255))
    seg.confine(Box(20, 30, 110, 120))
    seg.click(60, 60)
    rows, cols = np.nonzero(seg.mask)
    assert (rows.min(), cols.min(), rows.max(), cols.max()) == (20, 30, 109, 119)


def test_it_stops_between_tiles(scene):
    seg = Segmenter(ColourModel(), tiling=Tiling(64, 16), flip=False)
    seg.set_image(scene)
    asked = iter([False] * 3 + [True] * 99)
    with pytest.raises(Cancelled):
        seg.click(95, 80, cancelled=lambda: next(asked))
    assert not seg.mask.any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 16}, "size"),
        ({"size": 64, "overlap": 40}, "overlap"),
        ({"overlap": -1}, "overlap"),
    ],
)
def test_impossible_tiles_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Tiling(**options)


def test_refinement_belongs_to_one_view():
    with pytest.raises(ValueError, match="tiling"):
        Segmenter(ColourModel(), "fbrs", tiling=Tiling())
    with pytest.raises(ValueError, match="tiling"):
        Segmenter(ColourModel(), tiling=512)
