"""The demo's command line, the samples, the manifest and what opening the dock imports."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManifest
from PIL import Image

import napari_clickseg
from napari_clickseg.widgets import demo, samples, tooltips

PACKAGE = Path(napari_clickseg.__file__).parent


@pytest.fixture
def never_shown(monkeypatch):
    """Fail if the demo gets as far as opening a window."""
    monkeypatch.setattr(demo, "_show", lambda *a: pytest.fail("a window was opened"))
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "small.png"
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path)
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--image", "missing.png"], "missing.png"),
        (["--image", "BROKEN"], "broken.png"),
        (["--image", "GOOD", "--click", "5;6+"], "is not a click"),
        (["--image", "GOOD", "--click", "5,6"], "is not a click"),
        (["--image", "GOOD", "--click", "5,6+", "25,6+"], "outside the image of 20 x 30"),
        (["--click", "1,1+", "--headless", "no/such/out.png"], "no folder"),
        (["--headless", "out.tiff"], "end in .png"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments, words, picture, tmp_path, capsys, never_shown
):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    named = {"GOOD": picture, "BROKEN": str(broken)}
    assert demo.main([named.get(a, a) for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert words in err and err.startswith("clickseg-demo: ")
    assert err.count("\n") == 1 and "Traceback" not in err and not out


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has machines without a screen")
def test_without_a_display_it_says_what_to_install(monkeypatch, capsys, never_shown):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(demo.shutil, "which", lambda name: None)
    assert demo.main(["--headless", "out.png"]) == 2
    assert "apt-get install xvfb" in capsys.readouterr().err
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert demo.main(["--headless", "out.png"]) == 2
    assert "offscreen" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has machines without a screen")
def test_headless_without_a_display_goes_on_with_a_virtual_one(monkeypatch, tmp_path, never_shown):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    wrapper = tmp_path / "xvfb-run"
    wrapper.write_text(
        '#!/bin/sh\nshift 3\nshift 3\necho "$QT_QPA_PLATFORM" "$@" > "$SAID"\nexit 5\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    target = str(tmp_path / "out.png")
    assert demo.main(["--headless", target, "--click", "3,4+"]) == 5
    assert (tmp_path / "said").read_text().split()[0] == "xcb"
    assert (tmp_path / "said").read_text().split()[-4:] == ["--headless", target, "--click", "3,4+"]
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(demo, "_screen_answers", lambda: True)
    monkeypatch.setattr(demo, "_show", lambda *a: 0)
    assert demo.main(["--headless", target]) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_a_display_that_does_not_answer_is_no_display(monkeypatch, capsys, picture, never_shown):
    monkeypatch.setenv("DISPLAY", ":48613")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert demo.main(["--image", picture]) == 2
    out, err = capsys.readouterr()
    assert "apt-get install xvfb" in err and err.count("\n") == 1


def test_a_display_that_answers_is_found(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert demo._screen_answers()


def test_clicks_are_handed_on(monkeypatch, picture, never_shown):
    monkeypatch.setattr(demo, "_screen_answers", lambda: True)
    seen = []
    monkeypatch.setattr(demo, "_show", lambda *a: seen.append(a) or 0)
    assert demo.main(["--image", picture, "--click", "3,4+", "5.5,6-"]) == 0
    name, image, clicks, target = seen[0]
    assert name == "small" and image.shape == (20, 30, 3) and target is None
    assert [(c.row, c.col, c.positive) for c in clicks] == [(3, 4, True), (5.5, 6, False)]


def test_clicks_of_the_demo_are_in_its_photograph():
    image = samples.photograph(demo.PHOTOGRAPH)
    assert len(demo.CLICKS) == 3
    assert all(0 <= c.row < image.shape[0] and 0 <= c.col < image.shape[1] for c in demo.CLICKS)


def test_the_headless_demo_saves_a_picture_and_leaves_no_journal(tmp_path):
    target, journals = tmp_path / "out.png", tmp_path / "journals"
    script = "import sys; from napari_clickseg.widgets.demo import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "--headless", str(target)]
    environment = {**os.environ, "CLICKSEG_JOURNALS": str(journals)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "time per click, median of 3" in done.stdout
    shown = np.asarray(Image.open(target))
    assert shown.shape[0] > 500 and len(np.unique(shown.reshape(-1, 3), axis=0)) > 1000
    assert not list(journals.glob("*"))


def test_the_dock_opens_without_torch():
    script = """
