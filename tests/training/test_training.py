"""Training: samples, clicks, losses, and runs that resume bit for bit."""

import dataclasses
import errno
import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_clickseg.data.packs import Pack
from napari_clickseg.models.compact import CompactModel
from napari_clickseg.training.checkpoint import read_checkpoint, write_checkpoint
from napari_clickseg.training.clicks import error_click
from napari_clickseg.training.ema import Average
from napari_clickseg.training.log import RunLog
from napari_clickseg.training.loop import Trainer
from napari_clickseg.training.losses import normalized_focal_loss, soft_iou_loss
from napari_clickseg.training.recipe import Recipe, Stage
from napari_clickseg.training.samples import PackOptions, SampleSource, split

VALUES = Path(__file__).parents[1] / "data" / "training_values.npz"
EVERY_KIND = {"click": 0.4, "stroke": 0.2, "contour": 0.2, "box": 0.2}
TINY = {"encoder_scale": 1.0, "widths": [8, 8, 8, 8, 8], "decoder": [8, 8, 8]}


@pytest.fixture
def pack(tmp_path):
    """Pictures of two bright discs on noise."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "discs"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows, cols = np.mgrid[:64, :80]
    for i in range(90):
        labels = np.zeros((64, 80), np.uint8)
        labels[(rows - 20) ** 2 + (cols - rng.integers(15, 65)) ** 2 < 100] = 1
        labels[(rows - 48) ** 2 + (cols - rng.integers(15, 65)) ** 2 < 60] = 2
        labels[0] = 255
        image = rng.integers(0, 80, (64, 80, 3)).astype(np.uint8)
        image[labels == 1] += 120
        image[labels == 2] += 60
        Image.fromarray(image).save(folder / "images" / f"{i:03}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{i:03}.png")
    return Pack(folder)


def recipe(**changes) -> Recipe:
    base = Recipe(
        name="tiny",
        model=TINY,
        stages=(Stage(32, 6, 3e-3, 1e-3), Stage(48, 4, 1e-3, 1e-4, encoder_factor=0.1)),
        packs={"discs": PackOptions()},
        batch=4,
        pool=8,
        warmup=2,
        validate_every=5,
        validation_samples=4,
    )
    return dataclasses.replace(base, **changes)


def trainer(pack, folder, **changes) -> Trainer:
    chosen = recipe(**changes)
    torch.manual_seed(0)
    packs = {pack: PackOptions()}
    return Trainer(
        chosen,
        CompactModel(**chosen.model),
        SampleSource(packs, 32, 0),
        SampleSource(packs, 32, 0, held_out_part=True),
        folder,
        say=lambda _line: None,
    )


def weights(run: Trainer) -> dict[str, torch.Tensor]:
    return {
        **run.model.state_dict(),
        **{f"ema.{k}": v for k, v in run.average.model.state_dict().items()},
    }


@pytest.mark.parametrize("stop_after", [3, 6, 8])
def test_a_stopped_run_resumes_bit_for_bit(pack, tmp_path, stop_after):
    straight = trainer(pack, tmp_path / "straight")
    assert straight.run()
    first = trainer(pack, tmp_path / "halves")
    assert not first.run(stop=lambda: first.total >= stop_after)
    second = trainer(pack, tmp_path / "halves")
    second.resume()
    assert second.total == stop_after
    assert second.run()
    a, b = weights(straight), weights(second)
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name
    assert (straight.total, straight.drawn) == (second.total, second.drawn)


def test_a_run_with_every_kind_shows_them_all_resumes_and_learns_from_them(pack, tmp_path):
    options = {
        "model": {**TINY, "every_kind": True},
        "kinds": EVERY_KIND,
        "starts": 0.3,
        "stages": (Stage(32, 160, 5e-3, 1e-3),),
        "batch": 8,
        "pool": 24,
        "validate_every": 40,
        "ema": 0.9,
    }
    straight = trainer(pack, tmp_path / "straight", **options)
    assert not straight.run(stop=lambda: straight.total >= 14)
    expected = {name: value.clone() for name, value in weights(straight).items()}
    first = trainer(pack, tmp_path / "halves", **options)
    assert not first.run(stop=lambda: first.total >= 7)
    shown = first.pool.tensors["maps"]
    assert all(bool(shown[:, channel].any()) for channel in range(5))
    assert (first.pool.tensors["prev_mask"] == 1).any()
    second = trainer(pack, tmp_path / "halves", **options)
    second.resume()
    assert not second.run(stop=lambda: second.total >= 14)
    found = weights(second)
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert second.run()
    lines = (tmp_path / "halves" / "log.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    for kind in ("contour", "box"):
        assert entries[-1][kind] > max(0.5, entries[0][kind])


def test_resume_refuses_another_recipe_but_takes_later_stages(pack, tmp_path):
    first = trainer(pack, tmp_path / "run")
    first.run(stop=lambda: first.total >= 2)
    later = (recipe().stages[0], Stage(32, 1, 1e-3, 1e-4))
    longer = trainer(pack, tmp_path / "run", stages=later)
    longer.resume()
    assert longer.run()
    assert longer.total == 7
    other = trainer(pack, tmp_path / "run", batch=2)
    with pytest.raises(ValueError, match="differs .* in: batch"):
        other.resume()


def test_frozen_encoder_stays_and_a_later_stage_moves_it(pack, tmp_path):
    run = trainer(pack, tmp_path)
    start = {k: v.clone() for k, v in run.model.encoder.state_dict().items()}
    run.run(stop=lambda: run.total >= 6)
    for name, value in run.model.encoder.state_dict().items():
        assert torch.equal(value, start[name]), name
    run.run()
    after = run.model.encoder.state_dict()
    assert not torch.equal(after["level1.conv.weight"], start["level1.conv.weight"])
    assert torch.equal(after["level1.bn.running_mean"], start["level1.bn.running_mean"])


def test_training_learns_the_discs(pack, tmp_path):
    stages = (Stage(32, 80, 5e-3, 1e-3),)
    run = trainer(pack, tmp_path, stages=stages, batch=8, pool=24, validate_every=40, ema=0.9)
    run.run()
    first, last = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert last["iou@5"] > max(0.5, first["iou@5"])
    assert last["loss"] < first["loss"]


def test_tensorboard_gets_the_numbers_or_says_what_to_install(pack, tmp_path):
    log = tmp_path / "run"
    log.mkdir()
    if importlib.util.find_spec("tensorboard") is None:
        with pytest.raises(ValueError, match=r"napari-clickseg\[tensorboard\]"):
            RunLog(log, tensorboard=True)
    else:
        RunLog(log, tensorboard=True).write({"total": 3, "loss": 0.5})
        assert list(log.glob("events*"))


def test_samples_are_a_function_of_their_number_and_held_out_images_stay_out(pack):
    packs = {pack: PackOptions(union=0.5, free=True)}
    a, b = SampleSource(packs, 40, 3), SampleSource(packs, 40, 3)
    for i in (5, 0, 7):
        np.testing.assert_array_equal(a[i].image, b[i].image)
        np.testing.assert_array_equal(a[i].target, b[i].target)
        assert a[i].image.shape == (40, 40, 3)
        assert set(np.unique(a[i].target)) <= {-1, 0, 1}
        assert (a[i].target == 1).any()
    assert not np.array_equal(a[1].image, a[2].image)
    kept = {pack.ids[i] for i in a._members[0]}
    out = {pack.ids[i] for i in SampleSource(packs, 40, 3, held_out_part=True)._members[0]}
    assert kept
    assert out
    assert kept.isdisjoint(out)
    assert kept | out == set(pack.ids)


def test_few_images_are_split_too_and_a_single_one_serves_for_both(pack, tmp_path):
    few, one = Pack(pack.folder), Pack(pack.folder)
    few.ids, one.ids = pack.ids[:5], pack.ids[:1]
    train, held = split([few])
    assert len(train[0]) == 4
    assert sorted(train[0] + held[0]) == [0, 1, 2, 3, 4]
    assert split([one]) == ([[0]], [[0]])
    assert split([]) == ([], [])


def test_masks_without_objects_are_an_error_and_no_endless_search(tmp_path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        Image.fromarray(np.zeros((30, 30), np.uint8)).save(tmp_path / part / "a.png")
    with pytest.raises(ValueError, match="No usable object"):
        SampleSource({Pack(tmp_path): PackOptions()}, 32, 0)[0]


def test_a_source_without_images_says_so(pack):
    with pytest.raises(ValueError, match="No training image is left"):
        SampleSource({pack: PackOptions(weight=0.0)}, 32, 0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_error_clicks_lie_in_the_deeper_error_and_never_on_ignored_pixels(seed):
    rng = np.random.default_rng(seed)
    target = rng.integers(-1, 2, (24, 20)).astype(np.int8)
    target[4:14, 3:15] = 1
    prediction = rng.random((24, 20)) < 0.2
    row, col, positive = error_click(prediction, target, rng)
    assert target[row, col] == (1 if positive else 0)
    assert prediction[row, col] != positive


def test_a_right_prediction_gets_no_click():
    target = np.zeros((10, 10), np.int8)
    target[2:5, 2:5] = 1
    assert error_click(target == 1, target, np.random.default_rng(0)) is None


def test_centre_clicks_are_the_deepest_pixel():
    target = np.zeros((31, 31), np.int8)
    target[5:26, 5:26] = 1
    empty = np.zeros(target.shape, bool)
    assert error_click(empty, target, np.random.default_rng(0), centre=1.0) == (15, 15, True)


@pytest.mark.parametrize(
    ("loss", "name"),
    [(normalized_focal_loss, "normalized_focal_a05_g2"), (soft_iou_loss, "soft_iou")],
)
def test_losses_and_gradients_equal_the_published_ones(loss, name):
    case = np.load(VALUES)
    logits = torch.from_numpy(case["logits"]).requires_grad_()
    values = loss(logits, torch.from_numpy(case["labels"]).float())
    np.testing.assert_allclose(values.detach(), case[f"loss_{name}"], rtol=1e-5)
    values.sum().backward()
    expected = case[f"grad_{name}"]
    np.testing.assert_allclose(logits.grad, expected, atol=1e-4 * np.abs(expected).max())


def test_losses_ignore_ignored_pixels_and_are_least_when_right():
    torch.manual_seed(0)
    logits, target = torch.randn(2, 1, 8, 8), torch.randint(-1, 2, (2, 1, 8, 8)).float()
    other = torch.where(target < 0, torch.randn_like(logits) * 5, logits)
    for loss in (normalized_focal_loss, soft_iou_loss):
        torch.testing.assert_close(loss(logits, target), loss(other, target))
        right = torch.where(target > 0.5, 9.0, -9.0)
        assert (loss(right, target) < loss(logits, target)).all()
        assert loss(logits, target).shape == (2,)


def test_average_starts_at_the_model_and_follows_it():
    model = torch.nn.Linear(2, 2)
    average = Average(model)
    before = average.model.weight.clone()
    with torch.no_grad():
        model.weight += 1
    average.update(model, 10_000, 0.9)
    torch.testing.assert_close(average.model.weight, before + 0.1)


def test_an_old_checkpoint_without_later_entries_goes_on(pack, tmp_path):
    first = trainer(pack, tmp_path)
    assert not first.run(stop=lambda: first.total >= 2)
    state = read_checkpoint(first.path)
    for later in ("kinds", "scatter", "starts", "warmup"):
        del state["recipe"][later]
    write_checkpoint(first.path, state)
    second = trainer(pack, tmp_path, warmup=300)
    second.resume()
    assert second.total == 2


def test_a_log_that_cannot_be_written_is_told_once_and_leaves_no_half_line(
    pack, tmp_path, monkeypatch
):
    said = []
    run = trainer(pack, tmp_path, validate_every=2)
    run.writer._say = said.append
    opened, times = Path.open, []

    def full(path, *more, **options):
        file = opened(path, *more, **options)
        if path.name == "log.jsonl" and len(times) < 2:
            times.append(path)
            file.write('{"half')
            file.close()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return file

    monkeypatch.setattr(Path, "open", full)
    assert run.run()
    told = [line for line in said if "cannot be written" in line]
    assert told == [
        f"The log in {tmp_path} cannot be written: {os.strerror(errno.ENOSPC)}. Training goes on "
        "without; make room, and what follows is kept."
    ]
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert len(entries) >= 2
