"""Training by epochs: runs that go on after a kill, several processes, full disks, bad images."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image
from training.discs import write_discs, write_recipe

from napari_clickseg.commands.train import main
from napari_clickseg.models.zoo import ModelCard, load_model
from napari_clickseg.training import batches, epoch_loop, pictures, run_writer
from napari_clickseg.training.checkpoint import read_checkpoint
from napari_clickseg.training.parallel import Team
from napari_clickseg.training.recipe import load_recipe

QUIET = ["--workers", "0", "--threads", "1", "--no-progress", "--device", "cpu"]


@pytest.fixture
def discs(tmp_path):
    return write_discs(tmp_path / "discs")


@pytest.fixture(autouse=True)
def own_handlers():
    """The command takes signals for itself; give them back."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def command(recipe, out, *more):
    return [str(recipe), "-o", str(out), *QUIET, *more]


def weights(run):
    state = read_checkpoint(run / "checkpoints" / "last.pt")
    return {**state["model"], **{f"ema.{k}": v for k, v in (state["average"] or {}).items()}}


def log(run):
    entries = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in entries]


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_a_killed_run_goes_on_as_if_never_stopped(discs, tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=4, more="ema = 0.9")
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert main(command(recipe, straight)) == 0
    arguments = command(recipe, killed, "--save-every", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "napari_clickseg.commands.train", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if (killed / "log.jsonl").exists() and len(log(killed)) >= 3:
                break
            time.sleep(0.01)
        process.kill()
    with (killed / "log.jsonl").open("a") as file:
        file.write('{"total": 15, "cut')  # as a killed process may leave it
    at = read_checkpoint(killed / "checkpoints" / "last.pt")["total"]
    assert 4 <= at < 16
    assert main([*arguments, "--resume"]) == 0
    same(weights(straight), weights(killed))
    assert log(straight) == log(killed)
    assert (straight / "tiny.safetensors").stat().st_size == (
        killed / "tiny.safetensors"
    ).stat().st_size


def test_a_run_leaves_an_experiment_folder(discs, tmp_path, capsys):
    recipe = write_recipe(tmp_path / "tiny.toml", discs)
    run = tmp_path / "run"
    assert main(command(recipe, run)) == 0
    assert load_recipe(run / "recipe.toml") == load_recipe(recipe)
    kept = sorted(p.name for p in (run / "checkpoints").iterdir())
    assert kept == ["000.safetensors", "002.safetensors", "best.safetensors", "last.pt"]
    assert len(list((run / "pictures").glob("*_instance_segmentation.jpg"))) == 4
    assert Image.open(run / "preview.jpg").size[0] == 4 * 32 + 8  # two examples and a gap
    entries = log(run)
    assert {"overall", "lr", "iou"} <= entries[0].keys()
    assert entries[1]["validation_iou"] >= 0
    card = ModelCard.of_file(run / "tiny.safetensors")
    assert (card.name, card.trained_on) == ("tiny", ("discs",))
    for path in (card.path, run / "checkpoints" / "best.safetensors"):
        assert load_model(path, device="cpu").spec.architecture == "compact"
    assert "8 images, 2 held out" in capsys.readouterr().out
    assert main(command(recipe, run)) == 2
    assert "Add --resume" in capsys.readouterr().err
    assert main(command(recipe, run, "--resume", "--set", "batch=2")) == 2
    assert "in: batch" in capsys.readouterr().err


def test_tensorboard_gets_the_published_tags(discs, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1)
    assert main(command(recipe, tmp_path / "run", "--tensorboard")) == 0
    found = events.EventAccumulator(str(tmp_path / "run" / "logs"))
    found.Reload()
    assert {
        "TrainLosses/instance_loss",
        "TrainLosses/overall",
        "TrainStates/learning_rate",
        "TrainLosses/instance_loss_k",
        "TrainLosses/instance_loss_m",
        "TrainMetrics/AdaptiveIoU",
        "TrainMetrics/Accuracy",
        "ValMetrics/Accuracy",
        "ValMetrics/AdaptiveIoU",
        "ValLosses/overall",
    } <= set(found.Tags()["scalars"])


def test_accumulation_changes_only_what_batch_norms_see(discs, tmp_path):
    still = "model.fixed_norms=true", "rounds.most=0"
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1)
    changes = [word for change in still for word in ("--set", change)]
    assert main(command(recipe, tmp_path / "a", *changes)) == 0
    assert main(command(recipe, tmp_path / "b", *changes, "--accumulate-grad", "2")) == 0
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    for name in a:
        torch.testing.assert_close(a[name], b[name], atol=2e-4, rtol=2e-3)


