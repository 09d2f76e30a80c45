"""Each published layout in miniature: which scenes, objects and ignored pixels come out."""

import pickle

import numpy as np
import pytest
from miniature_sets import NAMES, WRITERS, coins, write_set

from napari_clickseg.data.datasets import dataset_readers, open_dataset
from napari_clickseg.data.scenes import DatasetError

PHOTOGRAPHS = [photograph for photograph, _ in coins()]
LABELS = [labels for _, labels in coins()]
first = LABELS[0]


@pytest.fixture
def opened(tmp_path):
    def make(name, **options):
        return open_dataset(name, write_set(name, tmp_path / name), **options)

    return make


def test_every_reader_has_a_miniature():
    assert {name for name in dataset_readers() if "uibk" not in name} >= set(WRITERS)
    others = set(dataset_readers()) - set(WRITERS)
    assert all(name.startswith("Avalanche") or "uibk" in name or "study" in name for name in others)


@pytest.mark.parametrize("name", [*WRITERS])
def test_a_miniature_opens_and_survives_a_worker(opened, name):
    dataset = pickle.loads(pickle.dumps(opened(name)))
    assert len(dataset) == len(dataset.ids) == len(set(dataset.ids)) > 0
    scene = dataset[len(dataset) - 1]
    assert scene.id == dataset.ids[-1] and dataset.scene(len(dataset) - 1).id == scene.id
    assert scene.objects and all(scene.mask(item.id).any() for item in scene.objects)
    close = [
        photograph
        for photograph in PHOTOGRAPHS
        if photograph.shape == scene.image.shape
        and np.abs(scene.image.astype(int) - photograph)[..., 0].mean() < 12
    ]
    assert len(close) == (0 if name == "OpenImages" else 1), "the image is one of the photographs"
    with pytest.raises(IndexError):
        dataset[len(dataset)]


@pytest.mark.parametrize("name", [*WRITERS])
def test_an_empty_folder_is_told_what_was_looked_for(tmp_path, name):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DatasetError, match=r"notes\.txt"):
        open_dataset(name, tmp_path)


@pytest.mark.parametrize("name", ["GrabCut", "Berkeley"])
def test_trimaps(opened, name):
    labels = opened(name)[0].labels
    np.testing.assert_array_equal(labels[3:] == 1, first[3:] == 1)
    assert (labels == -1).sum() > 20 and not labels[:3].any(), "64 is background"


def test_a_folder_called_berkeley_is_that_set_and_no_pack(tmp_path):
    labels = open_dataset(write_set("Berkeley", tmp_path / "Berkeley"))[0].labels
    np.testing.assert_array_equal(labels[3:] == 1, first[3:] == 1)
    with pytest.raises(DatasetError, match="open it as 'pack'"):
        open_dataset(write_set("pack", tmp_path / "more" / "Berkeley"))[0]


def test_indexed_masks_under_a_trimap_set_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="numbers its objects.*'pack'"):
        open_dataset("Berkeley", write_set("pack", tmp_path))[0]


@pytest.mark.parametrize("name", ["DAVIS", "COCO_MVal", "HARD", "BraTS", "Avalanche"])
def test_black_and_white_masks(opened, name):
    dataset = opened(name)
    assert list(dataset.ids) == list(NAMES) and dataset.name == name
    for scene, labels in zip(dataset, LABELS, strict=True):
        np.testing.assert_array_equal(scene.labels, labels == 1)


@pytest.mark.parametrize("name", ["SAIC_IS", "OAIZIB", "ssTEM"])
def test_instances_in_one_mask(opened, name):
    scene = opened(name)[0]
    assert len(scene.objects) == first.max()
    for item in scene.objects:
        (value,) = np.unique(first[scene.mask(item.id)])
        np.testing.assert_array_equal(scene.mask(item.id), first == value)


def test_an_image_without_mask_is_named(tmp_path):
    folder = write_set("DAVIS", tmp_path)
    (folder / "gt" / "coin_b.png").unlink()
    with pytest.raises(DatasetError, match=r"1 of 3 images.*coin_b\.jpg"):
        open_dataset("DAVIS", folder)


def test_an_image_of_another_size_than_its_mask_is_named(tmp_path):
    folder = write_set("DAVIS", tmp_path)
    (folder / "gt" / "coin_b.png").write_bytes(
        (write_set("OpenImages", tmp_path / "o") / "train/masks/coin_b_m01.png").read_bytes()
    )
    with pytest.raises(DatasetError, match="'coin_b' is 38 x 48 .* 76 x 96"):
        open_dataset("DAVIS", folder)[1]


def test_several_masks_of_an_image_are_layers(opened):
    scene = opened("images_dir")[0]
    assert [item.layer for item in scene.objects] == [0, 1]
    below = np.arange(first.shape[0])[:, None] >= 2
    np.testing.assert_array_equal(scene.mask(1), (first == 1) & below)
    np.testing.assert_array_equal(scene.mask(2), np.isin(first, (1, 2)) & below)
    assert scene.ignore[:2].all() and not scene.ignore[2:].any()


