import csv
import math

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_clickseg.data.exports.errors import ExportError
from napari_clickseg.data.exports.measurements import measure, write_measurements
from napari_clickseg.data.exports.picture import write_picture
from napari_clickseg.data.exports.tables import write_classes
from napari_clickseg.data.mask_writer import save_mask
from napari_clickseg.data.pixel_size import PixelSize
from napari_clickseg.data.readers import as_reader


@pytest.fixture
def labels():
    """(100, 140): a disk of radius 20 at (40, 50) and a bar of 10 x 60."""
    labels = np.zeros((100, 140), np.uint16)
    row, col = np.mgrid[:100, :140]
    labels[np.hypot(row - 40, col - 50) < 20] = 2
    labels[80:90, 70:130] = 900
    return labels


def rows_of(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_shapes_are_measured_in_pixels_and_in_the_unit(labels):
    disk, bar = rows_of(measure(labels, classes={2: "cell"}, pixel_size=PixelSize(0.5, 0.5, "µm")))
    assert (disk["id"], disk["class"], bar["id"], bar["class"]) == (2, "cell", 900, "")
    assert disk["area_px"] == (labels == 2).sum() and bar["area_px"] == 600
    assert disk["perimeter_px"] == pytest.approx(2 * math.pi * 20, rel=0.05)
    assert (disk["centroid_row"], disk["centroid_col"]) == pytest.approx((40, 50))
    assert [bar[side] for side in ("top", "left", "bottom", "right")] == [80, 70, 90, 130]
    assert disk["eccentricity"] < 0.1 < 0.9 < bar["eccentricity"]
    assert abs(bar["orientation"]) == pytest.approx(90)
    assert bar["area_um2"] == 150 and bar["width_um"] == 30 and bar["height_um"] == 5
    assert disk["perimeter_um"] == disk["perimeter_px"] / 2
    assert (disk["centroid_y_um"], disk["centroid_x_um"]) == pytest.approx((20, 25))


def test_pixels_that_are_not_square_stretch_the_outline(labels):
    (_, bar) = rows_of(measure(labels, pixel_size=PixelSize(2, 1, "mm")))
    assert bar["area_mm2"] == 1200
    assert bar["perimeter_mm"] / bar["perimeter_px"] == pytest.approx(160 / 140, rel=0.02)


def test_intensities_are_of_the_object_in_every_channel(labels):
    image = np.zeros((100, 140, 3), np.uint16)
    image[labels == 2] = (10, 200, 3000)
    image[40, 50, 0] = 500
    disk, bar = rows_of(measure(labels, image))
    assert disk["intensity_max_red"] == 500 and disk["intensity_min_red"] == 10
    assert disk["intensity_mean_green"] == 200 and disk["intensity_std_blue"] == 0
    assert bar["intensity_max_blue"] == 0
    grey = image[..., 0].astype(float)
    grey[41, 50] = np.nan
    (disk, _) = rows_of(measure(labels, grey))
    area = disk["area_px"] - 1
    assert disk["intensity_mean"] == pytest.approx((10 * (area - 1) + 500) / area)
    assert (
        rows_of(measure(labels, as_reader(image), channels=("a", "b", "c")))[0]["intensity_mean_b"]
        == 200
    )
    with pytest.raises(ExportError, match="100 x 140.*the image has the shape"):
        measure(labels, image[:50])


def test_the_table_is_a_csv_file(labels, tmp_path):
    path = tmp_path / "objects.csv"
    write_measurements(path, measure(labels, classes={2: "=cmd()", 900: 'a "b", ü'}))
    with path.open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["class"] == "'=cmd()" and second["class"] == 'a "b", ü'
    assert int(second["area_px"]) == 600 and float(second["centroid_row"]) == 84.5
    write_measurements(path, measure(labels * 0))
    assert path.read_text(encoding="utf-8-sig").split() == ["id,class,area_px"]


def test_the_class_table_names_every_object(labels, tmp_path):
    path = tmp_path / "classes.csv"
    assert write_classes(path, labels, {2: "cell"}, {"cell": "#ff0000"}) == 2
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines == [
        "id,class,colour,area_px",
        f"2,cell,#ff0000,{(labels == 2).sum()}",
        "900,,,600",
    ]


def test_large_and_lazy_labels_are_read_in_parts():
    class Lazy:
        shape, dtype, largest = (20_000, 10_000), np.dtype(np.uint32), 0

        def __getitem__(self, index):
            rows, cols = (s.indices(n) for s, n in zip(index, self.shape, strict=True))
            part = np.zeros((rows[1] - rows[0], cols[1] - cols[0]), np.uint32)
            self.largest = max(self.largest, part.size)
            for label, top, left in ((5, 130, 9_000), (2**32 - 1, 19_990, 9_980)):
                inside = [
                    slice(max(0, a - b), max(0, a + 10 - b))
                    for a, b in ((top, rows[0]), (left, cols[0]))
                ]
                part[tuple(inside)] = label
            return part

    lazy = Lazy()
    table = rows_of(measure(lazy))
    assert [(row["id"], row["area_px"], row["top"]) for row in table] == [
        *((5, 100, 130), (2**32 - 1, 100, 19_990)),
    ]
    assert lazy.largest <= 2**22


def test_a_picture_shows_every_label_in_a_colour_of_its_own(labels, tmp_path):
    path = tmp_path / "look.png"
    assert write_picture(path, labels) == 1
    seen = np.asarray(Image.open(path))
    colours = {tuple(seen[labels == label][0].tolist()) for label in (0, 2, 900)}
    assert len(colours) == 3 and (0, 0, 0) in colours and seen.shape == (100, 140, 3)
    write_picture(path, labels == 2)
    assert np.asarray(Image.open(path))[40, 50].tolist() == [255, 255, 255]
    assert write_picture(path, labels, lambda label: (9, 8, label % 256), most_pixels=4000) == 2
    assert np.asarray(Image.open(path))[20, 25].tolist() == [9, 8, 2]
    with pytest.raises(ExportError, match=r"look\.png"):
        write_picture(tmp_path / "look.tif", labels)


def test_pixel_size_and_unit_are_kept_in_files(labels, tmp_path):
    size = PixelSize(0.25, 0.5, "micrometer")
    for name in ("mask.ome.tif", "mask.tif"):
        save_mask(tmp_path / name, labels, pixel_size=size)
        found = PixelSize.of_tiff(tmp_path / name)
        metres = found.metres
        assert metres == pytest.approx((0.25e-6, 0.5e-6))
        np.testing.assert_array_equal(tifffile.imread(tmp_path / name), labels)
        save_mask(tmp_path / "copy.ome.tif", labels, source=tmp_path / name)
        assert PixelSize.of_tiff(tmp_path / "copy.ome.tif").metres == pytest.approx(metres)
    assert PixelSize.of_tiff(tmp_path / "mask.ome.tif") == PixelSize(0.25, 0.5, "µm")
    zarr = pytest.importorskip("zarr")
    save_mask(tmp_path / "mask.ome.zarr", labels, pixel_size=size)
    (scales,) = zarr.open(str(tmp_path / "mask.ome.zarr"), mode="r").attrs["multiscales"]
    assert [axis["unit"] for axis in scales["axes"]] == ["micrometer"] * 2
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [0.25, 0.5]
    assert PixelSize.of_file(tmp_path / "mask.ome.zarr") == PixelSize(0.25, 0.5, "µm")
    save_mask(tmp_path / "of_zarr.ome.tif", labels, source=tmp_path / "mask.ome.zarr")
    assert PixelSize.of_tiff(tmp_path / "of_zarr.ome.tif") == PixelSize(0.25, 0.5, "µm")
    save_mask(tmp_path / "plain.zarr", labels)
    assert PixelSize.of_file(tmp_path / "plain.zarr") is None


def test_imagej_s_and_missing_sizes_are_understood(labels, tmp_path):
    path = tmp_path / "imagej.tif"
    tifffile.imwrite(
        path, labels, imagej=True, resolution=(2.0, 4.0), metadata={"unit": "\\u00B5m"}
    )
    assert PixelSize.of_tiff(path) == PixelSize(0.25, 0.5, "µm")
    tifffile.imwrite(path, labels)
    assert PixelSize.of_tiff(path) is None
    Image.fromarray(labels).save(tmp_path / "a.png")
    assert PixelSize.of_tiff(tmp_path / "a.png") is None
    assert not PixelSize(1, 1, "pixel").known and PixelSize(1, 1, "m").known
    with pytest.raises(ValueError, match="0 long"):
        PixelSize(0, 1)
