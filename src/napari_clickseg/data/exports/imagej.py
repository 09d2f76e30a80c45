"""ImageJ ROI sets: a zip of one ``.roi`` file per object.

A ``.roi`` file is big-endian: 64 bytes of header, coordinates, a second header of 64 bytes, the
name in UTF-16, and properties as lines of text. The layout is that of ImageJ's RoiDecoder
(public domain, W. Rasband).
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...cancel import Progress
from ...geometry import Box
from .errors import ExportError, writing
from .label_objects import LabelObject, label_objects, shape_of
from .polygons import fill, outlines
from .read_labels import ReadLabels, blank, paint_all

__all__ = ["is_roi_zip", "read_roi_zip", "write_roi_zip"]

MAGIC, VERSION = b"Iout", 228
POLYGON, RECTANGLE, OVAL, FREEHAND, TRACED = 0, 1, 2, 7, 8
OUTLINED = (POLYGON, FREEHAND, TRACED)
SUB_PIXEL = 128
MOVE, LINE, CURVE, CUBIC, CLOSE = range(5)
ENDS = {MOVE: 2, LINE: 2, CURVE: 4, CUBIC: 6, CLOSE: 0}  # numbers after each kind of segment
LARGEST = 2**15 - 1  # coordinate of an outline of whole numbers
ROUND = 256  # corners that stand for an oval
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, struct.error),
    *(ValueError, IndexError, KeyError, OverflowError),
)


def write_roi_zip(
    path: str | os.PathLike[str],
    labels: Any,
    classes: Mapping[int, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Write the objects of one image; returns how many.

    An object of one piece without holes becomes a traced outline, any other a composite.

    Parameters
    ----------
    path : str or path
    labels : (H, W) array
    classes : mapping of int to str, optional
        Class names of labels; they become part of the ROIs' names.
    progress, cancelled : callable, optional
        See `label_objects`.

    Raises
    ------
    ExportError
        If these are no labels, or the file cannot be written.
    """
    shape, count = shape_of(labels), 0
    with (
        writing(path, "ROI set") as unfinished,
        zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for item in label_objects(labels, classes, progress, cancelled):
            archive.writestr(f"{item.id:05d}.roi", _encode(item, shape))
            count += 1
    return count


def _encode(item: LabelObject, shape: tuple[int, int]) -> bytes:
    box, found = item.box, outlines(item.mask, (item.box.top, item.box.left))
    name = f"{item.class_name} {item.id}" if item.class_name else f"{item.id}"
    facts = {"label": item.id, "height": shape[0], "width": shape[1], "class": item.class_name}
    lines = "".join(f"{key}: {_one_line(value)}\n" for key, value in facts.items() if value != "")
    simple = len(found) == 1 and not found[0].holes and max(box.bottom, box.right) <= LARGEST
    if simple:
        corners = found[0].outer - (box.top, box.left)
        kind, count, floats = TRACED, len(corners), 0
        simple = count <= LARGEST
        coordinates = np.concatenate([corners[:, 1], corners[:, 0]]).astype(">i2").tobytes()
    if not simple:
        path: list[float] = []
        for polygon in found:
            for ring in polygon.rings:
                (row, col), *others = ring.tolist()
                path += [MOVE, col, row]
                for row, col in others:
                    path += [LINE, col, row]
                path.append(CLOSE)
        kind, count, floats = RECTANGLE, 0, len(path)
        coordinates = np.asarray(path, ">f4").tobytes()
    sides = (min(side, LARGEST) for side in (box.top, box.left, box.bottom, box.right))
    second = 64 + len(coordinates)
    text, facts_text = name.encode("utf-16-be"), lines.encode("utf-16-be")
    head = struct.pack(">4shBx4hH", MAGIC, VERSION, kind, *sides, count).ljust(36, b"\0")
    head = (head + struct.pack(">i", floats)).ljust(60, b"\0") + struct.pack(">i", second)
    fields = {16: second + 64, 20: len(text) // 2}
    fields |= {40: second + 64 + len(text), 44: len(facts_text) // 2}
    tail = bytearray(64)
    for offset, value in fields.items():
        struct.pack_into(">i", tail, offset, value)
    return head + coordinates + bytes(tail) + text + facts_text


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def is_roi_zip(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a zip with ROIs in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.lower().endswith(".roi") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_roi_zip(path: str | os.PathLike[str], shape: tuple[int, int] | None = None) -> ReadLabels:
    """Read the areas of an ImageJ ROI set as labels; lines and points are passed over.

    Parameters
    ----------
    path : str or path
    shape : (int, int), optional
        Height and width of the image; by default what our own files say, or as far as ROIs reach.

    Raises
    ------
    ExportError
        If the file cannot be read, is damaged, or holds no areas.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".roi")]
            return _labels([_decode(archive.read(name)) for name in names], path, shape)
    except ExportError:
        raise
    except OSError as error:
        raise ExportError(
            f"{path} cannot be opened: {error.strerror or error}. Check the path, and that you may "
            "read it."
        ) from error
    except (RuntimeError, NotImplementedError) as error:  # a password, or another compression
        raise ExportError(f"{path} cannot be unpacked: {error}. Save it again.") from error
    except DAMAGED as error:
        raise ExportError(
            f"The ROI set {path} is damaged: {error!s:.80}. Save it again."
        ) from error


def _labels(
    rois: list[tuple[list[np.ndarray], dict[str, str]]], path: Path, shape: tuple[int, int] | None
) -> ReadLabels:
    rois = [(rings, facts) for rings, facts in rois if rings]
    if not rois:
        raise ExportError(f"{path} holds no areas of ImageJ. Choose a ROI set with areas.")
    reach = np.ceil(np.concatenate([r for rings, _ in rois for r in rings]).max(axis=0))
    sizes = [(_number(facts, "height"), _number(facts, "width")) for _, facts in rois]
    said = [size for size in sizes if min(size) > 0]
    shape = shape or (said[0] if len(said) == len(rois) else (int(reach[0]), int(reach[1])))
    ids = [_number(facts, "label") for _, facts in rois]
    if min(ids) < 1 or max(ids) >= 2**32 or len(set(ids)) < len(ids):
        ids = list(range(1, len(rois) + 1))
    labels, masks = blank(shape, max(ids)), []
    for label, (rings, _) in zip(ids, rois, strict=True):
        ends = np.concatenate(rings)
        box = Box(*np.floor(ends.min(axis=0)), *np.ceil(ends.max(axis=0))).clip(shape)
        masks.append((label, box, fill(rings, box)))
    paint_all(labels, masks)
    named = {label: f.get("class", "") for label, (_, f) in zip(ids, rois, strict=True)}
    return ReadLabels(path.stem, labels, {label: name for label, name in named.items() if name})


def _number(facts: Mapping[str, str], name: str) -> int:
    """A property as a number; 0 if it is none, such as another program's property of this name."""
    text = facts.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _decode(data: bytes) -> tuple[list[np.ndarray], dict[str, str]]:
    """Rings of corners (row, col), none for lines and points; and the properties."""
    magic, _, kind, top, left, bottom, right, count = struct.unpack_from(">4shBx4hH", data)
    if magic != MAGIC:
        raise ValueError("it holds a file that is no ROI")
    options, second = struct.unpack_from(">h", data, 50)[0], struct.unpack_from(">i", data, 60)[0]
    floats = struct.unpack_from(">i", data, 36)[0]
    facts = _facts(data, second) if second else {}
    if floats > 0:
        return _path(np.frombuffer(data, ">f4", floats, 64)), facts
    if kind in (RECTANGLE, OVAL):
        if options & SUB_PIXEL and struct.unpack_from(">h", data, 4)[0] >= 223:
            x, y, width, height = struct.unpack_from(">4f", data, 18)
        else:
            x, y, width, height = left, top, right - left, bottom - top
        turn = np.arange(ROUND) * (2 * np.pi / ROUND)
        unit = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], float)
        if kind == OVAL:
            unit = np.stack([np.sin(turn), np.cos(turn)], axis=1) / 2 + 0.5
        return [unit * (height, width) + (y, x)], facts
    if kind not in OUTLINED:
        return [], facts
    count = count or struct.unpack_from(">i", data, 18)[0]
    if options & SUB_PIXEL:
        points = np.frombuffer(data, ">f4", 2 * count, 64 + 4 * count).reshape(2, count)
        return [points[::-1].T.astype(float)], facts
    points = np.frombuffer(data, ">u2", 2 * count, 64).reshape(2, count)
    return [points[::-1].T + np.array([top, left], float)], facts


def _path(numbers: np.ndarray) -> list[np.ndarray]:
    """Rings of a composite; of a curve, its end."""
    rings: list[list[tuple[float, float]]] = []
    place, values = 0, numbers.astype(float).tolist()
    while place < len(values):
        kind = int(values[place])
        ends = values[place + 1 : place + 1 + ENDS[kind]]
        if kind == MOVE:
            rings.append([])
        if ends:
            rings[-1].append((ends[-1], ends[-2]))
        place += 1 + ENDS[kind]
    return [np.array(ring) for ring in rings if len(ring) > 2]


def _facts(data: bytes, second: int) -> dict[str, str]:
    """Properties ``key: value`` from the lines that the second header points to."""
    offset, length = struct.unpack_from(">2i", data, second + 40)
    lines = data[offset : offset + 2 * length].decode("utf-16-be") if offset > 0 else ""
    pairs = (line.split(":", 1) for line in lines.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
