"""The docks for training and evaluation, with real processes on tiny data."""

import json

import numpy as np
import pytest
from training.discs import write_discs, write_recipe

pytest.importorskip("napari")

from widgets.disks import DiskModel  # noqa: E402

from napari_clickseg.data.progress_file import read_progress  # noqa: E402
from napari_clickseg.models.checkpoint import write_model  # noqa: E402
from napari_clickseg.models.compact import CompactModel  # noqa: E402
from napari_clickseg.widgets.dock.click_dock import ClickDock  # noqa: E402
from napari_clickseg.widgets.runs.eval_dock import EvalDock  # noqa: E402
from napari_clickseg.widgets.runs.run_page import RunPage  # noqa: E402
from napari_clickseg.widgets.runs.train_dock import TrainDock, TrainingCharts  # noqa: E402

PATIENCE = 120_000  # milliseconds
QUIET = "--workers 0 --threads 1"


@pytest.fixture(autouse=True)
def documents(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_documents_path", lambda: tmp_path / "documents")


@pytest.fixture
def open_dock(make_napari_viewer_proxy, qtbot):
    docks, viewers = [], []

    def make(kind):
        viewers.append(viewers[0] if viewers else make_napari_viewer_proxy())
        dock = kind(viewers[0])
        viewers[0].window.add_dock_widget(dock, name=f"{kind.__name__} {len(docks)}")
        docks.append(dock)
        return viewers[0], dock

    yield make
    for dock in docks:
        if dock.page.run is not None and dock.page.run.state == "running":
            dock.page.run.stop(at_once=True)
            qtbot.waitUntil(lambda run=dock.page.run: run.state != "running", timeout=PATIENCE)
        dock.shut_down()


@pytest.fixture
def discs(tmp_path):
    return write_discs(tmp_path / "discs")


def tiny(dock, tmp_path, discs, epochs=1):
    """Choose a recipe with four steps in an epoch."""
    path = write_recipe(tmp_path / "tiny.toml", discs, epochs)
    dock.recipe.addItem("tiny", str(path))
    dock.recipe.setCurrentIndex(dock.recipe.count() - 1)
    dock.data.choose(discs)
    dock.more.setPlainText(QUIET)
    return dock


def ended(qtbot, dock):
    """Wait for the run and let the dock look at it."""
    qtbot.waitUntil(lambda: dock.page.run.state != "running", timeout=PATIENCE)
    dock.page.look()
    return dock.page.run.state


def test_the_form_says_what_will_be_run(open_dock, tmp_path, discs):
    _, dock = open_dock(TrainDock)
    assert dock.recipe.currentData() == "finetune"
    assert not dock.start_button.isEnabled()
    assert "images/ and masks/" in dock.status.text()
    assert dock.fields["epochs"].placeholderText() == "10"
    assert dock.out.path == tmp_path / "documents" / "napari-clickseg" / "finetune" / "000"
    dock.data.choose(discs)
    dock.fields["epochs"].setText("3")
    dock.more.setPlainText("optimizer.clip=1\n--amp --threads 2")
    assert dock.start_button.isEnabled()
    command = dock.command.text()
    assert command.startswith(f"clickseg-train finetune -o {dock.out.path} --data {discs} ")
    assert command.endswith("--set epochs=3 --set optimizer.clip=1 --amp --threads 2")
    dock.more.setPlainText("faster please")
    assert not dock.start_button.isEnabled()
    assert "'faster please' is neither key=value nor an option" in dock.status.text()


def test_recipes_bring_their_own_values(open_dock):
    _, dock = open_dock(TrainDock)
    dock.recipe.setCurrentIndex(dock.recipe.findData("ritm_hrnet18_cocolvis_itermask"))
    assert dock.fields["batch"].placeholderText() == "28"
    assert dock.fields["epoch_length"].placeholderText() == "30000"
    assert dock.out.path.parent.name == "ritm_hrnet18_cocolvis_itermask"
    dock.recipe.setCurrentIndex(dock.recipe.findData("compact"))
    assert not dock.fields["epochs"].isEnabled()


def test_the_data_is_checked_and_shown(open_dock, qtbot, discs):
    _, dock = open_dock(TrainDock)
    dock.data.choose(discs)
    (discs / "images" / "03.png").write_bytes(b"damaged")
    dock.check_data()
    qtbot.waitUntil(lambda: not dock.runner.busy, timeout=PATIENCE)
    assert "discs: 9 images, 18 objects" in dock.found.text()
    assert "03 cannot be used" in dock.found.text()
    assert not dock.picture.pixmap().isNull()
    dock.data.choose(discs / "images")
    dock.check_data()
    qtbot.waitUntil(lambda: not dock.runner.busy, timeout=PATIENCE)
    assert "images/ and masks/ with files of the same names" in dock.status.text()


def test_a_model_is_trained_and_loaded_into_the_clicking_dock(open_dock, qtbot, tmp_path, discs):
    viewer, dock = open_dock(TrainDock)
    clicking = ClickDock(viewer, load=lambda name, device: DiskModel())
    viewer.window.add_dock_widget(clicking, name="Click segmentation")
    tiny(dock, tmp_path, discs)
    dock.start()
    run = dock.page.run
    assert dock.tabs.currentWidget() is dock.page
    assert not dock.page.use.isEnabled() and dock.page.stop.isEnabled()
    assert ended(qtbot, dock) == "finished"
    charts = dock.page.charts
    assert [c.name for c in charts.loss.curves] == ["loss"]
    assert {c.name for c in charts.iou.curves} == {"training", "held out"}
    assert charts.iou.curves[0].xs[-1] == 4
    assert not charts.picture.pixmap().isNull()
    assert "Wrote" in dock.page.log.toPlainText()
    assert str(run.folder / "tiny.safetensors") in dock.page.status.text()
    dock.page.use.click()
    assert clicking.source.model == str(run.folder / "tiny.safetensors")
    clicking.shut_down()


def test_a_model_that_was_trained_on_is_loaded_anew(open_dock, qtbot, tmp_path):
    def write():
        model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8)).eval()
        write_model(model, best, {"name": "best", "licence": "none", "trained_on": []})

    def load(name, device):
        loaded.append(name)
        if len(loaded) == 3:
            raise ValueError("The weights are NaN.")
        return DiskModel()

    best, loaded = tmp_path / "best.safetensors", []
    viewer, dock = open_dock(TrainDock)
    clicking = ClickDock(viewer, load=load)
    viewer.window.add_dock_widget(clicking, name="Click segmentation")
    for number in (1, 2):
        write()
        dock.page.use_asked.emit(str(best))
        qtbot.waitUntil(lambda: not clicking.runner.busy, timeout=PATIENCE)
        assert loaded == [str(best)] * number
    dock.page.use_asked.emit(str(best))  # nothing new
    assert not clicking.runner.busy and len(loaded) == 2
    write()
    dock.page.use_asked.emit(str(best))  # this one is refused, and the one before stays
    qtbot.waitUntil(lambda: not clicking.runner.busy, timeout=PATIENCE)
    assert len(loaded) == 3 and "The weights are NaN." in clicking.status.text()
    assert clicking.source.model == str(best) and clicking.controller.error is None
    clicking.shut_down()


