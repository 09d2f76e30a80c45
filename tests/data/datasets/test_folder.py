"""A scientist's own folder: formats, kinds of masks, names, 16 bits, pixels to ignore."""

import numpy as np
import pytest
import tifffile
from miniature_sets import coin, coins, save
from PIL import Image

from napari_clickseg.data.datasets import open_dataset
from napari_clickseg.data.scenes import DatasetError

photograph, labels = coins()[0]
deep = photograph[..., 0].astype(np.uint16) * 13 + 1000


@pytest.fixture
def folder(tmp_path):
    """Open a folder of one image `a`, with masks by file name."""

    def make(masks, image=photograph, options=None):
        root = tmp_path / "mine"
        save(image, root / "images" / "a.png") if image is not None else None
        for name, mask in masks.items():
            path = root / "masks" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".npy":
                np.save(path, mask)
            elif path.suffix == ".tif":
                tifffile.imwrite(path, mask)
            else:
                save(mask, path)
        return open_dataset("folder", root, **(options or {}))

    return make


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, bool])
@pytest.mark.parametrize("kind", ["npy", "tif"])
def test_label_masks_of_every_type(folder, dtype, kind):
    scene = folder({f"a.{kind}": labels.astype(dtype)})[0]
    np.testing.assert_array_equal(scene.labels, labels.astype(dtype).astype(int))


def test_16_bit_and_palette_png(folder):
    scene = folder({"a.png": (labels * 1000).astype(np.uint16)})[0]
    np.testing.assert_array_equal(scene.labels, labels * 1000)
    palette = Image.fromarray(labels.astype(np.uint8))
    palette.putpalette(np.random.default_rng(0).integers(0, 256, 768).astype(np.uint8).tobytes())
    dataset = folder({})
    palette.save(dataset._masks["a"][0])
    np.testing.assert_array_equal(dataset[0].labels, labels)


def test_colours_are_objects(folder):
    colours = np.array([(0, 0, 0), *np.random.default_rng(1).integers(1, 256, (99, 3))], np.uint8)
    scene = folder({"a.png": colours[labels]})[0]
    assert len(scene.objects) == labels.max()
    for item in scene.objects:
        assert len(np.unique(labels[scene.mask(item.id)])) == 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_smooth_black_and_white_masks_are_one_object(folder, name):
    mask = Image.fromarray(coin(labels)).resize((192, 152), Image.Resampling.BILINEAR)
    image = np.asarray(Image.fromarray(photograph).resize((192, 152)))
    assert len(np.unique(mask)) > 5
    scene = folder({name: np.asarray(mask)}, image)[0]
    assert [item.id for item in scene.objects] == [1]
    large = np.asarray(Image.fromarray(coin(labels)).resize((192, 152), Image.Resampling.NEAREST))
    assert np.mean(scene.mask(1) != (large > 0)) < 0.01


def test_parts_of_a_binary_mask_can_be_objects(folder):
    masks = {"a.png": (labels > 0).astype(np.uint8)}
    assert len(folder(masks)[0].objects) == 1
    scene = folder(masks, options={"kind": "components"})[0]
    assert len(scene.objects) == labels.max()


def test_ignored_pixels(folder):
    mask = labels.copy()
    mask[:5] = -3
    mask[5:9] = 250
    scene = folder({"a.npy": mask}, options={"ignore": 250})[0]
    assert scene.ignore[:9].all() and not scene.ignore[9:].any()
    np.testing.assert_array_equal(scene.labels[9:], labels[9:])


def test_several_masks_of_an_image_may_overlap(folder):
    scene = folder({"a_2.png": coin(labels), "a_10.png": np.full_like(coin(labels), 255)})[0]
    assert len(scene.objects) == 2
    np.testing.assert_array_equal(scene.mask(1), labels == 1)
    assert scene.mask(2).all()


