"""Console scripts in processes of their own."""

import json
import subprocess
import sys
import time

import pytest
from training.discs import write_discs, write_recipe

from napari_clickseg.commands.apart import command_text, read_run, start_apart
from napari_clickseg.data.progress_file import read_progress
from napari_clickseg.training.run_folder import RunFolder

PATIENCE = 120.0
QUIET = ["--workers", "0", "--threads", "1", "--device", "cpu"]


def wait(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_outlives_the_program_that_began_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; from napari_clickseg.commands.apart import *\n"
        "start_apart('clickseg-train', ['--list'], Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    run = read_run(tmp_path)
    assert run.arguments == ("--list",)
    wait(lambda: run.state != "running")
    assert run.state == "finished"
    said = run.output.read_text()
    assert said.startswith("$ clickseg-train --list\n")
    assert "finetune" in said
    assert run.ended >= run.started


def test_what_is_wrong_is_in_the_output_and_the_state(tmp_path):
    run = start_apart("clickseg-train", ["no such recipe", "-o", str(tmp_path)], tmp_path)
    with pytest.raises(ValueError, match="writes to .* already"):
        start_apart("clickseg-train", ["--list"], tmp_path)
    wait(lambda: run.state != "running")
    assert run.state == "failed"
    assert "clickseg-train: There is no recipe" in run.output.read_text()


def test_a_stopped_training_has_saved_what_it_has(tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml", write_discs(tmp_path / "discs"), epochs=5000)
    out = tmp_path / "run"
    run = start_apart("clickseg-train", [str(recipe), "-o", str(out), *QUIET], out)
    wait(lambda: read_progress(out) is not None or run.state != "running")
    assert run.state == "running"
    run.stop()
    wait(lambda: run.state != "running")
    assert run.state == "stopped"
    assert RunFolder(out).last.is_file()
    assert "is saved" in run.output.read_text()


@pytest.mark.parametrize("born", [0.0, None])
def test_a_process_that_is_gone_has_vanished_even_if_another_has_its_number(tmp_path, born):
    import os

    import psutil

    born = psutil.Process().create_time() if born is None else born
    facts = {"script": "clickseg-eval", "arguments": [], "started": 1.0, "pid": os.getpid()}
    (tmp_path / "process").mkdir()
    (tmp_path / "process" / "run.json").write_text(json.dumps({**facts, "born": born}))
    assert read_run(tmp_path).state == ("running" if born else "vanished")


def test_folders_without_a_run_have_none(tmp_path):
    assert read_run(tmp_path) is None
    (tmp_path / "process").mkdir()
    for text in ("", "[1]", '{"pid": 3}'):
        (tmp_path / "process" / "run.json").write_text(text)
        assert read_run(tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="quotes differ")
def test_a_command_can_be_pasted_into_a_terminal():
    assert command_text("clickseg-train", ["a b", "crop=[1,2]"]) == (
        "clickseg-train 'a b' 'crop=[1,2]'"
    )
