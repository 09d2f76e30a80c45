"""Objects that start from a mask: of a layer, of a file, or of the slice before."""

import numpy as np
import pytest

from napari_clickseg.widgets.dock.keys import KEYS
from napari_clickseg.widgets.work.start_masks import component, layer_mask, masked_centres


@pytest.fixture
def masks(image):
    labels = np.zeros(image.shape[:2], np.uint16)
    labels[50:70, 60:90] = 3
    labels[100:110, 20:30] = 3
    return labels


@pytest.fixture
def started(dock_of, settle, image, masks):
    viewer, dock = dock_of()
    viewer.add_image(image)
    layer = viewer.add_labels(masks, name="labels")
    dock.start()
    settle(dock)
    return viewer, dock, layer


def test_a_new_object_starts_from_the_one_selected_on_another_slice(dock_of, settle, image):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([image[..., 0]] * 2), contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 0)
    dock.start()
    dock.click(60, 80)
    settle(dock)
    mask = dock.clicking.layers.preview.data[0] != 0
    dock.accept()
    viewer.dims.set_current_step(0, 1)
    dock.starting.panel.source.setCurrentText("selected object")
    dock.starting.panel.part.setCurrentIndex(1)
    dock.objects.table.clearSelection()
    dock.starting.take()
    assert "Select one object" in dock.status.text()
    dock.objects.table.selectRow(0)
    viewer.dims.set_current_step(0, 1)
    dock.starting.take()
    assert mask.any() and np.array_equal(dock.clicking.layers.preview.data[1] != 0, mask)


def test_the_first_click_chooses_the_part_of_a_mask_to_correct(started, settle, masks):
    _, dock, layer = started
    dock.starting.panel.choose_layer(layer)
    dock.click(60, 75)
    settle(dock)
    session = dock.controller.session
    wanted = masks == 3
    wanted[100:] = False
    assert np.array_equal(np.asarray(session.start_mask) > 0, wanted)
    assert len(session.interactions) == 1 and session.predicted == 1
    dock.undo()
    assert np.array_equal(dock.clicking.layers.preview.data != 0, wanted)
    dock.undo()
    assert not dock.clicking.layers.preview.data.any()
    assert np.array_equal(layer.data, masks)


def test_a_first_click_beside_the_mask_starts_empty(started, settle):
    _, dock, layer = started
    dock.starting.panel.choose_layer(layer)
    dock.click(10, 10)
    assert "nothing at this click" in dock.status.text()
    settle(dock)
    assert dock.controller.session.start_mask is None and dock.clicking.layers.preview.data.any()


def test_a_whole_mask_is_taken_and_corrected(started, settle, masks):
    _, dock, layer = started
    panel = dock.starting.panel
    panel.choose_layer(layer)
    assert not panel.take.isEnabled()
    panel.part.setCurrentIndex(1)
    panel.take.click()
    assert np.array_equal(dock.clicking.layers.preview.data != 0, masks != 0)
    dock.click(60, 100)
    settle(dock)
    assert dock.controller.session.start_mask is not None


def test_a_mask_of_another_shape_is_refused(started, tmp_path):
    from PIL import Image

    viewer, dock, _ = started
    small = viewer.add_labels(np.ones((20, 30), int), name="small")
    panel = dock.starting.panel
    panel.choose_layer(small)
    panel.part.setCurrentIndex(1)
    panel.take.click()
    sentence = "'small' is 20 x 30 but the image is 150 x 226. Choose a mask of the same shape"
    assert sentence in dock.status.text()
    Image.fromarray(np.ones((20, 30), np.uint8)).save(tmp_path / "mask.png")
    panel.choose_file(tmp_path / "mask.png")
    panel.take.click()
    assert "'mask.png' is 20 x 30 but the image is 150 x 226." in dock.status.text()


def test_a_file_is_a_mask_too(started, masks, tmp_path):
    from PIL import Image

    _, dock, _ = started
    Image.fromarray((masks > 0).astype(np.uint8) * 255).save(tmp_path / "mask.png")
    panel = dock.starting.panel
    panel.choose_file(tmp_path / "mask.png")
    panel.part.setCurrentIndex(1)
    panel.take.click()
    assert np.array_equal(dock.clicking.layers.preview.data != 0, masks != 0)


