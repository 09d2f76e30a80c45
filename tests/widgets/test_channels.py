"""Channels of an image, or other layers, as the colours that the model sees."""

import numpy as np
import pytest
from widgets.disks import DiskModel

from napari_clickseg import Segmenter


@pytest.fixture
def three(image):
    return np.ascontiguousarray(np.moveaxis(image, -1, 0))


def api_mask(image):
    seg = Segmenter(DiskModel())
    seg.set_image(image)
    seg.click(60, 80)
    return seg.mask


def test_three_channels_are_seen_as_an_rgb_image(dock_of, settle, image, three):
    viewer, dock = dock_of()
    viewer.add_image(three, name="cells", contrast_limits=(0, 255))
    assert [dock.channels.boxes[0].itemText(i) for i in range(4)] == [
        "as displayed",
        "channel 0",
        "channel 1",
        "channel 2",
    ]
    dock.channels.choose("channel 0", "channel 1", "channel 2")
    dock.start()
    dock.click(60, 80)
    settle(dock)
    step = viewer.dims.current_step[0]
    assert np.array_equal(dock.clicking.layers.preview.data[step] != 0, api_mask(image))


def test_layers_are_channels_too_and_keep_their_contrast(dock_of, settle, three):
    viewer, dock = dock_of()
    viewer.add_image(three[0], name="a", contrast_limits=(0, 200))
    viewer.add_image(three[1].astype(np.uint16) * 9, name="b", contrast_limits=(9, 999))
    dock.start()
    dock.channels.choose("a", "b", "none")
    dock.click(60, 80)
    settle(dock)
    seen = np.zeros((*three.shape[1:], 3), np.float32)
    seen[..., 0] = np.clip(three[0] / 200, 0, 1)
    seen[..., 1] = np.clip((three[1] * 9.0 - 9) / 990, 0, 1)
    assert np.allclose(dock.controller.session.reader.read(dock_box(seen)), seen, atol=1e-6)
    assert dock.controller.session.contrast_limits == (0, 1)


def dock_box(array):
    from napari_clickseg.geometry import Box

    return Box.of_shape(array.shape)


def test_nothing_is_offered_where_there_is_nothing_to_choose(dock_of, image):
    viewer, dock = dock_of()
    viewer.add_image(image)
    assert dock.channels.isHidden()
    viewer.add_image(np.zeros((3, 20, 20)), name="stack")
    dock.source.choose_image(viewer.layers["stack"])
    assert not dock.channels.isHidden()
