"""A folder of images, one after the other, each with a mask file of its own."""

import gc
import weakref

import numpy as np
from tifffile import imwrite
from widgets.disks import SlowModel, wait_inside
from widgets.folder_list import states

from napari_clickseg.data.journal import find_journals, read_journal
from napari_clickseg.data.readers import read_image
from napari_clickseg.data.saved_session import SavedModel
from napari_clickseg.interactions import Click
from napari_clickseg.widgets.dock.keys import KEYS
from napari_clickseg.widgets.export.labels import source_file


def key(viewer, name):
    found = next(k for k in viewer.keymap if str(k) == KEYS[name])
    viewer.keymap[found](viewer)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_images_follow_each_other_and_each_gets_its_mask(opened, photographs, settled, image):
    viewer, dock = opened()
    assert states(dock) == [("cat1.png", ""), ("cat2.png", ""), ("cat10.png", "")]
    assert dock.clicking.active and dock.clicking.image.name == "cat1.png"
    dock.click(60, 80)
    settled(dock)
    mask = dock.clicking.layers.preview.data != 0
    dock.accept()
    settled(dock)
    written = read_image(photographs / "cat1_mask.png")
    assert written.dtype == np.uint8 and np.array_equal(written, mask)
    key(viewer, "next_image")
    settled(dock)
    assert dock.clicking.image.name == "cat2.png"
    assert np.array_equal(dock.clicking.image.data, image[::-1])  # EXIF is honoured
    assert not dock.clicking.layers.objects.data.any() and dock.controls.label.value() == 1
    assert not (photographs / "cat2_mask.png").exists()
    assert states(dock)[0] == ("cat1.png", "mask")
    ours = ["clickseg objects", "clickseg preview", "clickseg positive", "clickseg negative"]
    assert sorted(names(viewer)) == sorted(["mine", "cat2.png", *ours])
    key(viewer, "next_image")
    settled(dock)
    assert not (photographs / "cat2_mask.png").exists()  # nothing was done to it
    key(viewer, "next_image")
    assert "last image" in dock.folder.panel.status.text()
    dock.folder.panel.previous.click()
    settled(dock)
    assert dock.clicking.image.name == "cat2.png"


def test_objects_come_back_with_their_clicks(opened, settled):
    _, dock = opened()
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    dock.click(20, 200)
    settled(dock)
    dock.accept()
    before = dock.clicking.layers.objects.data.copy()
    dock.folder.step(1)
    settled(dock)
    dock.folder.step(-1)
    settled(dock)
    assert np.array_equal(dock.clicking.layers.objects.data, before)
    items = dock.clicking.objects.items
    assert [len(item.interactions) for item in items.values()] == [1, 1]
    assert dock.controls.label.value() == 3
    assert not dock.recovery.isVisibleTo(dock)


def test_what_waits_is_in_a_journal_until_its_image_is_open_again(opened, settled):
    _, dock = opened()
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    dock.click(20, 200)
    settled(dock)
    dock.folder.step(1)
    settled(dock)
    (found,) = find_journals()  # nobody writes it, as after a kill
    recorded = read_journal(found.path)
    assert not recorded.objects  # what was accepted is in the mask file
    assert [work.saved.interactions for work in recorded.works] == [(Click(20, 200),)]
    dock.folder.step(-1)
    settled(dock)
    assert list(dock.controller.clicks) == [Click(20, 200)]
    assert not find_journals() and not dock.recovery.isVisibleTo(dock)


def test_what_is_unfinished_waits(opened, settled):
    _, dock = opened()
    dock.click(60, 80)
    dock.click(62, 90)
    settled(dock)
    mask = dock.clicking.layers.preview.data.copy()
    dock.folder.step(1)
    settled(dock)
    assert states(dock)[0] == ("cat1.png", "unfinished")
    assert not dock.controller.clicks and not dock.clicking.layers.preview.data.any()
    dock.folder.show(0)
    settled(dock)
    assert np.array_equal(dock.clicking.layers.preview.data, mask)
    assert len(dock.clicking.layers.positive.data) == 2
    dock.undo()
    settled(dock)
    assert len(dock.controller.clicks) == 1
    dock.click(100, 100, False)
    settled(dock)
    assert dock.controller.session.predicted == 2


def test_an_object_opened_again_and_left_is_in_the_file_and_waits(opened, photographs, settled):
    _, dock = opened()
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    settled(dock)
    first = read_image(photographs / "cat1_mask.png")
    dock.actions.open_again(next(iter(dock.clicking.objects.items)))
    dock.click(20, 200)
    settled(dock)
    dock.folder.step(1)
    settled(dock)
    assert np.array_equal(read_image(photographs / "cat1_mask.png"), first)
    dock.folder.step(-1)
    settled(dock)
    assert dock.actions.opened and len(dock.controller.clicks) == 2
    dock.accept()
    settled(dock)
    assert (read_image(photographs / "cat1_mask.png") == 1).sum() > first.sum()


def test_leaving_while_the_model_runs(opened, settled, qtbot):
    model = SlowModel()
    model.go_on.set()
    _, dock = opened(model)
    model.go_on.clear()
    model.entered.clear()
    dock.click(60, 80)
    wait_inside(qtbot, model)
    dock.folder.step(1)
    qtbot.waitUntil(lambda: dock.clicking.image.name == "cat2.png", timeout=10_000)
    model.go_on.set()
    settled(dock)
    assert not dock.clicking.layers.preview.data.any()
    dock.folder.step(-1)
    settled(dock)
    assert dock.controller.session.predicted == 1 and dock.clicking.layers.preview.data.any()


