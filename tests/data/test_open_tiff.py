"""Opening TIFF files: every box of every level is what the whole array holds there."""

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_clickseg.data import tiff
from napari_clickseg.data.readers import ImageError, open_image, read_image
from napari_clickseg.geometry import Box

H, W = 150, 205
RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 255, (H, W, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65535, (H, W), dtype=np.uint16)
FLOATS = RNG.normal(size=(H, W)).astype(np.float32)
STACK = RNG.integers(0, 255, (4, 5, H, W), dtype=np.uint8)


@pytest.mark.parametrize("image", [RGB, GREY16, FLOATS], ids=["rgb", "uint16", "float32"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "zlib", "rowsperstrip": 7, "predictor": True},
        {"tile": (32, 48)},
        {"tile": (64, 64), "compression": "zlib"},
        {"bigtiff": True, "tile": (32, 32), "compression": "zlib"},
        {"byteorder": ">", "rowsperstrip": 16},
        {"byteorder": ">", "tile": (32, 32)},
    ],
    ids=str,
)
def test_tiffs_of_all_layouts(image, options, tmp_path, equal):
    if options.get("predictor") and image.dtype.kind == "f":
        options = {**options, "predictor": False}  # needs a codec
    tifffile.imwrite(
        tmp_path / "a.tif", image, photometric="rgb" if image.ndim == 3 else None, **options
    )
    equal(open_image(tmp_path / "a.tif"), image)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (64, 32)}], ids=str)
def test_colours_kept_apart_come_last(options, tmp_path, equal):
    planes = np.moveaxis(RGB, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate", **options
    )
    equal(open_image(tmp_path / "a.tif"), RGB)


@pytest.mark.parametrize("ome", [False, True])
@pytest.mark.parametrize("image", [RGB, GREY16], ids=["rgb", "uint16"])
def test_pyramids_of_sub_ifds(image, ome, tmp_path, equal):
    levels = [image, image[::2, ::2], image[::4, ::4]]
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    look = {"photometric": "rgb" if image.ndim == 3 else "minisblack", "tile": (32, 32)}
    with tifffile.TiffWriter(path, ome=ome, bigtiff=True) as writer:
        writer.write(image, subifds=2, compression="zlib", **look)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, compression="zlib", **look)
    equal(open_image(path), *levels)


def test_pyramids_of_further_pages(tmp_path, equal):
    levels = [RGB, RGB[::2, ::2], RGB[::4, ::4]]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for number, level in enumerate(levels):
            writer.write(
                level,
                photometric="rgb",
                tile=(32, 32),
                compression="zlib",
                subfiletype=int(number > 0),
                metadata=None,
            )
    equal(open_image(tmp_path / "a.tif"), *levels)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
@pytest.mark.parametrize("ome", [False, True])
def test_a_plane_of_a_tiff_stack(ome, options, tmp_path, equal):
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    tifffile.imwrite(path, STACK, metadata={"axes": "TZYX"}, photometric="minisblack", **options)
    equal(open_image(path, plane=(3, 1)), STACK[3, 1])
    with pytest.raises(ImageError, match=r"stack \(t of 4, z of 5\).*plane=\(0, 0\)"):
        open_image(path)
    with pytest.raises(ImageError, match="4 planes along t; there is no number 4"):
        open_image(path, plane=(4, 0))
    with pytest.raises(ImageError, match="whole number"):
        open_image(path, plane=("a", 0))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_a_channel_axis_of_three_is_colours(options, tmp_path, equal):
    stack = STACK[:, :3]
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, stack, metadata={"axes": "ZCYX"}, photometric="minisblack", **options)
    equal(open_image(path, plane=2), np.moveaxis(stack[2], 0, -1))
    equal(open_image(path, plane=(2, 1)), stack[2, 1])
    tifffile.imwrite(path, STACK[0], metadata={"axes": "CYX"}, photometric="minisblack", **options)
    equal(open_image(path, plane=4), STACK[0, 4])


def test_a_plane_of_an_imagej_hyperstack(tmp_path, equal):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK[:, :, None], imagej=True, metadata={"axes": "TZCYX"})
    equal(open_image(path, plane=(1, 4)), STACK[1, 4])


def test_bands_beyond_colours_are_chosen(tmp_path, equal):
    bands = RNG.integers(0, 9, (H, W, 6), dtype=np.uint8)
    options = {"photometric": "minisblack", "planarconfig": "contig", "tile": (64, 64)}
    tifffile.imwrite(tmp_path / "a.tif", bands, **options)
    equal(open_image(tmp_path / "a.tif", plane=5), bands[..., 5])
    with pytest.raises(ImageError, match="s of 6"):
        open_image(tmp_path / "a.tif")


