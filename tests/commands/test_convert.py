"""clickseg-convert from the command line."""

import pytest
import torch
from checkpoints import logits_of, ritm_config, ritm_state
from safetensors.torch import load_file

from napari_clickseg.commands.convert import main
from napari_clickseg.models import store
from napari_clickseg.models.checkpoint import read_model
from napari_clickseg.models.header import read_header


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "ritm.pth"
    torch.save({"state_dict": ritm_state(), "config": ritm_config()}, path)
    return path


def test_a_checkpoint_becomes_a_model_file_beside_it(checkpoint, capsys):
    assert main([str(checkpoint)]) == 0
    target = checkpoint.with_suffix(".safetensors")
    out = capsys.readouterr().out
    assert "a RITM HRNet2s, " in out and "profile ritm" in out and f"Wrote {target}" in out
    about = read_header(target)
    assert about["card"] == {
        "name": "ritm",
        "licence": "not stated",
        "trained_on": [],
        "converted_from": ["ritm.pth"],
    }
    assert {value.dtype for value in load_file(target).values()} == {torch.float32}
    assert torch.equal(logits_of(read_model(target)), logits_of(read_model(checkpoint)))
    assert sorted(path.suffix for path in target.parent.iterdir()) == [".pth", ".safetensors"]


def test_profile_name_and_licence_are_kept(checkpoint, tmp_path):
    target = tmp_path / "out.safetensors"
    options = ["--profile", "avalanche", "--name", "snow", "--licence", "MIT"]
    assert main([str(checkpoint), str(target), *options]) == 0
    about = read_header(target)
    assert about["config"]["profile"] == read_model(target).spec.profile == "avalanche"
    assert (about["card"]["name"], about["card"]["licence"]) == ("snow", "MIT")


def test_an_existing_file_is_overwritten_on_request_only(checkpoint, tmp_path, capsys):
    target = tmp_path / "out.safetensors"
    target.write_text("precious")
    assert main([str(checkpoint), str(target)]) == 2
    assert "exists already. Add --force" in capsys.readouterr().err
    assert target.read_text() == "precious"
    assert main([str(checkpoint), str(target), "--force"]) == 0
    assert read_model(target)


def test_a_folder_is_not_overwritten(checkpoint, tmp_path, capsys):
    target = tmp_path / "out.safetensors"
    target.mkdir()
    assert main([str(checkpoint), str(target), "--force"]) == 2
    assert "out.safetensors is a folder. Name a file" in capsys.readouterr().err


def test_a_zoo_file_that_changed_is_not_converted(checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "models"))
    path = tmp_path / "models" / "sbd_h18_itermask.pth"
    path.parent.mkdir()
    path.write_bytes(checkpoint.read_bytes())
    target = tmp_path / "out.safetensors"
    store.pin(path.name, store.file_hash(path))
    assert main(["sbd_h18_itermask", str(target)]) == 0
    store.forget(path.name)
    store.pin(path.name, "0" * 64)
    for source in ("sbd_h18_itermask", str(path)):
        assert main([source, str(target), "--force"]) == 2
        assert "is not the file that was first downloaded" in capsys.readouterr().err


def test_networks_for_several_kinds_are_joined(tmp_path):
    paths = []
    for kind in ("point", "contour"):
        state = ritm_state(kinds=("click" if kind == "point" else kind,))
        paths.append(tmp_path / f"{kind}.pth")
        config = ritm_config(input_type=kind, is_strided_maps_transform=True)
        torch.save({"state_dict": state, "config": config}, paths[-1])
    target = tmp_path / "both.safetensors"
    assert main([str(paths[0]), str(target), "--also", str(paths[1])]) == 0
    assert read_model(target).spec.interactions == {"click", "contour"}
    assert read_header(target)["card"]["converted_from"] == ["point.pth", "contour.pth"]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"<html>", [], "is a web page"),
        (b"", [], "is empty"),
        (None, [], "There is no model"),
        (b"\x80\x02", ["out.pth"], "does not end in .safetensors"),
        (b"\x80\x02", ["none/out.safetensors"], "There is no folder none"),
        (b"\x80\x02", ["--profile", "x"], "There is no profile 'x'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    tmp_path, monkeypatch, capsys, content, options, words
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pth"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path), *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.startswith("clickseg-convert: ")
    assert err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ([] if content is None else ["a.pth"])
