import contextlib
import json
import zipfile

import numpy as np
import pytest
import tifffile

from napari_clickseg.data.exports.errors import ExportError
from napari_clickseg.data.exports.geojson import read_geojson, write_geojson
from napari_clickseg.data.exports.georeference import Georeference
from napari_clickseg.data.exports.imagej import is_roi_zip, read_roi_zip, write_roi_zip
from napari_clickseg.data.exports.polygons import ring_area

CLASSES = {3: "ring", 7: "dot é"}


@pytest.fixture
def labels(rings):
    return rings


def test_geojson_holds_polygons_with_holes_in_the_right_turn(labels, tmp_path):
    path = tmp_path / "objects.geojson"
    assert write_geojson(path, labels, CLASSES) == 4
    value = json.loads(path.read_text())
    kinds = {f["id"]: f["geometry"]["type"] for f in value["features"]}
    assert kinds == {3: "Polygon", 7: "Polygon", 300: "Polygon", 301: "MultiPolygon"}
    ring = value["features"][0]
    assert ring["properties"] == {
        "id": 3,
        "area_px": int((labels == 3).sum()),
        "class": "ring",
        "classification": {"name": "ring"},
    }
    outer, hole = ring["geometry"]["coordinates"]
    assert outer[0] == outer[-1] and hole[0] == hole[-1]
    areas = ring_area(np.array(outer[:-1])), ring_area(np.array(hole[:-1]))
    assert areas[0] > 0 > areas[1] and sum(areas) == (labels == 3).sum()
    bar = value["features"][2]["geometry"]["coordinates"][0]
    assert sorted(bar[:-1]) == [[70, 50], [70, 60], [80, 50], [80, 60]]


@pytest.mark.parametrize("place", [None, Georeference((0.5, 0, 1e5, 0, -0.5, 5e6), 32633)])
def test_geojson_is_read_again_exactly(labels, place, tmp_path):
    path = tmp_path / "objects.geojson"
    write_geojson(path, labels, CLASSES, place)
    read = read_geojson(path)
    np.testing.assert_array_equal(read.labels, labels)
    assert read.classes == CLASSES and read.name == "objects"
    if place:
        value = json.loads(path.read_text())
        assert value["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::32633"
        corners = np.array(value["features"][2]["geometry"]["coordinates"][0])
        assert corners.min(axis=0).tolist() == [1e5 + 35, 5e6 - 30]
        assert ring_area(corners[:-1]) > 0


def test_geojson_of_others_is_read_in_pixels(labels, tmp_path):
    path = tmp_path / "objects.geojson"
    write_geojson(path, labels, CLASSES)
    features = json.loads(path.read_text())["features"]
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}
    path.write_text(json.dumps([*features, point]))  # as QuPath writes it
    np.testing.assert_array_equal(read_geojson(path).labels, labels)
    far = json.loads(json.dumps(features[:1]).replace("[", "[-"[:1]))
    far[0]["geometry"]["coordinates"] = [[[-70.5, 45.1], [-70.2, 45.1], [-70.2, 45.3]]]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": far}))
    with pytest.raises(ExportError, match="no pixels of an image"):
        read_geojson(path)
    place = Georeference((0.1, 0, -71, 0, -0.1, 46))
    assert read_geojson(path, (20, 20), place).labels.any()


@pytest.mark.parametrize("point", [False, True])
def test_a_geotiff_says_where_its_pixels_are(point, tmp_path):
    path = tmp_path / "map.tif"
    keys = (1, 1, 0, 2, 1025, 0, 1, 2 if point else 1, 3072, 0, 1, 32633)
    tags = [
        (33550, "d", 3, (2.0, 4.0, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 1000.0, 9000.0, 0.0), True),
        (34735, "H", len(keys), keys, True),
    ]
    tifffile.imwrite(path, np.zeros((6, 8), np.uint8), extratags=tags)
    found = Georeference.of_tiff(path)
    assert found.epsg == 32633
    shift = (-1, 2) if point else (0, 0)
    corner = found.points(np.array([[0, 0], [6, 8]]))
    expected = np.array([[1000, 9000], [1016, 8976]]) + shift
    np.testing.assert_allclose(corner, expected)
    np.testing.assert_allclose(found.corners(corner), [[0, 0], [6, 8]])
    plain = tmp_path / "plain.tif"
    tifffile.imwrite(plain, np.zeros((6, 8), np.uint8))
    assert Georeference.of_tiff(plain) is None is Georeference.of_tiff(tmp_path / "none.tif")