@pytest.mark.parametrize("name", ["a.png", "a_mask.png", "a_cp_masks.png", "a_labels.png"])
def test_names_of_masks(folder, name):
    masks = {name: coin(labels), "other.png": coin(labels)}
    dataset = folder(masks)
    assert dataset.ids == ["a"] and dataset.name == "mine"
    np.testing.assert_array_equal(dataset[0].labels > 0, labels == 1)


def test_images_of_16_bits_are_scaled_each_by_itself(folder):
    masks = {"a.png": coin(labels)}
    for scaling in ("percentiles", "range"):
        image = folder(masks, deep, {"scaling": scaling})[0].image
        assert (image.min(), image.max()) == (0, 255)
        assert np.corrcoef(image[..., 1].ravel(), deep.ravel())[0, 1] > 0.999
    by_type = folder(masks, deep, {"scaling": "depth"})[0].image
    np.testing.assert_array_equal(by_type[..., 2], deep // 256)


def test_percentiles_do_not_mind_single_hot_pixels(folder):
    hot = deep.copy()
    hot[0, 0] = 65535
    masks = {"a.png": coin(labels)}
    assert np.median(folder(masks, hot, {"scaling": "range"})[0].image) < 20
    assert np.median(folder(masks, hot)[0].image) > 40


def test_images_as_npy_of_floats_with_holes(folder):
    dataset = folder({"a.png": coin(labels)})
    values = deep / 1e4
    values[3, 3] = np.nan
    (dataset._images["a"]).unlink()
    np.save(dataset._images["a"].with_suffix(".npy"), values)
    image = folder({"a.png": coin(labels)}, None)[0].image
    assert image.max() == 255 and image[3, 3].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((3, 76, 96, 2)), "shape"),
        (np.full((76, 96), 0.5), "fractions"),
        (np.full((76, 96), 2**40), "beyond 4294967295"),
        (np.full((76, 96), np.nan), "holds NaN"),
        (np.zeros((5, 5), int), "'a' is 5 x 5 pixels but its image is 76 x 96"),
    ],
)
def test_what_is_no_mask(folder, mask, words):
    with pytest.raises(DatasetError, match=words):
        folder({"a.npy": mask})[0]


def test_a_photograph_is_no_mask(folder):
    noise = np.random.default_rng(0).integers(0, 256, (76, 96, 3)).astype(np.uint8)
    with pytest.raises(DatasetError, match="photograph"):
        folder({"a.png": noise})[0]


def test_what_is_told_about_wrong_folders_and_options(folder, tmp_path):
    with pytest.raises(DatasetError, match=r"\(a\.png\) has a mask .* \(b\.png\)"):
        folder({"b.png": coin(labels)})
    with pytest.raises(DatasetError, match="'colour' is none of auto, labels"):
        folder({"a.png": coin(labels)}, options={"kind": "colour"})
    save(photograph, tmp_path / "mine" / "images" / "a.jpg")
    with pytest.raises(DatasetError, match=r"both a\.jpg and a\.png"):
        folder({"a.png": coin(labels)})


def test_a_stack_is_no_image(folder, tmp_path):
    folder({"a.png": coin(labels)})
    tifffile.imwrite(tmp_path / "mine" / "images" / "b.tif", np.zeros((5, 76, 96), np.uint8))
    dataset = folder({"b.png": coin(labels)})
    with pytest.raises(DatasetError, match=r"b\.tif has the shape \(5, 76, 96\)"):
        dataset[1]


def test_splits_and_other_names_of_folders(tmp_path):
    save(photograph, tmp_path / "train" / "raw" / "a.png")
    save(coin(labels), tmp_path / "train" / "truth" / "a.png")
    options = {"images": "raw", "masks": "truth"}
    assert len(open_dataset("folder", tmp_path, "train", **options)) == 1
    assert len(open_dataset(f"folder:train,images=raw,masks=truth@{tmp_path}")) == 1
    with pytest.raises(DatasetError, match="needs the folder .*/val/raw"):
        open_dataset("folder", tmp_path, "val", **options)