import sys
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari_clickseg.widgets.dock.click_dock import ClickDock
viewer = ViewerModel()
viewer.add_image(__import__("numpy").zeros((9, 9)))
dock = ClickDock(viewer)
dock.show()
app.processEvents()
assert dock.source.image is viewer.layers[0]
assert "torch" not in sys.modules, "opening the dock imported torch"
dock.shut_down()
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    paths = [str(PACKAGE.parent), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_manifest_is_valid_and_every_command_exists():
    manifest = PluginManifest.from_file(PACKAGE / "napari.yaml")
    manifest.validate_imports()
    assert manifest.name == "napari-clickseg" and manifest.display_name
    menus = manifest.contributions.menus
    for menu in ("napari/layers/segment", "napari/layers/annotate"):
        assert menus[menu][0].command == "napari-clickseg.open_dock"
    commands = [command.id for command in manifest.contributions.commands]
    assert len(set(commands)) == len(commands)
    shown = [item.command for items in menus.values() for item in items]
    shown += [widget.command for widget in manifest.contributions.widgets]
    assert set(shown) <= set(commands)
    for command in manifest.contributions.commands:
        assert command.id.startswith("napari-clickseg.")


def test_every_sample_opens_without_a_download(monkeypatch):
    import socket

    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("a connection was opened"))
    manifest = PluginManifest.from_file(PACKAGE / "napari.yaml")
    names = {c.id: c.python_name for c in manifest.contributions.commands}
    for sample in manifest.contributions.sample_data:
        (data, meta, kind), *_ = getattr(samples, names[sample.command].split(":")[1])()
        assert kind == "image" and meta["name"]
        first = data[0] if meta.get("multiscale") else data
        assert np.asarray(first[:8, :8]).std() > 0


def test_every_photograph_and_sample_is_named_and_used():
    manifest = PluginManifest.from_file(PACKAGE / "napari.yaml")
    commands = {s.command for s in manifest.contributions.sample_data}
    names = {c.id: c.python_name.split(":")[1] for c in manifest.contributions.commands}
    assert {names[command] for command in commands} <= set(samples.__all__)
    assert all(f"sample_{name}" in samples.__all__ for name in samples.PHOTOGRAPHS)


def test_generated_samples_are_the_same_every_time():
    assert samples.cells().dtype == np.uint16
    assert np.array_equal(samples.cells((64, 64), 5), samples.cells((64, 64), 5))
    levels = samples.sample_mosaic()[0][0]
    assert levels[0].shape == (10_000, 10_000, 3) and levels[0].size // 3 == 10**8
    part = np.asarray(levels[0][9_900:, 500:600])
    assert np.array_equal(part, np.asarray(samples.mosaic()[9_900:, 500:600]))
    coarse = np.asarray(levels[2][:32, :32]).astype(float)
    fine = np.asarray(levels[0][:512:16, :512:16]).astype(float)
    assert np.abs(coarse - fine).mean() < 10
    with pytest.raises(ValueError, match="coffee"):
        samples.photograph("nothing")


def test_every_tooltip_belongs_to_a_control(dock_of):
    _, dock = dock_of()
    dock.source.more.click()
    from qtpy.QtWidgets import QWidget

    named = {w.objectName(): w for w in dock.findChildren(QWidget) if w.objectName()}
    for name, text in tooltips.TOOLTIPS.items():
        several = [w for key, w in named.items() if key.startswith(f"{name}_")]
        shown = [named[name]] if name in named else several
        assert shown, name
        assert all(w.toolTip().startswith(text) for w in shown)  # why it is off may follow
