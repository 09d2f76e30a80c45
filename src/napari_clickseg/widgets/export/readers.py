"""npe2 readers: sessions, COCO JSON, GeoJSON and ImageJ ROI sets as layers.

Each looks into the file and leaves it to others if it is of another kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...data.exports.read_labels import ReadLabels
    from ...data.saved_session import SavedSession

__all__ = ["get_json_reader", "get_roi_reader", "get_session_reader"]

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str], list[LayerData]]
HEAD = 4096
POSITIVE, NEGATIVE = "#3ddc4c", "#ff4b3e"


def get_session_reader(path: str | Sequence[str]) -> Reader | None:
    """A reader of ``.clickseg.json``, None for other paths."""
    return _read_session if isinstance(path, str) and _begins(path, '"clickseg-session"') else None


def get_json_reader(path: str | Sequence[str]) -> Reader | None:
    """A reader of COCO JSON or GeoJSON, None if the file holds something else."""
    if not isinstance(path, str):
        return None
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    from ...data.exports.coco import is_coco
    from ...data.exports.geojson import is_geojson

    if is_coco(value):
        return _read_coco
    return _read_geojson if is_geojson(value) else None


def get_roi_reader(path: str | Sequence[str]) -> Reader | None:
    """A reader of zips of ImageJ ROIs, None if there are none in the zip."""
    from ...data.exports.imagej import is_roi_zip

    return _read_rois if isinstance(path, str) and is_roi_zip(path) else None


def _begins(path: str, text: str) -> bool:
    """Whether a text is near the beginning of a file."""
    try:
        with Path(path).open("rb") as file:
            return text.encode() in file.read(HEAD)
    except OSError:
        return False


def _read_coco(path: str) -> list[LayerData]:
    from ...data.exports.coco import read_coco

    return [_labels(read) for read in read_coco(path)]


def _read_geojson(path: str) -> list[LayerData]:
    from ...data.exports.geojson import read_geojson

    return [_labels(read_geojson(path))]


def _read_rois(path: str) -> list[LayerData]:
    from ...data.exports.imagej import read_roi_zip

    return [_labels(read_roi_zip(path))]


def _labels(read: ReadLabels) -> LayerData:
    from .labels import feature_columns

    return read.labels, {"name": read.name, "features": feature_columns(read.classes)}, "labels"


def _read_session(path: str) -> list[LayerData]:
    """Clicks as points, strokes, contours and boxes as shapes; the masks come out of a replay."""
    from ...data.session_file import read_session

    session = read_session(path)
    name = Path(path).name.removesuffix(".clickseg.json")
    layers = [_points(session, name), *_shapes(session, name)]
    for _, attributes, _ in layers:
        attributes["metadata"] = {"clickseg_session": path, "image": session.image.name}
    return layers


def _points(session: SavedSession, name: str) -> LayerData:
    import numpy as np

    from ...interactions import Click

    places: list[list[float]] = []
    features: dict[str, list[Any]] = {"object_id": [], "class": [], "order": [], "positive": []}
    for item in session.objects:
        for order, click in enumerate(item.interactions):
            if isinstance(click, Click):
                places.append(_place(item.plane, click.row, click.col))
                row = (item.id, item.class_name, order, click.positive)
                for column, value in zip(features.values(), row, strict=True):
                    column.append(value)
    signs = features["positive"]
    attributes = {
        "name": f"{name} clicks",
        "features": features,
        "symbol": ["disc" if positive else "cross" for positive in signs] or "disc",
        "face_color": [POSITIVE if positive else NEGATIVE for positive in signs] or POSITIVE,
        "ndim": _ndim(session),
    }
    return np.array(places).reshape(-1, _ndim(session)), attributes, "points"


def _shapes(session: SavedSession, name: str) -> list[LayerData]:
    """A layer of strokes, contours and boxes, if there are any."""
    import numpy as np

    from ...interactions import BoxPrompt, Click, Contour, Stroke

    lines: list[Any] = []
    kinds: list[str] = []
    signs: list[bool] = []
    features: dict[str, list[Any]] = {"object_id": [], "kind": []}
    for item in session.objects:
        for drawn in item.interactions:
            if isinstance(drawn, Click):
                continue
            points = drawn.points
            if isinstance(drawn, BoxPrompt):
                (top, left), (bottom, right) = points
                points = ((top, left), (top, right), (bottom, right), (bottom, left))
            lines.append(np.array([_place(item.plane, *point) for point in points]))
            named = {Stroke: "path", Contour: "polygon"}
            kinds.append(named.get(type(drawn), "rectangle"))
            signs.append(drawn.positive)
            features["object_id"].append(item.id)
            features["kind"].append(drawn.kind)
    if not lines:
        return []
    attributes = {
        "name": f"{name} shapes",
        "shape_type": kinds,
        "features": features,
        "edge_color": [POSITIVE if positive else NEGATIVE for positive in signs],
        "face_color": "transparent",
        "ndim": _ndim(session),
    }
    return [(lines, attributes, "shapes")]


def _ndim(session: SavedSession) -> int:
    planes = [len(item.plane) for item in session.objects if item.plane is not None]
    return max(planes, default=2)


def _place(plane: tuple[int | None, ...] | None, row: float, col: float) -> list[float]:
    """Data coordinates of a pixel of a plane."""
    if plane is None:
        return [row, col]
    ends = iter((row, col))
    return [float(next(ends) if index is None else index) for index in plane]
