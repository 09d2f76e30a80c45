"""`clickseg-refine` from the command line to its files."""

import json

import numpy as np
import pytest
from commands.refine.calls import call, contents, rows, truth
from fakes import ColourModel
from PIL import Image
from tifffile import imread, imwrite

from napari_clickseg.commands import refine, refine_files
from napari_clickseg.commands.refine import main
from napari_clickseg.data.mask_writer import save_mask
from napari_clickseg.data.replacing import replacing
from napari_clickseg.engine.refine import MaskRefiner


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


def test_other_cleaning_is_made_anew_and_leaves_small_parts_out(
    folders, weights, scene, monkeypatch
):
    model = ColourModel()
    monkeypatch.setattr(
        refine_files, "_refiner", lambda options: MaskRefiner(model, **dict(options.cleaning))
    )
    mask = np.asarray(Image.open(folders[1] / "a.png")).copy()
    mask[2:5, 2:5] = 1
    Image.fromarray(mask).save(folders[1] / "a.png")
    call(folders, "--model", weights)
    calls, before = model.calls, np.asarray(Image.open(folders[2] / "a.png"))
    assert before[3, 3] == 1
    assert call(folders, "--model", weights, "--keep-parts", "largest") == 0
    after = np.asarray(Image.open(folders[2] / "a.png"))
    assert model.calls > calls and after[3, 3] == 0 and (after == 1).sum() > 100


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


def test_masks_of_earlier_runs_keep_their_rows(folders, weights, colours, scene):
    images, masks, out = folders
    call(folders, "--model", weights)
    before = rows(out / "changes.csv")
    Image.fromarray((truth(scene) == 2).astype(np.uint8) * 2).save(masks / "a.png")
    one = images / "a.png", masks / "a.png", out
    assert call(one, "--model", weights) == 0
    after = rows(out / "changes.csv")
    assert [(row["image"], row["object"]) for row in after] == [
        ("a", "2"),
        ("b", "300"),
        ("b", "600"),
    ]
    assert after[1:] == before[2:]
    doubts = [float(row["doubt"]) for row in rows(out / "review.csv")]
    assert doubts == sorted(doubts, reverse=True) and len(doubts) == 3
    (out / "b.tif").unlink()
    call(one, "--model", weights)
    assert [row["image"] for row in rows(out / "changes.csv")] == ["a"]


@pytest.mark.parametrize(
    ("image", "mask", "words"),
    [
        (None, np.zeros((7, 9), np.uint8), "The mask has 7 x 9 pixels and the image 120 x 160."),
        (np.zeros((4, 50, 60), np.uint8), None, "planes axis 0 of 4 and the mask"),
        (None, np.zeros((2, 50, 60), np.uint8), "A mask is (H, W): one number per pixel."),
        (None, np.zeros((120, 160), np.uint8), "There is no object in the masks: every pixel is 0"),
        (None, np.full((120, 160), 0.5), "holds fractions"),
        (None, np.full((120, 160), -3), "labels below 0"),
    ],
)
def test_what_cannot_be_refined_is_told_in_a_sentence(
    tmp_path, scene, weights, colours, capsys, image, mask, words
):
    np.save(tmp_path / "image.npy", scene if image is None else image)
    np.save(tmp_path / "mask.npy", truth(scene) if mask is None else mask)
    given = tmp_path / "image.npy", tmp_path / "mask.npy", tmp_path / "out"
    assert call(given, "--model", weights) == 2
    err = capsys.readouterr().err
    assert words in err and "Traceback" not in err


def test_a_device_that_there_is_not_is_told_once(folders, weights, capsys):
    assert call(folders, "--model", weights, "--device", "abacus") == 2
    assert capsys.readouterr().err.count("There is no device 'abacus'") == 1
    assert not folders[2].exists()


def test_labels_up_to_32_bits_come_back(folders, weights, colours, scene):
    images, masks, out = folders
    large = np.array([0, 2**31 + 7, 2**32 - 1], np.uint32)[truth(scene)]
    imwrite(masks / "a.tif", large)
    (masks / "a.png").unlink()
    assert call(folders, "--model", weights) == 0
    refined = imread(out / "a.tif")
    assert refined.dtype == np.uint32
    assert (refined != large).mean() < 0.01 and len(np.unique(refined)) == 3
    np.save(masks / "a.npy", large.astype(np.int64) + 1)
    (masks / "a.tif").unlink()
    assert call(folders, "--model", weights) == 2


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


