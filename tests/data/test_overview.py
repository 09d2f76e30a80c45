"""Large arrays without levels get a coarser one, made where it is looked at."""

import numpy as np
import pytest

from napari_clickseg.data import arrays, overview, readers
from napari_clickseg.data.overview import Overview
from napari_clickseg.data.readers import as_reader, open_image
from napari_clickseg.engine.views import CentreView
from napari_clickseg.geometry import Box


class Counted:
    """An array that notes what is read of it."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.read = array, array.shape, array.dtype, []

    def __getitem__(self, box):
        self.read.append(Box(box[0].start, box[1].start, box[0].stop, box[1].stop))
        return self.array[box]


def smooth(height, width, *channels, dtype=np.uint8):
    rows, cols = np.ogrid[:height, :width]
    ramp = 100 + 60 * np.sin(rows / 37) + 60 * np.cos(cols / 53)
    return np.broadcast_to(ramp[(..., *[None] * len(channels))], (height, width, *channels)).astype(
        dtype
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(2100, 1303), (1025, 2049, 3)])
def test_its_pixels_are_means_of_blocks(shape, dtype):
    image = smooth(*shape, dtype=dtype)
    level = Overview(image)
    assert level.step == 4 and level.shape[:2] == (-(-shape[0] // 4), -(-shape[1] // 4))
    whole = level[0 : level.shape[0], 0 : level.shape[1]]
    assert whole.dtype == dtype and whole.shape == level.shape
    rows, cols = shape[0] // 4, shape[1] // 4
    blocks = image[: 4 * rows, : 4 * cols].reshape(rows, 4, cols, 4, *shape[2:])
    wanted = blocks.mean(axis=(1, 3), dtype=np.float64)
    assert np.abs(whole[:rows, :cols] - wanted).max() <= 1
    np.testing.assert_array_equal(level[250:300, 200:270], whole[250:300, 200:270])


def test_what_is_not_looked_at_is_not_read_and_nothing_twice():
    source = Counted(smooth(5000, 5000))
    level = Overview(source)
    for _ in range(2):
        level[300:500, 260:400]
    assert source.read == [Box(1024, 1024, 2048, 2048)]
    level[:, :]
    assert len(source.read) == len(set(source.read)) == 25


def test_huge_images_get_a_coarser_one(monkeypatch):
    monkeypatch.setattr(overview, "MOST_PIXELS", 10_000)
    level = Overview(smooth(3000, 2000))
    assert level.step == 32 and level.shape == (94, 63)


def test_large_lazy_arrays_are_looked_at_through_it(monkeypatch):
    monkeypatch.setattr(arrays, "OVERVIEW_PIXELS", 10**6)
    image = smooth(3000, 3000)
    reader = as_reader(Counted(image))
    assert reader.levels == ((3000, 3000), (750, 750))
    view = CentreView(Box(0, 0, 3000, 3000), (96, 96))
    for _ in range(2):
        seen = view.read_image(reader, (0, 255))[0, 0].numpy()
    wanted = view.read_image(as_reader(np.array(image)), (0, 255))[0, 0].numpy()
    assert np.abs(seen - wanted).max() < 0.03
    read = reader._arrays[0].read
    assert len(read) == len(set(read)) == 9
    assert len(as_reader(Counted(image[:900, :900])).levels) == 1


def test_dask_and_zarr_arrays_get_one(monkeypatch, tmp_path):
    da, zarr = pytest.importorskip("dask.array"), pytest.importorskip("zarr")
    monkeypatch.setattr(arrays, "OVERVIEW_PIXELS", 10**6)
    image = smooth(1200, 1500, 3)
    store = zarr.create_array(store=str(tmp_path / "a.zarr"), data=image, chunks=(400, 400, 3))
    for lazy in (da.from_array(image, chunks=(300, 700, 3)), store):
        reader = as_reader(lazy)
        assert reader.levels == ((1200, 1500), (300, 375))
        wanted = Overview(image)[0:300, 0:375]
        np.testing.assert_array_equal(reader.read(Box(0, 0, 300, 375), 1), wanted)


def test_large_zarr_folders_get_their_coarser_levels_once(monkeypatch, tmp_path):
    zarr = pytest.importorskip("zarr")
    monkeypatch.setenv("CLICKSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(readers, "OVERVIEW_PIXELS", 10**6)
    image, path = smooth(1300, 1100), tmp_path / "a.zarr"
    store = zarr.create_array(store=str(path), data=image, chunks=(128, 256))
    told = []
    reader = open_image(path, progress=told.append)
    assert reader.levels == ((1300, 1100), (650, 550), (325, 275)) and told[-1] == 1
    mean = image.reshape(650, 2, 550, 2).mean(axis=(1, 3))
    assert np.abs(reader.read(Box(0, 0, 650, 550), 1) - mean).max() <= 1
    told.clear()
    open_image(path, progress=told.append)
    assert not told
    store[:, :] = 255 - image  # another state of the same folder
    again = open_image(path, progress=told.append)
    assert told and np.abs(again.read(Box(0, 0, 650, 550), 1) - (255 - mean)).max() <= 1