def test_images_dir_refuses_masks_of_no_image(tmp_path):
    folder = write_set("images_dir", tmp_path)
    (folder / "images" / "coin_a.jpg").unlink()
    with pytest.raises(DatasetError, match=r"masks without image .*coin_a_0\.png, coin_a_1\.png"):
        open_dataset("images_dir", folder)


def test_avalanches_are_matched_by_name_and_split_as_published(tmp_path):
    from miniature_sets import save

    for number in range(10):
        for part in ("images", "masks"):
            save(np.full((4, 5, 3), number, np.uint8), tmp_path / part / f"a{number:02}.png")
    train = open_dataset("Avalanche3a", tmp_path, split="train")
    val = open_dataset("avalanche3A", tmp_path, split="val")
    assert train.name == "Avalanche3a"
    # sklearn.model_selection.train_test_split(range(10), test_size=0.2, random_state=42)
    assert list(train.ids) == [f"a{i:02}" for i in (5, 0, 7, 2, 9, 4, 3, 6)]
    assert list(val.ids) == ["a08", "a01"]
    (tmp_path / "masks" / "a03.png").rename(tmp_path / "masks" / "zz.png")
    with pytest.raises(DatasetError, match=r"without mask .*a03\.png; .*without image .*zz\.png"):
        open_dataset("Avalanche", tmp_path)


def test_sbd(opened):
    val = opened("SBD")
    assert val.ids == ["coin_b", "coin_a"]
    assert [item.id for item in val[1].objects] == [*range(1, first.max() + 1), 99]
    assert not val[1].ignore.any()


def test_sbd_training_leaves_thin_instances_out(opened):
    train = opened("SBD", split="train")
    assert train.ids == ["coin_c"]
    scene = train[0]
    assert 99 not in [item.id for item in scene.objects] and scene.objects
    assert 99 not in scene.labels


def test_sbd_bad_instances_are_left_out_on_request(opened):
    val = opened("SBD", leave_out="sbd_val_bad_lst.txt")
    assert [item.id for item in val[0].objects][0] == 2
    assert [item.id for item in val[1].objects][0] == 1


def test_pascal_voc_objects_are_grey_values(opened):
    scene = opened("PascalVOC")[0]
    greys = [38, 75, 113, 15, 53, 90, 128]  # of the palette's colours 1 to 7
    assert [item.id for item in scene.objects] == sorted(greys[: first.max()])
    np.testing.assert_array_equal(scene.mask(38), first == 1)
    assert scene.ignore.any() and not (scene.ignore & (first > 0)).any()


def test_pascal_voc_test_takes_the_listed_objects(opened):
    dataset = opened("PascalVOC", split="test")
    assert dataset.ids == ["coin_c", "coin_a"]
    assert [item.id for item in dataset[1].objects] == [38, 75]


def test_coco_panoptic(opened, tmp_path):
    dataset = opened("COCO")
    assert dataset.ids == ["7", "8", "9"]
    np.testing.assert_array_equal(dataset[0].labels, np.maximum(first - 1, 0))
    with_stuff = open_dataset("COCO", tmp_path / "COCO", stuff_prob=0.5)
    assert len(with_stuff[0].objects) == len(dataset[0].objects) + 1
    counts = {len(with_stuff.scene(0, np.random.default_rng(i)).objects) for i in range(20)}
    assert counts == {len(dataset[0].objects), len(dataset[0].objects) + 1}


def test_lvis_has_all_instances_in_layers(opened):
    dataset = opened("LVIS")
    scene = dataset[1]  # its image lies with those for training
    assert len(scene.objects) == LABELS[1].max() + 1 and scene.layers.shape[2] == 2
    rows, cols = np.nonzero(LABELS[1] == 1)
    box = np.zeros(LABELS[1].shape, bool)
    box[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1] = True
    np.testing.assert_array_equal(scene.mask(1), box)


def test_lvis_is_painted_in_random_order_for_training(opened):
    dataset = opened("LVIS")
    both = LABELS[0].max() + 1  # the box over the first two coins would hide them
    seen = set()
    for seed in range(20):
        scene = dataset.scene(0, np.random.default_rng(seed))
        again = dataset.scene(0, np.random.default_rng(seed))
        np.testing.assert_array_equal(scene.layers, again.layers)
        ids = {item.id for item in scene.objects}
        assert scene.layers.shape[2] == 1 and ids >= set(range(3, both))
        seen.add(tuple(sorted(ids & {1, 2, both})))
    assert (1, 2) in seen and len(seen) > 1


