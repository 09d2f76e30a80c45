"""Layers deleted, renamed and reordered; accepting; closing; keys; what is left alone."""

import numpy as np
import pytest
from widgets.disks import DiskModel, SlowModel, wait_inside

from napari_clickseg import Segmenter
from napari_clickseg.widgets.dock.keys import KEYS
from napari_clickseg.widgets.image.plane import Plane
from napari_clickseg.widgets.objects.masks import KEEP, OVERWRITE, mask_patch


@pytest.mark.parametrize("role", ["positive", "negative", "preview", "objects", "image"])
def test_any_layer_may_be_deleted_while_the_model_runs(dock_of, settle, image, qtbot, role):
    model = SlowModel()
    viewer, dock = dock_of(model)
    layer = viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    wait_inside(qtbot, model)
    viewer.layers.remove(getattr(dock.clicking.layers, role))
    model.go_on.set()
    settle(dock)
    if role == "image":
        assert "image was removed" in dock.status.text()
        qtbot.waitUntil(lambda: "clickseg positive" not in names(viewer))
        layer = viewer.add_image(image)
        dock.source.choose_image(layer)
    if not dock.clicking.active:
        dock.start()
    settle(dock)
    assert all(getattr(dock.clicking.layers, r) in viewer.layers for r in ("positive", "preview"))
    dock.click(62, 90)
    settle(dock)
    assert len(dock.controller.clicks) == (1 if role == "image" else 2)
    marks = len(dock.clicking.layers.positive.data)
    assert marks == len(dock.controller.clicks)
    shown = dock.clicking.layers.preview.data != 0
    assert shown.any() and np.array_equal(shown, dock.controller.session.mask(0.5))
    dock.accept()
    assert np.array_equal(dock.clicking.layers.objects.data != 0, shown)


def test_all_layers_may_be_cleared_at_once(clicked):
    viewer, dock, _ = clicked()
    viewer.layers.clear()
    assert not dock.clicking.active and dock.pill.text() == "no image"
    viewer.layers.selection.clear()
    viewer.add_image(np.zeros((30, 30), np.uint8))
    dock.start()
    assert dock.clicking.active


def test_selected_layers_may_be_removed_together(clicked):
    viewer, dock, _ = clicked()
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    assert len(viewer.layers) == 0 and not dock.clicking.active


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_an_image_that_is_removed_takes_clicks_and_preview_along(clicked, settle, qtbot):
    viewer, dock, layer = clicked()
    dock.accept()
    dock.click(110, 110)
    settle(dock)
    dock.tools.panel.tools["box"].click()
    viewer.layers.remove(layer)
    assert "1 object is kept in 'clickseg objects'" in dock.status.text()
    assert "Open the image again to recover" in dock.status.text()
    qtbot.waitUntil(lambda: names(viewer) == ["mine", "clickseg objects"])
    assert viewer.layers["clickseg objects"].data.any() and not dock.clicking.active
    assert list(dock.clicking.objects.items) and not dock.controller.works


def test_what_was_in_work_on_a_removed_image_comes_back_with_it(clicked, settle, qtbot, image):
    viewer, dock, layer = clicked()
    dock.accept()
    dock.click(110, 110)
    settle(dock)
    preview = dock.clicking.layers.preview
    preview.mode = "paint"
    preview.brush_size = 5
    preview.paint((4, 6), 1)
    shown, clicks = preview.data != 0, dock.controller.clicks
    viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: "clickseg preview" not in names(viewer))
    again = viewer.add_image(image)
    dock.source.choose_image(again)
    assert "Recover 1 object and 1 unfinished object" in dock.recovery.text.text()
    dock.recovery.recover.click()
    settle(dock)
    assert dock.controller.clicks == clicks and shown[4, 6]
    assert np.array_equal(dock.clicking.layers.preview.data != 0, shown)
    assert len(dock.clicking.objects.items) == 1


def test_without_autosave_a_removed_image_is_told_to_take_its_object_along(dock_of, settle, image):
    viewer, dock = dock_of()
    dock.autosave.on = False
    layer = viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    viewer.layers.remove(layer)
    assert dock.status.text().endswith("What was not accepted yet is gone: autosave is off.")


def test_a_stopped_dock_tells_too_that_its_image_went(clicked, qtbot):
    viewer, dock, layer = clicked()
    dock.stop()
    viewer.layers.remove(layer)
    assert "Open the image again to recover" in dock.status.text()
    qtbot.waitUntil(lambda: names(viewer) == ["mine", "clickseg objects"])


def test_renaming_and_reordering_change_nothing(clicked, settle):
    viewer, dock, layer = clicked()
    for number, each in enumerate(list(viewer.layers)):
        each.name = f"clickseg positive {number}"
    viewer.layers.reverse()
    viewer.layers.move(0, 3)
    dock.click(62, 95)
    settle(dock)
    assert len(dock.controller.clicks) == 2
    assert dock.source.image_box.currentText() == layer.name
    assert np.array_equal(dock.clicking.layers.preview.data != 0, dock.controller.session.mask(0.5))


