"""What the dock says when something is not as it should be, word for word."""

import sys

import numpy as np
import pytest
import torch
from qtpy.QtWidgets import QApplication, QFileDialog
from widgets.disks import DiskModel

from napari_clickseg.models.zoo import find_model
from napari_clickseg.widgets import messages


@pytest.fixture
def started(dock_of, settle):
    def make(image, **options):
        viewer, dock = dock_of()
        viewer.add_image(image, **options)
        dock.start()
        settle(dock)
        return viewer, dock

    return make


def test_without_an_image(dock_of):
    _, dock = dock_of()
    assert dock.hint.text() == "Add or choose an image to begin."


def test_values_that_are_no_numbers(started, settle):
    image = np.random.default_rng(0).random((60, 80)).astype(np.float32)
    image[30, 40] = np.nan
    _, dock = started(image, contrast_limits=(0, 1))
    dock.click(20, 20)
    settle(dock)
    sentence = "The image has NaN or infinite values here; they were set to 0 for the model."
    assert sentence in dock.status.text()
    dock.click(25, 25)
    settle(dock)
    assert sentence not in dock.status.text()  # once per object is enough


def test_a_region_without_contrast(started, settle):
    _, dock = started(np.zeros((60, 80), np.uint8))
    dock.click(20, 20)
    settle(dock)
    assert (
        "This region has no contrast (min = max = 0). Check the contrast limits or channel."
        in dock.status.text()
    )


def test_clicks_that_cannot_count(started, settle):
    viewer, dock = started(np.eye(60, 80))
    layers = dock.clicking.layers
    layers.positive.add((-5, 20))
    assert dock.status.text() == "That click is outside the image and was ignored."
    dock.click(20, 20, False)
    settle(dock)
    assert "Add at least one click on the object." in dock.status.text()
    dock.click(20, 20)
    settle(dock)
    assert "This pixel already has a negative click; it was replaced." in dock.status.text()
    viewer.layers.remove(layers.positive)
    assert dock.status.text() == "Click layers were removed; press Start to create them again."


def test_what_was_refused_is_over_with_the_next_click(started, settle):
    """It is not said again with the counts of a mask that it has nothing to do with."""
    _, dock = started(np.eye(60, 80))
    layers = dock.clicking.layers
    dock.accept()
    assert "The preview is empty" in dock.status.text()
    layers.positive.add((-5, 20))
    assert dock.status.text() == "That click is outside the image and was ignored."
    dock.click(20, 20)
    settle(dock)
    assert "outside" not in dock.status.text() and "empty" not in dock.status.text()
    assert dock.status.text().startswith("1 + / 0 -")
    dock.accept()
    dock.undo()
    assert dock.status.text() == "Undone: accepting object 1."
    dock.undo()
    assert "Undone" not in dock.status.text()


def test_what_is_done_in_the_table_is_told(three):
    _, dock, _ = three
    keys = sorted(dock.clicking.objects.items, key=lambda key: key[0])
    dock.actions.open_again(keys[0])
    dock.cancel()
    assert dock.status.text() == "Done: giving object 1 back. Undo takes it back."
    dock.objects.table.select(keys[:2])
    dock.objects.merge.setEnabled(True)
    dock.objects.merge.click()
    assert dock.status.text() == "Done: merging objects 1, 2. Undo takes it back."
    dock.objects.table.select(keys[2:])
    dock.objects.delete.setEnabled(True)
    dock.objects.delete.click()
    assert dock.status.text() == "Done: deleting object 3. Undo takes it back."


def test_pixels_that_stay_with_other_objects_are_told(three, settle):
    """A mask that is accepted much smaller than it was shown is no surprise."""
    _, dock, layer = three
    where = np.argwhere(layer == 1)[0]
    dock.click(*where)  # a disk half over object 1
    settle(dock)
    whole = int((np.asarray(dock.clicking.layers.preview.data) != 0).sum())
    dock.accept()
    kept = int((np.asarray(dock.clicking.layers.objects.data) == 4).sum())
    assert 0 < kept < whole
    said = f"Object 4 is in 'clickseg objects' without {whole - kept} of its {whole} pixels, which"
    assert said in dock.status.text().replace("\N{NO-BREAK SPACE}", "")


def test_three_dimensions(started):
    viewer, dock = started(np.zeros((3, 20, 20)))
    viewer.dims.ndisplay = 3
    assert dock.hint.text() == "Clicking works in 2D. Switch the viewer to 2D (Ctrl+Y)."


def test_hints_follow_the_tool(started):
    _, dock = started(np.eye(60, 80))
    assert dock.hint.text() == "Left-click object, right-click background."
    dock.tools.choose("contour")
    assert "Draw around the object" in dock.hint.text()