def test_rois_are_what_roifile_reads(labels, tmp_path):
    roifile = pytest.importorskip("roifile")
    path = tmp_path / "objects.zip"
    assert write_roi_zip(path, labels, CLASSES) == 4
    rois = {roi.name: roi for roi in roifile.roiread(path)}
    assert set(rois) == {"ring 3", "dot é 7", "300", "301"}
    assert rois["300"].roitype == roifile.ROI_TYPE.TRACED
    assert sorted(rois["300"].coordinates().tolist()) == [[70, 50], [70, 60], [80, 50], [80, 60]]
    assert (rois["300"].top, rois["300"].left) == (50, 70)
    ring = rois["ring 3"]
    assert ring.composite and "class: ring" in ring.props
    parts = ring.coordinates(multi=True)
    assert len(parts) == 2
    areas = [abs(ring_area(np.asarray(part)[:-1])) for part in parts]
    assert max(areas) - min(areas) == (labels == 3).sum()
    assert (ring.top, ring.bottom) == (6, 45)


def test_rois_are_read_again_exactly(labels, tmp_path):
    path = tmp_path / "objects.zip"
    write_roi_zip(path, labels, CLASSES)
    assert is_roi_zip(path)
    read = read_roi_zip(path)
    np.testing.assert_array_equal(read.labels, labels)
    assert read.classes == CLASSES
    wide = np.zeros((3, 70_000), np.uint8)
    wide[1, 40_000:69_000] = 1  # beyond what 16 bits hold
    write_roi_zip(path, wide)
    np.testing.assert_array_equal(read_roi_zip(path).labels, wide)


def test_rois_of_others_are_read(tmp_path):
    roifile = pytest.importorskip("roifile")
    path = tmp_path / "theirs.zip"
    square = np.array([[2.0, 3.0], [6.0, 3.0], [6.0, 8.0], [2.0, 8.0]])
    rois = [roifile.ImagejRoi.frompoints(square, name="whole")]
    rois.append(roifile.ImagejRoi.frompoints(square + 10.5, name="parts"))
    for kind, name in ((roifile.ROI_TYPE.RECT, "box"), (roifile.ROI_TYPE.OVAL, "oval")):
        roi = roifile.ImagejRoi(roitype=kind, top=30, left=5, bottom=40, right=25, name=name)
        roi.top += 20 * (name == "oval")
        roi.bottom += 20 * (name == "oval")
        rois.append(roi)
    line = roifile.ImagejRoi.frompoints(square[:2])
    line.roitype = roifile.ROI_TYPE.LINE
    roifile.roiwrite(path, [*rois, line])
    labels = read_roi_zip(path).labels
    assert labels.shape == (60, 25)
    assert (labels[3:8, 2:6] == 1).all() and (labels == 1).sum() == 20
    assert (labels == 2).sum() == 20 and (labels[30:40, 5:25] == 3).all()
    assert abs((labels == 4).sum() - np.pi * 5 * 10) < 6


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "bad.zip"
    path.write_bytes(b"PK\x03\x04 no zip")
    assert not is_roi_zip(path)
    with pytest.raises(ExportError, match="damaged"):
        read_roi_zip(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.roi", b"nothing of the kind, but long enough to have a header of 64")
    with pytest.raises(ExportError, match="no ROI"):
        read_roi_zip(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", b"text")
    with pytest.raises(ExportError, match="holds no areas"):
        read_roi_zip(path)
    for text, words in (("{}", "no GeoJSON"), ('{"type": "FeatureCollection"', "no JSON")):
        path.write_text(text)
        with pytest.raises(ExportError, match=words):
            read_geojson(path)


@pytest.mark.parametrize(
    "feature",
    [
        {"geometry": "a square"},
        {"properties": ["a", "list"]},
        {"properties": {"classification": "tumour"}},
        {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1e400, 1], [2, 3]]]}},
    ],
)
def test_a_damaged_feature_is_told(feature, tmp_path):
    path = tmp_path / "bad.geojson"
    square = {"type": "Polygon", "coordinates": [[[0, 0], [5, 0], [5, 5], [0, 0]]]}
    whole = {"type": "Feature", "geometry": square, "properties": {}, **feature}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [whole]}))
    with pytest.raises(ExportError, match="damaged"):
        read_geojson(path)


def test_roi_properties_of_other_meaning_are_passed_over(labels, tmp_path):
    path = tmp_path / "objects.zip"
    write_roi_zip(path, labels)
    with zipfile.ZipFile(path) as archive:
        data = archive.read(archive.namelist()[0])
    for ours, theirs in (("label: 3", "label: x"), ("height: ", "height: x")):
        data = data.replace(ours.encode("utf-16-be"), theirs.encode("utf-16-be"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("theirs.roi", data)
    found = read_roi_zip(path).labels
    np.testing.assert_array_equal(found == 1, (labels == 3)[: found.shape[0], : found.shape[1]])


def test_every_damage_of_a_roi_is_told(labels, tmp_path):
    path, rng = tmp_path / "bad.zip", np.random.default_rng(0)
    write_roi_zip(path, labels)
    with zipfile.ZipFile(path) as archive:
        whole = [archive.read(name) for name in archive.namelist()]
    for number in range(300):
        data = bytearray(whole[number % len(whole)])
        for place in rng.integers(len(data), size=3):
            data[place] = rng.integers(256)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.roi", bytes(data))
        with contextlib.suppress(ExportError):
            read_roi_zip(path)
