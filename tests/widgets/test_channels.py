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
    assert np.array_equal(dock.clicking.layers.preview.data[0] != 0, api_mask(image))


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


def seen(layer):
    """The pixels that a Labels layer shows now."""
    return np.asarray(layer._slice.image.raw)


@pytest.mark.parametrize("options", [{}, {"scale": (1, 2, 2, 3), "translate": (0, 4, 1, 1)}])
def test_objects_belong_to_all_channels(dock_of, settle, three, options):
    """Two frames of three channels: what was clicked on one channel is there on each."""
    stack = np.stack([three, three[:, ::-1]])
    viewer, dock = dock_of()
    viewer.add_image(stack, axis_labels=("t", "c", "y", "x"), **options)
    viewer.dims.set_current_step(1, 2)
    dock.start()
    dock.click(60, 80)
    settle(dock)
    layers = dock.clicking.layers
    assert layers.preview.data.shape == layers.objects.data.shape == (2, 1, *three.shape[1:])
    wanted = np.array(layers.preview.data[0, 0])
    assert np.array_equal(wanted != 0, api_mask(three[2]))  # the channel that was shown
    for channel in (0, 1, 2):
        viewer.dims.set_current_step(1, channel)
        assert np.array_equal(seen(layers.preview), wanted)
        place = layers.positive.data_to_world(layers.positive.data[0])
        assert layers.positive.get_value(place, world=True) == 0  # it can be seen and dragged
    dock.click(90, 90, False)  # seen on the channel that the object was begun on
    settle(dock)
    assert len(dock.controller.clicks) == 2 and dock.controller.session.predicted == 2
    dock.accept()
    viewer.dims.set_current_step(1, 0)
    accepted = np.array(layers.objects.data[0, 0])
    assert accepted.any() and np.array_equal(seen(layers.objects), accepted)
    (item,) = dock.clicking.objects.items.values()
    assert item.plane.steps == (0, 0, None, None) and item.plane.seen == (0, 2, None, None)
    viewer.dims.set_current_step(0, 1)
    assert not seen(layers.objects).any()
    dock.actions.open_again(item.key)
    assert viewer.dims.current_step[:2] == (0, 0)  # the frame is that of the object


def test_the_next_frame_is_along_time_whatever_channel_was_moved(dock_of, settle, three):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([three, three]), axis_labels=("t", "c", "y", "x"))
    dock.start()
    viewer.dims.set_current_step(1, 1)
    dock.click(60, 80)
    settle(dock)
    dock.starting.next_slice()
    settle(dock)
    assert viewer.dims.current_step[:2] == (1, 1)
    assert dock.controller.plane.seen == (1, 1, None, None)


def test_a_brush_stroke_counts_on_every_channel(dock_of, settle, three):
    viewer, dock = dock_of()
    viewer.add_image(three, axis_labels=("channel", "y", "x"))
    dock.start()
    dock.click(60, 80)
    settle(dock)
    viewer.dims.set_current_step(0, 2)
    layer = dock.clicking.layers.preview
    layer.selected_label, layer.brush_size = 1, 5
    where = layer.world_to_data((2, 20, 150))
    layer.paint(where, 1)
    dock.accept()
    assert dock.clicking.layers.objects.data[0, 20, 150] == 1


def test_an_axis_whose_channels_are_chosen_is_one_of_channels(dock_of, settle, three):
    viewer, dock = dock_of()
    viewer.add_image(three, name="cells", contrast_limits=(0, 255))
    dock.start()
    settle(dock)
    assert dock.clicking.layers.objects.data.shape == three.shape  # it may be one of slices
    dock.channels.choose("channel 0", "channel 1", "channel 2")
    assert dock.clicking.active
    assert dock.clicking.layers.objects.data.shape == (1, *three.shape[1:])
    assert len(viewer.layers) == 5
    dock.click(60, 80)
    settle(dock)
    wanted = np.array(dock.clicking.layers.preview.data[0])
    viewer.dims.set_current_step(0, 1)
    assert wanted.any() and np.array_equal(seen(dock.clicking.layers.preview), wanted)


def test_a_session_of_one_channel_gives_the_same_mask_from_another(
    dock_of, settle, three, tmp_path
):
    viewer, dock = dock_of()
    viewer.add_image(three, axis_labels=("c", "y", "x"))
    viewer.dims.set_current_step(0, 2)
    dock.start()
    dock.click(60, 80)
    settle(dock)
    viewer.dims.set_current_step(0, 1)
    dock.accept()
    wanted = np.array(dock.clicking.layers.objects.data)
    dock.sessions.save(tmp_path / "a.clickseg.json")
    dock.clicking.objects.delete(list(dock.clicking.objects.items))
    viewer.dims.set_current_step(0, 0)
    dock.sessions.open(tmp_path / "a.clickseg.json")
    settle(dock)
    assert np.array_equal(dock.clicking.layers.objects.data, wanted)
