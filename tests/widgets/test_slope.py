"""The drawn slope: the same every time, and one that can be clicked on."""

import numpy as np
import pytest

from napari_clickseg import Segmenter
from napari_clickseg.models.zoo import list_models
from napari_clickseg.widgets.slope import avalanche, slope


def test_a_seed_gives_one_slope_and_its_avalanche():
    shape = (120, 160)
    image, there = slope(shape, 4), avalanche(shape, 4)
    assert image.shape == (120, 160, 3) and image.dtype == np.uint8
    assert np.array_equal(image, slope(shape, 4)) and np.array_equal(there, avalanche(shape, 4))
    assert not np.array_equal(image, slope(shape, 5))
    assert there.shape == shape and there.dtype == bool and 0.04 < there.mean() < 0.15
    beside = np.roll(there, 40, 1) & ~there
    warm = image[..., 0].astype(int) - image[..., 2]  # debris is brown, snow white or blue
    assert np.median(warm[there]) > np.median(warm[beside]) + 15


def test_the_clicks_of_the_tutorial_give_the_avalanche():
    if "clickseg-compact" not in {card.name for card in list_models()}:
        pytest.skip("needs the weights that come with the plugin")
    seg, there = Segmenter("clickseg-compact"), avalanche()
    seg.set_image(slope())
    for row, col in ((566, 526), (304, 542)):
        assert there[row, col]
        seg.click(row, col)
    found = np.asarray(seg.mask[:, :])
    assert (found & there).sum() / (found | there).sum() > 0.7
