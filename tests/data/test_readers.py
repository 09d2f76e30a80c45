import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_clickseg.data.arrays import STRIDED_PIXELS
from napari_clickseg.data.readers import (
    ArrayReader,
    ImageError,
    ImageReader,
    as_reader,
    read_image,
)
from napari_clickseg.geometry import Box

BOX = Box(30, 40, 75, 99)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (150, 200, 3), dtype=np.uint8)


def _numpy(image, folder):
    return image


def _memmap(image, folder):
    np.save(folder / "image.npy", image)
    return np.load(folder / "image.npy", mmap_mode="r")


def _dask(image, folder):
    return pytest.importorskip("dask.array").from_array(image, chunks=64)


def _zarr(image, folder):
    zarr = pytest.importorskip("zarr")
    return zarr.create_array(store=str(folder / "image.zarr"), data=image, chunks=(64, 64, 3))


@pytest.mark.parametrize("make", [_numpy, _memmap, _dask, _zarr])
def test_all_kinds_of_arrays_read_alike(make, image, tmp_path):
    reader = as_reader(make(image, tmp_path))
    assert isinstance(reader, ImageReader)
    assert (reader.shape, reader.dtype, reader.levels) == (image.shape, image.dtype, ((150, 200),))
    patch = reader.read(BOX)
    assert type(patch) is np.ndarray
    np.testing.assert_array_equal(patch, image[BOX.slices])


def test_a_reader_is_taken_as_it_is(image):
    reader = as_reader(image)
    assert as_reader(reader) is reader


def test_a_list_of_levels_is_one_image(image):
    da = pytest.importorskip("dask.array")
    reader = as_reader([da.from_array(image), image[::2, ::2], image[::4, ::4]])
    assert reader.levels == ((150, 200), (75, 100), (38, 50))
    np.testing.assert_array_equal(reader.read(Box(3, 4, 9, 20), 1), image[::2, ::2][3:9, 4:20])


def test_levels_must_belong_together(image):
    with pytest.raises(ImageError, match="channels"):
        as_reader([image, image[::2, ::2, 0]])
    with pytest.raises(ImageError, match="full resolution"):
        as_reader([image[::2, ::2], image])


def test_large_numpy_arrays_offer_strided_levels_without_copies():
    image = np.zeros((2048, 4096), np.uint8)
    assert image.size > STRIDED_PIXELS
    image[1024, 2048] = 7
    reader = as_reader(image)
    assert reader.levels == ((2048, 4096), (1024, 2048))
    level = reader.read(Box(0, 0, 1024, 2048), 1)
    assert np.shares_memory(level, image)
    assert level[512, 1024] == 7


def test_only_slices_become_numpy_arrays():
    class Lazy:
        shape, dtype = (10**6, 10**6), np.dtype(np.uint16)

        def __getitem__(self, index):
            rows, cols = (range(*part.indices(10**6)) for part in index)
            return np.add.outer(np.array(rows), np.array(cols)).astype(self.dtype)

        def __array__(self, *args, **kwargs):
            raise AssertionError("the whole image was asked for")

    patch = as_reader(Lazy()).read(Box(500, 100, 510, 120))
    assert patch.shape == (10, 20) and patch[0, 0] == 600


def test_a_box_beyond_the_image_is_cut(image):
    assert as_reader(image).read(Box(-5, 190, 10, 300)).shape == (10, 10, 3)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((4, 5), complex), "magnitude"),
        (np.zeros((4, 5), object), "number per pixel"),
        (np.full((4, 5), "a"), "number per pixel"),
        (np.zeros(5), "2 axes"),
        (np.zeros((2, 3, 4, 3)), "one plane"),
        (np.zeros((0, 5)), "empty"),
        (np.zeros((4, 5, 2)), "2 channels"),
        (np.zeros((4, 5, 5)), "5 channels"),
        ("image.png", "cannot be opened"),
        (None, "number per pixel"),
        ([[1, 2], [3]], "not an image"),
    ],
)
def test_what_cannot_be_an_image_is_refused_with_a_sentence(bad, words):
    with pytest.raises(ImageError, match=words):
        as_reader(bad)


def test_nested_lists_are_images():
    assert as_reader([[1, 2], [3, 4]]).shape == (2, 2)


