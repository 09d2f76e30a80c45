"""`clickseg-eval` from the command line to its files."""

import csv
import json
import shutil
import sys

import numpy as np
import pytest
import torch
from evaluation.colour_segmenter import ColourSegmenter, striped
from PIL import Image

from napari_clickseg.commands.eval import main
from napari_clickseg.commands.eval_request import from_anywhere
from napari_clickseg.data.session_file import read_session
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.evaluation.clicker import CentreClicker
from napari_clickseg.evaluation.report import results_from_json
from napari_clickseg.evaluation.worst import worst_cases
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
    """The command with a segmenter whose masks are known, without plots; gives the segmenters."""
    made = []
    monkeypatch.setitem(sys.modules, "matplotlib", None)

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
    terms = entry["terms"]
    assert (terms["n_clicks"], terms["target_iou"], terms["min_clicks"]) == (2, 0.8, 1)
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
        (["--brs", "RGB-BRS"], {"brs": "RGB-BRS"}),
        (["--fixed-size", "96", "128"], {"fixed_size": (96, 128)}),
        (
            ["--cascade-steps", "4", "--cascade-clicks", "2", "--cascade-adaptive"],
            {"cascade_steps": 4, "cascade_clicks": 2, "cascade_adaptive": True},
        ),
        (["--clicks-limit", "7"], {"max_clicks": 7}),
    ],
)
def test_options_become_overrides(pack, weights, colours, options, wanted):
    assert main([str(weights), "--data", str(pack), "--limit", "1", *options]) == 0
    assert colours[0].profile == get_profile("clickseg").override(**wanted)


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        (["NoBRS", "--thresh", "0.4", "--cpu"], ["--brs", "NoBRS", "--threshold", "0.4"]),
        (["--n-clicks", "3", "--clicks-limit", "-1"], ["--clicks", "3", "--clicks-limit", "3"]),
        (
            ["--cf-n", "4", "--cf-click", "1", "--acf"],
            ["--set", "cascade_steps=4", "cascade_adaptive=on"],
        ),
        (["--n-interactions", "3", "--no-zoomin"], ["--clicks", "3", "--no-zoom-in"]),
        (["--fixed-h", "96", "--fixed-w", "64"], ["--fixed-size", "96", "64"]),
        (["--eval-ritm"], ["--eval-mode", "ritm"]),
        (["--print-ious", "--save-ious"], ["--iou-analysis"]),
    ],
)
def test_published_names_mean_the_same(pack, weights, colours, published, ours, tmp_path):
    plain = []
    for options in (published, ours):
        out = tmp_path / str(len(plain))
        data = ["--datasets" if options is published else "--data", str(pack), "--limit", "1"]
        model = ["--checkpoint", str(weights)] if options is published else [str(weights)]
        words = options + model if options[0] == "NoBRS" else model + options
        assert main([*words, *data, "-o", str(out)]) == 0
        plain.append(json.loads((out / "results.json").read_text()))
    assert plain[0]["profile"] == plain[1]["profile"]
    assert plain[0]["terms"] == plain[1]["terms"]


def test_never_stopping_early_measures_every_click(pack, weights, colours, tmp_path):
    out = tmp_path / "out"
    assert main([str(weights), "--data", str(pack), "--iou-analysis", "-o", str(out)]) == 0
    (entry,) = json.loads((out / "results.json").read_text())["sets"]
    assert [len(each["ious"]) for each in entry["objects"]] == [3, 2]  # until nothing is wrong
    assert [each["threshold"] for each in entry["summary"]["noc"]] == [0.8, 0.85, 0.9, 0.95]


def test_noc_at_any_iou(pack, weights, colours, tmp_path, capsys):
    assert main([str(weights), "--data", str(pack), "--noc", "0.45", "0.97"]) == 0
    out = capsys.readouterr().out
    assert "NoC@45" in out
    assert "NoC@97" in out
    assert main([str(weights), "--data", str(pack), "--noc", "0.97", "--target-iou", "0.9"]) == 2
    assert "--target-iou" in capsys.readouterr().err.splitlines()[-1]


