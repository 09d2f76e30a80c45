"""What `clickseg-eval` measures and writes."""

import csv
import json

import numpy as np
import pytest
from commands.eval.stripes import write_pack
from evaluation.colour_segmenter import ColourSegmenter, striped
from PIL import Image

from napari_clickseg.commands.eval import main
from napari_clickseg.data.session_file import read_session
from napari_clickseg.evaluation.report import results_from_json
from napari_clickseg.evaluation.worst import worst_cases


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


def test_several_sets_in_one_table(pack, weights, colours, tmp_path, capsys):
    blank = np.zeros((8, 8), np.int32)
    pairs = {"a": striped((9, 1)), "b": (np.zeros((8, 8, 3), np.uint8), blank)}
    other = write_pack(tmp_path / "Other", pairs)
    assert main([str(weights), "--data", str(pack), str(other)]) == 0
    out = capsys.readouterr().out
    assert out.index("\nStripes") < out.index("\nOther")
    assert "Other: no object in b; left out." in out


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
