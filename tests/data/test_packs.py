"""Packs on disk: what is read, and what a wrong layout is told."""

import numpy as np
import pytest
from PIL import Image

from napari_clickseg.data.packs import Pack, PackError


def write(folder, name, mask, image=None):
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    if image is None:
        image = np.zeros((*mask.shape, 3), np.uint8)
    Image.fromarray(image).save(folder / "images" / f"{name}.png")
    Image.fromarray(mask).save(folder / "masks" / f"{name}.png")


@pytest.mark.parametrize(("dtype", "ignore"), [(np.uint8, 255), (np.uint16, 65535)])
def test_objects_and_ignored_pixels(tmp_path, dtype, ignore):
    mask = np.zeros((6, 5), dtype)
    mask[1, 1], mask[2, 2], mask[3, 3] = 1, 2, ignore
    mask[4, 4] = 254 if dtype == np.uint8 else 300
    write(tmp_path, "a", mask)
    item = Pack(tmp_path)[0]
    assert item.id == "a"
    assert item.image.shape == (6, 5, 3)
    assert item.image.dtype == np.uint8
    assert item.labels.dtype == np.int32
    assert [item.labels[i, i] for i in range(5)] == [0, 1, 2, -1, mask[4, 4]]


def test_only_pairs_count_in_the_order_of_their_names(tmp_path):
    mask = np.zeros((4, 4), np.uint8)
    for name in ("b", "a", "c"):
        write(tmp_path, name, mask)
    (tmp_path / "masks" / "b.png").unlink()
    pack = Pack(tmp_path)
    assert pack.ids == ["a", "c"]
    assert len(pack) == 2
    assert pack.name == tmp_path.name


def test_wrong_layouts_say_what_was_looked_for_and_found(tmp_path):
    with pytest.raises(PackError, match="no folder 'images' .*no such folder"):
        Pack(tmp_path / "nowhere")
    (tmp_path / "pictures").mkdir()
    with pytest.raises(PackError, match="no folder 'images' .*pictures"):
        Pack(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    with pytest.raises(PackError, match=r"0 images.*0 png"):
        Pack(tmp_path)


def test_broken_files_are_named(tmp_path):
    write(tmp_path, "a", np.zeros((4, 4), np.uint8))
    (tmp_path / "images" / "a.png").write_bytes(b"")
    with pytest.raises(PackError, match=r"a\.png cannot be read"):
        Pack(tmp_path)[0]


def test_masks_of_another_size_or_with_channels_are_refused(tmp_path):
    mask = np.zeros((4, 4), np.uint8)
    write(tmp_path / "size", "a", mask, np.zeros((5, 4, 3), np.uint8))
    with pytest.raises(PackError, match="same size"):
        Pack(tmp_path / "size")[0]
    write(tmp_path / "colour", "a", np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(PackError, match="single-channel"):
        Pack(tmp_path / "colour")[0]


def test_images_of_16_bits_are_refused_and_not_clipped(tmp_path):
    write(tmp_path, "a", np.zeros((4, 4), np.uint8), np.full((4, 4), 4000, np.uint16))
    with pytest.raises(PackError, match="more than 8 bits"):
        Pack(tmp_path)[0]
