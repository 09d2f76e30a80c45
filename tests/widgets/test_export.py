"""The Export dock, and the npe2 writers and readers as napari's dialogs call them."""

import json
import zipfile

import numpy as np
import pytest
import tifffile
from npe2 import PluginManager, PluginManifest
from qtpy.QtCore import Qt

from napari_clickseg.data.exports.imagej import read_roi_zip
from napari_clickseg.data.pixel_size import PixelSize
from napari_clickseg.data.session_file import (
    ImageSignature,
    SavedModel,
    SavedObject,
    SavedSession,
    write_session,
)
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke
from napari_clickseg.widgets.export.saving import FORMATS

PLUGIN = "napari-clickseg"


@pytest.fixture
def labels():
    """(60, 80): a square with a hole, and a bar."""
    labels = np.zeros((60, 80), np.uint16)
    labels[10:30, 20:40] = 3
    labels[15:20, 25:30] = 0
    labels[40:50, 5:75] = 300
    return labels


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    manager = PluginManager.instance()
    if PLUGIN not in {manifest.name for manifest in manager.iter_manifests()}:
        manager.register(PluginManifest.from_distribution(PLUGIN))
    return make_napari_viewer_proxy()


@pytest.fixture
def objects(viewer, labels):
    """A Labels layer with classes, in micrometres."""
    features = {"index": [3, 300], "class": ["cell", "bar"]}
    return viewer.add_labels(
        labels, name="my objects", features=features, scale=(0.5, 0.25), units=("um", "um")
    )


@pytest.fixture
def dock(viewer, objects, closing):
    from napari_clickseg.widgets.export.dock import ExportDock

    return closing(ExportDock(viewer))


@pytest.fixture
def wait(qtbot):
    return lambda dock: qtbot.waitUntil(lambda: not dock.runner.busy, timeout=20_000)


# ---------------------------------------------------------------------- npe2
def test_a_layer_saved_by_napari_opens_as_the_same_labels(viewer, objects, labels, tmp_path):
    for name in ("objects.json", "objects.geojson", "objects.zip"):
        path = tmp_path / name
        assert objects.save(str(path), plugin=PLUGIN) == [str(path)]
        (opened,) = viewer.open(str(path), plugin=PLUGIN)
        assert type(opened).__name__ == "Labels"
        np.testing.assert_array_equal(opened.data, labels)
        named = opened.features.dropna().set_index("index")["class"].to_dict()
        assert {int(key): value for key, value in named.items()} == {3: "cell", 300: "bar"}


