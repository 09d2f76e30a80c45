"""What is made near outlines only is what would be made of everything."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from napari_clickseg.engine.edges import follow_edges
from napari_clickseg.engine.near_outline import distance_within, outline_follows_edges


@pytest.fixture(scope="module")
def mask():
    """A large disk with a hole, and a dot far from it, over several blocks."""
    rows, cols = np.ogrid[:700, :600]
    away = np.hypot(rows - 300, cols - 280)
    mask = (away < 210) & (away > 40)
    mask[650, 570] = True
    return mask


@pytest.mark.parametrize("limit", [14, 100])
def test_distances_up_to_a_limit(mask, limit):
    far = distance_transform_edt(~mask)
    expected = np.where(far <= limit, far, np.inf)
    np.testing.assert_allclose(distance_within(mask, limit), expected, rtol=1e-6)


def test_nothing_is_near_to_an_empty_mask():
    assert np.isinf(distance_within(np.zeros((300, 5), bool), 20)).all()


def test_an_outline_follows_edges_as_if_all_was_filtered(mask):
    rng = np.random.default_rng(0)
    image = (rng.integers(0, 90, (*mask.shape, 3)) + 120 * mask[..., None]).astype(np.uint8)
    moved = np.roll(mask, (2, -3), (0, 1)) * np.float32(0.8) + np.float32(0.1)
    whole = follow_edges(image / np.float32(255), moved)
    parts = outline_follows_edges(image, (0.0, 255.0), moved)
    np.testing.assert_allclose(parts, whole, atol=1e-3)
    assert not np.array_equal(whole > 0.5, moved > 0.5)
