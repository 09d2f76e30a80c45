"""A folder of images, one after the other, each with a mask file of its own."""

import gc
import weakref

import numpy as np
import pytest
from PIL import Image
from widgets.disks import SlowModel, wait_inside

from napari_clickseg.data.readers import read_image
from napari_clickseg.widgets.keys import KEYS


@pytest.fixture
def photographs(tmp_path, image):
    """Three photographs; the second is stored on its side with the EXIF tag that says so."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, pixels in (("1", image), ("10", image[:, ::-1]), ("2", image[::-1])):
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"cat{number}.png")
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(image[::-1])))
    tags = turned.getexif()
    tags[0x0112] = 6  # shown a quarter turn to the right
    turned.save(folder / "cat2.png", exif=tags)
    return folder


@pytest.fixture
def settled(qtbot, settle):
    def wait(dock):
        qtbot.waitUntil(lambda: not dock.folder.busy, timeout=20_000)
        settle(dock)

    return wait


@pytest.fixture
def opened(dock_of, photographs, settled):
    def make(model=None):
        viewer, dock = dock_of(model)
        viewer.add_points([(1, 2)], name="mine")
        dock.folder.open(photographs)
        settled(dock)
        return viewer, dock

    return make


def key(viewer, name):
    found = next(k for k in viewer.keymap if str(k) == KEYS[name])
    viewer.keymap[found](viewer)


def states(dock):
    rows = dock.folder.panel.list
    items = [rows.topLevelItem(row) for row in range(rows.topLevelItemCount())]
    return [(item.text(0), item.text(1)) for item in items]


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


def test_a_mask_from_elsewhere_is_loaded_corrected_and_replaced(dock_of, photographs, settled):
    given = np.zeros((150, 226), np.uint8)
    given[40:60, 40:90] = 255
    Image.fromarray(given).save(photographs / "cat2_mask.png")
    _, dock = dock_of()
    dock.folder.panel.correct.setChecked(True)
    dock.folder.open(photographs)
    settled(dock)
    assert states(dock) == [("cat1.png", ""), ("cat2.png", "mask"), ("cat10.png", "")]
    dock.folder.step(1)
    settled(dock)
    assert dock.actions.opened and dock.controls.label.value() == 255
    assert np.array_equal(dock.clicking.layers.preview.data != 0, given != 0)
    before = (photographs / "cat2_mask.png").stat().st_mtime_ns
    dock.folder.step(1)
    settled(dock)
    dock.folder.step(-1)
    settled(dock)
    assert (photographs / "cat2_mask.png").stat().st_mtime_ns == before  # looked at only
    dock.click(50, 100)
    settled(dock)
    dock.accept()
    settled(dock)
    written = read_image(photographs / "cat2_mask.png")
    assert set(np.unique(written)) == {0, 255} and written[50, 100] == 255


def test_a_mask_that_does_not_fit_is_never_replaced(dock_of, photographs, settled):
    path = photographs / "cat1_mask.png"
    Image.fromarray(np.ones((20, 30), np.uint8)).save(path)
    before = path.read_bytes()
    _, dock = dock_of()
    dock.folder.open(photographs)
    settled(dock)
    dock.folder.show(0)
    settled(dock)
    said = dock.folder.panel.status.text()
    assert "cat1_mask.png has 20 x 30 pixels and the image 150 x 226" in said
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    settled(dock)
    assert "is not replaced" in dock.folder.panel.written.text()
    dock.folder.step(1)
    settled(dock)
    assert path.read_bytes() == before


def test_a_mask_written_by_others_meanwhile_is_not_replaced(opened, photographs, settled):
    _, dock = opened()
    dock.click(60, 80)
    settled(dock)
    (photographs / "cat1_mask.png").write_bytes(b"theirs")
    dock.accept()
    settled(dock)
    assert "changed by somebody else" in dock.folder.panel.written.text()
    assert (photographs / "cat1_mask.png").read_bytes() == b"theirs"


def test_what_could_not_be_written_is_not_lost(opened, photographs, settled, monkeypatch):
    from napari_clickseg.widgets import image_files

    _, dock = opened()

    def full(*given):
        raise OSError("No space left on device")

    monkeypatch.setattr(image_files, "save_mask", full)
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    settled(dock)
    before = dock.clicking.layers.objects.data.copy()
    assert "No space left" in dock.folder.panel.written.text()
    dock.folder.step(1)
    settled(dock)
    assert states(dock)[0] == ("cat1.png", "not saved")
    monkeypatch.undo()
    dock.folder.step(-1)
    settled(dock)
    assert np.array_equal(dock.clicking.layers.objects.data, before)
    dock.folder.step(1)
    settled(dock)
    assert np.array_equal(read_image(photographs / "cat1_mask.png"), before)


def test_unreadable_images_are_named_and_skipped(opened, photographs, settled):
    (photographs / "cat2.png").write_bytes(b"no picture")
    _, dock = opened()
    dock.folder.step(1)
    settled(dock)
    assert dock.clicking.image.name == "cat10.png"
    assert "cat2.png was skipped" in dock.folder.panel.status.text()
    assert states(dock)[1] == ("cat2.png", "unreadable")


def test_clicks_are_saved_beside_the_mask_and_read_again(opened, photographs, settled, dock_of):
    viewer, dock = opened()
    dock.folder.panel.clicks.setChecked(True)
    dock.click(60, 80)
    dock.click(62, 90, False)
    settled(dock)
    dock.accept()
    settled(dock)
    dock.shut_down()
    assert (photographs / "cat1.clickseg.json").is_file()
    _, other = dock_of()
    other.folder.open(photographs)
    settled(other)
    other.folder.show(0)
    settled(other)
    [item] = other.clicking.objects.items.values()
    assert [click.positive for click in item.interactions] == [True, False]


def test_masks_may_be_elsewhere_and_called_otherwise(opened, photographs, settled, tmp_path):
    _, dock = opened()
    panel = dock.folder.panel
    panel.pattern.setText("{name}.tif")
    panel.pattern.editingFinished.emit()
    panel.put_masks(tmp_path / "masks")
    settled(dock)
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    settled(dock)
    assert read_image(tmp_path / "masks" / "cat1.tif").any()
    panel.pattern.setText("mask.png")
    panel.pattern.editingFinished.emit()
    assert "all images would share one mask" in panel.status.text()


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


def test_an_objects_layer_made_anew_does_not_replace_the_mask(opened, photographs, settled):
    viewer, dock = opened()
    dock.click(60, 80)
    settled(dock)
    dock.accept()
    settled(dock)
    before = (photographs / "cat1_mask.png").read_bytes()
    viewer.layers.remove(dock.clicking.layers.objects)
    dock.click(20, 200)
    settled(dock)
    dock.accept()
    settled(dock)
    assert "objects layer of this image was removed" in dock.folder.panel.written.text()
    assert (photographs / "cat1_mask.png").read_bytes() == before
    dock.folder.show(0)
    settled(dock)
    assert list(dock.clicking.objects.labels) == [1]


def test_the_command_asks_for_a_folder(make_napari_viewer, monkeypatch, photographs, qtbot):
    from qtpy.QtWidgets import QFileDialog

    from napari_clickseg.widgets.segment_folder import segment_images

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

    from napari_clickseg.widgets import image_files

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
