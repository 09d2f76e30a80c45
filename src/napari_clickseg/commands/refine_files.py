"""Folders of images and masks refined file by file; what is finished is not made again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cancel import Progress
from ..data.datasets.reading import read_labels
from ..data.errors import StackError
from ..data.exports.tables import Table, write_table
from ..data.mask_writer import save_mask
from ..data.readers import open_image
from ..data.replacing import replacing
from .refine_clicks import labels_and_clicks
from .refine_matching import Files

if TYPE_CHECKING:
    from ..engine.refine import MaskRefiner
    from ..engine.refine_labels import ObjectChange

__all__ = [
    "COLUMNS",
    "FileResult",
    "RefineOptions",
    "check_options",
    "refine_file",
    "tables",
    "write_tables",
]

RECORDS = ".clickseg-refine"
COLUMNS = ("image", "object", "row", "col", "area_before", "area_after", "iou", "doubt")
KEPT = ("label", *COLUMNS[2:])  # of a change, in its record
_ONE_AT_A_TIME = threading.Lock()
Stop = Callable[[], bool] | None


@dataclass(frozen=True)
class RefineOptions:
    """What masks are refined with.

    Attributes
    ----------
    model, device, profile
        As for `load_model` and `Segmenter`.
    cleaning : tuple of (str, value)
        Fields of `Profile` that say how masks are cleaned.
    """

    model: str = "clickseg-compact"
    device: str = "auto"
    profile: str | None = None
    cleaning: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class FileResult:
    """What became of one mask.

    Attributes
    ----------
    files : Files
    changes : tuple of ObjectChange
    skipped : bool
        It was finished by an earlier run.
    """

    files: Files
    changes: tuple[ObjectChange, ...]
    skipped: bool = False


# ---------------------------------------------------------------------- one file
def check_options(options: RefineOptions) -> None:
    """Raise ValueError if there is no such model or profile, before anything is begun."""
    from ..engine.profiles import get_profile
    from ..models.zoo import find_model

    find_model(options.model)
    if options.profile is not None:
        get_profile(options.profile)


def refine_file(
    files: Files,
    options: RefineOptions,
    progress: Progress | None = None,
    cancelled: Stop = None,
    again: bool = False,
) -> FileResult:
    """Refine one mask and write it, with a record beside it that says from what it was made.

    Parameters
    ----------
    files : Files
    options : RefineOptions
    progress : callable, optional
        Called with the part of the objects that is done, 0..1.
    cancelled : callable, optional
        Asked before each call of the network.
    again : bool
        Make it even if it is finished.

    Raises
    ------
    ValueError
        If a file cannot be used, or the output is not ours to replace.
    Cancelled
        If `cancelled` answered true; nothing is written.
    """
    from ..engine.refine_labels import ObjectChange, refine_labels

    record = files.out.parent / RECORDS / f"{files.out.name}.json"
    made_from = _made_from(files, options)
    before = _read_record(record)
    if files.out.exists():
        _check_ours(files.out, before)
        if before["sha256"] is not None and before["from"] == made_from and not again:
            return FileResult(files, tuple(ObjectChange(**c) for c in before["changes"]), True)
    try:
        reader = open_image(files.image, cancelled=cancelled)
    except StackError as error:
        raise ValueError(
            f"{error.about}, and a mask file is of one plane. Save its planes as images, or refine "
            "a Labels layer in napari."
        ) from error
    labels = read_labels(files.mask)
    corrected = None if files.corrected is None else read_labels(files.corrected, files.mask)
    labels, said = labels_and_clicks(labels, corrected, files.clicks, reader)
    with _ONE_AT_A_TIME:  # a predictor is used by one thread at a time
        refiner = _refiner(options)
        refiner.set_image(reader)
        refined, changes = refine_labels(refiner, labels, said, None, progress, cancelled)
    record.parent.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {"from": made_from, "sha256": None, "changes": []}
    _write_record(record, about)  # what is there from now on is ours to replace
    tiff = files.mask.suffix.lower() in (".tif", ".tiff")
    save_mask(files.out, _small(refined), source=files.mask if tiff else files.image)
    about["sha256"] = _sha256(files.out)
    about["changes"] = [dataclasses.asdict(change) for change in changes]
    _write_record(record, about)
    return FileResult(files, tuple(changes))


@lru_cache(maxsize=1)
def _refiner(options: RefineOptions) -> MaskRefiner:
    from ..engine.refine import MaskRefiner
    from ..models.zoo import load_model

    model = load_model(options.model, options.device)
    return MaskRefiner(model, options.profile, **dict(options.cleaning))


def _small(labels: np.ndarray) -> np.ndarray:
    """Labels in the smallest type that masks are written in."""
    largest = int(labels.max(initial=0))
    kind = next(k for k in (np.uint8, np.uint16, np.uint32) if largest <= np.iinfo(k).max)
    return labels.astype(kind)


# ---------------------------------------------------------------------- records
def _made_from(files: Files, options: RefineOptions) -> dict[str, Any]:
    """What a result depends on, to tell whether it is still right."""
    made: dict[str, Any] = {
        "model": _model_hash(options.model),
        "profile": options.profile,
        "mask": _sha256(files.mask),
    }
    if options.cleaning:
        made["cleaning"] = dict(options.cleaning)
    about = files.image.stat()
    made["image"] = [files.image.name, about.st_size, about.st_mtime_ns]
    for key in ("clicks", "corrected"):
        path = getattr(files, key)
        made[key] = None if path is None else _sha256(path)
    return made


@lru_cache(maxsize=4)
def _model_hash(name: str) -> str:
    from ..models.zoo import find_model

    return _sha256(find_model(name))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(value, dict) and {"from", "sha256", "changes"} <= set(value)
    return value if known else None


def _write_record(path: Path, about: dict[str, Any]) -> None:
    with replacing(path, _refuse(path)) as unfinished:
        unfinished.write_text(json.dumps(about), encoding="utf-8")


def _check_ours(out: Path, record: dict[str, Any] | None) -> None:
    """Raise ValueError if a mask was not written here, or was changed since."""
    if record is not None and record["sha256"] in (None, _sha256(out)):
        return
    why = "was not made here" if record is None else "was changed since it was made"
    raise ValueError(
        f"{out} {why}, so it is not replaced. Move it away, or give another folder for the output."
    )


def _refuse(path: Path) -> Callable[[str], Exception]:
    return lambda reason: OSError(f"{path} cannot be written: {reason.rstrip('. ')}. Make room.")


# ---------------------------------------------------------------------- tables
def tables(results: Iterable[FileResult]) -> tuple[Table, Table]:
    """What changed, by image, and the same rows with the most doubtful ones first."""
    return _tables(_rows(results))


def write_tables(out: Path, results: Iterable[FileResult]) -> tuple[Path, Path]:
    """Write both `tables` into a folder: ``changes.csv`` and ``review.csv``; returns their paths.

    Masks of earlier runs that are still there keep their rows.

    Raises
    ------
    ValueError
        If they cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = _rows(results)
    rows += _earlier(out, {result.files.name for result in results})
    paths = out / "changes.csv", out / "review.csv"
    for path, table in zip(paths, _tables(rows), strict=True):
        write_table(path, table)
    return paths


def _rows(results: Iterable[FileResult]) -> list[tuple[Any, ...]]:
    return [
        (result.files.name, *dataclasses.astuple(change))
        for result in results
        for change in result.changes
    ]


def _earlier(out: Path, known: Collection[str]) -> list[tuple[Any, ...]]:
    """Rows of the finished masks of a folder, but for the images that are known."""
    rows = []
    for record in (out / RECORDS).glob("*.json"):
        mask, about = out / record.stem, _read_record(record)
        finished = about is not None and about["sha256"] is not None and mask.exists()
        if finished and mask.stem not in known:
            rows += [(mask.stem, *(change[key] for key in KEPT)) for change in about["changes"]]
    return rows


def _tables(rows: list[tuple[Any, ...]]) -> tuple[Table, Table]:
    rows = sorted(rows, key=lambda row: row[0])
    review = sorted(rows, key=lambda row: -row[-1])
    return Table(COLUMNS, tuple(rows)), Table(COLUMNS, tuple(review))