def test_coco_lvis_hierarchy(opened, tmp_path):
    dataset = opened("COCO_LVIS")
    scene = dataset[0]
    count = first.max()
    assert [item.id for item in scene.objects] == list(range(1, count + 3))
    assert scene.object(1).children == (count + 1,) and scene.object(count + 1).parent == 1
    assert scene.object(3).parent is None and len(scene.roots) == count
    assert (scene.mask(count + 1) <= scene.mask(1)).all()
    np.testing.assert_array_equal(scene.mask(3), first == 3)
    with_stuff = open_dataset("COCO+LVIS", tmp_path / "COCO_LVIS", split="train", stuff_prob=1.0)
    np.testing.assert_array_equal(with_stuff[0].mask(count + 3), first == 0)


def test_open_images_draws_one_mask_for_training(opened):
    dataset = opened("OpenImages")
    scene = dataset[0]
    assert scene.image.shape == (38, 48, 3) and len(scene.objects) == 2
    np.testing.assert_array_equal(scene.mask(2), (first == 2)[::2, ::2])
    drawn = [dataset.scene(0, np.random.default_rng(i)) for i in range(12)]
    assert {len(scene.objects) for scene in drawn} == {1}
    assert len({scene.mask(1).tobytes() for scene in drawn}) == 2


def test_ade20k(opened, tmp_path):
    scene = opened("ADE20k")[0]
    assert [(i.layer, i.value) for i in scene.objects][-2:] == [(0, first.max()), (1, 3)]
    np.testing.assert_array_equal(scene.mask(1), first == 1)
    with_stuff = open_dataset("ADE20k", tmp_path / "ADE20k", stuff_prob=1.0)
    values = [item.value for item in with_stuff[0].objects if item.layer == 0]
    assert values == [*range(1, first.max() + 1), 20]
    layers = {with_stuff.scene(0, np.random.default_rng(i)).layers.shape[2] for i in range(5)}
    assert layers == {1}


def test_nothing_is_written_into_the_data(tmp_path):
    for name in ("COCO", "LVIS", "SBD"):
        folder = write_set(name, tmp_path / name)
        before = sorted(folder.rglob("*"))
        assert open_dataset(name, folder)[0].objects
        assert sorted(folder.rglob("*")) == before
    assert len(list((tmp_path / "cache" / "annotations").iterdir())) == 2


def test_changed_annotations_are_read_anew_and_a_damaged_cache_is_made_again(tmp_path):
    import json

    folder = write_set("LVIS", tmp_path / "LVIS")
    assert len(open_dataset("LVIS", folder)) == 3
    for kept in (tmp_path / "cache" / "annotations").iterdir():
        kept.write_bytes(b"damaged")
    assert len(open_dataset("LVIS", folder)) == 3
    path = folder / "val" / "lvis_val.json"
    content = json.loads(path.read_text())
    content["images"].pop()
    path.write_text(json.dumps(content))
    assert len(open_dataset("LVIS", folder)) == 2


@pytest.mark.parametrize(
    ("name", "file", "content", "words"),
    [
        ("COCO", "annotations/panoptic_val2017.json", b'{"annot', "no JSON, or damaged"),
        ("COCO", "annotations/panoptic_val2017.json", b'{"a": 1}', "lacks what its kind .*categor"),
        ("LVIS", "val/lvis_val.json", b"[]", "lacks what its kind"),
        ("LVIS", "val/lvis_val.json", b'{"images": [], "annotations": []}', "no image"),
        ("COCO_LVIS", "train/hannotation.pickle", b"\x80", "damaged"),
        ("COCO_LVIS", "train/hannotation.pickle", b"].", "no dictionary"),
        ("COCO_LVIS", "train/masks/coin_a.pickle", b"].", "do not fit hannotation"),
        ("SBD", "val.txt", b"\n\n", "names no image"),
        ("SBD", "inst/coin_b.mat", b"MATLAB", r"coin_b\.mat is damaged or has no GTinst"),
        ("PascalVOC", "ImageSets/Segmentation/test.pickle", b"N.", "two lists"),
        ("ADE20k", "train-annotations-object-segmentation.pkl", b"].", "no dictionary"),
        (
            "OpenImages",
            "train/train-annotations-object-segmentation_clean.pkl",
            b"}.",
            "lacks 'dataset_samples'.*clickseg-data openimages",
        ),
        ("DAVIS", "gt/coin_a.png", b"\x89PNG", r"coin_a\.png cannot be read"),
        ("ssTEM", "raw/coin_a.tif", b"II*\0", r"coin_a\.tif cannot be read"),
    ],
)
def test_damaged_files_are_named(tmp_path, name, file, content, words):
    folder = write_set(name, tmp_path / "set")
    (folder / file).write_bytes(content)
    split = {"split": "test"} if name == "PascalVOC" else {}
    with pytest.raises(ValueError, match=words) as caught:
        open_dataset(name, folder, **split)[0]
    assert "\n" not in str(caught.value)
