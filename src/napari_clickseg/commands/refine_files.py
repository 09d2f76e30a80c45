"""Folders of images and masks refined file by file; what is finished is not made again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cancel import Progress
from ..data.datasets.reading import read_labels
from ..data.errors import StackError
from ..data.mask_writer import save_mask
from ..data.readers import ImageReader, open_image
from ..models.store import file_hash
from .refine_clicks import labels_and_clicks
from .refine_matching import Files
from .refine_records import (
    RECORDS,
    changes_in,
    check_ours,
    made_from,
    noted,
    read_record,
    write_record,
)
from .refine_stacks import StackJob, smallest

if TYPE_CHECKING:
    from ..engine.refine import MaskRefiner
    from ..engine.refine_labels import ObjectChange

__all__ = ["FileResult", "RefineOptions", "check_options", "refine_file"]

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
    record = files.out.parent / RECORDS / f"{files.out.name}.json"
    source = made_from(files, options)
    before = read_record(record)
    if files.out.exists():
        check_ours(files.out, before)
        if before["sha256"] is not None and before["from"] == source and not again:
            return FileResult(files, changes_in(before), True)
    job: _PlaneJob | StackJob
    try:
        reader = open_image(files.image, cancelled=cancelled)
    except StackError as error:
        job = StackJob.of(files, error.axes, cancelled)
    else:
        job = _PlaneJob.of(files, reader)
    with _ONE_AT_A_TIME:  # a predictor is used by one thread at a time
        refined, changes = job.refine(_refiner(options), progress, cancelled)
    record.parent.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {"from": source, "sha256": None, "changes": []}
    write_record(record, about)  # what is there from now on is ours to replace
    job.save(files.out, refined)
    about["sha256"], about["changes"] = file_hash(files.out), noted(changes)
    write_record(record, about)
    return FileResult(files, tuple(changes))


@dataclass(frozen=True, eq=False)
class _PlaneJob:
    """An image of one plane and its mask; the same face as `StackJob`."""

    files: Files
    reader: ImageReader
    labels: np.ndarray
    said: dict[int, Any]

    @classmethod
    def of(cls, files: Files, reader: ImageReader) -> _PlaneJob:
        labels = read_labels(files.mask)
        corrected = None if files.corrected is None else read_labels(files.corrected, files.mask)
        return cls(files, reader, *labels_and_clicks(labels, corrected, files.clicks, reader))

    def refine(
        self, refiner: MaskRefiner, progress: Progress | None, cancelled: Stop
    ) -> tuple[np.ndarray, list[ObjectChange]]:
        from ..engine.refine_labels import refine_labels

        refiner.set_image(self.reader)
        return refine_labels(refiner, self.labels, self.said, None, progress, cancelled)

    def save(self, path: Path, labels: np.ndarray) -> None:
        files = self.files
        tiff = files.mask.suffix.lower() in (".tif", ".tiff")
        dtype = smallest(int(labels.max(initial=0)))
        save_mask(path, labels.astype(dtype), source=files.mask if tiff else files.image)


@lru_cache(maxsize=1)
def _refiner(options: RefineOptions) -> MaskRefiner:
    from ..engine.refine import MaskRefiner
    from ..models.zoo import load_model

    model = load_model(options.model, options.device)
    return MaskRefiner(model, options.profile, **dict(options.cleaning))
