"""Saving masks: values as they are, block by block, whole or not at all."""

import contextlib
import tracemalloc

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_clickseg.cancel import Cancelled
from napari_clickseg.data import mask_writer
from napari_clickseg.data.mask_writer import MaskError, save_mask
from napari_clickseg.data.readers import open_image
from napari_clickseg.engine.tiles import MaskView, TileMap
from napari_clickseg.geometry import Box

SUFFIXES = ["tif", "tiff", "ome.tif", "png", "npy", "zarr", "ome.zarr"]
DTYPES = [bool, np.uint8, np.uint16, np.uint32]
MB = 2**20


class Procedural:
    """A mask that is made where it is looked at, and counts how much of it was looked at."""

    def __init__(self, shape, dtype=np.uint8):
        self.shape, self.dtype, self.pixels = shape, np.dtype(dtype), 0

    def __getitem__(self, box):
        rows, cols = (np.arange(*s.indices(n)) for s, n in zip(box, self.shape, strict=True))
        self.pixels += rows.size * cols.size
        rows, cols = ((n // 1000 % 3).astype(self.dtype) for n in (rows, cols))
        return rows[:, None] + cols

    def __array__(self, *args, **kwargs):
        raise AssertionError("the whole mask was asked for")


def _read(path):
    if path.suffix == ".png":
        with Image.open(path) as image:
            return np.asarray(image)
    if path.suffix in (".zarr",):
        reader = open_image(path)
        return reader.read(Box.of_shape(reader.shape))
    return np.load(path) if path.suffix == ".npy" else tifffile.imread(path)


def _skip_without_zarr(suffix):
    if "zarr" in suffix:
        pytest.importorskip("zarr")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_values_come_back_as_they_are(suffix, dtype, tmp_path, monkeypatch):
    _skip_without_zarr(suffix)
    monkeypatch.setattr(mask_writer, "BLOCK_PIXELS", 200_000)
    rng = np.random.default_rng(1)
    mask = rng.integers(0, 2 if dtype is bool else 250, (700, 901)).astype(dtype)
    if dtype in (np.uint16, np.uint32):
        mask *= 251
    if dtype is np.uint32 and suffix != "png":
        mask *= 60_000
    progress = []
    save_mask(tmp_path / f"mask.{suffix}", mask, progress=progress.append)
    read = _read(tmp_path / f"mask.{suffix}")
    np.testing.assert_array_equal(read, mask)
    expected = {bool: np.uint8, np.uint32: np.uint16 if suffix == "png" else np.uint32}
    assert read.dtype == expected.get(dtype, dtype)
    assert progress == sorted(progress) and progress[-1] == 1 and len(progress) > 1
    assert [entry.name for entry in tmp_path.iterdir()] == [f"mask.{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (513, 1), (256, 512)])
def test_all_sizes(suffix, shape, tmp_path):
    _skip_without_zarr(suffix)
    mask = np.random.default_rng(2).integers(0, 9, shape, dtype=np.uint8)
    save_mask(tmp_path / f"a.{suffix}", mask)
    np.testing.assert_array_equal(_read(tmp_path / f"a.{suffix}").reshape(shape), mask)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_masks_of_all_kinds(suffix, tmp_path):
    _skip_without_zarr(suffix)
    tiles = TileMap((600, 700)).paste(Box(100, 200, 400, 690), np.ones((300, 490)))
    view = MaskView(tiles, 0.5)
    save_mask(tmp_path / f"a.{suffix}", view)
    np.testing.assert_array_equal(_read(tmp_path / f"a.{suffix}"), np.asarray(view))
    lazy = pytest.importorskip("dask.array").from_array(np.asarray(view, np.uint16), chunks=128)
    save_mask(tmp_path / f"a.{suffix}", lazy)  # replaces the first one
    np.testing.assert_array_equal(_read(tmp_path / f"a.{suffix}"), np.asarray(view))
    save_mask(tmp_path / f"a.{suffix}", np.asarray(view, ">u2"))
    np.testing.assert_array_equal(_read(tmp_path / f"a.{suffix}"), np.asarray(view))


@pytest.mark.parametrize("suffix", ["tif", "png", "npy", "ome.zarr"])
def test_memory_does_not_grow_with_the_image(suffix, tmp_path):
    _skip_without_zarr(suffix)
    import tifffile as _  # noqa: F401 (imports are no part of what is measured)

    peaks = []
    for side in (4_000, 20_000):
        mask = Procedural((side, side))
        path = tmp_path / f"{side}.{suffix}"
        tracemalloc.start()
        try:
            with contextlib.suppress(Cancelled):
                # a quarter of the large mask: by then, what grows has grown
                save_mask(path, mask, cancelled=lambda m=mask: m.pixels > 100_000_000)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 40 * MB  # the mask itself would take 400
    assert peaks[1] - peaks[0] < 20 * MB


def test_a_mask_of_400_megapixels_is_read_once(tmp_path):
    mask = Procedural((20_000, 20_000))
    path = tmp_path / "a.png"
    save_mask(path, mask)
    assert mask.pixels == 400_000_000
    assert path.stat().st_size < 4 * MB
    with path.open("rb") as file:
        assert file.read(24)[16:] == (20_000).to_bytes(4, "big") * 2


def test_georeferencing_and_resolution_of_the_source_are_kept(tmp_path):
    tags = [
        (33550, "d", 3, (0.5, 0.5, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 600000.0, 5100000.0, 0.0), True),
        (34735, "H", 8, (1, 1, 0, 1, 1024, 0, 1, 1), True),
        (34736, "d", 2, (6378137.0, 298.25), True),
        (34737, "s", 0, "WGS 84 / UTM zone 32N|", True),
        (42113, "s", 0, "255", True),
    ]
    image = np.zeros((300, 400), np.uint8)
    source = tmp_path / "source.tif"
    tifffile.imwrite(source, image, extratags=tags, resolution=(254, 127), resolutionunit=3)
    save_mask(tmp_path / "mask.tif", image + 1, source=source)
    with tifffile.TiffFile(tmp_path / "mask.tif") as file:
        page = file.pages.first
        for code, _, _, value, _ in tags[:-1]:
            assert page.tags[code].value == value
        assert 42113 not in page.tags
        assert page.get_resolution(3) == (254, 127)
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE and page.is_tiled
    with pytest.raises(MaskError, match=r"300 x 401.*300 x 400"):
        save_mask(tmp_path / "b.tif", np.zeros((300, 401), np.uint8), source=source)
    Image.fromarray(image).save(tmp_path / "a.png")
    save_mask(tmp_path / "c.tif", image, source=tmp_path / "a.png")  # has no such tags
    with pytest.raises(MaskError, match="missing.tif.*without a source"):
        save_mask(tmp_path / "d.tif", image, source=tmp_path / "missing.tif")
    assert not (tmp_path / "b.tif").exists() and not (tmp_path / "d.tif").exists()


def test_large_tiffs_are_big_tiffs(tmp_path, monkeypatch):
    mask = np.ones((300, 300), np.uint8)
    for limit, big in ((10**6, False), (10**4, True)):
        monkeypatch.setattr(mask_writer, "BIG_TIFF_BYTES", limit)
        save_mask(tmp_path / "a.tif", mask)
        with tifffile.TiffFile(tmp_path / "a.tif") as file:
            assert file.is_bigtiff is big


def test_ome_metadata(tmp_path):
    zarr = pytest.importorskip("zarr")
    mask = np.ones((600, 700), np.uint16)
    save_mask(tmp_path / "a.ome.tif", mask)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as file:
        assert file.is_ome and file.series[0].axes == "YX"
    save_mask(tmp_path / "a.ome.zarr", mask)
    group = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="r")
    assert group.attrs["multiscales"][0]["version"] == "0.4" and "image-label" in group.attrs
    assert group["0"].chunks == (512, 512)


def _older(path):
    """Something of value at a path, and how to see that it is still there."""
    save_mask(path, np.full((40, 50), 7, np.uint8))
    return lambda: np.testing.assert_array_equal(_read(path), np.full((40, 50), 7))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cancelling_keeps_the_older_file(suffix, tmp_path, monkeypatch):
    _skip_without_zarr(suffix)
    monkeypatch.setattr(mask_writer, "BLOCK_PIXELS", 100_000)
    path, asked = tmp_path / f"a.{suffix}", []
    still_there = _older(path)
    with pytest.raises(Cancelled, match=f"a.{suffix} was cancelled.*nothing"):
        save_mask(
            path,
            np.ones((2000, 1500), np.uint8),
            cancelled=lambda: asked.append(1) or len(asked) > 3,
        )
    still_there()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_keeps_the_older_file(suffix, tmp_path, file_size_limit):
    _skip_without_zarr(suffix)
    path = tmp_path / f"a.{suffix}"
    still_there = _older(path)
    noise = np.random.default_rng(0).integers(0, 2**16, (1500, 1500), dtype=np.uint16)
    with file_size_limit(300_000), pytest.raises(MaskError, match="File too large.*untouched"):
        save_mask(path, noise)
    still_there()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_mask_that_cannot_be_read_keeps_the_older_file(suffix, tmp_path):
    _skip_without_zarr(suffix)

    class Broken(Procedural):
        def __getitem__(self, box):
            if self.pixels > 0:
                raise RuntimeError("lost")
            return super().__getitem__(box)

    path = tmp_path / f"a.{suffix}"
    still_there = _older(path)
    with pytest.raises(RuntimeError, match="lost"):
        save_mask(path, Broken((20_000, 2000)))
    still_there()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(MaskError, match="No such file or directory"):
        save_mask(tmp_path / "no" / "a.png", np.ones((3, 3), bool))


@pytest.mark.parametrize(
    ("name", "mask", "words"),
    [
        ("a.jpg", np.ones((3, 3), bool), r"\.tif, \.tiff.*\.png, \.npy"),
        ("a", np.ones((3, 3), bool), "suffixes"),
        ("a.png", np.ones((3, 3, 3), bool), "one plane"),
        ("a.png", np.ones((0, 3), bool), "with pixels"),
        ("a.png", None, "array"),
        ("a.png", np.ones((3, 3), np.float32), "threshold"),
        ("a.png", np.ones((3, 3), np.int64), "astype"),
        ("a.png", np.full((3, 3), 70_000, np.uint32), "label 70000.*a.tif"),
    ],
)
def test_what_cannot_be_saved_is_a_sentence(name, mask, words, tmp_path):
    with pytest.raises(MaskError, match=words) as caught:
        save_mask(tmp_path / name, mask)
    assert str(caught.value).endswith(".") and list(tmp_path.iterdir()) == []


def test_nothing_else_is_replaced(tmp_path):
    mask = np.ones((30, 40), np.uint8)
    tifffile.imwrite(tmp_path / "image.tif", mask)
    with pytest.raises(MaskError, match="the image itself.*image_mask.tif"):
        save_mask(tmp_path / "image.tif", mask, source=tmp_path / "image.tif")
    (tmp_path / "work.zarr").mkdir()
    (tmp_path / "work.zarr" / "thesis.txt").write_text("all of it")
    for name in ("work.zarr", "work.png"):
        (tmp_path / name).mkdir(exist_ok=True)
        with pytest.raises(MaskError, match="folder"):
            save_mask(tmp_path / name, mask)
    assert (tmp_path / "work.zarr" / "thesis.txt").exists()
    (tmp_path / "file.zarr").write_text("x")
    with pytest.raises(MaskError, match="is a file"):
        save_mask(tmp_path / "file.zarr", mask)


def test_a_link_is_followed_and_permissions_are_kept(tmp_path):
    (tmp_path / "far").mkdir()
    real, link = tmp_path / "far" / "a.png", tmp_path / "a.png"
    save_mask(real, np.zeros((3, 3), bool))
    real.chmod(0o640)
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("no symbolic links here")
    save_mask(link, np.ones((3, 3), bool))
    assert link.is_symlink() and _read(real).all() and real.stat().st_mode & 0o777 == 0o640


def test_without_zarr_a_sentence_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(MaskError, match=r"napari-clickseg\[zarr\]"):
        save_mask(tmp_path / "a.zarr", np.ones((3, 3), bool))
    assert list(tmp_path.iterdir()) == []