def said(dock, sentence):
    return sentence in dock.status.text()


def taken_start(dock, layer):
    dock.starting.panel.choose_layer(layer)
    dock.starting.panel.part.setCurrentIndex(1)
    dock.starting.panel.take.click()


def test_masks_that_do_not_lie_as_the_image(started):
    viewer, dock = started(np.eye(64, 80))
    small = viewer.add_labels(np.ones((20, 30), int), name="small")
    taken_start(dock, small)
    assert said(
        dock,
        "'small' is 20 x 30 but the image is 64 x 80. Choose a mask of the same shape or "
        "transform.",
    )
    turned = viewer.add_labels(np.ones((64, 80), int), name="turned", rotate=10)
    taken_start(dock, turned)
    assert said(
        dock,
        "The mask layer is rotated relative to the image; it was resampled by nearest neighbour.",
    )


def test_five_channels_are_chosen_from(dock_of, settle):
    viewer, dock = dock_of()
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 5)).astype(np.uint8)
    viewer.add_image(image, rgb=False)
    dock.start()
    assert said(
        dock, "The image has 5 channels; the model takes 3. Choose channels under Channels."
    )
    assert not dock.clicking.active and len(viewer.layers) == 1
    dock.channels.choose("channel 4", "channel 0", "none")
    dock.start()
    dock.click(20, 70)
    settle(dock)
    reader = dock.controller.session.reader
    assert reader.shape == (60, 80, 3) and dock.clicking.layers.preview.data.any()


@pytest.mark.parametrize("dtype", [np.complex64, object])
def test_pixels_that_are_no_numbers(dock_of, dtype):
    viewer, dock = dock_of()
    layer = viewer.add_image(np.zeros((40, 50)))
    with pytest.raises((TypeError, RuntimeError)):  # napari cannot show it, but keeps it
        layer.data = np.zeros((40, 50), dtype)
    dock.start()
    assert not dock.clicking.active and len(viewer.layers) == 1
    sentences = {
        np.complex64: "The image holds complex numbers, which have no brightness. Give",
        object: "The image has dtype object, which is not a number per pixel. Convert it to",
    }
    assert said(dock, sentences[dtype])


class Hungry(DiskModel):
    """Needs more memory than there is for views of more pixels than this."""

    most = 0

    def after(self, split, tensors, inputs):
        if inputs.image[0, 0].numel() > self.most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20 GiB.")
        return super().after(split, tensors, inputs)


def test_too_little_memory_is_met_with_smaller_views(dock_of, settle, image):
    model = Hungry()
    viewer, dock = dock_of(model)
    viewer.add_image(image)
    dock.start()
    settle(dock)
    size = dock.controller.profile.zoom_in.target_size
    model.most = size * size // 3
    dock.click(60, 80)
    settle(dock)
    sentence = f"Not enough memory on cpu for a {size} px region. Retried at {size // 2} px."
    assert said(dock, sentence) and dock.clicking.layers.preview.data.any()
    dock.click(62, 90)
    settle(dock)
    assert not said(dock, "memory") and dock.controller.error is None  # small from now on
    model.most = 0
    dock.click(64, 90)
    settle(dock)
    assert said(dock, f"Not enough memory on cpu for a {size // 4} px region. Choose a smaller")
    assert len(dock.controller.clicks) == 3
    model.most = 10**9
    dock.tools.panel.run.click()
    settle(dock)
    assert dock.controller.error is None and dock.controller.session.predicted == 3


def test_a_gpu_without_memory_is_told_of_the_processor():
    """What is said on a GPU after the second, smaller view was too large as well."""
    said = messages.short_of_memory("cuda:0", 512, None)
    assert said.startswith(
        "Not enough memory on cuda:0 for a 512 px region. Choose the device cpu,"
    )
    assert "device cpu" not in messages.short_of_memory("cpu", 512, None)


def test_how_long_a_click_takes_on_the_cpu_is_said_once(started, settle):
    _, dock = started(np.eye(60, 80))
    found = []
    for col in (20, 30, 40):
        dock.click(20, col)
        settle(dock)
        found.append("Running on CPU: about" in dock.status.text())
    assert found == [False, True, False] and "s per click with this model." in messages.on_cpu(0.8)