def test_unreadable_images_are_named_and_skipped(opened, photographs, settled):
    (photographs / "cat2.png").write_bytes(b"no picture")
    _, dock = opened()
    dock.folder.step(1)
    settled(dock)
    assert dock.clicking.image.name == "cat10.png"
    assert "cat2.png was skipped" in dock.folder.panel.status.text()
    assert states(dock)[1] == ("cat2.png", "unreadable")


def test_closing_the_dock_saves(opened, photographs, settled):
    _, dock = opened()
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    settled(dock)
    objects = dock.clicking.layers.objects
    objects.data_setitem((np.array([0]), np.array([0])), 7)
    objects.events.paint(value=[])
    dock.shut_down()
    assert read_image(photographs / "cat1_mask.png")[0, 0] == 7


def test_images_that_were_left_leave_nothing_behind(opened, settled):
    viewer, dock = opened()
    kept = []
    for _ in range(2):
        dock.click(60, 80)
        settled(dock)
        dock.accept()
        dock.click(20, 200)
        settled(dock)
        kept += [weakref.ref(dock.clicking.image), weakref.ref(dock.clicking.layers.objects)]
        kept.append(weakref.ref(dock.clicking.readers.reader(dock.controller.plane)))
        dock.folder.step(1)
        settled(dock)
    gc.collect()
    assert [ref() for ref in kept if ref() is not None] == []
    assert len(viewer.layers) == 6


def test_an_image_removed_by_hand_does_not_stop_the_others(opened, settled):
    viewer, dock = opened()
    viewer.layers.remove(dock.clicking.image)
    dock.folder.step(1)
    settled(dock)
    assert dock.clicking.image.name == "cat2.png" and dock.clicking.active
    assert len(viewer.layers) == 6


def test_stepping_goes_on_from_the_image_that_stays_open(opened, photographs, settled):
    """Where all that follow are unreadable, one step back is one image back."""
    (photographs / "cat99.png").write_bytes(b"no image")
    _, dock = opened()
    for _ in range(3):
        dock.folder.step(1)
        settled(dock)
    assert "cat99.png was skipped" in dock.folder.panel.status.text()
    assert dock.clicking.image.name == "cat10.png"
    dock.folder.step(-1)
    settled(dock)
    assert dock.clicking.image.name == "cat2.png"


def test_the_command_asks_for_a_folder(make_napari_viewer, monkeypatch, photographs, qtbot):
    from qtpy.QtWidgets import QFileDialog

    from napari_clickseg.widgets.folder.command import segment_images

    viewer = make_napari_viewer()
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *given: asked.append(given) or ""
    )
    segment_images()
    segment_images()
    assert len(asked) == 2
    assert len(viewer.window.dock_widgets) == 1


def test_an_image_larger_than_memory_is_read_as_it_is_looked_at(
    dock_of, settled, image, tmp_path, monkeypatch
):
    import tifffile

    from napari_clickseg.widgets.folder import image_files

    monkeypatch.setattr(image_files, "WHOLE_BYTES", 1000)
    with tifffile.TiffWriter(tmp_path / "slide.tif") as file:
        file.write(image, subifds=1, tile=(64, 64), photometric="rgb")
        file.write(image[::2, ::2], subfiletype=1, tile=(64, 64), photometric="rgb")
    _, dock = dock_of()
    dock.folder.open(tmp_path)
    settled(dock)
    layer = dock.clicking.image
    assert layer.multiscale and not isinstance(layer.data[0], np.ndarray)
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    settled(dock)
    assert read_image(tmp_path / "slide_mask.png")[60, 80] == 1


def test_the_layer_knows_its_file(opened, photographs):
    _, dock = opened()
    path = photographs / "cat1.png"
    assert source_file(dock.clicking.image) == path
    assert dock.autosave.session(SavedModel("any")).image.name == str(path)


def test_stacks_are_named_as_such_and_skipped(dock_of, photographs, settled):
    imwrite(photographs / "cat0.tif", np.zeros((5, 20, 30), np.uint8), photometric="minisblack")
    _, dock = dock_of()
    dock.folder.open(photographs)
    settled(dock)
    assert dock.clicking.image.name == "cat1.png"
    assert states(dock)[0] == ("cat0.tif", "stack")
    text = dock.folder.panel.status.text()
    assert "cat0.tif was skipped: a stack" in text and "Open it with File" in text
    assert "stack" in dock.folder.panel.list.topLevelItem(0).toolTip(1)


def test_each_reason_is_said_once_and_only_the_first_ones(dock_of, photographs, settled):
    for name in ("cat11", "cat12", "cat13", "cat14"):
        (photographs / f"{name}.png").write_bytes(b"")
    for name in ("cat3", "cat4"):
        imwrite(photographs / f"{name}.tif", np.zeros((5, 40, 50), np.uint8))
    _, dock = dock_of()
    dock.folder.open(photographs)
    settled(dock)
    for _ in range(2):
        dock.folder.step(1)
        settled(dock)
    text = dock.folder.panel.status.text()
    assert "cat3.tif, cat4.tif were skipped: a stack" in text and text.count("a stack") == 1
    assert dock.folder.image.path.name == "cat10.png" and text.startswith("5 of 9: cat10.png")
    dock.folder.step(1)
    settled(dock)
    text = dock.folder.panel.status.text()
    assert "cat12.png was skipped" in text and "cat13.png" not in text
    assert text.endswith("2 more could not be opened: the list tells why.")


def test_back_at_once_the_line_names_the_image_that_is_open(opened, settled):
    _, dock = opened()
    dock.folder.step(1)
    dock.folder.step(-1)
    settled(dock)
    assert dock.folder.panel.status.text().startswith("1 of 3: cat1.png")
