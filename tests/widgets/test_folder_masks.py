"""The mask files of a folder of images: read, corrected, written, and never lost."""

import numpy as np
from PIL import Image
from widgets.folder_list import states

from napari_clickseg.data.readers import read_image


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
    (photographs / "cat1_mask.png").rename(photographs / "theirs")
    dock.click(110, 150)
    settled(dock)
    dock.accept()
    settled(dock)
    assert dock.folder.panel.written.text().startswith("cat1_mask.png is saved")
    assert read_image(photographs / "cat1_mask.png").max() == 2


def test_a_mask_deleted_by_others_is_written_again(opened, photographs, settled):
    _, dock = opened()
    for place in ((60, 80), (110, 150)):
        dock.click(*place)
        settled(dock)
        dock.accept()
        settled(dock)
        written = read_image(photographs / "cat1_mask.png").max()
        (photographs / "cat1_mask.png").unlink()
    assert written == 2


def test_what_could_not_be_written_is_not_lost(opened, photographs, settled, monkeypatch):
    from napari_clickseg.widgets.folder import image_files

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
