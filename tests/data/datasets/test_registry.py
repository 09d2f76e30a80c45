"""Finding and opening data sets by name, spec, mapping or folder."""

from pathlib import Path

import numpy as np
import pytest
from miniature_sets import write_set
from PIL import Image

from napari_clickseg.data.datasets import dataset_readers, find_data, open_dataset
from napari_clickseg.data.datasets.scores import read_sample_scores
from napari_clickseg.data.datasets.survey import survey
from napari_clickseg.data.packs import Pack
from napari_clickseg.data.scenes import DatasetError


@pytest.mark.parametrize(
    ("spec", "ids"),
    [
        ("SBD:train@{}", ["coin_c"]),
        ("sbd@{}", ["coin_b", "coin_a"]),
        ("SBD:val,least_fill=0.5@{}", ["coin_b", "coin_a"]),
        ({"reader": "SBD", "path": "{}", "split": "train"}, ["coin_c"]),
    ],
)
def test_the_forms_of_a_spec(tmp_path, spec, ids):
    folder = str(write_set("SBD", tmp_path / "a@b"))
    spec = spec.format(folder) if isinstance(spec, str) else {**spec, "path": folder}
    dataset = open_dataset(spec)
    assert (dataset.ids, dataset.name) == (ids, "SBD")


def test_options_of_a_spec_reach_the_reader(tmp_path):
    folder = write_set("SBD", tmp_path / "s")
    every, filled = (open_dataset(f"SBD{o}@{folder}")[1] for o in ("", ",least_fill=0.5"))
    assert len(every.objects) == len(filled.objects) + 1


def test_a_bare_folder_is_a_pack(tmp_path, monkeypatch):
    folder = write_set("pack", tmp_path / "x" / "dev" / "coins@home")
    monkeypatch.delenv("CLICKSEG_DATA", raising=False)
    assert isinstance(open_dataset(folder), Pack)
    assert open_dataset(str(folder)).name == "coins@home"
    monkeypatch.setenv("CLICKSEG_DATA", str(tmp_path / "x"))
    assert open_dataset("coins@home").ids == open_dataset("pack@coins@home").ids
    assert find_data("coins@home") == folder


@pytest.mark.parametrize("name", ["GrabCut", "SBD", "sstem", "COCO+LVIS"])
def test_a_published_set_under_its_own_name_needs_no_reader(tmp_path, name):
    known = {"sstem": "ssTEM", "COCO+LVIS": "COCO_LVIS"}.get(name, name)
    dataset = open_dataset(write_set(known, tmp_path / name))
    assert dataset.name == known and dataset[0].objects


def test_another_folder_needs_one(tmp_path):
    with pytest.raises(DatasetError, match=r"found: img, inst, .* READER@.*, with one of pack,"):
        open_dataset(write_set("SBD", tmp_path / "boundaries"))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("Cityscapes@{}", "no reader 'Cityscapes'. There are pack, folder,"),
        ("SBD,ignore=3@{}", "SBD has no option ignore; it takes split, least_fill, leave_out"),
        ("SBD:test@{}", r"needs the file .*test\.txt, which is not there \(.* holds img, inst,"),
        ("SBD@{}/img/coin_a.jpg", "It is a file"),
        ("SBD@nowhere", "looked for nowhere. Names are looked up where CLICKSEG_DATA"),
        ({"reader": "SBD"}, "has no path"),
    ],
)
def test_what_cannot_be_opened(tmp_path, monkeypatch, spec, words):
    monkeypatch.delenv("CLICKSEG_DATA", raising=False)
    folder = write_set("SBD", tmp_path / "s")
    with pytest.raises(DatasetError, match=words):
        open_dataset(spec.format(folder) if isinstance(spec, str) else spec)


def test_a_converted_set_is_pointed_to_the_right_reader(tmp_path):
    write_set("pack", tmp_path / "GrabCut")
    with pytest.raises(DatasetError, match="open it as 'pack' or 'folder'"):
        open_dataset("GrabCut", tmp_path / "GrabCut")


def test_a_folder_of_black_and_white_masks_is_no_pack(tmp_path):
    write_set("pack", tmp_path)
    assert len(open_dataset(str(tmp_path))[0].objects) > 1
    for path in (tmp_path / "masks").iterdir():
        mask = np.asarray(Image.open(path))
        Image.fromarray(np.uint8(255) * (mask == 1)).save(path)
    (tmp_path / "masks" / "coin_c.png").unlink()
    dataset = open_dataset(str(tmp_path))
    assert [len(scene.objects) for scene in dataset] == [1, 1]
    assert "no mask, left out: coin_c" in str(survey(dataset))
    np.save(tmp_path / "masks" / "coin_c.npy", np.asarray(Image.open(path)))
    assert len(open_dataset(str(tmp_path))) == 3


def test_every_reader_tells_its_layout():
    for card in dataset_readers().values():
        assert card.layout and "path" not in card.options and "name" not in card.options


def test_sample_scores(tmp_path):
    path = write_set("SBD", tmp_path) / "sbd_samples_weights.pkl"
    np.testing.assert_array_equal(read_sample_scores(path, ["coin_a", "coin_b"]), [0.75, 0.25])
    with pytest.raises(DatasetError, match="no score for 1 of 2 images: coin_c"):
        read_sample_scores(path, ["coin_a", "coin_c"])


@pytest.mark.parametrize("name", ["GrabCut", "SciMix"])
def test_real_packs_open(clickseg_data: Path, name):
    dataset = open_dataset(str(clickseg_data / "dev" / name))
    as_folder = open_dataset("folder", clickseg_data / "dev" / name, ignore=255)
    assert dataset.ids == as_folder.ids
    for index in range(0, len(dataset), 17):
        np.testing.assert_array_equal(dataset[index].labels, as_folder[index].labels)
        np.testing.assert_array_equal(dataset[index].image, as_folder[index].image)
