"""Napari's Preferences, remembered model files, and what a cancelled load leaves."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from widgets.disks import DiskModel, SlowModel, wait_inside

from napari_clickseg.data.journal import journal_folder
from napari_clickseg.widgets import preferences as module
from napari_clickseg.widgets.dock.set_keys import use_keys
from napari_clickseg.widgets.preferences import Preferences, begin_with, preferences
from napari_clickseg.widgets.remembered import remember_model, remembered_models


def test_preferences_are_those_of_the_manifest():
    from npe2 import PluginManifest

    import napari_clickseg

    path = Path(napari_clickseg.__file__).parent / "napari.yaml"
    page = PluginManifest.from_file(path).contributions.configurations["clicking"]
    assert {name: prop.default for name, prop in page.properties.items()} == vars(Preferences())


def test_the_pages_open_in_the_preferences_of_napari(qtbot):
    """A page named as one that napari treats by itself keeps the whole dialog from opening."""
    from napari._qt.dialogs.preferences_dialog import PreferencesDialog
    from napari.settings import get_plugin_settings

    assert get_plugin_settings(module.PLUGIN) is not None
    dialog = PreferencesDialog()
    qtbot.addWidget(dialog)
    settings = dialog._plugin_settings[module.PLUGIN]
    assert {module.PAGE, module.KEYS_PAGE} <= set(settings.model_dump())


def test_a_napari_that_knows_nothing_of_them_gives_the_defaults(monkeypatch):
    monkeypatch.setattr(module, "PLUGIN", "no-such-plugin")
    assert preferences() == Preferences()


def test_a_dock_begins_as_preferred(dock_of, qtbot, tmp_path):
    _, dock = dock_of()
    wanted = Preferences("gone.safetensors", "cpu", False, 0.7, "overwrite", False)
    begin_with(dock, wanted)
    assert dock.source.device == "cpu" and not dock.controller.auto_run
    assert dock.controls.policy.currentText() == "overwrite" and not dock.autosave.on
    assert dock.source.model is not None
    qtbot.waitUntil(lambda: dock.controller.threshold == 0.7)


def test_the_cache_is_where_it_is_preferred(dock_of, tmp_path, monkeypatch):
    from napari_clickseg.data import pyramid_cache

    monkeypatch.setattr(pyramid_cache, "_preferred", "")
    monkeypatch.delenv("CLICKSEG_CACHE", raising=False)
    _, dock = dock_of()
    usual = pyramid_cache.cache_folder()
    begin_with(dock, replace(Preferences(), cache_folder=f" {tmp_path / 'mine'} "))
    assert pyramid_cache.cache_folder() == tmp_path / "mine" / "pyramids"
    monkeypatch.setenv("CLICKSEG_CACHE", str(tmp_path / "said"))
    assert pyramid_cache.cache_folder() == tmp_path / "said" / "pyramids"
    monkeypatch.delenv("CLICKSEG_CACHE")
    begin_with(dock, Preferences())
    assert pyramid_cache.cache_folder() == usual


def test_a_preferred_model_or_device_that_is_not_here_is_said(dock_of):
    _, dock = dock_of()
    begin_with(dock, replace(Preferences(), model="gone.pth", device="cuda:77"))
    use_keys(dock, {"run": "Nonsense"})
    said = dock.status.text()
    assert "model 'gone.pth'" in said and "uses disks" in said
    assert "device 'cuda:77'" in said and "uses auto" in said
    assert "'Nonsense' is no key" in said
    assert dock.source.device == "auto" and dock.source.model is not None


def test_colours_that_everybody_can_tell_apart(dock_of, settle, image):
    from napari.utils.colormaps.standardize_color import transform_color

    from napari_clickseg.widgets.layers.own import COLOURS

    viewer, dock = dock_of()
    begin_with(dock, replace(Preferences(), colours="blue and orange"))
    viewer.add_image(image)
    dock.start()
    settle(dock)
    layers, colours = dock.clicking.layers, COLOURS["blue and orange"]
    dock.tools.choose("stroke")

    def rgb(colour):
        return transform_color(colour)[0, :3]

    for name in ("positive", "negative"):
        shown = getattr(layers, name).current_border_color
        assert np.allclose(rgb(shown), rgb(colours[name]), atol=1e-2)
    assert np.allclose(layers.preview.get_color(1)[:3], rgb(colours["preview"]), atol=1e-2)
    assert layers.shapes.current_edge_color[:7] == colours["positive"]


def test_without_autosave_there_is_no_journal(dock_of, settle, image):
    viewer, dock = dock_of()
    begin_with(dock, replace(Preferences(), autosave=False))
    viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    dock.accept()
    assert dock.clicking.objects.items and not list(journal_folder().glob("*"))


def test_model_files_are_remembered_the_last_one_first(tmp_path):
    files = [tmp_path / f"{name}.pth" for name in "abc"]
    for file in files:
        file.write_bytes(b"x")
        remember_model(file)
    remember_model(files[0])
    assert remembered_models() == [files[0], files[2], files[1]]
    files[2].unlink()
    assert remembered_models() == [files[0], files[1]]
    (journal_folder().parent / "opened-models.json").write_text("[3")
    assert remembered_models() == []


def test_a_file_opened_once_is_offered_by_the_next_dock(dock_of, tmp_path):
    from napari_clickseg.models.zoo import find_model

    file = tmp_path / "mine.safetensors"
    file.write_bytes(Path(find_model("clickseg-compact")).read_bytes())
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    remember_model(broken)
    viewer, dock = dock_of()
    dock.source.choose_model_file(file)
    dock.shut_down()
    _, dock = dock_of(viewer=viewer)
    paths = [card.path for card in dock.source.cards]
    assert file in paths and broken not in paths


def test_cancelling_a_load_gives_the_model_before_back(dock_of, settle, image, qtbot):
    viewer, dock = dock_of()
    go_on, inside = threading.Event(), threading.Event()

    def load(name, device):
        if device == "cpu":
            inside.set()
            assert go_on.wait(20)
        return DiskModel()

    dock.controller._cache._load = load
    viewer.add_image(image)
    dock.start()
    settle(dock)
    before = dock.controller.choice
    dock.source.device_box.setCurrentText("cpu")
    qtbot.waitUntil(inside.is_set)
    dock.controls.cancel.click()
    go_on.set()
    assert dock.controller.choice == before and dock.source.device == "auto"
    assert "model before stays" in dock.status.text()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    assert dock.clicking.layers.preview.data.any()


def test_clicks_of_a_stopped_run_wait_visibly_and_go_on_at_the_next_start(
    dock_of, settle, image, qtbot
):
    model = SlowModel()
    viewer, dock = dock_of(model)
    viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    wait_inside(qtbot, model)
    dock.controls.start.click()
    assert not dock.clicking.active and "1 click waits" in dock.status.text()
    model.go_on.set()
    settle(dock)
    assert "1 click waits" in dock.status.text()
    assert np.array_equal(dock.clicking.layers.positive.data, [(60, 80)])
    dock.controls.start.click()
    settle(dock)
    assert dock.clicking.layers.preview.data.any()


@pytest.fixture(autouse=True)
def plain_settings(monkeypatch):
    """Preferences of whoever runs the tests do not count."""
    monkeypatch.setattr("napari_clickseg.widgets.dock.click_dock.preferences", Preferences)
