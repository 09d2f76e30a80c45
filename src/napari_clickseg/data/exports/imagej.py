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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...cancel import Progress
from ...geometry import Box
from .errors import ExportError, writing
from .label_objects import LabelObject, LabelPlane, as_planes, plane_objects, shape_of
from .polygons import fill, outlines
from .read_labels import ReadLabels, blank, paint_all

__all__ = ["is_roi_zip", "read_roi_zip", "write_roi_zip"]

MAGIC, VERSION = b"Iout", 228
POLYGON, RECTANGLE, OVAL, FREEHAND, TRACED = 0, 1, 2, 7, 8
OUTLINED = (POLYGON, FREEHAND, TRACED)
SUB_PIXEL = 128
MOVE, LINE, CURVE, CUBIC, CLOSE = range(5)
ENDS = {MOVE: 2, LINE: 2, CURVE: 4, CUBIC: 6, CLOSE: 0}  # numbers after each kind of segment
POSITION = 56  # of the number of the plane, in the header
HYPERSTACK = {"c": 4, "z": 8, "t": 12}  # of the plane along each axis, in the second header
MOST_PLANES = 2**16
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
    """Write the objects of one image, or of the planes of a stack; returns how many.

    An object of one piece without holes becomes a traced outline, any other a composite.

    Parameters
    ----------
    path : str or path
    labels : (H, W) array, or sequence of LabelPlane
        Of a stack, each ROI has its position: slice or frame along one axis; channel, slice and
        frame if there are axes called c, z and t; otherwise the number of the plane.
    classes : mapping of int to str, optional
        Class names of labels; they become part of the ROIs' names.
    progress, cancelled : callable, optional
        See `label_objects`.

    Raises
    ------
    ExportError
        If these are no labels, or the file cannot be written.
    """
    planes = as_planes(labels)
    shapes, count = [shape_of(plane.labels) for plane in planes], 0
    lengths = _lengths(planes)
    with (
        writing(path, "ROI set") as unfinished,
        zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for number, item in plane_objects(planes, classes, progress, cancelled):
            place = planes[number].place
            name = f"{number + 1:04d}-{item.id:05d}" if place else f"{item.id:05d}"
            facts = _plane_facts(place, lengths)
            position = _position(place, number)
            archive.writestr(f"{name}.roi", _encode(item, shapes[number], facts, position))
            count += 1
    return count


def _lengths(planes: Sequence[LabelPlane]) -> tuple[int, ...]:
    """How many planes there are along each axis."""
    return tuple(len({plane.place[name] for plane in planes}) for name in planes[0].place)


def _plane_facts(place: Mapping[str, int], lengths: tuple[int, ...]) -> dict[str, str]:
    """Properties that `read_roi_zip` needs to make a stack again."""
    if not place:
        return {}
    return {
        "plane": " ".join(map(str, place.values())),
        "planes": " ".join(map(str, lengths)),
    }


def _position(place: Mapping[str, int], number: int) -> tuple[int, ...]:
    """What ImageJ calls a plane: nothing, its number, or its channel, slice and frame."""
    if not place:
        return ()
    steps = {name.lower(): step + 1 for name, step in place.items()}
    if len(steps) < 2 or not set(steps) <= set(HYPERSTACK):
        return (number + 1,)
    return tuple(steps.get(axis, 0) for axis in HYPERSTACK)


def _encode(
    item: LabelObject,
    shape: tuple[int, int],
    more: Mapping[str, str],
    position: tuple[int, ...],
) -> bytes:
    box, found = item.box, outlines(item.mask, (item.box.top, item.box.left))
    name = f"{item.class_name} {item.id}" if item.class_name else f"{item.id}"
    facts = {"label": item.id, "height": shape[0], "width": shape[1], "class": item.class_name}
    facts |= more
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
    alone = position[0] if len(position) == 1 else 0
    head = (head + struct.pack(">i", floats)).ljust(POSITION, b"\0")
    head += struct.pack(">2i", alone, second)
    fields = {16: second + 64, 20: len(text) // 2}
    fields |= {40: second + 64 + len(text), 44: len(facts_text) // 2}
    fields |= dict(zip(HYPERSTACK.values(), position, strict=True)) if len(position) > 1 else {}
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

    ROIs that all have a position are the labels of a stack ``(..., H, W)``.

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


def _labels(rois: list[_Roi], path: Path, shape: tuple[int, int] | None) -> ReadLabels:
    rois = [roi for roi in rois if roi.rings]
    if not rois:
        raise ExportError(f"{path} holds no areas of ImageJ. Choose a ROI set with areas.")
    reach = np.ceil(np.concatenate([r for roi in rois for r in roi.rings]).max(axis=0))
    sizes = [(_number(roi.facts, "height"), _number(roi.facts, "width")) for roi in rois]
    said = [size for size in sizes if min(size) > 0]
    shape = shape or (said[0] if len(said) == len(rois) else (int(reach[0]), int(reach[1])))
    indices, lengths = _planes(rois)
    ids = [_number(roi.facts, "label") for roi in rois]
    twice = len(set(zip(indices, ids, strict=True))) < len(ids)
    if min(ids) < 1 or max(ids) >= 2**32 or twice:
        ids = list(range(1, len(rois) + 1))
    labels = blank((*lengths, *shape), max(ids))
    masks: dict[tuple[int, ...], list[tuple[int, Box, np.ndarray]]] = {}
    for index, label, roi in zip(indices, ids, rois, strict=True):
        ends = np.concatenate(roi.rings)
        box = Box(*np.floor(ends.min(axis=0)), *np.ceil(ends.max(axis=0))).clip(shape)
        masks.setdefault(index, []).append((label, box, fill(roi.rings, box)))
    for index, found in masks.items():
        paint_all(labels[index], found)
    named = {label: roi.facts.get("class", "") for label, roi in zip(ids, rois, strict=True)}
    return ReadLabels(path.stem, labels, {label: name for label, name in named.items() if name})


def _planes(rois: list[_Roi]) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """The plane of each ROI in a stack, and the stack's lengths; without planes, both are empty.

    Our own files say both. Of others, ROIs with positions are in a stack as long as these reach.
    """
    own = [(_numbers(roi.facts, "plane"), _numbers(roi.facts, "planes")) for roi in rois]
    lengths = own[0][1]
    if lengths and all(
        told == lengths
        and len(index) == len(lengths)
        and all(i < n for i, n in zip(index, lengths, strict=True))
        for index, told in own
    ):
        return [index for index, _ in own], lengths
    if all(max(roi.position) > 0 for roi in rois):
        indices = np.maximum([roi.position for roi in rois], 1) - 1
        axes = [axis for axis in range(3) if indices[:, axis].max() > 0]
        reach = tuple(int(n) + 1 for n in indices[:, axes].max(axis=0))
        return [tuple(map(int, index)) for index in indices[:, axes]], reach
    return [() for _ in rois], ()


def _numbers(facts: Mapping[str, str], name: str) -> tuple[int, ...]:
    """A property as numbers; none if it is something else."""
    words = facts.get(name, "").split()
    fit = all(word.isascii() and word.isdigit() and len(word) < 12 for word in words)
    return tuple(map(int, words)) if fit else ()


def _number(facts: Mapping[str, str], name: str) -> int:
    """A property as a number; 0 if it is none, such as another program's property of this name."""
    text = facts.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


@dataclass(frozen=True)
class _Roi:
    """One ROI.

    Attributes
    ----------
    rings : list of (n, 2) array
        Corners (row, col); none for lines and points.
    facts : dict of str to str
        Properties.
    position : (int, int, int)
        Frame, slice and channel from 1, or the number of the plane as slice; 0 for all.
    """

    rings: list[np.ndarray]
    facts: dict[str, str]
    position: tuple[int, int, int]


def _decode(data: bytes) -> _Roi:
    magic = struct.unpack_from(">4s", data)[0]
    if magic != MAGIC:
        raise ValueError("it holds a file that is no ROI")
    alone, second = struct.unpack_from(">2i", data, POSITION)
    channel, depth, frame = 0, 0, 0
    if second and len(data) >= second + 16:
        channel, depth, frame = struct.unpack_from(">3i", data, second + HYPERSTACK["c"])
    position = (0, alone, 0) if max(channel, depth, frame) < 1 else (frame, depth, channel)
    if max(position) > MOST_PLANES:
        raise ValueError(f"it has a ROI on plane {max(position)}")
    return _Roi(_rings(data), _facts(data, second) if second else {}, position)


def _rings(data: bytes) -> list[np.ndarray]:
    """Rings of corners (row, col), none for lines and points."""
    _, _, kind, top, left, bottom, right, count = struct.unpack_from(">4shBx4hH", data)
    options = struct.unpack_from(">h", data, 50)[0]
    floats = struct.unpack_from(">i", data, 36)[0]
    if floats > 0:
        return _path(np.frombuffer(data, ">f4", floats, 64))
    if kind in (RECTANGLE, OVAL):
        if options & SUB_PIXEL and struct.unpack_from(">h", data, 4)[0] >= 223:
            x, y, width, height = struct.unpack_from(">4f", data, 18)
        else:
            x, y, width, height = left, top, right - left, bottom - top
        turn = np.arange(ROUND) * (2 * np.pi / ROUND)
        unit = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], float)
        if kind == OVAL:
            unit = np.stack([np.sin(turn), np.cos(turn)], axis=1) / 2 + 0.5
        return [unit * (height, width) + (y, x)]
    if kind not in OUTLINED:
        return []
    count = count or struct.unpack_from(">i", data, 18)[0]
    if options & SUB_PIXEL:
        points = np.frombuffer(data, ">f4", 2 * count, 64 + 4 * count).reshape(2, count)
        return [points[::-1].T.astype(float)]
    points = np.frombuffer(data, ">u2", 2 * count, 64).reshape(2, count)
    return [points[::-1].T + np.array([top, left], float)]


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
