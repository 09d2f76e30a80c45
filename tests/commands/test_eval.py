"""`clickseg-eval` from the command line to its files."""

import csv
import json

import numpy as np
import pytest
import torch
from evaluation.colour_segmenter import ColourSegmenter, striped
from PIL import Image

from napari_clickseg.commands.eval import main
from napari_clickseg.models.checkpoint import write_model
from napari_clickseg.models.compact import CompactModel


def write_pack(folder, pairs):
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for name, (image, labels) in pairs.items():
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        Image.fromarray(labels.astype(np.uint8)).save(folder / "masks" / f"{name}.png")
    return folder


@pytest.fixture
def pack(tmp_path):
    pairs = {"one": striped((10, 6, 4)), "two": striped((19, 1))}
    return write_pack(tmp_path / "dev" / "Stripes", pairs)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8)).eval()
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    write_model(model, path, {"name": "tiny", "licence": "none", "trained_on": []})
    return path


@pytest.fixture
def colours(monkeypatch):
    """The command with a segmenter whose masks are known; gives what it was made with."""
    made = []

    def make(*args, **overrides):
        made.append(ColourSegmenter(*args, **overrides))
        return made[-1]

    monkeypatch.setattr("napari_clickseg.engine.segmenter.Segmenter", make)
    return made


def sentence(capsys):
    """The one line of an error."""
    err = capsys.readouterr().err
    assert err.startswith("clickseg-eval: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_noc_known_by_hand(pack, weights, colours, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([str(weights), "--data", str(pack), "-o", str(out)]) == 0
    printed = capsys.readouterr()
    assert "NoC@90" in printed.out
    assert "torch " in printed.out
    assert "Stripes: image 1/2" in printed.err
    plain = json.loads((out / "results.json").read_text())
    (entry,) = plain["sets"]
    assert [each["ious"] for each in entry["objects"]] == [
        pytest.approx([0.5, 0.8, 1.0]),
        pytest.approx([0.95, 1.0]),
    ]
    assert [each["mean"] for each in entry["summary"]["noc"]] == [1.5, 2.0, 2.0]
    assert plain["machine"]["device"] == "cpu"
    rows = list(csv.DictReader((out / "ious.csv").open()))
    assert [row["image"] for row in rows] == ["one", "two"]
    assert "| Stripes |" in (out / "report.md").read_text()


def test_options_reach_the_protocol(pack, weights, colours, tmp_path):
    out = tmp_path / "out"
    options = ["--clicks", "2", "--min-clicks", "1", "--target-iou", "0.8"]
    options += ["--limit", "1", "--objects", "largest"]
    assert main([str(weights), "--data", str(pack), *options, "-o", str(out)]) == 0
    (entry,) = json.loads((out / "results.json").read_text())["sets"]
    assert (entry["n_clicks"], entry["target_iou"], entry["min_clicks"]) == (2, 0.8, 1)
    assert [each["ious"] for each in entry["objects"]] == [pytest.approx([0.5, 0.8])]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], {}),
        (["--no-zoom-in", "--flip"], {"zoom_in": None, "flip": True}),
        (["--zoom-in", "--threshold", "0.4"], {"zoom_in": True, "threshold": 0.4}),
        (
            ["--set", "zoom_in.target_size=600", "zoom_in.skip_clicks=-1", "--set", "brs=f-BRS-B"],
            {"zoom_in": {"target_size": 600, "skip_clicks": -1}, "brs": "f-BRS-B"},
        ),
        (["--set", "flip=off", "threshold=0.3"], {"flip": False, "threshold": 0.3}),
    ],
)
def test_options_become_overrides(pack, weights, colours, options, wanted):
    assert main([str(weights), "--data", str(pack), "--limit", "1", *options]) == 0
    assert colours[0].overrides == wanted


def test_a_profile_by_name(pack, weights, colours):
    assert main([str(weights), "--data", str(pack), "--profile", "ritm"]) == 0
    assert colours[0].profile.name == "ritm"


