"""GeoJSON (RFC 7946): objects as polygons with holes, in pixels or where the image is on earth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...cancel import Progress
from ...geometry import Box
from ..json_file import read_json
from .errors import ExportError, writing
from .georeference import Georeference
from .label_objects import LabelObject, label_objects, shape_of
from .polygons import fill, outlines, ring_area
from .read_labels import ReadLabels, blank, paint_all

__all__ = ["is_geojson", "read_geojson", "write_geojson"]

PIXELS = Georeference((1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
MEMBER = "clickseg"
"""A member of ours, which other readers pass over: the image's shape and transform."""


def write_geojson(
    path: str | os.PathLike[str],
    labels: Any,
    classes: Mapping[int, str] | None = None,
    place: Georeference | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Write the objects of one image; returns how many.

    Parameters
    ----------
    path : str or path
    labels : (H, W) array
    classes : mapping of int to str, optional
        Class names of labels.
    place : Georeference, optional
        Of the image; without one, coordinates are pixels: x to the right and y down from the
        image's top left corner.
    progress, cancelled : callable, optional
        See `label_objects`.

    Raises
    ------
    ExportError
        If these are no labels, or the file cannot be written.
    """
    shape, where = shape_of(labels), place or PIXELS
    head: dict[str, Any] = {"type": "FeatureCollection"}
    if where.epsg is not None:
        name = f"urn:ogc:def:crs:EPSG::{where.epsg}"
        head["crs"] = {"type": "name", "properties": {"name": name}}
    head[MEMBER] = {"shape": list(shape), "transform": list(where.transform)}
    count = 0
    with (
        writing(path, "GeoJSON file") as unfinished,
        unfinished.open("w", encoding="utf-8") as file,
    ):
        file.write(json.dumps(head)[:-1] + ', "features": [')
        for item in label_objects(labels, classes, progress, cancelled):
            file.write(",\n" if count else "\n")
            file.write(json.dumps(_feature(item, where)))
            count += 1
        file.write("\n]}\n")
    return count


def _feature(item: LabelObject, where: Georeference) -> dict[str, Any]:
    shapes = [
        [_closed(where.points(ring), hole=number > 0) for number, ring in enumerate(polygon.rings)]
        for polygon in outlines(item.mask, (item.box.top, item.box.left))
    ]
    kind, coordinates = ("Polygon", shapes[0]) if len(shapes) == 1 else ("MultiPolygon", shapes)
    properties: dict[str, Any] = {"id": item.id, "area_px": item.area}
    if item.class_name:
        properties["class"] = item.class_name
        properties["classification"] = {"name": item.class_name}  # as QuPath writes it
    return {
        "type": "Feature",
        "id": item.id,
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def _closed(points: np.ndarray, hole: bool) -> list[list[float]]:
    """A ring whose last point is the first; outlines counter-clockwise, holes clockwise."""
    if (ring_area(points) < 0) != hole:
        points = points[::-1]
    return [[_short(x), _short(y)] for x, y in (*points, points[0])]


def _short(number: float) -> float | int:
    return int(number) if float(number).is_integer() else float(number)


def is_geojson(value: Any) -> bool:
    """Whether JSON is a collection of features, or a list of them as QuPath writes it."""
    if isinstance(value, list):
        return bool(value) and all(_is_feature(item) for item in value)
    features = value.get("features") if isinstance(value, Mapping) else None
    collection = isinstance(features, list) and value.get("type") == "FeatureCollection"
    return collection and all(_is_feature(item) for item in features)


def _is_feature(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "Feature" and "geometry" in value


def read_geojson(
    path: str | os.PathLike[str],
    shape: tuple[int, int] | None = None,
    place: Georeference | None = None,
) -> ReadLabels:
    """Read the polygons of a GeoJSON file as labels; points and lines are passed over.

    Parameters
    ----------
    path : str or path
    shape : (int, int), optional
        Height and width of the image; by default what the file says, or as far as polygons reach.
    place : Georeference, optional
        Of the image; by default what the file says, or pixels.

    Raises
    ------
    ExportError
        If the file cannot be read, is no GeoJSON, has no polygons, or coordinates that are no
        pixels and no image to go with them.
    """
    value = read_json(path, ExportError)
    if not is_geojson(value):
        raise ExportError(f"{path} is no GeoJSON with features. Choose another file.")
    try:
        return _labels(value, Path(path), shape, place)
    except ExportError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ExportError(
            f"The GeoJSON file {path} is damaged: {error!r:.80}. Write it again."
        ) from error


def _labels(
    value: Any, path: Path, shape: tuple[int, int] | None, place: Georeference | None
) -> ReadLabels:
    own = value.get(MEMBER) if isinstance(value, Mapping) else None
    if own is not None:
        shape = shape or (int(own["shape"][0]), int(own["shape"][1]))
        place = place or Georeference(tuple(map(float, own["transform"])))
    where = place or PIXELS
    features = value if isinstance(value, list) else value["features"]
    found = [(feature, _polygons(feature["geometry"] or {}, where)) for feature in features]
    found = [(feature, polygons) for feature, polygons in found if polygons]
    if not found:
        if own is not None:
            return ReadLabels(path.stem, blank(shape, 0))
        raise ExportError(f"{path} holds no polygons. Choose a file with polygons.")
    corners = np.concatenate([ring for _, polygons in found for p in polygons for ring in p])
    if shape is None:
        away = corners.min() < -1 or (isinstance(value, Mapping) and "crs" in value)
        if away and place is None:
            raise ExportError(
                f"The coordinates of {path} are no pixels of an image (they begin at "
                f"{corners[:, 1].min():g}, {corners[:, 0].min():g}). Read it from Python with the "
                "image's Georeference."
            )
        shape = tuple(int(n) for n in np.ceil(corners.max(axis=0)))
    ids = _ids([feature for feature, _ in found])
    labels = blank(shape, max(ids))
    masks = []
    for label, (_, polygons) in zip(ids, found, strict=True):
        ends = np.concatenate([ring for polygon in polygons for ring in polygon])
        box = Box(*np.floor(ends.min(axis=0)), *np.ceil(ends.max(axis=0))).clip(shape)
        mask = np.zeros(box.shape, bool)
        for polygon in polygons:
            mask |= fill(polygon, box)
        masks.append((label, box, mask))
    paint_all(labels, masks)
    named = {label: _class(feature) for label, (feature, _) in zip(ids, found, strict=True)}
    return ReadLabels(path.stem, labels, {label: name for label, name in named.items() if name})


def _polygons(geometry: Mapping[str, Any], where: Georeference) -> list[list[np.ndarray]]:
    """Rings of pixel corners of each polygon; none for points and lines."""
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        return [p for part in geometry["geometries"] for p in _polygons(part, where)]
    shapes = {"Polygon": lambda c: [c], "MultiPolygon": lambda c: c}.get(kind, lambda c: [])
    return [
        [where.corners(np.asarray(ring, float)[:, :2]) for ring in rings]
        for rings in shapes(geometry.get("coordinates"))
    ]


def _ids(features: list[Mapping[str, Any]]) -> list[int]:
    """Labels of features: their ids if these can be labels, otherwise counted from 1."""
    ids = [(feature.get("properties") or {}).get("id", feature.get("id")) for feature in features]
    fit = all(type(label) is int and 0 < label < 2**32 for label in ids)
    return ids if fit and len(set(ids)) == len(ids) else list(range(1, len(ids) + 1))


def _class(feature: Mapping[str, Any]) -> str:
    properties = feature.get("properties") or {}
    name = properties.get("class") or (properties.get("classification") or {}).get("name")
    return str(name or "")