def test_a_model_whose_weights_do_not_fit(dock_of, settle, monkeypatch, tmp_path, image):
    from safetensors import safe_open
    from safetensors.torch import save_file

    path = tmp_path / "mine.safetensors"
    with safe_open(find_model("clickseg-compact"), "pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = file.metadata()
    weights["more.weight"] = weights.pop(sorted(weights)[-1])
    save_file(weights, path, about)
    viewer, dock = dock_of()
    dock.controller.cache._load = None
    viewer.add_image(image)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    dock.source.browse.click()
    dock.start()
    settle(dock)
    for part in ("mine.safetensors", "missing", "more.weight"):
        assert said(dock, part), dock.status.text()


def test_a_file_that_is_no_model(dock_of, settle, monkeypatch, tmp_path, image):
    path = tmp_path / "model.pth"
    torch.save({"conv.weight": torch.zeros(3, 3), "conv.bias": torch.zeros(3)}, path)
    viewer, dock = dock_of()
    dock.controller.cache._load = None
    viewer.add_image(image)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    dock.source.browse.click()
    dock.start()
    settle(dock)
    assert "model.pth" in dock.status.text() and "weight" in dock.status.text()
    assert dock.pill.text() in ("error", "clicking")


def test_an_image_that_goes_leaves_the_objects(three):
    viewer, dock, _ = three
    viewer.layers.remove(dock.clicking.image)
    assert said(dock, "The image was removed. Your 3 objects are kept in 'clickseg objects'.")


def test_a_label_that_is_there_already_grows(three, settle):
    _, dock, _ = three
    dock.controls.label.setValue(1)
    dock.click(130, 30)
    settle(dock)
    dock.accept()
    assert said(dock, "Label 1 already exists; the object was added to it.")


def test_more_objects_than_16_bits_hold(started, settle):
    _, dock = started(np.eye(60, 80))
    dock.controls.label.setValue(65_536)
    dock.click(20, 20)
    settle(dock)
    dock.accept()
    assert said(dock, "More than 65 535 objects: labels converted to 32-bit.")


def test_an_objects_layer_of_another_shape_is_refused_by_undo_too(three):
    _, dock, _ = three
    layer = dock.clicking.layers.objects
    layer.data = layer.data[:100]
    before = dict(dock.clicking.objects.items)
    dock.undo()
    sentence = "'clickseg objects' no longer has the image's shape. Remove it (save it first)"
    assert said(dock, sentence)
    assert dock.clicking.objects.items == before and dock.clicking.objects.can_undo


def test_a_disk_that_takes_nothing(three, monkeypatch, tmp_path):
    _, dock, _ = three
    path = tmp_path / "folder that is not there" / "a.clickseg.json"
    dock.sessions.save(path)
    assert said(dock, f"The session cannot be saved as {path}: ")
    assert said(dock, "What was there before is untouched: make room, or save it elsewhere.")


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
@pytest.mark.parametrize("written", ["session", "journal"])
def test_a_disk_that_is_full(three, settle, tmp_path, monkeypatch, written):
    """The system refuses more bytes while a file is written, as a full disk does."""
    import resource

    monkeypatch.setattr("napari.utils.notifications.show_error", lambda text: None)  # it logs
    _, dock, _ = three
    heard = []
    dock.autosave._say = lambda text, level: heard.append(text)
    path = tmp_path / "mine.clickseg.json"
    dock.sessions.save(path)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        if written == "session":
            dock.sessions.save(path)
        else:
            dock.click(130, 30)
            settle(dock)
            dock.accept()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    if written == "session":
        assert said(dock, f"The session cannot be saved as {path}: ")
        assert said(dock, "What was there before is untouched: make room, or save it elsewhere.")
    else:
        assert dock.clicking.objects.labels == {1, 2, 3, 4}
        assert "Autosave stopped: " in heard[0] and "make room on the disk" in heard[0]
    assert path.read_bytes() == before and [p.name for p in tmp_path.glob("*mine*")] == [path.name]


def test_details_of_an_error_can_be_copied(dock_of, settle, image):
    class Broken(DiskModel):
        broken = True

        def after(self, split, tensors, inputs):
            if self.broken:
                raise RuntimeError("the network fell over")
            return super().after(split, tensors, inputs)

    model = Broken()
    viewer, dock = dock_of(model)
    viewer.add_image(image)
    dock.start()
    settle(dock)
    assert dock.lines.copy.isHidden()
    dock.click(60, 80)
    settle(dock)
    assert dock.status.text() == "RuntimeError: the network fell over"
    assert not dock.lines.copy.isHidden()
    dock.lines.copy.click()
    text = QApplication.clipboard().text()
    for part in ("Traceback", "the network fell over", "napari ", "torch ", "device auto (cpu)"):
        assert part in text
    model.broken = False
    dock.tools.panel.run.click()
    settle(dock)
    assert dock.lines.copy.isHidden()