def test_grey_with_alpha_is_grey(tmp_path, equal):
    image = np.stack([RGB[..., 0], RGB[..., 1]], axis=-1)
    tifffile.imwrite(
        tmp_path / "a.tif",
        image,
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unassalpha"],
    )
    equal(open_image(tmp_path / "a.tif"), image[..., 0])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_palettes_and_bilevel_tiffs(compression, tmp_path, equal):
    colours = np.zeros((3, 256), np.uint16)
    colours[:, :2] = [[65535, 0], [0, 0], [0, 65535]]
    number = (RGB[..., 0] % 2).astype(np.uint8)
    look = {"photometric": "palette", "colormap": colours, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", number, **look)
    equal(open_image(tmp_path / "a.tif"), (colours.T[number] >> 8).astype(np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", number.astype(bool), rowsperstrip=10)
    equal(open_image(tmp_path / "b.tif"), number.astype(bool))


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB"])
def test_other_colour_models_read_alike_both_ways(mode, tmp_path, equal):
    Image.fromarray(RGB).convert(mode).save(tmp_path / "a.tif")
    whole = read_image(tmp_path / "a.tif")
    equal(open_image(tmp_path / "a.tif"), whole)


def test_tiles_left_out_of_a_sparse_tiff_are_zero(tmp_path, equal):
    path = tmp_path / "a.tif"
    image = np.full((128, 128), 9, np.uint8)
    image[:64, 64:] = 0

    def tiles():
        for i in (0, 64):
            for j in (0, 64):
                tile = image[i : i + 64, j : j + 64]
                yield tile if tile.any() else None

    tifffile.imwrite(
        path, tiles(), shape=image.shape, dtype=np.uint8, tile=(64, 64), compression="zlib"
    )
    with tifffile.TiffFile(path) as file:
        assert 0 in file.pages.first.databytecounts
    equal(open_image(path), image)


def test_only_the_tiles_of_a_box_are_decoded(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    image = np.zeros((1024, 1024, 3), np.uint8)
    tifffile.imwrite(path, image, tile=(64, 64), compression="zlib", photometric="rgb")
    reader, asked = open_image(path), []
    decode = tiff._Page._segment
    monkeypatch.setattr(tiff._Page, "_segment", lambda s, n: asked.append(n) or decode(s, n))
    reader.read(Box(70, 130, 100, 200))
    assert asked == [16 + 2, 16 + 3]


def test_decoded_tiles_are_kept_within_bounds(tmp_path, monkeypatch, equal):
    monkeypatch.setattr(tiff, "KEPT_BYTES", 3 * 64 * 64)
    tifffile.imwrite(tmp_path / "a.tif", GREY16 >> 8, tile=(64, 64), compression="zlib")
    kept = tiff._Kept()
    monkeypatch.setattr(tiff, "_Kept", lambda: kept)
    equal(open_image(tmp_path / "a.tif"), GREY16 >> 8)
    assert 0 < kept._bytes <= 3 * 64 * 64
    assert kept._bytes == sum(segment[0].nbytes for segment in kept._segments.values())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_box_of_any_tiff(data, tmp_path):
    height, width = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    image = RNG.integers(0, 255, (height, width, 3), dtype=np.uint8)
    options = data.draw(
        st.sampled_from([{"tile": (16, 32)}, {"rowsperstrip": 5}, {"rowsperstrip": 1000}])
    )
    packed = data.draw(st.sampled_from([None, "zlib"]))
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", compression=packed, **options)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    box = Box(top, left, data.draw(st.integers(top, 100)), data.draw(st.integers(left, 100)))
    np.testing.assert_array_equal(
        open_image(tmp_path / "a.tif").read(box), image[box.clip(image.shape).slices]
    )


TURNED = {  # by the tag's value: what a stored picture looks like
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def _with_orientation(path, image, code, **options):
    tag = (274, 3, 1, code, True)
    tifffile.imwrite(path, image, extratags=[tag], **options)
    return TURNED[code](image)


@pytest.mark.parametrize("code", TURNED)
@pytest.mark.parametrize(
    "options",
    [{}, {"tile": (32, 48)}, {"compression": "zlib", "rowsperstrip": 20}],
    ids=["plain", "tiles", "strips"],
)
@pytest.mark.parametrize("image", [RGB, GREY16], ids=["rgb", "uint16"])
def test_the_orientation_tag_is_honoured(image, options, code, tmp_path, equal):
    more = {"photometric": "rgb" if image.ndim == 3 else "minisblack", **options}
    seen = _with_orientation(tmp_path / "a.tif", image, code, **more)
    equal(open_image(tmp_path / "a.tif"), np.ascontiguousarray(seen))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), seen)


def test_levels_and_planes_are_turned_too(tmp_path, equal):
    stack = np.stack([GREY16, GREY16[::-1]])
    _with_orientation(tmp_path / "a.tif", stack, 6, photometric="minisblack")
    equal(open_image(tmp_path / "a.tif", plane=1), np.rot90(GREY16[::-1], -1))
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        tag = (274, 3, 1, 8, True)
        file.write(GREY16, tile=(32, 32), subifds=1, extratags=[tag])
        file.write(GREY16[::2, ::2], tile=(32, 32), subfiletype=1)
    equal(open_image(tmp_path / "b.tif"), np.rot90(GREY16), np.rot90(GREY16[::2, ::2]))


def test_colour_models_that_pillow_converts_are_turned_once(tmp_path):
    image = Image.fromarray(RGB).convert("LAB")
    image.save(tmp_path / "a.tif")
    image.save(tmp_path / "b.tif", tiffinfo={274: 6})
    upright, turned = (read_image(tmp_path / name) for name in ("a.tif", "b.tif"))
    np.testing.assert_array_equal(turned, np.rot90(upright, -1))
    reader = open_image(tmp_path / "b.tif")
    np.testing.assert_array_equal(reader.read(Box.of_shape(reader.shape)), turned)


def test_an_orientation_that_is_none_is_left_alone(tmp_path, equal):
    tifffile.imwrite(tmp_path / "a.tif", GREY16, extratags=[(274, 3, 1, 0, True)])
    equal(open_image(tmp_path / "a.tif"), GREY16)
