"""Masks of stacks: files that are read plane by plane, and written again."""

import numpy as np
import pytest
import tifffile

from napari_clickseg.data.datasets.label_stacks import LabelStack
from napari_clickseg.data.mask_writer import MaskError
from napari_clickseg.data.pixel_size import PixelSize
from napari_clickseg.data.plane_spacing import plane_spacing
from napari_clickseg.data.scenes import DatasetError
from napari_clickseg.data.stack_writer import save_stack


@pytest.fixture
def stack():
    return np.random.default_rng(3).integers(0, 900, (2, 3, 300, 270), np.uint16)


def written(path, stack, *args):
    save_stack(path, stack.reshape(-1, *stack.shape[-2:]), stack.shape, stack.dtype, *args)
    return path


def all_planes(path, shape):
    masks = LabelStack.open(path)
    return np.stack([masks.read(index) for index in masks.indices]).reshape(shape)


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".npy", ".zarr"])
@pytest.mark.parametrize("axes", [(), ("t", "z"), ("z", "t"), ("z", "z"), ("i", "q")])
def test_what_is_written_is_read_plane_by_plane(tmp_path, stack, suffix, axes):
    if suffix == ".zarr":
        pytest.importorskip("zarr")
    path = written(tmp_path / f"a{suffix}", stack, axes)
    masks = LabelStack.open(path)
    assert [length for _, length in masks.axes] == [2, 3]
    assert np.array_equal(all_planes(path, stack.shape), stack)
    if suffix != ".npy" and axes in (("t", "z"), ("z", "t")):
        assert tuple(name for name, _ in masks.axes) == axes


def test_sizes_and_distances_are_written(tmp_path, stack):
    size = PixelSize(0.2, 0.1, "µm")
    spacing = {"PhysicalSizeZ": 0.7, "PhysicalSizeZUnit": "µm", "TimeIncrement": 5.0}
    path = written(tmp_path / "a.tif", stack, ("t", "z"), size, spacing)
    assert PixelSize.of_tiff(path) == size
    assert plane_spacing(path) == spacing
    plain = written(tmp_path / "b.tif", stack, (), size)
    assert PixelSize.of_tiff(plain).metres == pytest.approx((2e-7, 1e-7), rel=1e-3)


def test_distances_of_imagej(tmp_path, stack):
    metadata = {"axes": "TZYX", "spacing": 0.5, "unit": "micron", "finterval": 2.5}
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata=metadata)
    assert plane_spacing(tmp_path / "a.tif") == {
        "PhysicalSizeZ": 0.5,
        "PhysicalSizeZUnit": "µm",
        "TimeIncrement": 2.5,
        "TimeIncrementUnit": "s",
    }
    assert np.array_equal(all_planes(tmp_path / "a.tif", stack.shape), stack)
    np.save(tmp_path / "a.npy", stack)
    assert plane_spacing(tmp_path / "a.npy") == {}


@pytest.mark.parametrize("planes", [(3,), (4,), (2, 3)])
def test_planes_written_as_if_they_were_colours(tmp_path, stack, planes):
    labels = np.resize(stack, (*planes, 30, 40))
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="rgb", planarconfig="separate")
    assert LabelStack.open(tmp_path / "a.tif").names[-3] == "s"
    assert np.array_equal(all_planes(tmp_path / "a.tif", labels.shape), labels)


def test_an_older_file_stays_if_the_planes_end_in_an_error(tmp_path, stack):
    path = written(tmp_path / "a.tif", stack)
    before = path.read_bytes()

    def planes():
        yield stack[0, 0]
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        save_stack(path, planes(), stack.shape, stack.dtype)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_other_suffixes_and_colours_are_refused(tmp_path, stack):
    with pytest.raises(MaskError, match=r"cannot be saved as a\.png"):
        written(tmp_path / "a.png", stack)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 40, 40, 3), np.uint8), photometric="rgb")
    with pytest.raises(DatasetError, match="save it without colours"):
        LabelStack.open(tmp_path / "a.tif")
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="is a picture, and the image a stack"):
        LabelStack.open(tmp_path / "b.png")


def test_damaged_files_are_told(tmp_path):
    for name in ("a.tif", "a.npy"):
        (tmp_path / name).write_bytes(b"no stack at all")
        with pytest.raises(ValueError, match="cannot be read"):
            LabelStack.open(tmp_path / name)
