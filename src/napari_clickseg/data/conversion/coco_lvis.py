"""Builds COCO+LVIS out of LVIS v1 and COCO's panoptic annotations."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..datasets.coco_panoptic import CocoPanoptic
from ..datasets.layers import encode_layer
from ..datasets.lvis import LVIS
from ..scenes import DatasetError
from .combined_objects import combine
from .written_files import refused, write_pickle

__all__ = ["build_coco_lvis"]

PARTS = ("train", "val")


def build_coco_lvis(
    lvis: str | Path,
    coco: str | Path,
    out: str | Path,
    split: str = "train",
    images: Literal["copy", "link", "none"] = "copy",
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write ``SPLIT/masks/ID.pickle``, ``SPLIT/hannotation.pickle`` and images below `out`.

    What was written before an interruption is not made again.

    Parameters
    ----------
    lvis, coco, out : str or Path
        Folders that the readers LVIS and COCO open, and the one to write.
    split : str
        ``train`` or ``val`` of LVIS; its images may be in either part of COCO.
    images : {"copy", "link", "none"}
        What becomes of the images.
    jobs : int
        Processes.
    progress : callable, optional
        Called with the images done and all images.

    Returns
    -------
    int
        Images with objects.

    Raises
    ------
    DatasetError
        If a layout is another, or the folder cannot be written.
    """
    source = LVIS(lvis, split)
    panoptic = _panoptic(Path(coco))
    target = Path(out) / split
    with _telling(target):
        (target / "masks").mkdir(parents=True, exist_ok=True)
        if images != "none":
            (target / "images").mkdir(exist_ok=True)
        journal = target / "hannotation.jsonl"
        done = dict(_lines(journal))
        left = [index for index in range(len(source)) if str(source.numbers[index]) not in done]
        count = len(source) - len(left)
        with journal.open("a", encoding="utf-8") as file:
            for name, content in _all(left, jobs, (source, panoptic, target, images)):
                done[name] = content
                file.write(json.dumps([name, content]) + "\n")
                file.flush()
                count += 1
                if progress is not None:
                    progress(count, len(source))
        entries = (done[str(number)] for number in source.numbers)
        annotations = {entry["name"]: _annotation(entry) for entry in entries if entry is not None}
        write_pickle(target / "hannotation.pickle", annotations)
        journal.unlink()
    return len(annotations)


def _panoptic(coco: Path) -> list[CocoPanoptic]:
    """Both parts of COCO, or the one that is there."""
    found, refusals = [], []
    for part in PARTS:
        try:
            found.append(CocoPanoptic(coco, part))
        except DatasetError as error:
            refusals.append(error)
    if not found:
        raise refusals[0]
    return found


Task = tuple[LVIS, list[CocoPanoptic], Path, str]
_task: list[Task] = []  # of a worker process


def _all(indices: list[int], jobs: int, task: Task) -> Iterator[tuple[str, Any]]:
    if jobs <= 1:
        yield from (_one(index, task) for index in indices)
        return
    with ProcessPoolExecutor(jobs, initializer=_task.append, initargs=(task,)) as pool:
        yield from pool.map(_in_worker, indices, chunksize=8)


def _in_worker(index: int) -> tuple[str, Any]:
    return _one(index, _task[0])


def _one(index: int, task: Task) -> tuple[str, dict[str, Any] | None]:
    """Write one image; its number, and what is said about it."""
    source, panoptic, target, images = task
    number = source.numbers[index]
    segments = [
        segment for part in panoptic if number in part.known for segment in part.segments(number)
    ]
    combined = combine(
        source.masks(index),
        [mask for thing, mask in segments if thing],
        [mask for thing, mask in segments if not thing],
    )
    if combined is None:
        return str(number), None
    picture = source.image_path(index)
    layers = [encode_layer(layer) for layer in np.moveaxis(combined.layers, 2, 0)]
    write_pickle(target / "masks" / f"{picture.stem}.pickle", (layers, combined.places))
    copy = target / "images" / picture.name
    if images == "copy" and not copy.exists():
        shutil.copyfile(picture, copy)
    elif images == "link" and not copy.exists():
        copy.symlink_to(picture.resolve())
    content = {"instances": combined.instances, "hierarchy": list(combined.hierarchy.values())}
    return str(number), {"name": picture.stem, **content}


def _annotation(entry: dict[str, Any]) -> dict[str, Any]:
    hierarchy = dict(enumerate(entry["hierarchy"]))
    return {"num_instance_masks": entry["instances"], "hierarchy": hierarchy}


def _lines(journal: Path) -> Iterable[tuple[str, Any]]:
    """What an interrupted run has noted; a last line that was cut off is left out."""
    if not journal.exists():
        return
    whole = 0
    for line in journal.read_bytes().splitlines(keepends=True):
        try:
            name, content = json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        yield name, content
    with journal.open("r+b") as file:
        file.truncate(whole)


@contextlib.contextmanager
def _telling(folder: Path) -> Iterator[None]:
    """Turns what the system refuses into a `DatasetError`."""
    try:
        yield
    except OSError as error:
        raise refused(folder)(error.strerror or str(error)) from error
