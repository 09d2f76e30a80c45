"""Files and levels that cannot be an image are refused with one sentence."""

import os

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_clickseg.data import readers
from napari_clickseg.data.readers import ImageError, as_reader, open_image, read_image
from napari_clickseg.geometry import Box

H, W = 150, 205
RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 255, (H, W, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65535, (H, W), dtype=np.uint16)


def test_levels_must_be_of_one_image():
    with pytest.raises(ImageError, match="dtype: uint16, uint8"):
        as_reader([GREY16, (GREY16[::2, ::2] >> 8).astype(np.uint8)])
    with pytest.raises(ImageError, match="aspect"):
        as_reader([GREY16, GREY16[::2]])
    with pytest.raises(ImageError, match="channels"):
        as_reader([RGB, RGB[::2, ::2, 0]])
    assert as_reader([GREY16, GREY16[: H // 4 * 4 : 4, : W // 4 * 4 : 4]]).levels[1] == (37, 51)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (32, 32)}], ids=str)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_tiffs(options, part, tmp_path, refused):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    refused(path, "truncated")


def test_a_damaged_tile_is_arefused(tmp_path, equal, refused):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", tile=(32, 32), compression="zlib")
    with tifffile.TiffFile(path) as file:
        at = file.pages.first.dataoffsets[3]
    raw = bytearray(path.read_bytes())
    raw[at : at + 30] = bytes(30)
    path.write_bytes(raw)
    reader = open_image(path)
    np.testing.assert_array_equal(reader.read(Box(0, 0, 32, 32)), RGB[:32, :32])
    refused(path, "damaged")


def test_a_missing_codec_names_the_extra(tmp_path, monkeypatch, refused):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY16, compression="zlib")

    class Missing(dict):
        def __missing__(self, key):
            raise KeyError(f"{key!r} requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", Missing())
    refused(path, r"ADOBE_DEFLATE.*napari-clickseg\[codecs\]")


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg"])
def test_common_codecs_are_read_or_named(compression, tmp_path, equal, refused):
    path = tmp_path / "a.tif"
    Image.fromarray(RGB).save(path, compression=compression)
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        refused(path, r"napari-clickseg\[codecs\]")
    else:
        equal(open_image(path), read_image(path))


def test_what_is_no_image(tmp_path, refused):
    refused(tmp_path / "missing.tif", "No such file")
    (tmp_path / "empty.tif").write_bytes(b"")
    refused(tmp_path / "empty.tif", "0 bytes")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "is a folder")
    (tmp_path / "text.png").write_text("no image at all")
    refused(tmp_path / "text.png", "kind")
    Image.fromarray(RGB).save(tmp_path / "other.ppm")
    refused(tmp_path / "other.ppm", "PNG, JPEG, BMP, GIF, TIFF")
    (tmp_path / "group.zarr").mkdir()
    (tmp_path / "group.zarr" / "zarr.json").write_text("{ not json")
    refused(tmp_path / "group.zarr", "cannot be read")
    np.save(tmp_path / "flat.npy", np.zeros(7))
    refused(tmp_path / "flat.npy", "2 axes")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path, refused):
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    path.chmod(0)
    refused(path, "Permission denied")


def test_no_permission_as_the_system_says_it(tmp_path, monkeypatch, refused):
    def denied(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.open", denied)
    refused(tmp_path / "a.png", "Permission denied")


SEEDS = {
    "tif": lambda p: tifffile.imwrite(p, GREY16[:40, :50], tile=(16, 16), compression="zlib"),
    "strips.tif": lambda p: tifffile.imwrite(p, RGB[:40, :50], photometric="rgb", rowsperstrip=9),
    "png": lambda p: Image.fromarray(RGB[:40, :50]).save(p),
    "jpg": lambda p: Image.fromarray(RGB[:40, :50]).save(p),
    "gif": lambda p: Image.fromarray(RGB[:40, :50]).save(p),
    "npy": lambda p: np.save(p, GREY16[:40, :50]),
}


@pytest.mark.parametrize("kind", SEEDS)
def test_mutated_files_are_read_or_refused(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "WHOLE_BYTES", 2**22)
    monkeypatch.setattr("napari_clickseg.data.pictures.MOST_PIXELS", 2**22)
    path = tmp_path / f"a.{kind}"
    SEEDS[kind](path)
    sound, rng = path.read_bytes(), np.random.default_rng(11)
    for _ in range(60):
        raw = bytearray(sound)
        for _ in range(rng.integers(1, 5)):
            reach = 60 if rng.random() < 0.5 else len(raw)
            raw[rng.integers(0, min(reach, len(raw)))] = rng.integers(0, 256)
        path.write_bytes(raw)
        try:
            reader = open_image(path)
            reader.read(Box(0, 0, 64, 64), len(reader.levels) - 1)
        except ImageError as error:
            assert "\n" not in str(error)


def test_the_large_photographs(clickseg_data):
    photographs = sorted((clickseg_data / "large" / "images").glob("*.jpg"))
    assert photographs
    for path in photographs:
        reader = open_image(path)
        assert min(reader.levels[0]) > 2000 and len(reader.levels) > 1
        patch = reader.read(Box(1000, 1100, 1256, 1400))
        assert patch.shape == (256, 300, 3) and patch.std() > 0