@pytest.mark.parametrize("root", [".", "dev"])
def test_names_are_looked_up_in_the_data_folder(
    pack, weights, colours, root, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path / "dev" / "Stripes")
    monkeypatch.setenv("CLICKSEG_DATA", str(tmp_path / root))
    assert main([str(weights), "--data", "Stripes", "--limit", "1"]) == 0
    assert "Stripes" in capsys.readouterr().out


def test_several_sets_in_one_table(pack, weights, colours, tmp_path, capsys):
    blank = np.zeros((8, 8), np.int32)
    pairs = {"a": striped((9, 1)), "b": (np.zeros((8, 8, 3), np.uint8), blank)}
    other = write_pack(tmp_path / "Other", pairs)
    assert main([str(weights), "--data", str(pack), str(other)]) == 0
    out = capsys.readouterr().out
    assert out.index("\nStripes") < out.index("\nOther")
    assert "Other: no object in b; left out." in out


def test_a_real_model_end_to_end(pack, weights, tmp_path):
    out = tmp_path / "out"
    options = ["--clicks", "3", "--device", "cpu", "--threshold", "0.6", "-o", str(out)]
    assert main([str(weights), "--data", str(pack), *options]) == 0
    plain = json.loads((out / "results.json").read_text())
    assert plain["profile"]["name"] == "clickseg"
    assert plain["profile"]["threshold"] == 0.6
    (entry,) = plain["sets"]
    for each in entry["objects"]:
        assert 1 <= len(each["ious"]) == len(each["seconds"]) <= 3
        assert all(0 <= iou <= 1 for iou in each["ious"])
        assert all(seconds > 0 for seconds in each["seconds"])


def test_missing_data(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CLICKSEG_DATA", raising=False)
    assert main([str(weights), "--data", str(tmp_path / "nowhere")]) == 2
    said = sentence(capsys)
    assert "nowhere" in said
    assert "CLICKSEG_DATA" in said


def test_missing_data_tells_every_place_looked_at(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CLICKSEG_DATA", str(tmp_path))
    assert main([str(weights), "--data", "Nowhere"]) == 2
    said = sentence(capsys)
    assert str(tmp_path / "Nowhere") in said
    assert str(tmp_path / "dev" / "Nowhere") in said


def test_wrong_layout(weights, tmp_path, capsys):
    (tmp_path / "pictures").mkdir()
    assert main([str(weights), "--data", str(tmp_path)]) == 2
    said = sentence(capsys)
    assert "images" in said
    assert "pictures" in said


def test_unknown_model(pack, capsys):
    assert main(["no-such-model", "--data", str(pack)]) == 2
    assert "no-such-model" in sentence(capsys)


def test_unknown_profile(pack, weights, capsys):
    assert main([str(weights), "--data", str(pack), "--profile", "nothing"]) == 2
    assert "nothing" in sentence(capsys)


def test_unknown_setting(pack, weights, capsys):
    assert main([str(weights), "--data", str(pack), "--set", "colour=3"]) == 2
    assert "colour" in sentence(capsys)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--objects", "some"], "some"),
        (["--objects", "0"], "0"),
        (["--set", "flip"], "key=value"),
        (["--clicks", "0"], "clicks"),
        (["--limit", "0"], "At least one"),
        (["--target-iou", "-1"], "target IoU"),
        (["--target-iou", "5"], "target IoU"),
        (["--no-zoom-in", "--set", "zoom_in.target_size=3"], "--no-zoom-in"),
        (["--wrong"], "--wrong"),
    ],
)
def test_options_that_make_no_sense(pack, weights, colours, options, word, capsys):
    assert main([str(weights), "--data", str(pack), *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("clickseg-eval: ")
    assert word in lines[-1]


def test_a_damaged_image_is_named(pack, weights, colours, capsys):
    (pack / "images" / "one.png").write_bytes(b"")
    assert main([str(weights), "--data", str(pack)]) == 2
    assert "one.png" in sentence(capsys)


def test_a_folder_that_cannot_be_written_is_told_before_the_work(pack, weights, colours, capsys):
    assert main([str(weights), "--data", str(pack), "-o", str(pack / "images" / "one.png")]) == 2
    assert "one.png" in sentence(capsys)
    assert colours == []
