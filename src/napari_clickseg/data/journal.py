"""A record of what was accepted, line by line, so that nothing is lost when the program is killed.

Each line is complete on the disk before the next thing happens; what was said of objects that are
not accepted yet is handed to the system only, so that no click waits for the disk. A line that was
cut off by a kill is ignored when the journal is read.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import FileIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..geometry import Box
from .saved_session import ImageSignature, SavedObject, SessionFileError
from .session_file import object_from_json, object_to_json

__all__ = [
    "Journal",
    "Recorded",
    "RecordedObject",
    "RecordedWork",
    "find_journals",
    "journal_folder",
    "prune",
    "read_journal",
]

VARIABLE = "CLICKSEG_JOURNALS"
SUFFIX = ".journal"
VERSION = 1
KEPT_DAYS = 30

Steps = tuple[int | None, ...] | None
Key = tuple[int, Steps]


def journal_folder() -> Path:
    """Where journals are kept: ``$CLICKSEG_JOURNALS``, else in the user's data folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_data_path("napari-clickseg", appauthor=False) / "journals"


@dataclass(frozen=True, eq=False)
class RecordedObject:
    """An accepted object and its pixels.

    Attributes
    ----------
    saved : SavedObject
    pieces : tuple of (Box, array)
        Its pixels in boxes of its plane, ``box.shape`` bool.
    """

    saved: SavedObject
    pieces: tuple[tuple[Box, np.ndarray], ...]


@dataclass(frozen=True, eq=False)
class RecordedWork:
    """An object that was not accepted yet.

    Attributes
    ----------
    saved : SavedObject
        What was said of it. Its id counts if it was opened again.
    opened : bool
        Whether the accepted object of that id and plane was opened again for it.
    """

    saved: SavedObject
    opened: bool = False


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a journal holds.

    Attributes
    ----------
    path : Path
    image : ImageSignature
    last : float
        When something was recorded last, seconds since 1970.
    objects : tuple of RecordedObject
        In the order in which they took their places: those written again keep theirs, unless
        they took pixels of others.
    classes : mapping
        Colours ``#rrggbb`` of class names.
    works : tuple of RecordedWork
        Objects that were not accepted yet; of those of one plane, the last one was in work.
    """

    path: Path
    image: ImageSignature
    last: float
    objects: tuple[RecordedObject, ...] = ()
    classes: Mapping[str, str] = field(default_factory=dict)
    works: tuple[RecordedWork, ...] = ()


class Journal:
    """A journal that is being written; other processes see that it is in use.

    Parameters
    ----------
    image : ImageSignature
        Of the image that the objects belong to.
    folder : Path, optional
        `journal_folder()` by default; made if it does not exist.

    Raises
    ------
    OSError
        If it cannot be written; so do all methods.
    """

    def __init__(self, image: ImageSignature, folder: Path | None = None) -> None:
        folder = journal_folder() if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        # without a buffer, which a full disk would keep from being closed
        self._file: FileIO | None = open(self.path, "xb", buffering=0)  # noqa: SIM115
        self._end = 0
        self._keys: set[Key] = set()
        self._planes: set[Steps] = set()
        _lock(self._file)
        try:
            self._write({"journal": VERSION, "image": asdict(image)})
        except OSError:
            self.close(keep=False)
            raise

    @property
    def empty(self) -> bool:
        """Whether there is no object in it, accepted or not."""
        return not self._keys and not self._planes

    def put(self, saved: SavedObject, pieces: Iterable[tuple[Box, np.ndarray]]) -> None:
        """Record that an object is there now, in place of one of the same id and plane.

        Parameters
        ----------
        saved : SavedObject
        pieces : iterable of (Box, array)
            Its pixels in boxes of its plane, ``box.shape`` bool.
        """
        packed = [[_corners(box), _pack(mask)] for box, mask in pieces if mask.any()]
        self._write({"put": object_to_json(saved), "mask": packed})
        self._keys.add((saved.id, saved.plane))

    def drop(self, label: int, plane: tuple[int | None, ...] | None) -> None:
        """Record that the object of an id and plane is gone."""
        self._write({"drop": [label, plane]})
        self._keys.discard((label, plane))

    def work(self, plane: Steps, works: Sequence[RecordedWork]) -> None:
        """Record what is unfinished on a plane now, in place of what was; it may be nothing."""
        lines = [[object_to_json(item.saved), item.opened] for item in works]
        self._write({"work": lines, "plane": plane}, sync=False)
        (self._planes.add if lines else self._planes.discard)(plane)

    def classes(self, colours: Mapping[str, str]) -> None:
        """Record the colours of all classes."""
        self._write({"classes": dict(colours)})

    def close(self, keep: bool = True) -> None:
        """Write no more; without `keep` the file is deleted."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if not keep:
            self.path.unlink(missing_ok=True)

    def _write(self, value: Mapping[str, Any], sync: bool = True) -> None:
        if self._file is None:
            raise OSError("the journal is closed")
        line = (json.dumps({**value, "time": time.time()}, allow_nan=False) + "\n").encode()
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
            if sync:
                os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):  # no half line before the next one
                self._file.truncate(self._end)
                self._file.seek(self._end)
            raise
        self._end += len(line)