def test_a_rotated_or_scaled_mask_is_resampled_and_said():
    from napari.layers import Image, Labels

    from napari_clickseg.widgets.image.plane import Plane

    image = Image(np.zeros((40, 60)), scale=(0.5, 0.5))
    plane = Plane((0, 1), (None, None))
    half = np.zeros((20, 30), int)
    half[5:10, 10:20] = 4
    mask, note = layer_mask(Labels(half, scale=(1, 1)), image, plane)
    assert "scaled otherwise" in note and mask.shape == (40, 60)
    assert (mask == 4).sum() == 200 and mask[15, 30] == 4
    _, note = layer_mask(Labels(half, rotate=30), image, plane)
    assert "rotated relative to the image; it was resampled by nearest neighbour." in note
    same, note = layer_mask(Labels(np.ones((40, 60), int), scale=(0.5, 0.5)), image, plane)
    assert note is None and same.all()


def test_parts_and_their_centres():
    mask = np.zeros((30, 30), int)
    mask[2:7, 2:7] = 1
    mask[10:25, 10:25] = 1
    assert component(mask, 0, 0) is None
    assert component(mask, 3, 3).sum() == 25
    assert masked_centres(mask) == [(17, 17), (4, 4)]


def test_the_mask_goes_along_to_the_next_slice(dock_of, settle, image):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([image[..., 0]] * 3))
    viewer.dims.set_current_step(0, 0)
    dock.start()
    dock.click(60, 80)
    settle(dock)
    first = dock.clicking.layers.preview.data[0] != 0
    key = next(k for k in viewer.keymap if str(k) == KEYS["next_slice"])
    viewer.keymap[key](viewer)
    settle(dock)
    assert viewer.dims.current_step[0] == 1 and dock.controls.label.value() == 1
    assert np.array_equal(dock.clicking.layers.objects.data[0] == 1, first)
    session = dock.controller.session
    assert np.array_equal(np.asarray(session.start_mask) > 0, first)
    assert len(session.interactions) == 1 and session.predicted == 1
    assert dock.clicking.layers.preview.data[1].any()
    dock.starting.next_slice()
    settle(dock)
    dock.starting.next_slice()
    assert "last slice" in dock.status.text() and viewer.dims.current_step[0] == 2
    dock.accept()
    assert "Object 1 is in" in dock.status.text()  # it is known there, but not on this slice


def test_going_on_to_the_next_slice_is_undone_and_redone_at_once(dock_of, settle, image):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([image[..., 0], image[::-1, :, 0], image[..., 1]]))
    viewer.dims.set_current_step(0, 0)
    dock.start()
    dock.click(60, 80)
    settle(dock)
    layers, objects = dock.clicking.layers, dock.clicking.objects

    def state():
        settle(dock)
        shown = np.array(layers.preview.data), np.array(layers.objects.data)
        said = {plane.steps[0]: clicks for plane, clicks in dock.controller.planes.items()}
        return viewer.dims.current_step[0], list(objects.labels), said, shown

    def same(one, other):
        pixels = all(np.array_equal(a, b) for a, b in zip(one[3], other[3], strict=True))
        return pixels and one[:2] == other[:2] and _said(one[2]) == _said(other[2])

    def _said(clicks):
        return {step: items for step, items in clicks.items() if items}

    before = state()
    dock.starting.next_slice()
    after = state()
    dock.click(20, 20)
    further = state()
    dock.undo()
    assert same(state(), after)
    dock.redo()
    assert same(state(), further)
    dock.undo()
    dock.undo()
    assert same(state(), before) and not objects.items
    assert "accepting object 1" in dock.status.text() or dock.controller.clicks
    dock.redo()
    assert same(state(), after)
    dock.starting.next_slice()
    third = state()
    for _ in range(2):
        dock.undo()
    assert same(state(), before)
    for _ in range(2):
        dock.redo()
    assert same(state(), third)


def test_an_unfinished_object_on_the_next_slice_is_not_replaced(dock_of, settle, image):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([image[..., 0]] * 2))
    viewer.dims.set_current_step(0, 1)
    dock.start()
    dock.click(20, 20)
    settle(dock)
    viewer.dims.set_current_step(0, 0)
    dock.click(60, 80)
    settle(dock)
    dock.starting.next_slice()
    assert "unfinished object on the next slice" in dock.status.text()
    assert viewer.dims.current_step[0] == 0 and not dock.clicking.objects.items


def test_an_image_without_slices_says_so(started):
    _, dock, _ = started
    dock.starting.next_slice()
    assert "no other slice" in dock.status.text()