def test_two_processes_train_like_one(discs, tmp_path):
    more = ["--set", "model.fixed_norms=true", "--set", "rounds.most=0"]
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1)
    assert main(command(recipe, tmp_path / "one", *more)) == 0
    arguments = command(recipe, tmp_path / "two", *more, "--ngpus", "2")
    done = subprocess.run(
        [sys.executable, "-m", "napari_clickseg.commands.train", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Wrote") == 1
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in one:
        torch.testing.assert_close(one[name], two[name], atol=2e-4, rtol=2e-3)
    first, second = log(tmp_path / "one")[0], log(tmp_path / "two")[0]
    assert first["overall"] == pytest.approx(second["overall"], rel=1e-3)


def test_a_corrupt_image_is_named_and_left_out(discs, tmp_path, capsys):
    (discs / "images" / "04.png").write_bytes(b"not a picture")
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1, more="# all")
    assert main(command(recipe, tmp_path / "run", "--set", "epoch_length=-1")) == 0
    out = capsys.readouterr().out
    assert len([line for line in out.splitlines() if "Skipped" in line and "04" in line]) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "No space left"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos"), "full disk"),
    ],
    ids=["system", "torch"],
)
def test_a_full_disk_stops_the_run_and_keeps_the_checkpoint(
    discs, tmp_path, capsys, monkeypatch, error, words
):
    recipe = write_recipe(tmp_path / "tiny.toml", discs)
    run = tmp_path / "run"
    write, written = torch.save, []

    def full(state, file):
        if len(written) == 2:
            file.write(b"half")
            raise error
        written.append(state["total"])
        write(state, file)

    monkeypatch.setattr(torch, "save", full)
    assert main(command(recipe, run)) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "--resume" in said
    assert "enforce" not in said
    assert not list(run.rglob("*.part"))
    monkeypatch.setattr(torch, "save", write)
    assert main(command(recipe, run, "--resume")) == 0
    straight = tmp_path / "straight"
    assert main(command(recipe, straight)) == 0
    same(weights(straight), weights(run))


def test_a_log_that_cannot_be_written_does_not_end_the_run(discs, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_writer.RunLog, "write", full)
    monkeypatch.setattr(pictures, "save_picture", full)
    monkeypatch.setattr(epoch_loop, "save_picture", full)
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1)
    assert main(command(recipe, tmp_path / "run")) == 0
    out = capsys.readouterr().out
    assert out.count(f"The log in {tmp_path / 'run'} cannot be written: No space left") == 1
    assert out.count(f"Pictures in {tmp_path / 'run'} cannot be saved: No space left") == 1


def test_data_may_be_spelled_otherwise_when_a_run_goes_on(discs, tmp_path, capsys, monkeypatch):
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1)
    run = tmp_path / "run"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLICKSEG_DATA", str(tmp_path))
    assert main(command(recipe, run, "--data", "discs")) == 0
    monkeypatch.chdir(run)
    for spelling in ("../discs", str(discs), "discs", f"{discs}/../discs/"):
        assert main(command(recipe, run, "--resume", "--data", spelling)) == 0
    write_discs(tmp_path / "others")
    assert main(command(recipe, run, "--resume", "--data", "../others")) == 2
    assert "in: data" in capsys.readouterr().err


def test_a_loss_that_is_no_number_ends_the_run(discs, tmp_path, capsys):
    recipe = write_recipe(tmp_path / "tiny.toml", discs)
    changes = ["--set", "optimizer.lr=1e30", "--set", "optimizer.clip=0"]
    assert main(command(recipe, tmp_path / "run", *changes)) == 2
    assert "no number at step" in capsys.readouterr().err


def test_bfloat16_and_sgd_train_too(discs, tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1)
    changes = ["--amp", "--set", 'optimizer.kind="sgd"', "--set", 'schedule.kind="cosine"']
    assert main(command(recipe, tmp_path / "run", *changes)) == 0
    assert np.isfinite(log(tmp_path / "run")[0]["overall"])


def test_workers_make_the_same_examples(discs, tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml", discs, epochs=1)
    assert main(command(recipe, tmp_path / "none")) == 0
    assert main([*command(recipe, tmp_path / "two"), "--workers", "2"]) == 0
    same(weights(tmp_path / "none"), weights(tmp_path / "two"))


class Groups:
    """Examples that say which process group made them."""

    def __getitem__(self, _number):
        return os.getpgid(0)


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="Windows has no process groups")
def test_ctrl_c_does_not_reach_the_workers(monkeypatch):
    monkeypatch.setattr(batches, "collate", list)
    groups = [group for (group,) in batches.load(Groups(), [[0], [1]], Team(), workers=2)]
    assert os.getpgid(0) not in groups


def test_ten_images_and_a_cpu_make_the_bundled_model_better(tmp_path, capsys):
    """Objects that the bundled model does not take for such: the darker halves of discs."""
    rng = np.random.default_rng(1)
    folder = tmp_path / "halves"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows, cols = np.mgrid[:72, :72]
    for i in range(10):
        r, c = rng.integers(24, 48, 2)
        disc = (rows - r) ** 2 + (cols - c) ** 2 < 300
        half = disc & (cols < c)
        image = rng.integers(60, 90, (72, 72, 3)).astype(np.uint8)
        image[disc] = (190, 120, 60)
        Image.fromarray(image).save(folder / "images" / f"{i}.png")
        Image.fromarray(half.astype(np.uint8) * 255).save(folder / "masks" / f"{i}.png")
    changes = ["epoch_length=24", "validation_length=4", "crop=[64, 64]", "pictures=0"]
    changes += ["rounds.most=1", "points.most=1", "points.no_negatives=1.0", "optimizer.lr=1e-3"]
    run = tmp_path / "run"
    arguments = ["finetune", "--data", str(folder), "-o", str(run), *QUIET, "--epochs", "3"]
    for change in changes:
        arguments += ["--set", change]
    assert main(arguments) == 0
    losses = [e["validation_overall"] for e in log(run) if "validation_overall" in e]
    ious = [e["validation_iou"] for e in log(run) if "validation_iou" in e]
    assert log(run)[0]["epoch"] == -1  # how good the bundled model is
    assert losses[-1] < losses[0]
    assert max(ious[1:]) > ious[0]
    model = load_model(run / "finetune.safetensors", device="cpu")
    assert (model.spec.architecture, model.spec.profile) == ("compact", "clickseg")