def test_layers_of_the_user_are_left_alone(clicked, image):
    viewer, dock, layer = clicked()
    dock.accept()
    dock.shut_down()
    assert np.array_equal(layer.data, image) and layer.name == "photograph"
    assert [each.name for each in viewer.layers] == ["mine", "photograph", "clickseg objects"]
    assert np.array_equal(viewer.layers["mine"].data, [(1, 2)])


def test_a_newer_click_supersedes_the_running_one(running, settle, image):
    _, dock, model = running
    first = dock.runner._running
    dock.click(62, 95)
    dock.click(30, 30, positive=False)
    assert first.stop.is_set()
    assert len(dock.clicking.layers.positive.data) == 2  # drawn at once
    model.go_on.set()
    settle(dock)
    assert dock.controller.session.predicted == 3
    assert np.array_equal(dock.clicking.layers.preview.data != 0, dock.controller.session.mask(0.5))
    alone = Segmenter(DiskModel())
    alone.set_image(image)
    for click in ((60, 80), (62, 95), (30, 30, False)):
        alone.click(*click)
    assert np.array_equal(dock.controller.session.probabilities, alone.probabilities)
    assert model.calls == 1 + alone.predictor.model.calls  # one call of the first run, no more


def test_cancel_keeps_the_clicks_for_the_next_run(running, settle):
    _, dock, model = running
    dock.controls.cancel.click()
    assert dock.pill.text() == "clicking" and "Cancelled" in dock.status.text()
    model.go_on.set()
    settle(dock)
    assert dock.controller.session.predicted == 0 and not dock.clicking.layers.preview.data.any()
    dock.click(62, 90)
    settle(dock)
    assert dock.controller.session.predicted == 2 and dock.clicking.layers.preview.data.any()


def test_changing_the_slice_while_running_drops_the_result_until_one_is_back(
    dock_of, settle, image, qtbot
):
    model = SlowModel()
    viewer, dock = dock_of(model)
    viewer.add_image(np.stack([image[..., 0]] * 2))
    viewer.dims.set_current_step(0, 0)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    wait_inside(qtbot, model)
    viewer.dims.set_current_step(0, 1)
    model.go_on.set()
    settle(dock)
    assert not dock.clicking.layers.preview.data.any()
    viewer.dims.set_current_step(0, 0)
    settle(dock)
    assert dock.clicking.layers.preview.data[0].any()
    assert not dock.clicking.layers.preview.data[1].any()


def test_closing_the_dock_while_running(dock_of, settle, image, qtbot):
    model = SlowModel()
    viewer, dock = dock_of(model)
    viewer.add_image(image)
    viewer.window.add_dock_widget(dock, name="clicks")
    dock.start()
    settle(dock)
    before = {key: viewer.keymap.get(key) for key in viewer.keymap}
    assert before
    dock.click(60, 80)
    wait_inside(qtbot, model)
    job = dock.runner._running
    model.go_on.set()
    viewer.window.remove_dock_widget(dock)
    assert job.stop.is_set() and job.done.wait(10)
    qtbot.wait(50)
    assert [layer.name for layer in viewer.layers] == ["image", "clickseg objects"]
    assert not any(
        getattr(f, "__module__", "").startswith("napari_clickseg") for f in viewer.keymap.values()
    )
    viewer.layers[0].translate = (1, 1)
    viewer.dims.ndisplay = 3


def test_keys_do_what_the_buttons_do(clicked, settle):
    viewer, dock, _ = clicked()

    def press(name, target):
        from napari.utils.key_bindings import coerce_keybinding

        target.keymap[coerce_keybinding(KEYS[name])](target)
        settle(dock)

    preview = dock.clicking.layers.preview
    mask = preview.data.copy()
    press("undo", dock.clicking.layers.positive)
    assert not preview.data.any()
    press("redo", preview)
    assert np.array_equal(preview.data, mask)
    press("reset", dock.clicking.layers.positive)
    assert not dock.controller.clicks
    press("undo", dock.clicking.layers.positive)
    press("swap", viewer)
    assert not dock.clicking.positive and dock.controls.negative.isChecked()
    press("swap", viewer)
    assert dock.clicking.positive and dock.controls.positive.isChecked()
    press("accept", dock.clicking.layers.negative)
    assert np.array_equal(dock.clicking.layers.objects.data != 0, mask != 0)


def test_a_key_of_the_user_comes_back(clicked):
    viewer, dock, _ = clicked()
    dock.stop()
    viewer.bind_key("T", lambda v: None, overwrite=True)
    mine = dict(viewer.keymap)
    dock.start()
    assert dict(viewer.keymap) != mine
    dock.stop()
    assert dict(viewer.keymap) == mine