def test_records_without_planes_of_older_versions_count(folders, weights, colours, capsys):
    call(folders, "--model", weights)
    before = rows(folders[2] / "changes.csv")
    for record in (folders[2] / ".clickseg-refine").iterdir():
        about = json.loads(record.read_text())
        for change in about["changes"]:
            del change["plane"]
        record.write_text(json.dumps(about))
    assert call(folders, "--model", weights) == 0
    assert "(2 of them finished before)" in capsys.readouterr().out
    assert rows(folders[2] / "changes.csv") == before


def test_what_was_not_refined_is_told_in_a_table(folders, weights, colours, capsys):
    images, masks, out = folders
    broken = images / "b.tif"
    broken.write_bytes(broken.read_bytes()[:500])
    (masks / "a.png").rename(masks / "alone.png")
    assert call(folders, "--model", weights) == 2
    why = {row["image"]: row["why"] for row in rows(out / "not_refined.csv")}
    assert list(why) == ["b", "a", "alone", "without"]
    assert "b.tif" in why["b"] and "no mask" in why["a"] and "no image" in why["alone"]
    said = capsys.readouterr().out
    assert "0 of 1 images refined" in said and "a, alone, without" in said
    assert str(out / "not_refined.csv") in said


def test_after_a_run_that_went_well_only_those_without_a_mask_are_left(folders, weights, colours):
    good = (folders[0] / "b.tif").read_bytes()
    (folders[0] / "b.tif").write_bytes(good[:500])
    call(folders, "--model", weights)
    (folders[0] / "b.tif").write_bytes(good)
    assert call(folders, "--model", weights) == 0
    assert [row["image"] for row in rows(folders[2] / "not_refined.csv")] == ["without"]


def test_an_output_folder_that_cannot_be_made_is_told_once_and_at_once(
    folders, weights, colours, capsys
):
    file = folders[2].with_name("file")
    file.write_text("mine")
    assert call((*folders[:2], file / "out"), "--model", weights) == 2
    assert not colours.calls
    said = capsys.readouterr().err
    assert said.count("Nothing can be written into") == 1 and "Give another folder" in said


def test_a_mask_stack_of_an_image_of_one_plane_is_refused(folders, weights, colours, capsys):
    zarr = pytest.importorskip("zarr")
    (folders[1] / "a.png").unlink()
    zarr.save_array(str(folders[1] / "a.zarr"), np.ones((5, 20, 30), np.uint8))
    assert call(folders, "--model", weights) == 2
    assert "a.zarr is a stack (axis 0 of 5). A mask is (H, W)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.zarr", "a.ome.zarr"])
def test_masks_in_zarr(folders, weights, colours, scene, name):
    pytest.importorskip("zarr")
    images, masks, out = folders
    mask = np.asarray(Image.open(masks / "a.png"))
    save_mask(masks / name, mask)
    (masks / "a.png").unlink()
    assert call(folders, "--model", weights) == 0
    refined = imread(out / "a.tif")
    assert (refined != truth(scene)).mean() < 0.01
    calls = colours.calls
    assert call(folders, "--model", weights) == 0 and colours.calls == calls
    save_mask(masks / name, np.where(mask == 2, 0, mask).astype(np.uint8))
    assert call(folders, "--model", weights) == 0 and colours.calls > calls
    assert set(np.unique(imread(out / "a.tif"))) == {0, 1}


def test_one_image_and_a_label_image_inside_a_zarr_group(folders, weights, colours, scene):
    zarr = pytest.importorskip("zarr")
    images, masks, out = folders
    group = zarr.create_group(str(masks / "slide.zarr"))
    group.create_array("cells", data=np.asarray(Image.open(masks / "a.png")))
    assert call((images / "a.png", masks / "slide.zarr" / "cells", out), "--model", weights) == 0
    assert (imread(out / "a.tif") != truth(scene)).mean() < 0.01
