"""Clicking with the mouse in a real viewer gives what the Python API gives."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Labels, Points
from widgets.disks import DiskModel, SlowModel, press, wait_inside

from napari_clickseg import Segmenter
from napari_clickseg.data.readers import as_reader
from napari_clickseg.widgets.dock import clicking

CLICKS = [(60, 80, True), (70, 120, True), (62, 100, False), (20, 30, True), (68, 90, False)]


class Published(DiskModel):
    def __init__(self):
        super().__init__()
        self.spec = replace(self.spec, profile="simpleclick")


def start(dock_of, settle, image, model=None, **kwargs):
    viewer, dock = dock_of(model)
    layer = viewer.add_image(image, **kwargs)
    dock.start()
    settle(dock)
    return viewer, dock, layer


def preview(dock):
    return np.asarray(dock.clicking.layers.preview.data) != 0


def test_mouse_clicks_give_the_mask_of_the_api(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    seg = Segmenter(DiskModel())
    seg.set_image(image)
    for row, col, positive in CLICKS:
        press(dock.clicking.layers.positive, (row, col), button=1 if positive else 2)
        settle(dock)
        seg.click(row, col, positive)
        assert np.array_equal(preview(dock), seg.mask)
    assert preview(dock).any()
    assert np.array_equal(dock.clicking.layers.positive.data, [(60, 80), (70, 120), (20, 30)])
    assert np.array_equal(dock.clicking.layers.negative.data, [(62, 100), (68, 90)])


def test_contrast_limits_of_the_layer_are_what_the_model_sees(dock_of, settle, image):
    gray = image[..., 0].astype(np.uint16) * 37
    _, dock, _ = start(dock_of, settle, gray, contrast_limits=(500, 3000))
    dock.click(60, 80)
    settle(dock)
    seg = Segmenter(DiskModel())
    seg.set_image(gray, (500, 3000))
    seg.click(60, 80)
    assert np.array_equal(preview(dock), seg.mask)


def test_right_button_on_the_negative_layer_is_positive(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    press(dock.clicking.layers.negative, (40, 50), button=2)
    press(dock.clicking.layers.negative, (90, 50), button=1)
    settle(dock)
    assert [c.positive for c in dock.controller.clicks] == [True, False]
    assert len(dock.clicking.layers.positive.data) == len(dock.clicking.layers.negative.data) == 1


def test_fifty_undos_and_redos_are_exact(dock_of, settle, image):
    model = DiskModel()
    _, dock, _ = start(dock_of, settle, image, model)
    rng = np.random.default_rng(3)
    seen = [(preview(dock), ())]
    for step in range(50):
        row, col = rng.integers(0, image.shape[0]), rng.integers(0, image.shape[1])
        press(dock.clicking.layers.positive, (row, col), button=1 + step % 2)
        settle(dock)
        seen.append((preview(dock), dock.controller.clicks))
    calls = model.calls
    for mask, clicks in reversed(seen[:-1]):
        dock.controls.undo.click()
        assert np.array_equal(preview(dock), mask)
        assert dock.controller.clicks == clicks
        shown = len(dock.clicking.layers.positive.data) + len(dock.clicking.layers.negative.data)
        assert shown == len(clicks)
    assert not dock.controls.undo.isEnabled()
    for mask, clicks in seen[1:]:
        dock.controls.redo.click()
        assert np.array_equal(preview(dock), mask)
        assert dock.controller.clicks == clicks
    assert model.calls == calls
    assert not dock.controls.redo.isEnabled()


def test_threshold_does_not_run_the_model(dock_of, settle, image, qtbot):
    model = DiskModel()
    _, dock, _ = start(dock_of, settle, image, model)
    dock.click(60, 80)
    settle(dock)
    calls, before = model.calls, preview(dock).sum()
    sizes = []
    for threshold in (0.9, 0.1):
        dock.controls.threshold.setValue(threshold)
        qtbot.waitUntil(lambda t=threshold: dock.controller.threshold == t)
        probabilities = np.asarray(dock.controller.session.probabilities)
        assert np.array_equal(preview(dock), probabilities > threshold)
        sizes.append(preview(dock).sum())
    assert sizes[0] < before < sizes[1]
    assert model.calls == calls


def test_deleting_and_moving_points_replays_the_rest(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    for row, col, positive in CLICKS:
        dock.click(row, col, positive)
        settle(dock)
    positive = dock.clicking.layers.positive
    positive.selected_data = {1}
    positive.remove_selected()
    settle(dock)
    rest = [CLICKS[0], *CLICKS[2:]]
    assert [(c.row, c.col, c.positive) for c in dock.controller.clicks] == rest
    positive.data = np.array([(61.0, 83.0), (20.0, 30.0)])
    settle(dock)
    assert [(c.row, c.col) for c in dock.controller.clicks if c.positive] == [(61, 83), (20, 30)]
    dock.controller.undo()
    dock.controller.undo()
    assert len(dock.controller.clicks) == len(CLICKS) == 5


def test_selecting_and_dragging_a_point_moves_the_click(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    dock.click(60, 80)
    settle(dock)
    layer = dock.clicking.layers.positive
    layer.data[0] = (50, 70)  # what a drag does, before it tells
    layer.events.data(value=layer.data, action="changed", data_indices=(0,), vertex_indices=((),))
    settle(dock)
    assert [(c.row, c.col) for c in dock.controller.clicks] == [(50, 70)]


def test_reset_is_one_step_that_undo_takes_back(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    dock.click(60, 80)
    settle(dock)
    mask = preview(dock)
    dock.controls.reset.click()
    assert not preview(dock).any() and not len(dock.clicking.layers.positive.data)
    dock.controls.undo.click()
    assert np.array_equal(preview(dock), mask) and len(dock.clicking.layers.positive.data) == 1


def test_a_click_outside_is_ignored_with_a_sentence(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    press(dock.clicking.layers.positive, (-3, 10))
    assert "outside the image" in dock.status.text()
    assert not dock.controller.clicks and not len(dock.clicking.layers.positive.data)
    with pytest.raises(ValueError, match="outside the image"):
        dock.click(0, image.shape[1])


def test_a_click_of_the_other_sign_on_the_same_pixel_replaces_it(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    dock.click(60, 80)
    dock.click(90, 80)
    press(dock.clicking.layers.positive, (60.2, 79.8), button=2)
    settle(dock)
    assert "already has a positive click" in dock.status.text()
    assert [c.positive for c in dock.controller.clicks] == [True, False]


def test_one_by_one_pixel_and_long_thin_images(dock_of, settle):
    for shape, where in (((1, 1), (0, 0)), ((3, 10_000), (1, 9_999))):
        _, dock, _ = start(dock_of, settle, np.full(shape, 7, np.uint8))
        dock.click(*where)
        settle(dock)
        assert dock.controller.error is None
        assert preview(dock)[where]
        dock.shut_down()


def test_an_image_that_cannot_be_used_is_refused_in_a_sentence(dock_of, image, monkeypatch):
    # napari itself does not show complex images, so its layer is given another reader
    reader = lambda layer, plane: as_reader(image[..., 0].astype(np.complex64))  # noqa: E731
    monkeypatch.setattr(clicking, "plane_reader", reader)
    viewer, dock = dock_of()
    viewer.add_image(image)
    dock.start()
    assert "complex" in dock.status.text()
    assert not dock.clicking.active
    assert not any(isinstance(layer, Points | Labels) for layer in viewer.layers)


def test_an_error_of_the_model_is_one_sentence_and_loses_nothing(dock_of, settle, image):
    class Broken(DiskModel):
        broken = True

        def after(self, split, tensors, inputs):
            if self.broken:
                raise RuntimeError("the network\nfell over")
            return super().after(split, tensors, inputs)

    model = Broken()
    _, dock, _ = start(dock_of, settle, image, model)
    dock.click(60, 80)
    settle(dock)
    assert dock.status.text() == "RuntimeError: the network fell over"
    assert dock.pill.text() == "error"
    model.broken = False
    dock.click(62, 90)
    settle(dock)
    assert len(dock.controller.clicks) == 2 and preview(dock).any()
    assert dock.pill.text() == "clicking"


def test_negative_clicks_alone_are_answered_with_a_hint(dock_of, settle, image):
    _, dock, _ = start(dock_of, settle, image)
    dock.click(60, 80, positive=False)
    settle(dock)
    assert "Add at least one click on the object." in dock.status.text()
    assert not preview(dock).any()
    dock.click(60, 90)
    settle(dock)
    assert "Add at least one" not in dock.status.text() and preview(dock).any()


def test_accept_never_drops_clicks_that_are_not_in_the_mask(dock_of, settle, image, qtbot):
    model = SlowModel()
    model.go_on.set()
    _, dock, _ = start(dock_of, settle, image, model)
    dock.click(60, 80)
    settle(dock)
    model.go_on.clear()
    model.entered.clear()
    dock.click(62, 100)
    wait_inside(qtbot, model)
    dock.accept()
    assert "still at work" in dock.status.text() and len(dock.controller.clicks) == 2
    dock.controls.cancel.click()
    dock.accept()
    assert "not in the mask yet" in dock.status.text() and len(dock.controller.clicks) == 2
    assert not dock.clicking.layers.objects.data.any()
    model.go_on.set()
    settle(dock)
    dock.controller.undo()
    dock.accept()
    assert dock.clicking.layers.objects.data.any() and not dock.controller.clicks


def test_accept_waits_for_a_model_that_loads_or_fails(dock_of, settle, image):
    def broken(name, device):
        raise ValueError("There is no such model.")

    viewer, dock = dock_of()
    dock.controller._cache._load = broken
    viewer.add_image(image)
    dock.start()
    dock.click(60, 80)
    dock.accept()
    assert "still at work" in dock.status.text() and len(dock.controller.clicks) == 1
    settle(dock)
    assert dock.pill.text() == "error"
    dock.accept()
    assert "not in the mask yet" in dock.status.text() and len(dock.controller.clicks) == 1


def test_the_threshold_begins_at_that_of_the_model(dock_of, settle, image, qtbot):
    _, dock, _ = start(dock_of, settle, image, Published())
    assert dock.controls.threshold.value() == dock.controller.threshold == 0.49
    dock.click(60, 80)
    settle(dock)
    assert np.array_equal(preview(dock), np.asarray(dock.controller.session.probabilities) > 0.49)


def test_a_threshold_that_the_user_moved_stays(dock_of, settle, image, qtbot):
    viewer, dock = dock_of(Published())
    viewer.add_image(image)
    assert dock.controls.threshold.value() == dock.controller.threshold == 0.5
    dock.controls.threshold.setValue(0.7)
    dock.start()
    settle(dock)
    qtbot.waitUntil(lambda: dock.controller.threshold == 0.7)
    assert dock.controls.threshold.value() == 0.7
