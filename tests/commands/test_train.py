"""clickseg-train from the command line: a tiny run to its model file, and bad input."""

import errno
import json
import os

import numpy as np
import pytest
from PIL import Image

from napari_clickseg.commands.train import main
from napari_clickseg.models.zoo import ModelCard, load_model
from napari_clickseg.training import run_writer

RECIPE = """
name = "tiny"
batch = 2
pool = 4
validate_every = 2
validation_samples = 2
[card]
name = "tiny-discs"
licence = "free"
[model]
encoder_scale = 1.0
widths = [8, 8, 8, 8, 8]
decoder = [8, 8, 8]
[[stages]]
size = 32
steps = 2
lr = 1e-3
lr_final = 1e-4
encoder_factor = 0.5
[packs]
discs = { weight = 1.0 }
absent = { weight = 1.0 }
"""


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "data" / "discs"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows, cols = np.mgrid[:40, :40]
    disc = ((rows - 20) ** 2 + (cols - 18) ** 2 < 90).astype(np.uint8)
    for i in range(80):
        image = rng.integers(0, 90, (40, 40, 3)).astype(np.uint8) + 120 * disc[..., None]
        Image.fromarray(image).save(folder / "images" / f"{i}.png")
        Image.fromarray(disc).save(folder / "masks" / f"{i}.png")
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


def arguments(data, *more):
    run = data / "run"
    return [str(data / "tiny.toml"), "--data", str(data / "data"), "-o", str(run), *more]


def test_a_run_writes_log_and_model_and_can_go_on(data, capsys):
    assert main(arguments(data)) == 0
    card = ModelCard.of_file(data / "run" / "tiny-discs.safetensors")
    assert (card.name, card.licence, card.trained_on) == ("tiny-discs", "free", ("discs",))
    load_model(card.path, device="cpu")
    entry = json.loads((data / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert entry["total"] == 2
    assert {"iou@1", "iou@5", "loss"} <= set(entry)
    capsys.readouterr()
    assert main(arguments(data)) == 2
    assert "Add --resume" in capsys.readouterr().err
    assert main(arguments(data, "--resume")) == 0
    again = [*arguments(data), "--weights", str(card.path)]
    again[again.index("-o") + 1] = str(data / "again")
    assert main(again) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({0: "nothing.toml"}, "There is no recipe 'nothing.toml'"),
        ({2: "nowhere"}, "There is no folder nowhere"),
        ({1: "--colour"}, "unrecognized arguments"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(data, capsys, changes, words):
    args = arguments(data)
    for place, value in changes.items():
        args[place] = value
    assert main(args) == 2
    said = capsys.readouterr().err
    assert words.lower() in said.lower()
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1


def test_a_full_disk_at_the_end_says_what_to_do_and_the_checkpoint_stays(data, capsys, monkeypatch):
    write = run_writer.write_model

    def full(model, path, card):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(run_writer, "write_model", full)
    assert main(arguments(data)) == 2
    said = capsys.readouterr().err
    assert f"tiny-discs.safetensors cannot be written: {os.strerror(errno.ENOSPC)}" in said
    assert "--resume" in said
    assert sorted(p.name for p in (data / "run").glob("*.p*t*")) == ["last.pt"]
    monkeypatch.setattr(run_writer, "write_model", write)
    assert main(arguments(data, "--resume")) == 0
    load_model(data / "run" / "tiny-discs.safetensors", device="cpu")


def test_a_folder_that_cannot_be_made_is_told(data, capsys):
    (data / "run").write_text("a file")
    assert main(arguments(data)) == 2
    said = capsys.readouterr().err
    assert "run cannot be written" in said
    assert "choose another disk" in said


def test_a_frozen_encoder_needs_a_start(data, capsys):
    assert main(arguments(data, "--set", "stages.0.encoder_factor=0.0")) == 2
    assert "no start is given" in capsys.readouterr().err


def test_data_without_the_packs_and_wrong_files_are_refused(data, capsys):
    (data / "empty").mkdir()
    args = arguments(data)
    args[2] = str(data / "empty")
    assert main(args) == 2
    assert "none of the recipe's packs (discs, absent)" in capsys.readouterr().err
    (data / "broken.pth").write_bytes(b"no weights")
    assert main(arguments(data, "--encoder", str(data / "broken.pth"))) == 2
    assert "holds no encoder espnetv2" in capsys.readouterr().err
    (data / "run").mkdir(exist_ok=True)
    (data / "run" / "last.pt").write_bytes(b"no checkpoint")
    assert main(arguments(data, "--resume")) == 2
    assert "cannot be read as a training checkpoint" in capsys.readouterr().err
