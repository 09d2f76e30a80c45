"""Opening npy, Zarr and picture files: every box is what the whole array holds there."""

import sys

import numpy as np
import pytest
from PIL import Image

from napari_clickseg.data import readers
from napari_clickseg.data.readers import ImageError, as_reader, open_image, read_image
from napari_clickseg.geometry import Box

H, W = 150, 205
RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 255, (H, W, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65535, (H, W), dtype=np.uint16)
STACK = RNG.integers(0, 255, (4, 5, H, W), dtype=np.uint8)


def test_npy_is_a_memory_map(tmp_path, equal):
    np.save(tmp_path / "a.npy", RGB)
    reader = open_image(tmp_path / "a.npy")
    equal(reader, RGB)
    assert isinstance(reader.read(Box(0, 0, 5, 5)).base, np.ndarray)
    np.save(tmp_path / "b.npy", STACK)
    equal(open_image(tmp_path / "b.npy", plane=(2, 3)), STACK[2, 3])
    np.save(tmp_path / "c.npy", np.stack([RGB, RGB + 1]))
    equal(open_image(tmp_path / "c.npy", plane=1), RGB + 1)


def _ome(path, levels, axes, version="0.4"):
    zarr = pytest.importorskip("zarr")
    group = zarr.create_group(str(path), zarr_format=2 if version == "0.4" else 3)
    image = {
        "axes": [{"name": name} for name in axes],
        "datasets": [{"path": f"s{i}"} for i in range(len(levels))],
    }
    if version == "0.4":
        group.attrs["multiscales"] = [image]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [image]}
    for i, level in enumerate(levels):
        group.create_array(f"s{i}", data=level, chunks=(*[1] * (level.ndim - 2), 40, 50))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_pyramids(version, tmp_path, equal):
    levels = [GREY16, GREY16[::2, ::2], GREY16[::4, ::4]]
    _ome(tmp_path / "a.ome.zarr", levels, "yx", version)
    equal(open_image(tmp_path / "a.ome.zarr"), *levels)
    equal(open_image(str(tmp_path / "a.ome.zarr" / "s1")), levels[1])


def test_a_plane_of_an_ome_zarr(tmp_path, equal):
    fine = STACK[None, None]  # t, c, z, ... of 1, 1, 4, 5
    levels = [fine[:, :, :, 0], fine[:, :, ::2, 0, ::2, ::2]]
    _ome(tmp_path / "a.zarr", levels, "tczyx")
    equal(open_image(tmp_path / "a.zarr", plane=2), levels[0][0, 0, 2], levels[1][0, 0, 1])
    colours = STACK[:, :3]
    _ome(tmp_path / "b.zarr", [colours], "zcyx")
    equal(open_image(tmp_path / "b.zarr", plane=3), np.moveaxis(colours[3], 0, -1))
    equal(open_image(tmp_path / "b.zarr", plane=(3, 2)), colours[3, 2])


def test_plain_zarr_arrays_and_groups(tmp_path, equal):
    zarr = pytest.importorskip("zarr")
    zarr.create_array(str(tmp_path / "a.zarr"), data=RGB, chunks=(64, 64, 3))
    equal(open_image(tmp_path / "a.zarr"), RGB)
    named = {"data": np.moveaxis(RGB, -1, 0), "dimension_names": ("c", "y", "x")}
    zarr.create_array(str(tmp_path / "b.zarr"), chunks=(1, 64, 64), **named)
    equal(open_image(tmp_path / "b.zarr"), RGB)
    group = zarr.create_group(str(tmp_path / "c.zarr"))
    group.create_array("one", data=GREY16, chunks=(64, 64))
    equal(open_image(tmp_path / "c.zarr"), GREY16)
    group.create_array("two", data=GREY16, chunks=(64, 64))
    with pytest.raises(ImageError, match="one, two"):
        open_image(tmp_path / "c.zarr")


def test_without_zarr_a_sentence_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / ".zgroup").write_text("{}")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImageError, match=r"napari-clickseg\[zarr\]"):
        open_image(tmp_path / "a.zarr")


def test_levels_of_another_dtype_in_a_file(tmp_path):
    _ome(tmp_path / "a.zarr", [GREY16, GREY16[::2, ::2].astype(np.float32)], "yx")
    with pytest.raises(ImageError, match="a.zarr.*dtype"):
        open_image(tmp_path / "a.zarr")


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_pictures(suffix, tmp_path, equal):
    Image.fromarray(RGB).save(tmp_path / f"a.{suffix}")
    equal(open_image(tmp_path / f"a.{suffix}"), RGB)
    equal(as_reader(str(tmp_path / f"a.{suffix}")), RGB)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("limit", [2**27, 0], ids=["whole", "tiled"])
def test_exif_orientation_is_applied(orientation, limit, tmp_path, monkeypatch, equal):
    monkeypatch.setattr(readers, "WHOLE_BYTES", limit)
    upright = Image.fromarray(np.dstack([np.indices((H, W)).sum(0) // 2] * 3).astype(np.uint8))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # from Pillow's list of transpositions
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    reader = open_image(tmp_path / "a.jpg")
    assert reader.shape == (H, W, 3)
    whole = reader.read(Box(0, 0, H, W))
    assert np.abs(whole.astype(int) - np.asarray(upright)).max() < 8
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), whole)
    equal(reader, whole)


def test_a_turned_png(tmp_path, equal):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=exif)
    equal(open_image(tmp_path / "a.png"), np.rot90(RGB, -1))


@pytest.mark.parametrize(
    ("mode", "shape", "dtype"),
    [
        ("1", (8, 9), bool),
        ("L", (8, 9), np.uint8),
        ("I;16", (8, 9), np.uint16),
        ("LA", (8, 9, 4), np.uint8),
        ("P", (8, 9, 3), np.uint8),
        ("RGBA", (8, 9, 4), np.uint8),
    ],
)
def test_picture_modes(mode, shape, dtype, tmp_path):
    grey = np.linspace(0, 255, 72).reshape(8, 9).astype(np.uint8)
    if mode == "I;16":
        grey = grey.astype(np.uint16) * 257
        Image.fromarray(grey).save(tmp_path / "a.png")
    else:
        Image.fromarray(grey).convert(mode).save(tmp_path / "a.png")
    reader = open_image(tmp_path / "a.png")
    assert (reader.shape, reader.dtype) == (shape, dtype)
    seen = reader.read(Box(0, 0, 8, 9))
    np.testing.assert_array_equal(seen, read_image(tmp_path / "a.png"))
    if mode != "1":
        first = seen if seen.ndim == 2 else seen[..., 0]
        np.testing.assert_array_equal(first, grey)


def test_cmyk_jpeg_becomes_rgb(tmp_path):
    Image.new("CMYK", (40, 30), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    reader = open_image(tmp_path / "a.jpg")
    assert reader.shape == (30, 40, 3)
    assert np.abs(reader.read(Box(0, 0, 1, 1)).astype(int) - (255, 0, 0)).max() < 6


def test_the_pictures_of_an_animation(tmp_path):
    pages = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:])
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)]):
        patch = open_image(tmp_path / "a.gif", plane=number).read(Box(3, 3, 4, 4))
        assert patch[0, 0, :3].tolist() == list(colour)
    assert open_image(tmp_path / "a.gif").read(Box(3, 3, 4, 4))[0, 0, 0] == 255
    with pytest.raises(ImageError, match="no number 3"):
        open_image(tmp_path / "a.gif", plane=3)


def test_a_picture_has_no_planes(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="single plane"):
        open_image(tmp_path / "a.png", plane=1)
