"""Pyramids in the user's cache, of images that cannot be read in parts."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..cancel import Progress, stop_if
from .arrays import LEAST_SIDE
from .errors import ImageError
from .means import halved

__all__ = ["cache_folder", "cached_levels", "prefer_cache_folder"]

BAND_PIXELS = 2**22  # read at a time while a pyramid is made
CACHE_BYTES = 20 * 2**30  # pyramids used least recently are deleted beyond this
ABANDONED = 24 * 3600  # seconds after which an unfinished pyramid is nobody's any more
VERSION = 1  # of what is kept; part of every key
SPARE_BYTES = 2**26  # left free on the disk


_preferred = ""


def prefer_cache_folder(path: str) -> None:
    """Keep pyramids in a folder where ``CLICKSEG_CACHE`` names none; empty takes the user's."""
    global _preferred
    _preferred = path.strip()


def cache_folder() -> Path:
    """Where pyramids are kept: ``CLICKSEG_CACHE``, the one preferred, or the user's cache."""
    named = os.environ.get("CLICKSEG_CACHE", "") or os.path.expanduser(_preferred)
    if named:
        return Path(named) / "pyramids"
    import pooch

    return Path(pooch.os_cache("napari-clickseg")) / "pyramids"


def cached_levels(
    source: Any,
    path: Path,
    plane: object = None,
    first: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[np.ndarray]:
    """Memory maps of an image and of its halved, averaged resolutions.

    They are made on first use and kept under the path, the size and the time of change.

    Parameters
    ----------
    source : array
        ``(H, W)`` or ``(H, W, C)``; read in bands from top to bottom, once.
    path : Path
        The file or folder it comes from.
    plane : object
        What of the file it is; part of the key.
    first : int
        0 keeps the full resolution too; 1 only those below it.
    progress : callable, optional
        Called with the part that is done, 0..1.
    cancelled : callable, optional
        Asked before each band.

    Returns
    -------
    list of (h, w) or (h, w, C) array
        Levels `first`, `first` + 1, ...; each pixel is the mean of 2 x 2 of the level above.

    Raises
    ------
    ImageError
        If the cache folder cannot be written or the disk is too full.
    Cancelled
        Nothing is left in the cache then.
    """
    root, name = cache_folder(), _key(path, plane, first)
    sizes = _sizes(source.shape)
    with contextlib.suppress(OSError, ValueError):
        return _open(root / name, source, sizes, first)
    unfinished = root / f"{name}.{uuid.uuid4().hex}.part"
    try:
        root.mkdir(parents=True, exist_ok=True)
        need = _bytes(source, sizes[first:])
        _make_room(root, need, name)
        free = shutil.disk_usage(root).free
        if need + SPARE_BYTES > free:
            raise ImageError(
                f"{path} has to be tiled once, which takes {need / 1e6:,.0f} MB in {root}; "
                f"{free / 1e6:,.0f} MB are free. Make room, or name another folder in "
                "CLICKSEG_CACHE."
            )
        unfinished.mkdir()
        _write(source, unfinished, sizes, first, progress, cancelled, f"Tiling {path}")
        shutil.rmtree(root / name, ignore_errors=True)  # damaged, or it would have been opened
        try:
            unfinished.rename(root / name)
        except OSError:
            if not (root / name).is_dir():  # else another process was faster
                raise
        return _open(root / name, source, sizes, first)
    except OSError as error:
        raise ImageError(
            f"{path} has to be tiled once, and {root} cannot be written: "
            f"{error.strerror or error}. Make room, or name another folder in CLICKSEG_CACHE."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _key(path: Path, plane: object, first: int) -> str:
    """A folder name: of which picture, and of which state of its file."""
    changed, size = _state(path)
    picture = f"{path.resolve()}\0{plane}\0{first}\0{VERSION}"
    version = f"{changed}\0{size}"
    return "-".join(
        hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        for part in (picture, version)
    )


def _state(path: Path) -> tuple[int, int]:
    """Time of the last change (ns) and size (bytes) of a file, or of all that is in a folder."""
    parts = [path, *(path.rglob("*") if path.is_dir() else ())]
    states = [part.stat() for part in parts]
    return max(s.st_mtime_ns for s in states), sum(s.st_size for s in states)


def _sizes(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Height and width of each level, halved and rounded up."""
    sizes = [(int(shape[0]), int(shape[1]))]
    while min(sizes[-1]) // 2 >= LEAST_SIDE:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def _bytes(source: Any, sizes: list[tuple[int, int]]) -> int:
    channels = source.shape[2] if len(source.shape) == 3 else 1
    return sum(h * w for h, w in sizes) * channels * np.dtype(source.dtype).itemsize


def _open(folder: Path, source: Any, sizes: list[tuple[int, int]], first: int) -> list[np.ndarray]:
    """The levels of a finished pyramid; ValueError or OSError if there is none."""
    levels = []
    for number, size in list(enumerate(sizes))[first:]:
        level = np.load(folder / f"{number}.npy", mmap_mode="r", allow_pickle=False)
        if level.shape != (*size, *source.shape[2:]) or level.dtype != source.dtype:
            raise ValueError(f"{folder} holds another image.")
        levels.append(level)
    os.utime(folder)  # used now
    return levels


def _make_room(root: Path, need: int, name: str) -> None:
    """Delete older states of the same picture, what was abandoned, and what was used long ago."""
    entries = sorted(
        ((entry.stat().st_mtime, entry) for entry in root.iterdir() if entry.is_dir()),
        reverse=True,
    )
    total = need
    for used, entry in entries:
        if entry.name.endswith(".part"):
            unwanted = time.time() - used > ABANDONED
        else:
            total += sum(file.stat().st_size for file in entry.iterdir())
            unwanted = entry.name.split("-")[0] == name.split("-")[0] or total > CACHE_BYTES
        if unwanted:
            shutil.rmtree(entry, ignore_errors=True)


def _write(
    source: Any,
    folder: Path,
    sizes: list[tuple[int, int]],
    first: int,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
    what: str,
) -> None:
    """Write all levels while the source is read once."""
    height, width = sizes[0]
    with contextlib.ExitStack() as files:
        chain: _Level | None = None
        for number, size in reversed(list(enumerate(sizes))):
            file = None
            if number >= first:
                file = files.enter_context((folder / f"{number}.npy").open("wb"))
                header = {
                    "shape": (*size, *source.shape[2:]),
                    "fortran_order": False,
                    "descr": np.lib.format.dtype_to_descr(np.dtype(source.dtype)),
                }
                np.lib.format.write_array_header_1_0(file, header)
            chain = _Level(file, chain)
        rows = _band(source, width)
        for top in range(0, height, rows):
            stop_if(cancelled, what)
            chain.add(np.asarray(source[top : min(top + rows, height), 0:width]))
            if progress is not None:
                progress(min(top + rows, height) / height)
        chain.close()


def _band(source: Any, width: int) -> int:
    """Rows read at a time: an even number, of whole chunks if these are not too large."""
    chunk = int(getattr(source, "chunk_rows", 1))
    rows = max(2, BAND_PIXELS // width // 2 * 2)
    whole = -(-rows // (2 * chunk)) * 2 * chunk
    return whole if whole * width <= 8 * BAND_PIXELS else rows


class _Level:
    """One level being written; hands pairs of rows, averaged, to the next coarser one."""

    def __init__(self, file: Any, coarser: _Level | None) -> None:
        self._file, self._coarser = file, coarser
        self._left: np.ndarray | None = None

    def add(self, rows: np.ndarray) -> None:
        if self._file is not None:
            self._file.write(np.ascontiguousarray(rows).data)
        if self._coarser is None:
            return
        if self._left is not None:
            rows = np.concatenate([self._left, rows])
        even = len(rows) // 2 * 2
        self._left = rows[even:].copy() if len(rows) > even else None
        if even:
            self._coarser.add(halved(rows[:even]))

    def close(self) -> None:
        if self._coarser is not None:
            if self._left is not None:
                self._coarser.add(halved(np.concatenate([self._left, self._left])))
            self._coarser.close()