def find_journals(folder: Path | None = None) -> list[Recorded]:
    """Journals that nobody is writing, without their objects, newest first.

    Files that are no journals are left out.
    """
    folder = journal_folder() if folder is None else folder
    found = []
    for path in folder.glob(f"*{SUFFIX}") if folder.is_dir() else ():
        with contextlib.suppress(OSError, ValueError, RecursionError):
            with open(path, "r+b") as file:
                if not _lock(file):
                    continue
                header = json.loads(file.readline() or b"null")
            found.append(Recorded(path, _image(header), path.stat().st_mtime))
    return sorted(found, key=lambda journal: journal.last, reverse=True)


def read_journal(path: Path) -> Recorded:
    """All that a journal holds; damaged lines are left out.

    Raises
    ------
    OSError
        If it cannot be read.
    SessionFileError
        If it is no journal.
    """
    image, last, classes = None, 0.0, {}
    objects: dict[Key, RecordedObject] = {}
    works: dict[Steps, tuple[RecordedWork, ...]] = {}
    with open(path, "rb") as file:
        for value in _values(file):
            if image is None:
                image = _image(value)
            try:
                if "put" in value:
                    item = _recorded(value)
                    key = (item.saved.id, item.saved.plane)
                    if item.saved.overwrites:
                        objects.pop(key, None)  # else it keeps its place before later ones
                    objects[key] = item
                elif "drop" in value:
                    label, plane = value["drop"]
                    objects.pop((label, _steps(plane)), None)
                elif "work" in value:
                    found = [(object_from_json(item), opened) for item, opened in value["work"]]
                    works[_steps(value["plane"])] = tuple(RecordedWork(*pair) for pair in found)
                elif "classes" in value:
                    classes = dict(value["classes"])
                last = float(value["time"])
            except (KeyError, TypeError, ValueError, zlib.error):
                continue
    if image is None:
        raise SessionFileError(f"{path} is no journal of clicks: it is empty. Delete it.")
    unfinished = tuple(item for plane in works.values() for item in plane)
    return Recorded(path, image, last, tuple(objects.values()), classes, unfinished)


def prune(folder: Path | None = None, days: float = KEPT_DAYS) -> None:
    """Delete journals that nobody has written for some days."""
    for journal in find_journals(folder):
        if time.time() - journal.last > days * 86_400:
            with contextlib.suppress(OSError):
                journal.path.unlink()


def _steps(plane: Any) -> Steps:
    return None if plane is None else tuple(plane)


def _values(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    for line in file:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _image(header: Any) -> ImageSignature:
    if not isinstance(header, dict) or header.get("journal") != VERSION:
        raise SessionFileError("This file is no journal of clicks. Choose another.")
    try:
        return ImageSignature(**header["image"])
    except (KeyError, TypeError) as error:
        raise SessionFileError(f"This journal does not name its image: {error}.") from error


def _recorded(value: Mapping[str, Any]) -> RecordedObject:
    pieces = []
    for corners, packed in value["mask"]:
        box = Box(*corners)
        bits = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
        rows = bits.reshape(box.height, -(-box.width // 8))
        pieces.append((box, np.unpackbits(rows, axis=1, count=box.width).astype(bool)))
    return RecordedObject(object_from_json(value["put"]), tuple(pieces))


def _corners(box: Box) -> list[int]:
    return [box.top, box.left, box.bottom, box.right]


def _pack(mask: np.ndarray) -> str:
    bits = zlib.compress(np.packbits(mask, axis=1).tobytes(), 1)
    return base64.b64encode(bits).decode()


def _lock(file: IO[bytes]) -> bool:
    """Mark a file as in use until it is closed, or the process ends; False if it was already."""
    try:
        import fcntl
    except ImportError:
        return _lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _lock_on_windows(file: IO[bytes]) -> bool:
    import msvcrt

    place = file.tell()
    try:
        file.seek(2**30)  # beyond all lines, which stay readable for others
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        file.seek(place)
    return True