def test_several_users_beside_each_other(pack, weights, colours, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--users", "realistic", "--seeds", "2", "--boundary-iou", "-o", str(out)]
    assert main([str(weights), "--data", str(pack), *options]) == 0
    printed = capsys.readouterr().out
    for word in ("centre", "near-centre", "uniform", "near-boundary", "outside", "±@90", "bIoU"):
        assert word in printed
    sets = json.loads((out / "results.json").read_text())["sets"]
    assert [len(each["objects"]) for each in sets] == [2, 4, 4, 4, 4]


def test_several_models_beside_each_other(pack, weights, colours, tmp_path, capsys):
    other = tmp_path / "other.safetensors"
    other.write_bytes(weights.read_bytes())
    out = tmp_path / "out"
    assert main([str(weights), str(other), "--data", str(pack), "-o", str(out)]) == 0
    assert (out / "tiny" / "results.json").exists()
    assert (out / "other" / "journal.jsonl").exists()
    rows = (out / "report.md").read_text().splitlines()
    assert [row.split("|")[1].strip() for row in rows if "Stripes" in row] == ["tiny", "other"]
    assert {row["model"] for row in csv.DictReader((out / "ious.csv").open())} == {"tiny", "other"}


def test_an_interrupted_run_continues(pack, weights, colours, tmp_path, monkeypatch):
    def evaluate(folder):
        code = main([str(weights), "--data", str(pack), "-o", str(tmp_path / folder)])
        return code, [list(each.interactions) for each in results(tmp_path / folder)]

    def results(folder):
        file = folder / "results.json"
        return results_from_json(json.loads(file.read_text()))[0].objects if file.exists() else []

    whole = evaluate("whole")
    clicks, real = [], ColourSegmenter.click

    def until_the_fifth(self, *args, **options):
        clicks.append(args)
        if len(clicks) == 4:
            raise KeyboardInterrupt
        return real(self, *args, **options)

    monkeypatch.setattr(ColourSegmenter, "click", until_the_fifth)
    assert evaluate("cut") == (130, [])
    with (tmp_path / "cut" / "journal.jsonl").open("a") as journal:
        journal.write('{"data": "Stri')  # half a line, as of a process that was killed
    assert evaluate("cut") == whole
    assert len(clicks) == 4 + 2  # the first object was not clicked again


def test_a_folder_with_another_run_is_left_alone(pack, weights, colours, tmp_path, capsys):
    command = [str(weights), "--data", str(pack), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    before = (tmp_path / "out" / "journal.jsonl").read_bytes()
    assert main([*command, "--threshold", "0.3"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "profile" in said
    assert "--restart" in said
    assert (tmp_path / "out" / "journal.jsonl").read_bytes() == before
    assert main([*command, "--threshold", "0.3", "--restart"]) == 0


def test_worst_cases_are_sessions_of_what_was_clicked(pack, weights, colours, tmp_path):
    out = tmp_path / "out"
    assert main([str(weights), "--data", str(pack), "--worst", "1", "-o", str(out)]) == 0
    (file,) = (out / "worst").glob("*.clickseg.json")
    session = read_session(file)
    (result,) = results_from_json(json.loads((out / "results.json").read_text()))
    (worst,) = worst_cases(result, 1)
    assert worst.image == "one"
    assert session.objects[0].interactions == worst.interactions
    picture = np.asarray(Image.open(session.image.name))
    assert session.image.same_image(type(session.image).of(picture, "x"))
    assert file.name in (out / "worst" / "worst.md").read_text()


def test_pictures_masks_and_boxes_after_each_click(pack, weights, colours, tmp_path):
    out = tmp_path / "out"
    options = ["--pictures", "--masks", "--limit", "1", "-o", str(out)]
    assert main([str(weights), "--data", str(pack), *options]) == 0
    assert len(list((out / "pictures" / "Stripes").glob("*.jpg"))) == 3
    masks = sorted((out / "masks" / "Stripes").glob("*.png"))
    assert [mask.name for mask in masks] == [f"one_1_click_{k}.png" for k in (1, 2, 3)]
    assert set(np.unique(np.asarray(Image.open(masks[0])))) == {0, 255}
    plain = json.loads(masks[0].with_suffix(".json").read_text())
    assert plain["asset"]["size"] == {"width": 28, "height": 12}
    assert plain["boundingBox"] == {"height": 8, "width": 10, "left": 4, "top": 2}


def test_data_sets_of_a_published_configuration(pack, weights, colours, tmp_path, capsys):
    (tmp_path / "DAVIS").mkdir()
    (pack / "images").rename(tmp_path / "DAVIS" / "img")
    (pack / "masks").rename(tmp_path / "DAVIS" / "gt")
    config = tmp_path / "config.yml"
    config.write_text('EXPS_PATH: "./x"\nDAVIS_PATH: "./DAVIS" # here\n')
    options = ["--datasets", "DAVIS", "--config-path", str(config), "--profile", "ritm"]
    assert main([str(weights), *options]) == 0
    assert "DAVIS" in capsys.readouterr().out
    assert colours[0].profile.zoom_in.target_size == 600
    assert main([str(weights), "--data", "DAVIS", "--config-path", str(tmp_path / "no.yml")]) == 2
    assert "no.yml" in capsys.readouterr().err.splitlines()[-1]


def test_all_checkpoints_of_an_experiment(pack, weights, colours, tmp_path, capsys):
    folder = tmp_path / "exp" / "checkpoints"
    folder.mkdir(parents=True)
    for name in ("last_1", "last_2", "best"):
        (folder / f"{name}.safetensors").write_bytes(weights.read_bytes())
    data = ["--data", str(pack), "--limit", "1"]
    assert main([f"{tmp_path / 'exp'}:last", *data]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "Stripes" in line]
    assert rows == ["last_2", "last_1"]
    assert main([f"{tmp_path / 'exp'}:other", *data]) == 2
    assert "other*" in sentence(capsys)


def test_the_rule_of_specks_comes_with_its_profile(pack, weights, colours, tmp_path, monkeypatch):
    monkeypatch.setattr(CentreClicker, "gives_up", lambda self, *_: self.stops_at_specks)
    for profile, wanted in (("avalanche", 1), ("ritm", 3)):
        out = tmp_path / profile
        command = [str(weights), "--data", str(pack), "--limit", "1", "--profile", profile]
        assert main([*command, "-o", str(out)]) == 0
        (entry,) = json.loads((out / "results.json").read_text())["sets"]
        assert [len(each["ious"]) for each in entry["objects"]] == [wanted]


def test_pictures_need_a_folder(pack, weights, colours, capsys):
    assert main([str(weights), "--data", str(pack), "--pictures"]) == 2
    assert "-o" in capsys.readouterr().err.splitlines()[-1]


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


def test_two_sets_of_one_name_would_be_mixed_up(pack, weights, colours, tmp_path, capsys):
    twin = tmp_path / "elsewhere" / pack.name
    shutil.copytree(pack, twin)
    assert main([str(weights), "--data", str(pack), str(twin)]) == 2
    assert "Two data sets have the same name" in sentence(capsys)


def test_paths_hold_for_processes_that_run_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "SBD").mkdir()
    monkeypatch.chdir(tmp_path)
    assert from_anywhere("SBD") == str(tmp_path / "SBD")
    assert from_anywhere("SBD:val@SBD") == f"SBD:val@{tmp_path / 'SBD'}"
    assert from_anywhere("GrabCut") == "GrabCut"
    assert from_anywhere("SBD:val@GrabCut") == "SBD:val@GrabCut"


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
        (["--users", "somebody"], "somebody"),
        (["--jobs", "0"], "--jobs"),
        (["--jobs", "2", "--dask", "here"], "--jobs"),
        (["--fixed-h", "9"], "--fixed-w"),
        (["--checkpoint", "clickseg-compact", "--name", "a"], "--name"),
        (["--eval-mode", "some"], "some"),
        (["--norm-radius", "-1"], "--norm-radius"),
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