def test_the_log_shows_its_last_lines_from_their_beginning(qtbot):
    page = RunPage("clickseg-train", TrainingCharts())
    qtbot.addWidget(page)
    down, across = page.log.verticalScrollBar(), page.log.horizontalScrollBar()
    lines = "\n".join(["a long line " * 60] * 100)
    page.resize(320, 500)
    page.show()
    page._add_to_log(lines)
    page.tabs.setCurrentWidget(page.log)
    qtbot.waitUntil(lambda: down.value() == down.maximum() > 0 == across.value())
    assert across.maximum() > 0
    page._add_to_log(lines)
    assert down.value() == down.maximum() and across.value() == 0
    down.setValue(5)  # who reads further up is left there
    page._add_to_log(lines)
    assert down.value() == 5
    page.shut_down()


def test_a_stopped_training_is_found_by_another_dock_and_goes_on(open_dock, qtbot, tmp_path, discs):
    _, first = open_dock(TrainDock)
    tiny(first, tmp_path, discs, epochs=5000)
    first.start()
    qtbot.waitUntil(lambda: (first.page.look(), first.page.bar.value() > 0)[1], timeout=PATIENCE)
    assert "left" in first.page.words.text()
    first.shut_down()

    _, second = open_dock(TrainDock)
    assert second.tabs.currentWidget() is second.page
    assert second.page.run == first.page.run
    assert second.page.run.state == "running"
    second.page.stop.click()
    assert ended(qtbot, second) == "stopped"
    assert "Go on" in second.page.status.text() and second.page.go_on.isEnabled()
    folder = second.page.run.folder
    before = read_progress(folder).done
    second.page.go_on.click()
    assert second.page.run.arguments[-1] == "--resume"
    qtbot.waitUntil(lambda: read_progress(folder) is not None, timeout=PATIENCE)
    assert read_progress(folder).done > before > 0


def test_what_the_script_refuses_is_shown_word_for_word(open_dock, qtbot, tmp_path, discs):
    _, dock = open_dock(TrainDock)
    tiny(dock, tmp_path, discs).more.setPlainText(f"{QUIET}\noptimizer.speed=1")
    dock.start()
    assert ended(qtbot, dock) == "failed"
    said = dock.page.status.text()
    assert "'optimizer.speed' is an entry that no recipe takes" in said
    assert f"clickseg-train: {said}" in dock.page.log.toPlainText()


def test_a_model_is_evaluated(open_dock, qtbot, tmp_path, discs):
    weights = tmp_path / "tiny.safetensors"
    model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8)).eval()
    write_model(model, weights, {"name": "tiny", "licence": "none", "trained_on": []})
    _, dock = open_dock(EvalDock)
    dock.model.choose(weights)
    dock.data.choose(discs)
    dock.fields["clicks"].setText("6")
    dock.fields["limit"].setText("3")
    dock.start()
    assert ended(qtbot, dock) == "finished"
    out = dock.page.run.folder
    assert str(out / "report.md") in dock.page.status.text()
    (results,) = json.loads((out / "results.json").read_text())["sets"]
    table = dict(dock.page.charts._reading.table.rows)
    assert table["objects"] == len(results["objects"]) == 6
    for each in results["summary"]["noc"]:
        name = f"NoC@{100 * each['threshold']:.0f}"
        assert table[name] == pytest.approx(each["mean"], abs=1e-3)
    (curve,) = dock.page.charts.iou.curves
    assert curve.xs == [1, 2, 3, 4, 5, 6]
    assert curve.ys[0] == pytest.approx(np.mean([each["ious"][0] for each in results["objects"]]))
    assert len(dock.page.charts._worst.rows) == 6
    assert dock.page.charts._worst.rows[0][-1].endswith(".clickseg.json")
    assert dock.page.use.isEnabled()