def test_napari_finds_the_reader_by_itself_and_saves_tables_and_zarr(objects, labels, tmp_path):
    from napari_clickseg.widgets.export.writers import write_class_table

    objects.save(str(tmp_path / "objects.csv"), plugin=PLUGIN)
    text = (tmp_path / "objects.csv").read_text(encoding="utf-8-sig")
    assert "area_um2" in text.splitlines()[0] and len(text.splitlines()) == 3
    data, attributes, _ = objects.as_layer_data_tuple()
    write_class_table(str(tmp_path / "classes.csv"), data, attributes)
    assert "3,cell,," in (tmp_path / "classes.csv").read_text(encoding="utf-8-sig")
    zarr = pytest.importorskip("zarr")
    objects.save(str(tmp_path / "objects.ome.zarr"), plugin=PLUGIN)
    group = zarr.open(str(tmp_path / "objects.ome.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][:], labels)
    (scales,) = group.attrs["multiscales"]
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [0.5, 0.25]


@pytest.mark.parametrize("name", ["stack.json", "stack.zip"])
def test_a_stack_saved_by_napari_opens_as_the_same_stack(viewer, labels, tmp_path, name):
    planes = np.stack([[labels, labels * 0, labels // 3], [labels, labels, labels]])
    features = {"index": [3, 300], "class": ["cell", "bar"]}
    stack = viewer.add_labels(planes, name="stack", features=features)
    path = tmp_path / name
    assert stack.save(str(path), plugin=PLUGIN) == [str(path)]
    (opened,) = viewer.open(str(path), plugin=PLUGIN)
    assert opened.name.startswith("stack")
    np.testing.assert_array_equal(opened.data, planes)
    named = opened.features.dropna().set_index("index")["class"].to_dict()
    assert {int(key): value for key, value in named.items()} == {3: "cell", 300: "bar"}


def test_a_stack_saved_by_napari_as_table_and_zarr_keeps_axes_and_sizes(viewer, labels, tmp_path):
    stack = viewer.add_labels(
        np.stack([labels, labels // 3]),
        name="stack",
        scale=(3, 0.5, 0.25),
        units=("second", "um", "um"),
        axis_labels=("t", "y", "x"),
    )
    stack.save(str(tmp_path / "stack.csv"), plugin=PLUGIN)
    rows = (tmp_path / "stack.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("t,id,class,area_px") and "area_um2" in rows[0] and len(rows) == 5
    with pytest.raises(RuntimeError, match="GeoJSON polygons: this format holds one plane"):
        stack.save(str(tmp_path / "stack.geojson"), plugin=PLUGIN)
    zarr = pytest.importorskip("zarr")
    stack.save(str(tmp_path / "stack.ome.zarr"), plugin=PLUGIN)
    group = zarr.open(str(tmp_path / "stack.ome.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][:], stack.data)
    (scales,) = group.attrs["multiscales"]
    assert scales["axes"][0] == {"name": "t", "type": "time", "unit": "second"}
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [3, 0.5, 0.25]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("settings.json", '{"a": 1}'),
        ("list.json", "[1, 2]"),
        ("broken.json", "{"),
        ("other.clickseg.json", '{"format": "something"}'),
        ("archive.zip", None),
    ],
)
def test_other_files_are_left_to_other_plugins(name, content, tmp_path):
    from npe2 import io_utils

    path = tmp_path / name
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "text")
    else:
        path.write_text(content)
    with pytest.raises(ValueError, match="refused the file"):
        io_utils.read([str(path)], stack=False, plugin_name=PLUGIN)


def test_a_session_opens_as_clicks_and_shapes(viewer, tmp_path):
    said = (
        Click(3, 4),
        Click(5, 6.5, False),
        Stroke(((1, 2), (3, 4))),
        Contour(((1, 1), (1, 5), (5, 5)), False),
        BoxPrompt(Box(2, 3, 8, 9)),
    )
    items = (
        SavedObject(2, "cell", (4, None, None), said),
        SavedObject(9, "", (7, None, None), (Click(1, 1),)),
    )
    signature = ImageSignature.of(np.zeros((8, 60, 80), np.uint8), "stack.tif")
    path = tmp_path / "work.clickseg.json"
    write_session(path, SavedSession(signature, SavedModel("clickseg-compact"), items))
    points, shapes = viewer.open(str(path), plugin=PLUGIN)
    assert points.data.tolist() == [[4, 3, 4], [4, 5, 6.5], [7, 1, 1]]
    assert points.features["object_id"].tolist() == [2, 2, 9]
    assert points.features["positive"].tolist() == [True, False, True]
    assert points.name == "work clicks" and shapes.name == "work shapes"
    assert shapes.shape_type == ["path", "polygon", "rectangle"]
    write_session(path, SavedSession(signature, SavedModel("clickseg-compact")))
    (points,) = viewer.open(str(path), plugin=PLUGIN)
    assert len(points.data) == 0


# ---------------------------------------------------------------------- the dock
def test_napari_opens_labels_of_32_bits_as_labels_by_itself(dock, wait, viewer, labels, tmp_path):
    path = tmp_path / "objects.tif"
    dock.choose("tiff32", path)
    dock.write()
    wait(dock)
    (opened,) = viewer.open(str(path))
    assert type(opened).__name__ == "Labels"
    np.testing.assert_array_equal(opened.data, labels)


def test_every_format_is_written_and_said(dock, wait, labels, tmp_path):
    for kind, form in FORMATS.items():
        path = tmp_path / f"{kind}{form.suffixes[0]}"
        dock.choose(kind, path)
        dock.write()
        wait(dock)
        assert path.exists() and str(path) in dock.status.text()
        whole = ("tiff", "tiff32", "png", "zarr", "picture")
        assert "2 objects" in dock.status.text() or kind in whole
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "tiff.tif"), labels)
    assert PixelSize.of_tiff(tmp_path / "tiff.tif").metres == pytest.approx((0.5e-6, 0.25e-6))
    np.testing.assert_array_equal(read_roi_zip(tmp_path / "rois.zip").labels, labels)
    for name, kind in (("coco", dict), ("coco_polygons", list)):
        found = json.loads((tmp_path / f"{name}.json").read_text())["annotations"]
        assert [type(item["segmentation"]) for item in found] == [kind, kind]
    assert "#" in (tmp_path / "classes.csv").read_text()


def test_measurements_are_shown_sorted_and_saved(dock, viewer, wait, labels, tmp_path, monkeypatch):
    image = viewer.add_image(np.where(labels == 3, 7.0, 1.0), name="light")
    dock.image_box.choose(image)
    dock.show_measurements()
    wait(dock)
    assert dock.table.columns[:3] == ("id", "class", "area_px")
    rows = [dict(zip(dock.table.columns, row, strict=True)) for row in dock.table.rows]
    assert [(r["class"], r["area_px"], r["intensity_mean"]) for r in rows] == [
        ("cell", 375, 7.0),
        ("bar", 700, 1.0),
    ]
    assert rows[0]["area_um2"] == pytest.approx(375 / 8)
    model = dock.view.model()
    dock.view.sortByColumn(dock.table.columns.index("area_px"), Qt.SortOrder.DescendingOrder)
    assert model.index(0, 0).data() == "300"
    path = tmp_path / "table.csv"
    monkeypatch.setattr(dock, "_ask", lambda *_: str(path))
    dock.save_csv.click()
    assert len(path.read_text().splitlines()) == 3 and str(path) in dock.status.text()
    dock.image_box.choose(viewer.add_image(np.zeros((5, 5))))
    dock.show_measurements()
    wait(dock)
    assert "Choose the image that belongs to them" in dock.status.text()


@pytest.mark.parametrize("kind", ["ome.tif", "ome.zarr"])
def test_what_napari_forgets_of_a_file_s_pixel_size_is_known(
    viewer, closing, wait, labels, tmp_path, kind
):
    """napari opens files at one unit a pixel; areas in the file's unit are there all the same."""
    from napari_clickseg.data.mask_writer import save_mask
    from napari_clickseg.widgets.export.dock import ExportDock

    if kind.endswith("zarr"):
        pytest.importorskip("zarr")
    path = tmp_path / f"light.{kind}"
    save_mask(path, labels, pixel_size=PixelSize(0.5, 0.25, "µm"))
    viewer.open(str(path), layer_type="image", plugin="napari")
    layer = viewer.add_labels(labels)
    dock = closing(ExportDock(viewer))
    dock.show_measurements()
    wait(dock)
    rows = [dict(zip(dock.table.columns, row, strict=True)) for row in dock.table.rows]
    assert rows[0]["area_um2"] == pytest.approx(375 / 8)
    layer.scale = (2, 2)  # what the user set comes first
    dock.show_measurements()
    wait(dock)
    assert "area_unit2" in dock.table.columns and "area_um2" not in dock.table.columns


def test_the_resolution_of_a_print_is_no_pixel_size(viewer, closing, wait, labels, tmp_path):
    from napari_clickseg.widgets.export.dock import ExportDock

    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, labels, resolution=(300, 300), resolutionunit="INCH")
    viewer.open(str(path), layer_type="image", plugin="napari")
    viewer.add_labels(labels)
    dock = closing(ExportDock(viewer))
    dock.show_measurements()
    wait(dock)
    assert not [name for name in dock.table.columns if name.startswith("area_in")]


def test_the_plane_that_is_shown_is_written(dock, viewer, wait, labels, tmp_path):
    stack = viewer.add_labels(np.stack([labels * 0, labels, labels // 3]), name="stack")
    dock.labels_box.choose(stack)
    viewer.dims.set_point(0, 2)
    dock.choose("tiff", tmp_path / "plane.tif")
    dock.write()
    wait(dock)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "plane.tif"), labels // 3)
    viewer.dims.ndisplay = 3
    dock.write()
    assert "2D" in dock.status.text() and not dock.runner.busy


def test_all_planes_are_measured_each_with_its_plane_of_the_image(
    dock, viewer, objects, wait, labels, tmp_path
):
    assert dock.planes.isHidden()
    stack = viewer.add_labels(np.stack([labels, labels // 3]), name="stack")
    image = viewer.add_image(np.stack([labels * 0, labels * 0 + 7]))
    dock.labels_box.choose(stack)
    dock.image_box.choose(image)
    assert not dock.planes.isHidden()
    dock.planes.setCurrentIndex(1)
    dock.show_measurements()
    wait(dock)
    rows = [dict(zip(dock.table.columns, row, strict=True)) for row in dock.table.rows]
    assert [(r["plane"], r["id"], r["intensity_mean"]) for r in rows] == [
        *((0, 3, 0), (0, 300, 0)),
        *((1, 1, 7), (1, 100, 7)),
    ]
    dock.choose("tiff", tmp_path / "all.tif")
    dock.write()
    wait(dock)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "all.tif"), stack.data)
    dock.choose("geojson", tmp_path / "all.geojson")
    dock.write()
    wait(dock)
    assert "one plane" in dock.status.text() and not (tmp_path / "all.geojson").exists()
    dock.labels_box.choose(objects)  # of one plane
    dock.show_measurements()
    wait(dock)
    assert dock.table.columns[0] == "id"


def test_what_cannot_be_written_is_said_and_nothing_is_replaced_unasked(
    dock, wait, tmp_path, monkeypatch
):
    asked = []
    monkeypatch.setattr(dock, "_may_replace", lambda path: asked.append(path) or False)
    path = tmp_path / "there.tif"
    path.write_text("mine")
    dock.choose("tiff", path)
    dock.write()
    assert asked == [path] and path.read_text() == "mine" and not dock.runner.busy
    dock.path_edit.setText(str(tmp_path / "out.jpg"))
    dock.write()
    wait(dock)
    assert "out.tif" in dock.status.text() and not (tmp_path / "out.jpg").exists()
    dock.path_edit.setText(str(tmp_path / "no folder" / "out.tif"))
    dock.write()
    wait(dock)
    assert "No such file" in dock.status.text()


def test_the_dock_follows_the_layers(dock, viewer, objects, labels):
    assert dock.labels_box.layer is not None and dock.image_box.layer is None
    dock.choose("coco")
    assert dock.path_edit.text().endswith("my_objects.json")
    dock.choose("rois")
    assert dock.path_edit.text().endswith("my_objects.zip")
    viewer.layers.clear()
    assert dock.labels_box.layer is None and not dock.save.isEnabled()
    assert "Labels layer" in dock.status.text()
    viewer.add_image(np.zeros((60, 80)), name="photo")
    viewer.add_labels(labels)
    assert dock.save.isEnabled() and dock.image_box.layer.name == "photo"
    dock.shut_down()
    viewer.layers.clear()  # nobody listens any more


def test_the_preview_of_an_object_in_work_is_not_offered(viewer, closing):
    from napari_clickseg.widgets.export.dock import ExportDock
    from napari_clickseg.widgets.layers.own import ClickLayers

    layers = ClickLayers(viewer)
    layers.create(viewer.add_image(np.zeros((60, 80))))
    dock = closing(ExportDock(viewer))
    assert layers.preview is not None
    assert [layer.name for layer in dock.labels_box.layers] == ["clickseg objects"]


def test_the_dock_is_a_plugin_widget_that_closes_clean(viewer, qtbot):
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Export objects")
    assert type(widget).__name__ == "ExportDock"
    viewer.window.remove_dock_widget(widget)
    viewer.add_labels(np.zeros((4, 4), int))
    assert widget._closed
