"""Keys that the user set in napari's Preferences."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from napari.utils.key_bindings import coerce_keybinding

import napari_clickseg
from napari_clickseg.widgets import preferences
from napari_clickseg.widgets.dock.keys import KEYS, WHAT, printed
from napari_clickseg.widgets.dock.set_keys import read_keys, use_keys, with_keys


def test_there_is_one_setting_for_each_action_and_it_is_the_usual_key():
    from npe2 import PluginManifest

    path = Path(napari_clickseg.__file__).parent / "napari.yaml"
    page = PluginManifest.from_file(path).contributions.configurations["keys"]
    usual = {name: printed(key) for name, key in KEYS.items()}
    found = {name: prop.default for name, prop in page.properties.items()}
    assert found == {f"{name}_key": key for name, key in usual.items()}
    assert read_keys(usual) == (KEYS, None) == read_keys({})


def test_the_preferences_of_napari_are_read(monkeypatch):
    page = SimpleNamespace(accept_key="Shift+A", run_key="")
    monkeypatch.setattr(preferences, "_page", lambda name: page if name == "keys" else None)
    assert preferences.key_texts(KEYS) == {"accept": "Shift+A", "run": ""}


def test_keys_that_are_set_are_bound_and_named(dock_of, settle, image):
    viewer, dock = dock_of()
    use_keys(dock, {"accept": "Shift+A", "run": "", "undo": "Ctrl+U", "stroke": "F9"})
    assert dock.controls.accept.text() == "Accept → next (Shift+A)"
    assert "(Shift+A)" in dock.controls.accept.toolTip()
    assert dock.tools.panel.run.text() == "Run (no key)"
    assert dock.tools.panel.tools["stroke"].text() == "Stroke\nF9"
    viewer.add_image(image)
    dock.start()
    settle(dock)
    assert dock.tools.panel.run.text() == "Run (no key)"
    dock.tools.panel.auto_run.setChecked(False)
    assert "press Run (no key)" in dock.status.text()
    points = dock.clicking.layers.positive
    bound = {str(key) for key in points.keymap}
    assert {"Shift+A", "Ctrl+U", "F9", "Ctrl+Shift+Z"} <= bound
    assert not {"N", "G", "Ctrl+Z", "F3"} & bound
    dock.tools.panel.auto_run.setChecked(True)
    dock.click(60, 80)
    settle(dock)
    points.keymap[coerce_keybinding("Shift+A")](points)
    assert len(dock.clicking.objects.items) == 1


@pytest.mark.parametrize(
    "texts, keys, sentence",
    [
        ({"run": "Q"}, {"run": "G"}, "Q is set for 'auto-run on or off' and 'run what waits"),
        ({"run": "Q", "auto_run": "G"}, {"run": "Q", "auto_run": "G"}, None),
        (
            {"run": "Nonsense"},
            {"run": "G"},
            "'Nonsense' is no key for 'run what waits;",
        ),
        ({"run": "Ctrl+Y"}, {"run": "Ctrl+Y"}, "Ctrl+Y is napari's key to toggle ndisplay, too"),
        ({"run": "J", "jump": "Ctrl+J"}, {"run": "J", "jump": "Ctrl+J"}, None),
        ({"run": "Y", "jump": "y"}, {"run": "G", "jump": "y"}, "Y is set for 'bring the object"),
    ],
)
def test_conflicts_are_named_in_a_sentence(texts, keys, sentence):
    found, said = read_keys(texts)
    assert found == {**KEYS, **{name: found[name] for name in keys}}
    assert {name: found[name] for name in keys} == keys
    assert said is None if sentence is None else sentence in said


def test_only_our_keys_are_replaced_in_texts():
    keys = {**KEYS, "run": "Ctrl+R", "previous": "["}
    text = "Run (G), (Ctrl+Y) of napari, previous (,), (D, or Delete), points (F2)."
    wanted = "Run (Ctrl+R), (Ctrl+Y) of napari, previous ([), (D, or Delete), points (F2)."
    assert with_keys(text, keys) == wanted


def test_the_table_of_keys_has_those_that_are_set():
    from napari_clickseg.widgets.dock.keys import shortcuts

    rows = dict(shortcuts({**KEYS, "accept": "Shift+A", "run": "", "swap": "X"}))
    assert rows["Shift+A"] == WHAT["accept"] and rows["X"] == WHAT["swap"]
    assert WHAT["run"] not in rows.values()


def test_a_button_shows_all_keys(dock_of, qtbot):
    from qtpy.QtWidgets import QMessageBox

    _, dock = dock_of()
    use_keys(dock, {"accept": "Shift+A"})
    dock.tools.all_keys.click()
    (box,) = dock.findChildren(QMessageBox)
    assert "Shift+A" in box.text() and "accept the object" in box.text()
    box.close()
