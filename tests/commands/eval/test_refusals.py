"""What `clickseg-eval` refuses, in one sentence."""

import shutil

import pytest

from napari_clickseg.commands.eval import main


def test_pictures_need_a_folder(pack, weights, colours, capsys):
    assert main([str(weights), "--data", str(pack), "--pictures"]) == 2
    assert "-o" in capsys.readouterr().err.splitlines()[-1]


def test_two_sets_of_one_name_would_be_mixed_up(pack, weights, colours, tmp_path, sentence):
    twin = tmp_path / "elsewhere" / pack.name
    shutil.copytree(pack, twin)
    assert main([str(weights), "--data", str(pack), str(twin)]) == 2
    assert "Two data sets have the same name" in sentence()


def test_missing_data(weights, tmp_path, monkeypatch, sentence):
    monkeypatch.delenv("CLICKSEG_DATA", raising=False)
    assert main([str(weights), "--data", str(tmp_path / "nowhere")]) == 2
    said = sentence()
    assert "nowhere" in said
    assert "CLICKSEG_DATA" in said


def test_missing_data_tells_every_place_looked_at(weights, tmp_path, monkeypatch, sentence):
    monkeypatch.setenv("CLICKSEG_DATA", str(tmp_path))
    assert main([str(weights), "--data", "Nowhere"]) == 2
    said = sentence()
    assert str(tmp_path / "Nowhere") in said
    assert str(tmp_path / "dev" / "Nowhere") in said


def test_wrong_layout(weights, tmp_path, sentence):
    (tmp_path / "pictures").mkdir()
    assert main([str(weights), "--data", str(tmp_path)]) == 2
    said = sentence()
    assert "images" in said
    assert "pictures" in said


def test_unknown_model(pack, sentence):
    assert main(["no-such-model", "--data", str(pack)]) == 2
    assert "no-such-model" in sentence()


def test_unknown_profile(pack, weights, sentence):
    assert main([str(weights), "--data", str(pack), "--profile", "nothing"]) == 2
    assert "nothing" in sentence()


def test_unknown_setting(pack, weights, sentence):
    assert main([str(weights), "--data", str(pack), "--set", "colour=3"]) == 2
    assert "colour" in sentence()


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


def test_a_damaged_image_is_named(pack, weights, colours, sentence):
    (pack / "images" / "one.png").write_bytes(b"")
    assert main([str(weights), "--data", str(pack)]) == 2
    assert "one.png" in sentence()


def test_a_folder_that_cannot_be_written_is_told_before_the_work(pack, weights, colours, sentence):
    assert main([str(weights), "--data", str(pack), "-o", str(pack / "images" / "one.png")]) == 2
    assert "one.png" in sentence()
    assert colours == []