def test_array_reader_takes_every_real_dtype():
    for kind in (bool, np.uint8, np.int16, ">u2", np.uint32, np.int64, np.float16, np.float64):
        assert ArrayReader([np.zeros((3, 4), kind)]).dtype == np.dtype(kind)


# ------------------------------------------------------------------------------- files


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "npy"])
def test_lossless_files_come_back(suffix, image, tmp_path):
    path = tmp_path / f"image.{suffix}"
    if suffix == "npy":
        np.save(path, image)
    elif suffix == "tif":
        tifffile.imwrite(path, image, compression="zlib", photometric="rgb")
    else:
        Image.fromarray(image).save(path)
    np.testing.assert_array_equal(read_image(path), image)
    np.testing.assert_array_equal(read_image(str(path)), image)


def test_jpeg(image, tmp_path):
    smooth = np.tile(np.arange(200, dtype=np.uint8), (150, 1))
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    read = read_image(tmp_path / "a.jpg")
    assert read.shape == (150, 200) and np.abs(read.astype(int) - smooth).max() < 6


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, bool])
def test_files_keep_their_dtype(dtype, tmp_path):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    if dtype != np.float32:
        Image.fromarray(array).save(tmp_path / "a.png")
        read = read_image(tmp_path / "a.png")
        assert read.dtype == dtype
        np.testing.assert_array_equal(read, array)
    tifffile.imwrite(tmp_path / "a.tif", array)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), array)


def test_colours_of_a_planar_tiff_come_last(image, tmp_path):
    path = tmp_path / "planar.tif"
    planes = np.moveaxis(image, -1, 0)
    tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(path), image)


def test_a_palette_becomes_colours(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), mode=None).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0].tolist() == [[255, 0, 0], [0, 0, 255]]


def test_a_palette_tiff_becomes_colours(tmp_path):
    colours = np.zeros((3, 256), np.uint16)
    colours[:, :2] = [[65535, 0], [0, 0], [0, 65535]]
    image = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="palette", colormap=colours)
    read = read_image(tmp_path / "a.tif")
    assert read.shape == (2, 3, 3) and read[0].tolist() == [[255, 0, 0], *[[0, 0, 255]] * 2]
    pages = np.stack([image, image])
    tifffile.imwrite(tmp_path / "b.tif", pages, photometric="palette", colormap=colours)
    with pytest.raises(ImageError, match="2 pages in the colour model PALETTE"):
        read_image(tmp_path / "b.tif")


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "RGB"])
def test_other_colour_models_in_a_tiff_become_colours(mode, tmp_path):
    image = Image.fromarray(np.full((8, 9, 3), (250, 40, 90), np.uint8)).convert(mode)
    image.save(tmp_path / "a.tif")
    read = read_image(tmp_path / "a.tif")
    assert read.shape == (8, 9, 3)
    assert np.abs(read[0, 0].astype(int) - (250, 40, 90)).max() <= 4


def _missing(path, image):
    pass


def _empty(path, image):
    path.write_bytes(b"")


def _text(path, image):
    path.write_text("this is no image at all")


def _folder(path, image):
    path.mkdir()


def _pickle(path, image):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    path.with_suffix(path.suffix + ".npy").rename(path)


def _half(write):
    def make(path, image):
        write(path, image)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return make


def _png(path, image):
    Image.fromarray(image).save(path, format="png")


def _jpeg(path, image):
    Image.fromarray(image).save(path, format="jpeg")


def _tiff(path, image):
    tifffile.imwrite(path, image, photometric="rgb")


def _zlib_tiff(path, image):
    tifffile.imwrite(path, image, photometric="rgb", compression="zlib", rowsperstrip=16)


def _npy(path, image):
    with path.open("wb") as file:
        np.save(file, image)


@pytest.mark.parametrize(
    "make",
    [
        _missing,
        _empty,
        _text,
        _folder,
        _pickle,
        *map(_half, (_png, _jpeg, _tiff, _zlib_tiff, _npy)),
    ],
)
def test_a_bad_file_is_one_sentence(make, image, tmp_path):
    path = tmp_path / "photo.img"
    make(path, image)
    with pytest.raises(ImageError) as caught:
        read_image(path)
    text = str(caught.value)
    assert "photo.img" in text and "\n" not in text and text.endswith(".")
