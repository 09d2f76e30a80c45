"""All planes of a stack of labels, in one file and in one table."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_clickseg.cancel import Cancelled
from napari_clickseg.data.errors import MaskError
from napari_clickseg.data.exports.coco import read_coco
from napari_clickseg.data.exports.errors import ExportError
from napari_clickseg.data.exports.imagej import read_roi_zip
from napari_clickseg.data.pixel_size import PixelSize
from napari_clickseg.data.plane_spacing import plane_spacing
from napari_clickseg.widgets.export.saving import Task
from napari_clickseg.widgets.export.stacks import measure_all, write_all
from napari_clickseg.widgets.export.tasks import tasks_of

SIZE = PixelSize(0.5, 0.25, "µm")


@pytest.fixture
def stack():
    """(2, 3, 40, 50): object 5 grows in time; 900 is on one plane only."""
    stack = np.zeros((2, 3, 40, 50), np.uint16)
    for time in range(2):
        for depth in range(3):
            stack[time, depth, 10 : 14 + time, 20:30] = 5
    stack[1, 2, 30:35, 40:45] = 900
    return stack


@pytest.fixture
def tasks(stack):
    return [
        Task(stack[t, z], {5: "cell"}, SIZE, image=stack[t, z] * 2, place={"t": t, "z": z})
        for t in range(2)
        for z in range(3)
    ]


def run(call, *args, cancelled=lambda: False):
    told = []
    found = call(*args, told.append, cancelled)
    assert told == sorted(told) and told[-1] == 1
    return found


@pytest.mark.parametrize(("kind", "dtype"), [("tiff", np.uint16), ("tiff32", np.uint32)])
def test_a_tiff_has_all_planes_with_axes_and_pixel_size(tasks, stack, tmp_path, kind, dtype):
    path = tmp_path / "all.ome.tif"
    said = run(write_all, kind, path, tasks)
    assert "2 x 3 x 40 x 50" in said and str(path) in said
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "TZYX"
        found = file.asarray()
    assert found.dtype == dtype and np.array_equal(found, stack)
    assert PixelSize.of_tiff(path) == SIZE


def test_the_distance_of_planes_comes_from_the_image_s_file(stack, tmp_path):
    source = tmp_path / "image.ome.tif"
    metadata = {"axes": "ZYX", "PhysicalSizeZ": 2.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(source, stack[0], metadata=metadata)
    tasks = [Task(stack[0, z], size=SIZE, source=source, place={"plane": z}) for z in range(3)]
    run(write_all, "tiff", tmp_path / "all.ome.tif", tasks)
    with tifffile.TiffFile(tmp_path / "all.ome.tif") as file:
        assert file.series[0].axes == "ZYX"
    assert plane_spacing(tmp_path / "all.ome.tif")["PhysicalSizeZ"] == 2


def test_a_stack_is_an_ome_zarr_with_axes_sizes_and_distances(tasks, stack, tmp_path):
    zarr = pytest.importorskip("zarr")
    told = [replace(task, steps={"t": (5.0, "minute"), "z": (2.0, "um")}) for task in tasks]
    said = run(write_all, "zarr", tmp_path / "all.ome.zarr", told)
    assert "2 x 3 x 40 x 50" in said
    group = zarr.open(str(tmp_path / "all.ome.zarr"), mode="r")
    assert np.array_equal(group["0"][:], stack)
    (image,) = group.attrs["multiscales"]
    assert [(axis["name"], axis["type"], axis["unit"]) for axis in image["axes"]] == [
        ("t", "time", "minute"),
        *((name, "space", "micrometer") for name in "zyx"),
    ]
    scale = image["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert scale == [5, 2, 0.5, 0.25]
    run(write_all, "tiff", tmp_path / "all.ome.tif", told)
    spacing = plane_spacing(tmp_path / "all.ome.tif")
    assert spacing["PhysicalSizeZ"] == 2 and spacing["TimeIncrementUnit"] == "min"
    turned = [replace(task, place=dict(reversed(task.place.items()))) for task in tasks]
    with pytest.raises(MaskError, match="t, c and z in this order, and these have z, t"):
        run(write_all, "zarr", tmp_path / "turned.ome.zarr", turned)
    run(write_all, "zarr", tmp_path / "turned.zarr", turned)
    assert zarr.open(str(tmp_path / "turned.zarr")).attrs["_ARRAY_DIMENSIONS"] == [*"ztyx"]


@pytest.mark.parametrize("kind", ["coco", "coco_polygons"])
def test_coco_has_an_image_for_each_plane(tasks, stack, tmp_path, kind):
    path = tmp_path / "all.json"
    named = [replace(task, name="cells.ome.tif") for task in tasks]
    said = run(write_all, kind, path, named)
    assert said.startswith("7 objects") and "on 6 planes" in said
    found = json.loads(path.read_text())
    images = {image["id"]: image for image in found["images"]}
    assert images[6]["file_name"] == "cells_t1_z2.ome.tif" and images[6]["plane"] == {
        "t": 1,
        "z": 2,
    }
    annotations = found["annotations"]
    assert len({each["id"] for each in annotations}) == 7
    last = [(each["image_id"], each["label"], each["area"]) for each in annotations[-2:]]
    assert last == [(6, 5, 50), (6, 900, 25)]
    (read,) = read_coco(path)
    assert np.array_equal(read.labels, stack)
    assert (read.name, read.classes) == ("cells", {5: "cell"})
    found["images"].pop()
    found["annotations"] = annotations[:-2]
    path.write_text(json.dumps(found))
    assert [each.labels.ndim for each in read_coco(path)] == [2] * 5  # a plane is missing


def test_rois_have_the_position_of_their_plane(tasks, stack, tmp_path):
    path = tmp_path / "all.zip"
    said = run(write_all, "rois", path, tasks)
    assert said.startswith("7 objects") and "on 6 planes" in said
    read = read_roi_zip(path)
    assert np.array_equal(read.labels, stack) and read.classes == {5: "cell"}
    roifile = pytest.importorskip("roifile")
    rois = roifile.roiread(path)
    places = [(roi.c_position, roi.z_position, roi.t_position, roi.position) for roi in rois]
    assert places == [(0, z, t, 0) for t in (1, 2) for z in (1, 2, 3)] + [(0, 3, 2, 0)]
    along = [replace(task, place={"plane": z}) for z, task in enumerate(tasks[:3])]
    run(write_all, "rois", path, along)
    rois = roifile.roiread(path)
    assert [(roi.position, roi.z_position) for roi in rois] == [(1, 0), (2, 0), (3, 0)]
    assert np.array_equal(read_roi_zip(path).labels, stack[0])


def test_rois_of_imagej_with_positions_are_a_stack(tmp_path):
    """As other programs write them, without properties; a set without positions is flat."""
    roifile = pytest.importorskip("roifile")
    square = np.array([[2, 2], [6, 2], [6, 6], [2, 6]], np.float32)
    for places, shape in (([1, 4], (4, 6, 6)), ([0, 4], (6, 6)), ([1, 1], (6, 6))):
        path = tmp_path / f"{places}.zip"
        for number, position in enumerate(places):
            roi = roifile.ImagejRoi.frompoints(square + number, name=f"{number}")
            roi.position = position
            roi.tofile(path)
        labels = read_roi_zip(path).labels
        assert labels.shape[:-2] == shape[:-2] and set(np.unique(labels)) == {0, 1, 2}
        if len(shape) == 3:
            assert [sorted(set(np.unique(plane))) for plane in labels] == [
                *([0, 1], [0], [0], [0, 2])
            ]


def test_the_table_says_on_which_plane_an_object_is(tasks, stack, tmp_path):
    table = run(measure_all, tasks)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert table.columns[:5] == ("t", "z", "id", "class", "area_px")
    assert [(r["t"], r["z"], r["id"], r["area_px"]) for r in rows] == [
        *((0, z, 5, 40) for z in range(3)),
        *((1, z, 5, 50) for z in range(3)),
        (1, 2, 900, 25),
    ]
    assert rows[0]["area_um2"] == 5 and rows[-1]["intensity_mean"] == 1800
    said = run(write_all, "measurements", tmp_path / "all.csv", tasks)
    assert said.startswith("7 objects") and "on 6 planes" in said
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 8
    empty = [Task(stack[0, 0] * 0, place={"t": t}) for t in range(2)]
    assert run(measure_all, empty).columns == ("t", "id", "class", "area_px")


def test_planes_without_objects_do_not_matter(tasks, stack):
    tasks[0] = Task(stack[0, 0] * 0, size=SIZE, place={"t": 0, "z": 0})
    assert len(run(measure_all, tasks).rows) == 6


def test_formats_of_one_plane_refuse_several(tasks, tmp_path):
    for kind, suffix in (("geojson", "geojson"), ("png", "png"), ("classes", "csv")):
        with pytest.raises(ExportError, match="one plane.*TIFF, OME-Zarr.*hold all planes"):
            run(write_all, kind, tmp_path / f"all.{suffix}", tasks)
    with pytest.raises(ExportError, match=r"all\.tif"):
        run(write_all, "tiff", tmp_path / "all.png", tasks)
    with pytest.raises(Cancelled):
        run(write_all, "tiff", tmp_path / "all.tif", tasks, cancelled=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_all_planes_of_a_layer_with_the_channel_that_is_shown(stack):
    """Objects that all channels share are as long as those along their axis."""
    from napari.components import ViewerModel

    viewer = ViewerModel()
    names = ("t", "c", "y", "x")
    light = np.arange(3)[None, :, None, None] + np.array([0, 10])[:, None, None, None]
    image = viewer.add_image(light + np.zeros((2, 3, 40, 50)), axis_labels=names)
    shared = {"scale": (1, 3, 1, 1), "translate": (0, 1, 0, 0), "axis_labels": names}
    layer = viewer.add_labels(stack[:, :1], **shared)
    viewer.dims.set_point(1, 2)
    tasks = tasks_of(layer, image, viewer.dims, every=True)
    assert [task.place for task in tasks] == [{"t": 0}, {"t": 1}]
    table = run(measure_all, tasks)
    assert [row[table.columns.index("intensity_mean")] for row in table.rows] == [2, 12]
    layer.axis_labels = ("-4", "-3", "-2", "-1")
    assert tasks_of(layer, None, viewer.dims, every=True)[1].place == {"plane": 1}
    (shown,) = tasks_of(layer, image, viewer.dims)
    assert not shown.place and np.array_equal(shown.labels, stack[0, 0])


def test_an_image_of_fewer_planes_is_refused(stack):
    from napari.components import ViewerModel

    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((2, 40, 50)), name="short")
    layer = viewer.add_labels(stack[0], name="mine")
    with pytest.raises(ValueError, match="'short' has no plane where plane 2 of 'mine' is"):
        tasks_of(layer, image, viewer.dims, every=True)
