"""What the docks read of runs."""

import json
import subprocess
import sys

import numpy as np
import pytest

from napari_clickseg.data.scenes import Scene
from napari_clickseg.widgets.runs.data_check import contact_sheet
from napari_clickseg.widgets.runs.requested_runs import EvalRequest, TrainRequest, data_of_recipe
from napari_clickseg.widgets.runs.run_reading import (
    EvaluationReading,
    Tail,
    TrainingReading,
    error_in,
    worst_cases,
)


def test_a_growing_file_is_read_line_by_line(tmp_path):
    path = tmp_path / "log"
    tail = Tail(path)
    assert tail.read() == (False, [])
    path.write_bytes(b"one\ntw")
    assert tail.read() == (False, ["one"])
    path.write_bytes(b"one\ntwo\r\nthree\n")
    assert tail.read() == (False, ["two", "three"])
    path.write_bytes(b"new\n")
    assert tail.read() == (True, ["new"])


def test_a_log_that_was_cut_is_drawn_anew(tmp_path):
    log = tmp_path / "log.jsonl"
    lines = [json.dumps({"total": n, "overall": 1 / n, "iou": 0.5}) + "\n" for n in (1, 2, 3)]
    log.write_text("".join(lines) + '{"total": 4, "ov')
    reading = TrainingReading(tmp_path)
    assert reading.update() and not reading.update()
    (loss,) = reading.losses
    assert (loss.xs, loss.ys) == ([1, 2, 3], [1, 1 / 2, 1 / 3])
    log.write_text(lines[0])
    assert reading.update()
    assert reading.losses[0].xs == [1]


def test_models_and_users_have_curves_of_their_own(tmp_path):
    run = {"run": {"terms": {"n_clicks": 4, "target_iou": 0.85}}}
    for model, ious in (("a", [0.5, 0.9]), ("b", [0.8, 0.8, 0.8, 0.82])):
        (tmp_path / model).mkdir()
        results = [
            {"data": "cells", "index": 0, "user": user, "result": {"ious": ious}}
            for user in ("centre", "uniform")
        ]
        text = "".join(json.dumps(line) + "\n" for line in (run, *results))
        (tmp_path / model / "journal.jsonl").write_text(text)
    reading = EvaluationReading(tmp_path)
    reading.update()
    assert [c.name for c in reading.curves] == [
        "a, centre",
        "a, uniform",
        "b, centre",
        "b, uniform",
    ]
    table = {row[0]: row[1:] for row in reading.table.rows}
    assert table["NoC@80"] == (2, 2, 1, 1)
    assert table["NoC@85"] == (2, 2, 4, 4)
    assert table["IoU@3"] == (0.9, 0.9, 0.8, 0.8) and "IoU@5" not in table  # of four clicks
    assert "NoC@90" not in table


def test_the_error_is_that_of_the_last_start(tmp_path):
    path = tmp_path / "output.txt"
    first = "$ clickseg-eval a\nclickseg-eval: The first sentence.\n"
    path.write_text(first)
    assert error_in(path, "clickseg-eval") == "The first sentence."
    path.write_text(first + "$ clickseg-eval b\nSegmentation fault\n\n")
    assert error_in(path, "clickseg-eval") == "Segmentation fault"
    assert error_in(tmp_path / "none", "clickseg-eval") == ""


def test_worst_cases_are_those_of_the_report(tmp_path):
    from napari_clickseg.evaluation.worst import as_markdown

    (tmp_path / "worst").mkdir()
    assert worst_cases(tmp_path).rows == ()
    text = as_markdown(()) + "| cells | a b | 7 | 20 | 0.512 | cells_a_b_7.clickseg.json |\n"
    (tmp_path / "worst" / "worst.md").write_text(text)
    (row,) = worst_cases(tmp_path).rows
    assert row[:5] == ("a b", 7, 20, 0.512, "cells")
    assert row[5] == str(tmp_path / "worst" / "cells_a_b_7.clickseg.json")


def test_only_what_was_changed_is_asked_for(tmp_path):
    assert TrainRequest("finetune", tmp_path).arguments == ["finetune", "-o", str(tmp_path)]
    asked = EvalRequest(
        "m", "SBD:val@/sbd", tmp_path, "largest", values={"clicks": "", "jobs": "2"}
    )
    assert asked.arguments == [
        *("m", "--data", "SBD:val@/sbd", "-o", str(tmp_path), "--objects", "largest"),
        *("--jobs", "2"),
    ]
    with pytest.raises(ValueError, match="quotation mark"):
        _ = EvalRequest("m", "d", tmp_path, more="--name 'x").arguments


def test_a_recipe_of_several_sets_names_them(tmp_path):
    recipe = tmp_path / "two.toml"
    recipe.write_text('[data.a]\nreader = "folder"\n[data.b]\n')
    with pytest.raises(ValueError, match="data sets a, b"):
        data_of_recipe(str(recipe), str(tmp_path))


def test_a_contact_sheet_tints_objects_only():
    labels = np.zeros((50, 100), int)
    labels[:, 50:] = 1
    sheet = contact_sheet([Scene.flat("x", np.full((50, 100, 3), 90, np.uint8), labels)])
    assert sheet.shape == (200, 200, 3)
    assert (sheet[100, 20] == 90).all()
    assert not (sheet[100, 180] == 90).all()


def test_the_docks_open_without_torch():
    code = (
        "import sys\n"
        "from napari_clickseg.widgets.runs import eval_dock, train_dock\n"
        "from napari_clickseg.training.recipe_files import list_recipes\n"
        "assert list_recipes() and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
