"""JSON annotations of large data sets, read once into the user's cache, then row by row.

The files of COCO and LVIS have up to a gigabyte, and Python takes many times that to hold them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..json_file import read_json
from ..pyramid_cache import cache_folder
from ..replacing import replacing
from ..scenes import DatasetError

__all__ = ["Rows"]

VERSION = 1  # of the rows; part of every key
Content = tuple[Any, Iterable[tuple[int, Any]]]


class Rows:
    """A head and numbered rows made from a JSON file, kept in the user's cache.

    Parameters
    ----------
    path : Path
        The JSON file. Its path, size and time of change are the key of what is kept.
    kind : str
        Names what `make` does; part of the key.
    make : callable
        Takes the content of the file and gives the head and (number, row) in order, all of which
        JSON can hold.

    Attributes
    ----------
    head : object
    numbers : list of int

    Raises
    ------
    DatasetError
        If the file is damaged, or of another kind.
    """

    def __init__(self, path: Path, kind: str, make: Callable[[Any], Content]) -> None:
        state = path.stat()
        key = f"{path.resolve()}\0{state.st_size}\0{state.st_mtime_ns}\0{kind}\0{VERSION}"
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._file = cache_folder().absolute().with_name("annotations") / f"{name}.sqlite"
        self._process, self._open = -1, None
        try:
            self._load()
        except (sqlite3.Error, TypeError, ValueError):  # not there, or damaged
            self._process = -1
            self._fill(path, make)
            self._load()

    def _load(self) -> None:
        rows = self._rows()
        self.head = json.loads(rows.execute("SELECT head FROM heads").fetchone()[0])
        self.numbers: list[int] = [n for (n,) in rows.execute("SELECT n FROM rows ORDER BY place")]

    def _fill(self, path: Path, make: Callable[[Any], Content]) -> None:
        content = read_json(path, DatasetError)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(self._file)(error.strerror or str(error)) from error
        try:
            with replacing(self._file, _refused(self._file)) as made:
                _write(made, *make(content))
        except sqlite3.Error as error:
            raise _refused(self._file)(str(error)) from error
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise DatasetError(
                f"{path} lacks what its kind of annotations have ({type(error).__name__}: {error})."
            ) from error

    def _rows(self) -> sqlite3.Connection:
        """A connection of this process, because none may cross a fork."""
        if self._process != os.getpid() or self._open is None:
            self._open = sqlite3.connect(
                f"{self._file.as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            self._process = os.getpid()
        return self._open

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None, "_process": -1}

    def __getitem__(self, number: int) -> Any:
        found = self._rows().execute("SELECT row FROM rows WHERE n = ?", (number,)).fetchone()
        if found is None:
            raise KeyError(number)
        return json.loads(zlib.decompress(found[0]))

    def __len__(self) -> int:
        return len(self.numbers)


def _write(path: Path, head: Any, rows: Iterable[tuple[int, Any]]) -> None:
    packed = (
        (number, place, zlib.compress(_text(row), 1)) for place, (number, row) in enumerate(rows)
    )
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE heads (head TEXT)")
        database.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, place INTEGER, row BLOB)")
        database.execute("INSERT INTO heads VALUES (?)", (json.dumps(head),))
        database.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", packed)


def _text(row: Any) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode()


def _refused(path: Path) -> Callable[[str], Exception]:
    return lambda why: DatasetError(
        f"The annotations cannot be kept in {path}: {why}. Make room, or name another folder in "
        "CLICKSEG_CACHE."
    )
