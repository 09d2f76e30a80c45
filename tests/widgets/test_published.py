"""Published checkpoints in the dock: opened, shown, clicked with, refused."""

import threading

import numpy as np
import pytest
import torch
from checkpoints import ritm_config, ritm_state
from widgets.disks import DiskModel

from napari_clickseg import Segmenter
from napari_clickseg.engine.profiles import NO_BRS
from napari_clickseg.models import zoo
from napari_clickseg.models.card import ModelCard
from napari_clickseg.widgets.dock.click_dock import ClickDock

FBRS = {"fusion": "rgb_fbrs", "disks": False, "radius": 260.0, "prev_mask": False}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Checkpoints of tiny networks, as the published systems write them."""
    folder = tmp_path_factory.mktemp("published")
    with_mask = {"radius": 5.0}
    torch.save(
        {"state_dict": ritm_state(**with_mask), "config": ritm_config()}, folder / "ritm_h18s.pth"
    )
    torch.save(
        [{"state_dict": ritm_state(i, **with_mask), "config": ritm_config()} for i in range(2)],
        folder / "stages.pth",
    )
    torch.save(ritm_state(**FBRS), folder / "fbrs.pth")
    torch.save({"optimizer": {}, "epoch": 3}, folder / "state.pth")
    (folder / "page.pth").write_text("<!doctype html><html></html>")
    return folder


@pytest.fixture
def dock(make_napari_viewer_proxy, qtbot, image):
    """A dock with the models of the package, on a photograph."""
    viewer = make_napari_viewer_proxy()
    viewer.add_image(image)
    dock = ClickDock(viewer)
    qtbot.addWidget(dock)
    yield dock
    dock.shut_down()


def kinds(dock):
    """Kinds of refinement that can be chosen, and the tooltips of the others."""
    box = dock.advanced.refinement
    items = [box.model().item(row) for row in range(box.count())]
    return (
        [item.text() for item in items if item.isEnabled()],
        [item.toolTip() for item in items if not item.isEnabled()],
    )


def shown(dock):
    return dock.clicking.layers.preview.data != 0


def test_a_ritm_checkpoint_is_opened_shown_and_clicked_with(dock, files, settle, image):
    dock.source.choose_model_file(files / "ritm_h18s.pth")
    assert dock.controller.busy == "loading"
    settle(dock)
    assert dock.source.model_box.currentText() == "ritm_h18s"
    about = dock.source.about.text()
    assert "hrnet" in about and "profile: ritm" in about and "licence: not stated" in about
    assert dock.advanced.refinement.currentText() == NO_BRS and not kinds(dock)[1]
    assert dock.advanced.profile.currentText() == "ritm_demo"
    dock.start()
    seg = Segmenter(files / "ritm_h18s.pth", profile="ritm_demo")
    seg.set_image(image)
    masks = []
    for click in ((60, 80), (62, 100, False)):
        dock.click(*click)
        settle(dock)
        seg.click(*click)
        masks.append(shown(dock).copy())
        assert np.array_equal(masks[-1], seg.mask)
    dock.controller.undo()
    assert np.array_equal(shown(dock), masks[0])
    dock.controller.redo()
    assert np.array_equal(shown(dock), masks[1])


def test_a_file_is_listed_once_and_can_be_chosen_again(dock, files, settle):
    box = dock.source.model_box
    first, count = box.currentText(), box.count()
    for _ in range(2):
        dock.source.choose_model_file(files / "ritm_h18s.pth")
        settle(dock)
        assert box.count() == count + 1
        box.setCurrentIndex(box.findText(first))
        settle(dock)
        assert dock.controller.model_loaded and dock.controller.profile.name == "clickseg"
    box.setCurrentIndex(box.findText("ritm_h18s"))
    settle(dock)
    assert dock.controller.profile.name == "ritm_demo"


def test_another_model_starts_with_its_own_numbers(dock, files, settle):
    dock.advanced.refinement.setCurrentText("RGB-BRS")
    dock.advanced.zoom_expansion.setValue(2.0)
    dock.source.choose_model_file(files / "fbrs.pth")
    settle(dock)
    assert dock.advanced.refinement.currentText() == "f-BRS-B"
    assert dock.advanced.zoom_expansion.value() == pytest.approx(1.4)
    assert dock.advanced.brs_evaluations.value() == 20
    assert dock.controller._cache._predictor.profile.brs == "f-BRS-B"
    assert not dock.advanced.cascade_steps.isEnabled()
    assert "no previous mask" in dock.advanced.cascade_steps.toolTip()


def test_a_chosen_profile_is_used(dock, files, settle):
    dock.source.choose_model_file(files / "ritm_h18s.pth")
    settle(dock)
    dock.advanced.profile.setCurrentText("avalanche")
    dock.start()
    dock.click(60, 80)
    settle(dock)
    profile = dock.controller._cache._predictor.profile
    assert profile.zoom_in is None and profile.max_clicks == 20
    assert not dock.advanced.zoom_in.isChecked() and dock.advanced.max_clicks.value() == 20
    assert dock.controls.threshold.value() == dock.controller.threshold == 0.5


def test_refinement_that_a_model_lacks_cannot_be_chosen(dock, files, settle):
    dock.source.choose_model_file(files / "stages.pth")
    settle(dock)
    offered, reasons = kinds(dock)
    assert offered == [NO_BRS] and all("several networks" in reason for reason in reasons)


def test_a_model_without_previous_mask_says_that_it_cannot_start_from_one(dock, files, settle):
    dock.source.choose_model_file(files / "fbrs.pth")
    dock.advanced.brs_evaluations.setValue(2)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    preview = dock.clicking.layers.preview
    preview.data_setitem((np.array([0, 0]), np.array([0, 1])), 1)
    assert "cannot start from one" in dock.status.text()
    painted = shown(dock).copy()
    dock.click(62, 90)
    settle(dock)
    assert "cannot start from one" in dock.status.text()
    dock.controller.undo()
    assert np.array_equal(shown(dock), painted)


@pytest.mark.parametrize("loaded", [False, True])
def test_a_file_that_cannot_be_loaded_leaves_the_model_before(dock, files, settle, loaded):
    before = dock.source.model
    if loaded:
        dock.start()
        settle(dock)
    dock.source.choose_model_file(files / "state.pth")
    settle(dock)
    assert "state.pth" in dock.status.text() and "stays in use" in dock.status.text()
    assert dock.source.model == before == dock.controller.choice.model
    dock.start()
    dock.click(60, 80)
    settle(dock)
    assert dock.pill.text() == "clicking" and shown(dock).any()


def test_the_pill_says_how_much_of_a_model_is_loaded(dock, settle, qtbot, monkeypatch):
    go_on, load_model = threading.Event(), zoo.load_model

    def load(name, device, progress):
        while not go_on.wait(0.02):
            progress(0.63)
        return load_model(name, device, progress)

    monkeypatch.setattr(zoo, "load_model", load)
    dock.start()
    assert dock.pill.text() == "loading"
    qtbot.waitUntil(lambda: dock.pill.text() == "loading 63%")
    go_on.set()
    settle(dock)
    assert dock.pill.text() == "clicking"


def test_clicks_that_came_while_a_bad_file_was_loading_are_answered(dock_of, settle, image, qtbot):
    go_on = threading.Event()
    viewer, dock = dock_of()
    viewer.add_image(image)
    dock.start()
    settle(dock)

    def load(name, device):
        assert go_on.wait(20)
        raise ValueError("The file is bad.")

    dock.controller._cache._load = load
    dock.source.device_box.setCurrentText("cpu")
    assert dock.pill.text() == "loading"
    dock.click(60, 80)
    assert len(dock.clicking.layers.positive.data) == 1  # the dock is not blocked meanwhile
    go_on.set()
    settle(dock)
    assert dock.source.device == "auto" and dock.controller.session.predicted == 1
    assert shown(dock).any() and "The file is bad." in dock.status.text()


def test_a_first_model_that_cannot_be_loaded_is_tried_once_per_click(dock_of, settle, image):
    tries = []

    def load(name, device):
        tries.append(name)
        raise ValueError("The file is bad.")

    viewer, dock = dock_of()
    viewer.add_image(image)
    dock.controller._cache._load = load
    dock.advanced.flip.setChecked(False)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    assert len(tries) == 2 and dock.pill.text() == "error"
    assert dock.status.text() == "The file is bad."


def test_a_file_that_is_no_model_is_refused_before_it_is_listed(dock, files, monkeypatch):
    from napari_clickseg.widgets.dock import source

    asked = []

    def choose(parent, title, folder, kinds):
        asked.append(kinds)
        return str(files / "page.pth"), ""

    monkeypatch.setattr(source.QFileDialog, "getOpenFileName", choose)
    count = dock.source.model_box.count()
    dock.source.browse.click()
    assert "web page" in dock.status.text() and dock.source.model_box.count() == count
    assert all(f"*.{suffix}" in asked[0] for suffix in ("pth", "params", "safetensors"))


def test_a_model_that_takes_no_clicks_is_refused(dock_of, settle):
    class Strokes(DiskModel):
        def __init__(self):
            super().__init__()
            self.spec = type(self.spec)("strokes", "saic_is", True, frozenset({"stroke"}))

    _, dock = dock_of(Strokes())
    dock.controller.load()
    settle(dock)
    assert "takes no clicks, only stroke" in dock.status.text()


def test_a_model_of_unknown_size_is_shown(dock_of, settle, monkeypatch, tmp_path):
    from napari_clickseg.widgets.dock import source

    card = ModelCard("big", tmp_path / "big.pth", "ViT-B", "CC BY-NC 4.0", (), None, "CFR-ICL")
    _, dock = dock_of()
    monkeypatch.setattr(source, "list_models", lambda: [card])
    dock.source._add_models()
    dock.source.choose_model(str(card.path))
    settle(dock)
    assert "size unknown" in dock.source.about.text()
    assert "licence: CC BY-NC 4.0" in dock.source.about.text()
