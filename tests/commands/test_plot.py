"""`clickseg-plot` over saved results."""

import json

import numpy as np
import pytest
from PIL import Image

from napari_clickseg.commands.plot import main
from napari_clickseg.evaluation.dataset import DatasetResult
from napari_clickseg.evaluation.plots import curve
from napari_clickseg.evaluation.protocol import ObjectResult
from napari_clickseg.evaluation.report import as_json
from napari_clickseg.evaluation.terms import Terms

pytest.importorskip("matplotlib")


def result(*ious, user="centre", name="Stripes"):
    objects = [ObjectResult(f"{k}", 1, 9, each, each) for k, each in enumerate(ious)]
    return DatasetResult(name, tuple(objects), Terms(n_clicks=4), user=user)


@pytest.fixture
def saved(tmp_path):
    for model, ious in (("one", ((0.5, 0.9), (0.1, 0.3, 0.95))), ("two", ((0.7,),))):
        (tmp_path / "runs" / model).mkdir(parents=True)
        plain = as_json([result(*ious), result(*ious, user="uniform")], {"name": model})
        (tmp_path / "runs" / model / "results.json").write_text(json.dumps(plain))
    return tmp_path / "runs"


def test_curves_hold_the_last_iou():
    values = curve(result((0.5, 0.9), (0.1, 0.3, 0.95)))
    np.testing.assert_allclose(values, [[0.5, 0.9, 0.9, 0.9], [0.1, 0.3, 0.95, 0.95]])


def test_all_runs_of_a_folder_in_one_picture(saved, tmp_path, capsys):
    out = tmp_path / "plots"
    assert main([str(saved), "-o", str(out), "--with-std"]) == 0
    assert Image.open(out / "Stripes.png").size[0] > 500
    printed = capsys.readouterr().out
    assert "Stripes  one: mean IoU @1 0.300, @2 0.600, @3 0.925" in printed
    assert "two, uniform" in printed


def test_what_is_left_out(saved, tmp_path, capsys):
    command = [str(saved / "one" / "results.json"), "-o", str(tmp_path / "plots")]
    assert main([*command, "--users", "centre", "--names", "A", "--clicks", "2"]) == 0
    printed = capsys.readouterr().out
    assert "Stripes  A: mean IoU @1 0.300, @2 0.600\n" in printed
    assert "uniform" not in printed


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--data", "Other"], "None of the results"),
        (["--names", "A"], "2 results"),
        (["--boundary-iou"], "--boundary-iou"),
        (["--clicks", "0"], "--clicks"),
    ],
)
def test_what_cannot_be_plotted(saved, tmp_path, options, word, capsys):
    assert main([str(saved), "-o", str(tmp_path / "plots"), *options]) == 2
    assert word in capsys.readouterr().err


def test_files_that_are_no_results(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "results.json" in capsys.readouterr().err
    (tmp_path / "results.json").write_text('{"a": 1}')
    assert main([str(tmp_path)]) == 2
    assert "no results" in capsys.readouterr().err


def test_without_matplotlib(saved, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert main([str(saved), "-o", str(tmp_path / "plots")]) == 2
    assert "napari-clickseg[plot]" in capsys.readouterr().err
