"""clickseg-data from the command line, on miniatures of the published releases."""

import json
import pickle

import numpy as np
import pytest
from miniature_sets import (
    box_polygon,
    coins,
    named,
    save,
    write_ade20k,
    write_coco,
    write_lvis,
    write_open_images,
    write_set,
)
from PIL import Image

from napari_clickseg.commands.data import main
from napari_clickseg.data.datasets import dataset_readers, open_dataset

labels = coins()[0][1]


@pytest.fixture(autouse=True)
def cache_here(tmp_path, monkeypatch):
    monkeypatch.setenv("CLICKSEG_CACHE", str(tmp_path / "cache"))


def test_all_readers_are_listed(capsys):
    assert main(["readers"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name}: " in out for name in dataset_readers())


def test_a_data_set_is_checked(tmp_path, capsys):
    folder = write_set("pack", tmp_path / "mine")
    assert main(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    total = sum(int(labels.max()) for _, labels in coins())
    assert out.startswith(f"mine: 3 images, {total} objects\n") and "76 x 96" in out
    (folder / "images" / "coin_b.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    save(np.zeros((76, 96), np.uint8), folder / "masks" / "coin_c.png")
    assert main(["check", f"folder,ignore=255@{folder}"]) == 1
    out = capsys.readouterr().out
    assert "2 images" in out and "no object: coin_c" in out and "coin_b cannot be used: " in out
    assert main(["check", f"folder,ignore=255@{folder}", "--limit", "1"]) == 0


def test_coco_lvis_is_built_and_opens(tmp_path, capsys):
    write_coco(tmp_path / "coco")
    write_lvis(tmp_path / "lvis")
    out = tmp_path / "out"
    arguments = [str(tmp_path / "lvis"), str(tmp_path / "coco"), str(out), "--split", "val"]
    assert main(["coco-lvis", *arguments, "--jobs", "2"]) == 0
    assert "Wrote 3 images" in capsys.readouterr().out
    dataset = open_dataset("COCO_LVIS", out, "val", stuff_prob=1.0)
    assert dataset.ids == [f"{number:012}" for number in (7, 8, 9)]
    lvis = open_dataset("LVIS", tmp_path / "lvis")
    for scene, boxes in zip(dataset, lvis, strict=True):
        np.testing.assert_array_equal(scene.image, boxes.image)
        whole = max(scene.objects[:-1], key=lambda item: len(item.children))
        assert len(whole.children) >= 2
        ground = scene.mask(scene.objects[-1].id)
        assert ground.sum() > 500 and not (ground & scene.mask(whole.id)).any()
    assert sorted(path.name for path in (out / "val").iterdir()) == [
        "hannotation.pickle",
        "images",
        "masks",
    ]


def test_an_interrupted_build_goes_on(tmp_path, monkeypatch):
    from napari_clickseg.data.conversion import coco_lvis

    write_coco(tmp_path / "coco")
    write_lvis(tmp_path / "lvis")
    seen = []

    def stop(done, total):
        seen.append(done)
        if done == 2:
            raise KeyboardInterrupt

    folders = (tmp_path / "lvis", tmp_path / "coco", tmp_path / "out", "val")
    with pytest.raises(KeyboardInterrupt):
        coco_lvis.build_coco_lvis(*folders, progress=stop)
    with (tmp_path / "out" / "val" / "hannotation.jsonl").open("a") as file:
        file.write('["9", {"name"')
    coco_lvis.build_coco_lvis(*folders, progress=lambda done, total: seen.append(done))
    assert seen == [1, 2, 3]
    coco_lvis.build_coco_lvis(*folders[:2], tmp_path / "straight", "val")
    for name in ("hannotation.pickle", "masks/000000000009.pickle"):
        both = [(tmp_path / out / "val" / name).read_bytes() for out in ("out", "straight")]
        assert repr(pickle.loads(both[0])) == repr(pickle.loads(both[1]))


def test_open_images_are_listed(tmp_path, capsys):
    write_open_images(tmp_path)
    folder = tmp_path / "train"
    listed = folder / "train-annotations-object-segmentation_clean.pkl"
    listed.unlink()
    (folder / "masks" / "coin_b_m02.png").unlink()
    rows = [f"{name}_m0{value}.png,{name},/m/0" for name, *_ in named() for value in (1, 2)]
    text = "MaskPath,ImageID,LabelName\n" + "\n".join([*rows, "gone.png,gone,/m/0"])
    (folder / "train-annotations-object-segmentation.csv").write_text(text)
    assert main(["openimages", str(tmp_path)]) == 0  # of the parts that are there
    dataset = open_dataset("OpenImages", tmp_path)
    assert dataset.ids == ["coin_a", "coin_b", "coin_c"]
    assert [len(scene.objects) for scene in dataset] == [2, 1, 2]
    assert main(["openimages", str(tmp_path), "--split", "val"]) == 2
    assert "needs the folder" in capsys.readouterr().err


def test_ade20k_is_listed(tmp_path):
    write_ade20k(tmp_path)
    (tmp_path / "train-annotations-object-segmentation.pkl").unlink()
    below = tmp_path / "images/training/c/coins"
    for name, _, mask in named():
        count = int(mask.max())
        rows = [f'{value:03} # 0 # 0 # coin # coin # ""' for value in range(1, count + 1)]
        rows.append('020 # 0 # 0 # ground, earth # soil # ""')
        rows.append('001 # 1 # 0 # rim # rim # ""')
        (below / f"{name}_atr.txt").write_text("\n".join(rows))
    assert main(["ade20k", str(tmp_path), "--split", "train"]) == 0
    scene = open_dataset("ADE20k", tmp_path)[0]
    places = [(item.layer, item.value) for item in scene.objects]
    assert places == [*((0, value) for value in range(1, labels.max() + 1)), (1, 3)]
    (tmp_path / "stuff.txt").write_text("Rim\n")
    stuff = ["--stuff", str(tmp_path / "stuff.txt")]
    assert main(["ade20k", str(tmp_path), "--split", "train", *stuff]) == 0
    places = [(item.layer, item.value) for item in open_dataset("ADE20k", tmp_path)[0].objects]
    assert (0, 20) in places and (1, 3) not in places


@pytest.fixture
def coco_file(tmp_path):
    masks = [labels == 1, labels == 2, labels == 3]
    annotations = [
        {"id": 10 + i, "image_id": 1, "category_id": 1 + i // 2, "segmentation": [box_polygon(m)]}
        for i, m in enumerate(masks)
    ]
    images = [
        {"id": 1, "file_name": "photos/slope.jpg", "height": 76, "width": 96},
        {"id": 2, "file_name": "empty.jpg", "height": 76, "width": 96},
    ]
    kinds = [{"id": 1, "name": "avalanche"}, {"id": 2, "name": "crown"}]
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": kinds}))
    return path


def read(path):
    return np.asarray(Image.open(path))


def test_masks_of_a_coco_file(coco_file, tmp_path):
    for kind in ("union", "each", "labels"):
        assert main(["masks", str(coco_file), str(tmp_path / kind), "--kind", kind]) == 0
    union, numbered = (read(tmp_path / kind / "slope.png") for kind in ("union", "labels"))
    assert np.unique(union).tolist() == [0, 255] and (union[labels > 0] == 255)[:5].all()
    assert np.unique(numbered).tolist() == [0, 1, 2, 3]
    names = sorted(path.name for path in (tmp_path / "each").iterdir())
    assert names == ["slope_10.png", "slope_11.png", "slope_12.png"]
    np.testing.assert_array_equal(read(tmp_path / "each" / names[2]) > 0, numbered == 3)


def test_masks_of_one_category(coco_file, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["masks", str(coco_file), str(out), "--kind", "each", "--category"]
    assert main([*arguments, "crown"]) == 0
    assert [path.name for path in out.iterdir()] == ["slope_12.png"]
    assert main([*arguments, "snow"]) == 2
    assert "no category snow; it has avalanche, crown" in capsys.readouterr().err


def test_values_are_split_into_files(tmp_path):
    folder = write_set("OAIZIB", tmp_path / "o") / "test" / "annotations"
    assert main(["split", str(folder), str(tmp_path / "out")]) == 0
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == sum(mask.max() for _, mask in coins())
    np.testing.assert_array_equal(read(tmp_path / "out" / "coin_a_2.png") == 255, labels == 2)


def test_images_and_masks_are_resized_alike(tmp_path):
    folder = write_set("pack", tmp_path / "pack")
    assert main(["resize", str(folder), str(tmp_path / "out"), "--size", "60x40"]) == 0
    before, after = (open_dataset(path)[0] for path in (folder, tmp_path / "out"))
    assert after.image.shape == (40, 60, 3)
    assert set(np.unique(after.labels)) <= set(np.unique(before.labels))
    for item in before.objects:
        shares = [np.mean(scene.labels == item.id) for scene in (before, after)]
        assert abs(shares[0] - shares[1]) < 0.01


def test_images_are_cropped_to_their_objects(tmp_path):
    folder = write_set("COCO_MVal", tmp_path / "set")
    (folder / "img").rename(folder / "images")
    (folder / "gt").rename(folder / "masks")
    options = ["--factor", "1.2", "--least", "10", "--longest", "20"]
    assert main(["crop", str(folder), str(tmp_path / "out"), *options]) == 0
    scene = open_dataset("folder", tmp_path / "out")[0]
    rows, cols = np.nonzero(labels == 1)
    sides = [np.ceil((x.max() + 1 - x.min()) * 1.2) for x in (rows, cols)]
    assert max(scene.image.shape[:2]) == min(20, max(sides))
    assert 0.4 < (scene.labels > 0).mean() < 0.8
    assert main(["crop", str(folder), str(tmp_path / "large")]) == 0
    assert open_dataset("folder", tmp_path / "large")[0].image.shape == (76, 96, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "nowhere"], "no data set 'nowhere'"),
        (["resize", "a", "b", "--size", "0x3"], "no size such as 600x400"),
        (["split", "nowhere", "out"], "no folder nowhere"),
        (["masks", "none.json", "out"], "none.json cannot be opened"),
        (["crop", "nowhere", "out"], "needs the folder nowhere/images"),
        (["coco-lvis", "l", "c", "o"], "needs the file l/train/lvis_train.json"),
        (["ade20k", "nowhere"], "needs the folder nowhere/images/training"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1 and not list(tmp_path.iterdir())
