"""The image layer gets other data or leaves: nothing of the old pixels is used or kept."""

import gc
import weakref

import numpy as np
import pytest
from widgets.disks import DiskModel

from napari_clickseg import Segmenter


def api_mask(image):
    seg = Segmenter(DiskModel())
    seg.set_image(image)
    seg.click(60, 80)
    return seg.mask


def test_new_pixels_are_noticed_while_clicking_is_stopped(clicked, image, settle):
    _, dock, layer = clicked()
    dock.stop()
    layer.data = 255 - image
    assert "image data changed" in dock.status.text()
    assert not dock.clicking.layers.preview.data.any()
    dock.start()
    assert not dock.controller.clicks and not dock.controls.undo.isEnabled()
    dock.click(60, 80)
    settle(dock)
    assert np.array_equal(dock.clicking.layers.preview.data != 0, api_mask(255 - image))


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("shape", [(100, 140, 3), (2, 100, 140, 3)])
def test_after_a_change_of_shape_new_layers_are_made(clicked, image, settle, stopped, shape):
    viewer, dock, layer = clicked()
    dock.accept()
    first = dock.clicking.layers.objects
    kept = first.data.copy()
    if stopped:
        dock.stop()
    layer.data = np.ascontiguousarray(np.broadcast_to(image[:100, :140], shape))
    assert not dock.clicking.active
    dock.start()
    dock.click(60, 80)
    settle(dock)
    dock.accept()
    objects = dock.clicking.layers.objects
    assert objects is not first and objects.data.shape == shape[:-1] and objects.data.any()
    assert np.array_equal(first.data, kept) and first in viewer.layers


def test_objects_of_another_shape_are_refused_in_a_sentence(clicked, settle):
    viewer, dock, _ = clicked()
    objects = dock.clicking.layers.objects
    objects.data = objects.data[:50]
    dock.accept()
    assert "no longer has the image's shape" in dock.status.text() and dock.controller.clicks
    viewer.layers.remove(objects)
    dock.accept()
    assert dock.clicking.layers.objects.data.any()


@pytest.mark.parametrize("how", ["removed", "replaced", "left"])
def test_the_pixels_of_an_image_that_leaves_are_let_go_of(clicked, image, settle, how, monkeypatch):
    viewer, dock, layer = clicked()
    reader = weakref.ref(dock.controller.session.reader)
    model = dock.controller._cache._predictor.model
    if how == "removed":
        viewer.layers.remove(layer)
    elif how == "replaced":
        layer.data = 255 - image
    else:
        dock.stop()
        monkeypatch.setattr(dock.leaving, "ask", lambda: "discard")
        dock.source.choose_image(viewer.add_image(image[::-1]))
        dock.start()
    gc.collect()
    assert reader() is None
    if how != "removed":
        dock.click(60, 80)
        settle(dock)
        assert dock.controller._cache._predictor.model is model
        assert dock.clicking.layers.preview.data.any()
