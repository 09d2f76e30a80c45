"""`clickseg-refine` from the command line to its files."""

import csv
import json

import numpy as np
import pytest
import torch
from fakes import ColourModel
from PIL import Image
from scipy.ndimage import binary_erosion
from tifffile import imread, imwrite

from napari_clickseg.commands import refine, refine_files
from napari_clickseg.commands.refine import main
from napari_clickseg.data.replacing import replacing
from napari_clickseg.engine.refine import MaskRefiner
from napari_clickseg.interactions import Click
from napari_clickseg.models.checkpoint import write_model
from napari_clickseg.models.compact import CompactModel


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8)).eval()
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    write_model(model, path, {"name": "tiny", "licence": "none", "trained_on": []})
    return path


@pytest.fixture
def colours(monkeypatch):
    """The command with a network that knows colours; gives it to count its calls."""
    model = ColourModel()
    monkeypatch.setattr(refine_files, "_refiner", lambda options: MaskRefiner(model))
    return model


@pytest.fixture
def folders(tmp_path, scene):
    """Images and too small masks: a PNG, and a TIFF with larger labels."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    labels = truth(scene)
    small = labels * binary_erosion(labels != 0, np.ones((7, 7)))
    Image.fromarray(scene).save(images / "a.png")
    Image.fromarray(small.astype(np.uint8)).save(masks / "a.png")
    imwrite(images / "b.tif", scene[::-1].copy(), photometric="rgb")
    imwrite(masks / "b.tif", (small * np.uint16(300))[::-1].copy())
    Image.fromarray(scene).save(images / "without.png")
    return images, masks, tmp_path / "out"


def truth(scene):
    labels = np.zeros(scene.shape[:2], np.uint16)
    labels[(scene == (220, 30, 30)).all(axis=2)] = 1
    labels[(scene == (30, 30, 220)).all(axis=2)] = 2
    return labels


def call(folders, *more):
    images, masks, out = folders
    return main([str(images), str(masks), "-o", str(out), *map(str, more)])


def rows(path):
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_masks_and_tables(folders, weights, colours, scene, capsys):
    before = contents(folders[0]) | contents(folders[1])
    assert call(folders, "--model", weights) == 0
    assert contents(folders[0]) | contents(folders[1]) == before
    out = folders[2]
    refined = np.asarray(Image.open(out / "a.png"))
    large = imread(out / "b.tif")
    assert refined.dtype == np.uint8 and large.dtype == np.uint16
    for mask, wanted in ((refined, truth(scene)), (large, 300 * truth(scene)[::-1])):
        assert (mask != wanted).mean() < 0.01
    changes = rows(out / "changes.csv")
    assert [(row["image"], row["object"]) for row in changes] == [
        ("a", "1"),
        ("a", "2"),
        ("b", "300"),
        ("b", "600"),
    ]
    assert int(changes[0]["area_before"]) < int(changes[0]["area_after"]) == (refined == 1).sum()
    assert 0 < float(changes[0]["iou"]) < 1
    doubts = [float(row["doubt"]) for row in rows(out / "review.csv")]
    assert doubts == sorted(doubts, reverse=True) and len(doubts) == 4
    text = capsys.readouterr()
    assert "2 of 2 images refined, 4 objects." in text.out
    assert "2/2 images" in text.err


def test_finished_images_are_checked_and_skipped(folders, weights, colours, capsys):
    call(folders, "--model", weights)
    calls, kept = colours.calls, contents(folders[2])
    assert call(folders, "--model", weights) == 0
    assert colours.calls == calls
    assert contents(folders[2]) == kept
    assert "(2 of them finished before)" in capsys.readouterr().out
    call(folders, "--model", weights, "--again")
    assert colours.calls == 2 * calls


def test_a_changed_input_is_refined_anew(folders, weights, colours, scene):
    call(folders, "--model", weights)
    calls = colours.calls
    Image.fromarray((truth(scene) == 1).astype(np.uint8)).save(folders[1] / "a.png")
    assert call(folders, "--model", weights) == 0
    assert colours.calls > calls
    assert [row["image"] for row in rows(folders[2] / "changes.csv")] == ["a", "b", "b"]


def test_an_interruption_keeps_what_is_done(folders, weights, colours, capsys, monkeypatch):
    def interrupted(path, *args, **kwargs):
        if path.name == "b.tif":
            raise KeyboardInterrupt
        save(path, *args, **kwargs)

    save = refine_files.save_mask
    monkeypatch.setattr(refine_files, "save_mask", interrupted)
    assert call(folders, "--model", weights) == 130
    assert "Run the same command again" in capsys.readouterr().err
    assert len(rows(folders[2] / "changes.csv")) == 2
    monkeypatch.setattr(refine_files, "save_mask", save)
    assert call(folders, "--model", weights) == 0
    assert "(1 of them finished before)" in capsys.readouterr().out
    assert len(rows(folders[2] / "changes.csv")) == 4


def test_a_mask_edited_since_is_not_replaced(folders, weights, colours, scene, capsys):
    call(folders, "--model", weights)
    edited = folders[2] / "a.png"
    Image.fromarray(truth(scene).astype(np.uint8)).save(edited)
    kept = edited.read_bytes()
    capsys.readouterr()
    assert call(folders, "--model", weights) == 2
    assert "was changed since" in capsys.readouterr().err
    assert edited.read_bytes() == kept


def test_a_bad_file_does_not_stop_the_others(folders, weights, colours, capsys):
    (folders[1] / "a.png").write_bytes(b"no picture")
    assert call(folders, "--model", weights) == 2
    err = capsys.readouterr().err
    assert "clickseg-refine: a: " in err and "Traceback" not in err
    assert (folders[2] / "b.tif").exists()


@pytest.mark.parametrize("which", [0, 1])
def test_the_input_is_never_the_output(folders, which, capsys):
    before = contents(folders[which])
    assert main([str(folders[0]), str(folders[1]), "-o", str(folders[which])]) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert contents(folders[which]) == before


def test_nothing_in_common(folders, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    np.save(other / "elsewhere.npy", np.zeros((3, 3), np.uint8))
    assert main([str(folders[0]), str(other), "-o", str(folders[2])]) == 2
    assert "has a mask of the same name" in capsys.readouterr().err
    assert not folders[2].exists()


def test_clicks_of_a_session_and_corrected_masks(folders, weights, colours, scene, monkeypatch):
    seen = {}

    def spy(refiner, labels, said, *args):
        seen.update(said)
        return real(refiner, labels, said, *args)

    from napari_clickseg.engine import refine_labels

    real = refine_labels.refine_labels
    monkeypatch.setattr(refine_labels, "refine_labels", spy)
    monkeypatch.setattr(
        refine_files,
        "read_session",
        lambda path: type("Session", (), {"objects": [SAVED]}),
    )
    sessions, fixed = folders[0].parent / "sessions", folders[0].parent / "fixed"
    for folder in (sessions, fixed):
        folder.mkdir()
    (sessions / "a.clickseg.json").write_text("{}")
    corrected = np.asarray(Image.open(folders[1] / "a.png")).copy()
    corrected[truth(scene) == 2] = 2
    Image.fromarray(corrected).save(fixed / "a.png")
    call(folders, "--model", weights, "--clicks", sessions, "--corrected", fixed)
    assert seen[1] == SAVED.interactions
    assert seen[2] and all(truth(scene)[click.pixel] == 2 for click in seen[2] if click.positive)


def test_a_session_of_other_objects_is_refused(folders, weights, colours, monkeypatch, capsys):
    other = type("Session", (), {"objects": [type("Other", (SAVED,), {"id": 77})]})
    monkeypatch.setattr(refine_files, "read_session", lambda path: other)
    sessions = folders[0].parent / "sessions"
    sessions.mkdir()
    (sessions / "a.clickseg.json").write_text("{}")
    assert call(folders, "--model", weights, "--clicks", sessions) == 2
    assert "(77) are not in the mask" in capsys.readouterr().err
    assert not (folders[2] / "a.png").exists() and (folders[2] / "b.tif").exists()


class SAVED:
    id, plane, interactions = 1, None, (Click(40, 50),)


def test_a_cluster_gives_the_same(folders, weights, tmp_path):
    distributed = pytest.importorskip("distributed")
    images, masks, out = folders
    assert call(folders, "--model", weights) == 0
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        there = images, masks, tmp_path / "there"
        assert call(there, "--model", weights, "--dask", cluster.scheduler_address) == 0
    for name in ("a.png", "b.tif", "changes.csv", "review.csv"):
        assert (out / name).read_bytes() == (there[2] / name).read_bytes()


def test_no_cluster_there(folders, weights, capsys, monkeypatch):
    distributed = pytest.importorskip("distributed")

    def nobody(address, timeout):
        raise OSError(f"Timed out trying to connect to {address}")

    monkeypatch.setattr(distributed, "Client", nobody)
    assert call(folders, "--model", weights, "--dask", "tcp://127.0.0.1:9") == 2
    assert "There is no Dask cluster at tcp://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (90, "2 min"), (7500, "2 h 5 min")]
)
def test_time_left_in_words(seconds, words):
    assert refine.duration(seconds) == words


def test_a_record_that_was_cut_short_counts_as_none(folders, weights, colours, capsys):
    call(folders, "--model", weights)
    record = folders[2] / ".clickseg-refine" / "a.png.json"
    assert json.loads(record.read_text())["changes"]
    with replacing(record, OSError) as unfinished:
        unfinished.write_text("{")
    assert call(folders, "--model", weights) == 2
    assert "was not made here" in capsys.readouterr().err