def test_accepting_keeps_brush_edits_and_counts_up(clicked, settle):
    _, dock, _ = clicked()
    preview = dock.clicking.layers.preview
    preview.data_setitem((np.array([0, 0]), np.array([0, 1])), 1)
    painted = preview.data != 0
    dock.accept()
    assert np.array_equal(dock.clicking.layers.objects.data == 1, painted)
    assert dock.controls.label.value() == 2
    assert not preview.data.any() and not dock.controller.clicks
    assert not len(dock.clicking.layers.positive.data)
    dock.accept()
    assert "preview is empty" in dock.status.text() and dock.controls.label.value() == 2


def test_the_next_click_starts_from_what_was_painted(clicked, settle):
    _, dock, _ = clicked()
    preview = dock.clicking.layers.preview
    rows, cols = (grid.ravel() for grid in np.mgrid[0:20, 0:20])
    preview.data_setitem((rows, cols), 1)
    painted = preview.data != 0
    dock.click(62, 90)
    settle(dock)
    assert np.array_equal(dock.controller.session.start_mask[:, :] > 0, painted)
    dock.controller.undo()
    assert np.array_equal(preview.data != 0, painted)


def test_overlap_policies(clicked, settle):
    _, dock, _ = clicked()
    first = dock.clicking.layers.preview.data != 0
    dock.accept()
    dock.click(62, 95)
    settle(dock)
    second = dock.clicking.layers.preview.data != 0
    dock.controls.policy.setCurrentText(KEEP)
    dock.accept()
    objects = dock.clicking.layers.objects.data
    assert (first & second).any()
    assert np.array_equal(objects == 1, first)
    assert np.array_equal(objects == 2, second & ~first)
    dock.click(62, 95)
    settle(dock)
    third = dock.clicking.layers.preview.data != 0
    dock.controls.policy.setCurrentText(OVERWRITE)
    dock.accept()
    assert np.array_equal(dock.clicking.layers.objects.data == 3, third)


def test_labels_grow_to_32_bits(clicked):
    _, dock, _ = clicked()
    mask = dock.clicking.layers.preview.data != 0
    dock.controls.label.setValue(65_536)
    dock.accept()
    objects = dock.clicking.layers.objects.data
    assert objects.dtype == np.uint32 and np.array_equal(objects == 65_536, mask)
    assert "32-bit" in dock.status.text()


def test_nothing_is_written_when_all_pixels_are_taken():
    from napari.layers import Labels

    objects = Labels(np.full((4, 4), 3, np.uint16))
    plane = Plane((0, 1), (None, None))
    from napari_clickseg.geometry import Box

    parts = [(Box(0, 0, 2, 4), np.ones((2, 4), bool)), (Box(2, 0, 4, 4), np.ones((2, 4), bool))]
    with pytest.raises(ValueError, match="overwrite"):
        mask_patch(parts, objects, plane, 1, KEEP)
    with pytest.raises(ValueError, match="label ids"):
        mask_patch(parts, objects, plane, 2**32, OVERWRITE)
    assert (objects.data == 3).all()


def test_new_pixels_in_the_image_layer_begin_the_object_anew(clicked, image, settle):
    _, dock, layer = clicked()
    layer.data = image[::-1].copy()
    assert not dock.controller.clicks and not dock.clicking.layers.preview.data.any()
    dock.click(60, 80)
    settle(dock)
    layer.data = np.zeros((20, 30, 3), np.uint8)
    assert not dock.clicking.active
    dock.start()
    assert dock.clicking.layers.preview.data.shape == (20, 30)


def test_options_that_were_touched_reach_the_predictor(clicked, settle):
    _, dock, _ = clicked()
    seen = dock.controller._cache._predictor.profile
    dock.advanced.zoom_expansion.setValue(2.5)
    dock.advanced.flip.setChecked(False)
    dock.click(30, 30)
    settle(dock)
    profile = dock.controller._cache._predictor.profile
    assert profile.zoom_in.expansion_ratio == 2.5 and seen.flip and not profile.flip
    assert profile.zoom_in.target_size == seen.zoom_in.target_size
    dock.advanced.zoom_in.setChecked(False)
    dock.click(35, 30)
    settle(dock)
    assert dock.controller._cache._predictor.profile.zoom_in is None


def test_a_device_that_does_not_exist_is_told_and_clicks_are_kept(dock_of, settle, image):
    from napari_clickseg.models.device import choose_device

    class Elsewhere(DiskModel):
        pass

    viewer, dock = dock_of()
    dock.controller._cache._load = lambda name, device: choose_device("cuda:77") and Elsewhere()
    viewer.add_image(image)
    dock.start()
    settle(dock)
    assert "no device 'cuda:77'" in dock.status.text() and dock.pill.text() == "error"
    dock.controller._cache._load = lambda name, device: Elsewhere()
    dock.click(60, 80)
    settle(dock)
    assert dock.clicking.layers.preview.data.any()
