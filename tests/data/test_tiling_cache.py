"""Pictures without random access are tiled once into the cache, with averaged levels."""

import os
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_clickseg.cancel import Cancelled
from napari_clickseg.data import pictures, pyramid_cache, readers, tiff
from napari_clickseg.data.pyramid_cache import cached_levels
from napari_clickseg.data.readers import ImageError, open_image
from napari_clickseg.geometry import Box

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own, used for everything; bands of few rows."""
    monkeypatch.setenv("CLICKSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(readers, "WHOLE_BYTES", 0)
    monkeypatch.setattr(pyramid_cache, "BAND_PIXELS", 20_000)
    return tmp_path / "cache" / "pyramids"


@pytest.fixture
def image():
    return RNG.integers(0, 255, (1031, 1203, 3), dtype=np.uint8)


@pytest.fixture
def picture(image, tmp_path):
    Image.fromarray(image).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def _half(image):
    """Means of 2 x 2 pixels, rounded; the last row and column stand for the missing ones."""
    wide = np.pad(image.astype(float), [(0, n % 2) for n in image.shape[:2]] + [(0, 0)], "edge")
    mean = (wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]) / 4
    return np.floor(mean + 0.5).astype(image.dtype)


def _whole(reader, level=0):
    return reader.read(Box.of_shape(reader.levels[level]), level)


def test_a_picture_gets_averaged_levels(picture, image, cache):
    reader = open_image(picture)
    assert reader.levels == ((1031, 1203), (516, 602), (258, 301))
    level = image
    for number in range(3):
        np.testing.assert_array_equal(_whole(reader, number), level)
        level = _half(level)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("dtype", [bool, np.uint16, np.int32, np.float32, np.float64])
def test_levels_of_all_dtypes_are_means(dtype, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")
    image = (RNG.random((600, 555)) * 200 - (0 if dtype in (bool, np.uint16) else 90)).astype(dtype)
    full, half = cached_levels(image, path)
    np.testing.assert_array_equal(full, image)
    assert half.dtype == image.dtype and half.shape == (300, 278)
    expected = image[::2, :-1:2][:, :277].astype(float)
    expected = sum(image[i::2, j:554:2].astype(float) for i in (0, 1) for j in (0, 1)) / 4
    assert np.abs(half[:, :277].astype(float) - expected).max() <= 0.5


def test_it_is_made_once_and_again_when_the_file_changes(picture, image, cache, monkeypatch):
    decoded = []
    load = pictures._open
    monkeypatch.setattr(pictures, "_open", lambda path: decoded.append(1) or load(path))
    progress = []
    open_image(picture, progress=progress.append)
    assert progress == sorted(progress) and progress[-1] == 1 and len(progress) > 10
    first, count = list(cache.iterdir()), len(decoded)
    again = []
    reader = open_image(picture, progress=again.append)
    np.testing.assert_array_equal(_whole(reader), image)
    assert again == [] and len(decoded) == count + 1  # its header only
    Image.fromarray(255 - image).save(picture)
    os.utime(picture, ns=(1, 1))
    np.testing.assert_array_equal(_whole(open_image(picture)), 255 - image)
    second = list(cache.iterdir())
    assert len(second) == 1 and second != first  # the older state is deleted


def test_cancelling_leaves_nothing(picture, image, cache):
    asked = []
    with pytest.raises(Cancelled, match="a.png was cancelled"):
        open_image(picture, cancelled=lambda: asked.append(1) or len(asked) > 5)
    assert list(cache.iterdir()) == []
    np.testing.assert_array_equal(_whole(open_image(picture)), image)


def test_a_damaged_entry_is_made_again(picture, image, cache):
    open_image(picture)
    (entry,) = cache.iterdir()
    (entry / "0.npy").write_bytes((entry / "0.npy").read_bytes()[:5000])
    np.testing.assert_array_equal(_whole(open_image(picture)), image)
    (entry / "2.npy").unlink()
    assert len(open_image(picture).levels) == 3


def test_a_truncated_picture_leaves_nothing(picture, cache):
    picture.write_bytes(picture.read_bytes()[:100_000])
    with pytest.raises(ImageError, match="a.png cannot be read"):
        open_image(picture)
    assert list(cache.rglob("*")) == []


def test_a_full_disk_and_a_cache_that_is_no_folder(picture, cache, monkeypatch, tmp_path):
    usage = pyramid_cache.shutil.disk_usage(tmp_path)._replace(free=10**6)
    monkeypatch.setattr(pyramid_cache.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ImageError, match=r"1 MB are free.*CLICKSEG_CACHE"):
        open_image(picture)
    assert list(cache.iterdir()) == []
    monkeypatch.setenv("CLICKSEG_CACHE", str(picture))
    with pytest.raises(ImageError, match="cannot be written.*CLICKSEG_CACHE"):
        open_image(picture)


def test_a_disk_that_fills_up_on_the_way(picture, cache, file_size_limit):
    with file_size_limit(200_000), pytest.raises(ImageError, match="too large.*CLICKSEG_CACHE"):
        open_image(picture)
    assert list(cache.iterdir()) == []


def test_old_entries_make_room(image, tmp_path, cache, monkeypatch):
    monkeypatch.setattr(pyramid_cache, "CACHE_BYTES", 2.5 * image.nbytes * 4 / 3)
    for number in range(3):
        path = tmp_path / f"{number}.png"
        Image.fromarray(image).save(path)
        open_image(path)
        for age, entry in enumerate(sorted(cache.iterdir(), key=lambda e: e.stat().st_mtime)):
            os.utime(entry, (1e9 + number * 10 + age, 1e9 + number * 10 + age))
    assert len(list(cache.iterdir())) == 2
    progress = []
    open_image(tmp_path / "2.png", progress=progress.append)
    assert progress == []  # the newest ones were kept


def test_abandoned_parts_are_cleared(picture, cache):
    cache.mkdir(parents=True)
    old, fresh = cache / "a.1.part", cache / "b.2.part"
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (time.time() - 10**6,) * 2)
    open_image(picture)
    assert not old.exists() and fresh.exists()


def test_a_tiff_of_one_compressed_strip_is_tiled(image, tmp_path, cache, monkeypatch):
    monkeypatch.setattr(tiff, "SEGMENT_BYTES", 100_000)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, image, photometric="rgb", compression="zlib", rowsperstrip=2000)
    reader = open_image(path)
    np.testing.assert_array_equal(_whole(reader), image)
    np.testing.assert_array_equal(_whole(reader, 1), _half(image))
    assert len(list(cache.iterdir())) == 1


def test_large_tiled_tiffs_get_their_coarser_levels_only(image, tmp_path, cache, monkeypatch):
    monkeypatch.setattr(readers, "OVERVIEW_PIXELS", 10**6)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, image, photometric="rgb", compression="zlib", tile=(128, 128))
    for _ in range(2):
        reader = open_image(path)
        np.testing.assert_array_equal(_whole(reader), image)
        np.testing.assert_array_equal(_whole(reader, 2), _half(_half(image)))
    (entry,) = cache.iterdir()
    assert sorted(file.name for file in entry.iterdir()) == ["1.npy", "2.npy"]


def test_planes_of_one_file_have_entries_of_their_own(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(readers, "OVERVIEW_PIXELS", 1000)
    stack = RNG.integers(0, 255, (2, 600, 600), dtype=np.uint8)
    options = {"metadata": {"axes": "ZYX"}, "compression": "zlib", "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.tif", stack, **options)
    for number in (0, 1, 0):
        reader = open_image(tmp_path / "a.tif", plane=number)
        np.testing.assert_array_equal(_whole(reader, 1), _half(stack[number][..., None])[..., 0])
    assert len(list(cache.iterdir())) == 2


def test_without_the_variable_the_users_cache_is_used(monkeypatch):
    pooch = pytest.importorskip("pooch")
    monkeypatch.delenv("CLICKSEG_CACHE")
    assert pyramid_cache.cache_folder().parent == pooch.os_cache("napari-clickseg")
