"""Which values the model sees as black and white."""

import numpy as np
import pytest

from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.contrast import full_range, percentile_limits


@pytest.mark.parametrize("choice", ["as displayed", "percentiles 0.1-99.9", "full range"])
def test_the_choice_is_what_new_objects_are_made_with(dock_of, settle, image, choice):
    viewer, dock = dock_of()
    pixels = image[..., 0].astype(np.uint16) * 7
    viewer.add_image(pixels, contrast_limits=(100, 900))
    dock.source.contrast_box.setCurrentText(choice)
    dock.start()
    dock.click(60, 80)
    settle(dock)
    reader = as_reader(pixels)
    expected = {
        "as displayed": (100, 900),
        "percentiles 0.1-99.9": percentile_limits(reader),
        "full range": (0, 65535),
    }[choice]
    assert dock.controller.session.contrast_limits == pytest.approx(expected)


def test_an_object_in_work_keeps_its_contrast(clicked, settle, dock_of, image):
    viewer, dock = dock_of()
    viewer.add_image(image[..., 0], contrast_limits=(0, 200))
    dock.start()
    dock.click(60, 80)
    settle(dock)
    dock.source.contrast_box.setCurrentText("full range")
    dock.click(65, 85)
    settle(dock)
    assert dock.controller.session.contrast_limits == (0, 200)
    dock.accept()
    dock.click(20, 20)
    settle(dock)
    assert dock.controller.session.contrast_limits == (0, 255)


def test_channels_have_it_each(dock_of, settle, image):
    viewer, dock = dock_of()
    three = np.ascontiguousarray(np.moveaxis(image, -1, 0)) // 2
    viewer.add_image(three, contrast_limits=(0, 100))
    dock.channels.choose("channel 0", "channel 1", "channel 2")
    dock.source.contrast_box.setCurrentText("full range")
    dock.start()
    dock.click(60, 80)
    settle(dock)
    seen = dock.controller.session.reader.read(dock.controller.session.roi)
    assert seen.max() <= 128 / 255


def test_colour_photographs_are_taken_as_they_are(dock_of, image):
    viewer, dock = dock_of()
    viewer.add_image(image)
    assert not dock.source.contrast_box.isEnabled()
    viewer.add_image(image[..., 0])
    dock.source.choose_image(viewer.layers[-1])
    assert dock.source.contrast_box.isEnabled()


def test_the_range_of_floats_is_that_of_their_finite_values():
    values = np.array([[0.5, np.nan], [np.inf, 8.0]], np.float32)
    assert full_range(as_reader(values)) == (0.5, 8.0)
    assert full_range(as_reader(np.ones((2, 2), np.uint8))) == (0, 255)
