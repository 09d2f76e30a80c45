"""What the batch dock does in the worker. No Qt, no napari."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...cancel import Cancelled
from ...commands.cli import sentence
from ...commands.refine import refine_all
from ...commands.refine_clicks import (
    clicks_on,
    corrected_start,
    other_objects,
    session_objects,
)
from ...commands.refine_files import FileResult, RefineOptions
from ...commands.refine_matching import Files, match_files, without_partner
from ...commands.refine_tables import write_tables
from ...commands.segment_sessions import Replay, match_sessions, replay_all

if TYPE_CHECKING:
    from ...data.readers import ImageReader
    from ...data.saved_session import SavedObject
    from ...engine.refine_labels import ObjectChange

__all__ = [
    "FolderResult",
    "FolderTask",
    "LayerResult",
    "LayerTask",
    "PlaneOfLayers",
    "SessionsResult",
    "SessionsTask",
]

Stop = Callable[[], bool]
Tell = Callable[[float], object]


@dataclass(frozen=True, eq=False)
class PlaneOfLayers:
    """One plane of a Labels layer, and of the image that its objects are of.

    Attributes
    ----------
    index : tuple of int
        Along each axis of the labels but rows and columns.
    at : tuple of (int or slice)
        Where it lies in the array of labels.
    seen : tuple of (int or None)
        Which plane of the image it is, as a `SavedObject` has it.
    reader : callable
        Gives the reader of that plane.
    """

    index: tuple[int, ...]
    at: tuple[int | slice, ...]
    seen: tuple[int | None, ...]
    reader: Callable[[], ImageReader]


@dataclass(frozen=True, eq=False)
class LayerTask:
    """Planes of a Labels layer to be refined.

    Attributes
    ----------
    options : RefineOptions
    load : callable
        ``load(model, device) -> ClickModel``.
    labels : array
        All planes; copied before anything is done.
    planes : tuple of PlaneOfLayers
        Those that are refined.
    limits : (float, float) or None
        Values shown as black and white.
    only : int or None
        The one object to refine; None for all.
    corrected : array or None
        Of the shape of the labels, with some objects corrected.
    clicks : Path or None
        A session of the image.
    image : array
        The image with all its axes, to tell whether the session is of it.
    """

    options: RefineOptions
    load: Callable[[str, str], Any]
    labels: Any
    planes: tuple[PlaneOfLayers, ...]
    limits: tuple[float, float] | None
    only: int | None = None
    corrected: Any = None
    clicks: Path | None = None
    image: Any = None

    def run(self, cancelled: Stop, tell: Tell) -> LayerResult:
        """Refine plane by plane.

        Raises
        ------
        ValueError
            If labels do not fit the image, or the session is of another one or of other objects.
        Cancelled
            If `cancelled` answered true.
        """
        from ...engine.refine import MaskRefiner
        from ...engine.refine_planes import PlaneStart, refine_planes

        fixed = self.corrected
        kinds = [array.dtype for array in (self.labels, fixed) if array is not None]
        out = np.array(self.labels, np.result_type(*kinds))
        objects = self._objects(out if fixed is None else fixed)
        planes = {plane.index: plane for plane in self.planes}

        def start(index: tuple[int, ...]) -> PlaneStart:
            plane = planes[index]
            after = None if fixed is None else np.array(fixed[plane.at])
            labels, said = corrected_start(out[plane.at].copy(), after)
            said = clicks_on(objects, labels, plane.seen) | said
            return PlaneStart(labels, plane.reader, said)

        model = self.load(self.options.model, self.options.device)
        refiner = MaskRefiner(model, self.options.profile, **dict(self.options.cleaning))
        only = None if self.only is None else [self.only]
        found: list[ObjectChange] = []
        for index, labels, changes in refine_planes(
            refiner, list(planes), start, self.limits, only, tell, cancelled
        ):
            out[planes[index].at] = labels
            found += changes
        return LayerResult(out, tuple(found))

    def _objects(self, labels: Any) -> tuple[SavedObject, ...]:
        """Those of the session; ValueError if none of them is in the labels."""
        if self.clicks is None:
            return ()
        objects = session_objects(self.clicks, self.image)
        said = (clicks_on(objects, np.asarray(labels[p.at]), p.seen) for p in self.planes)
        if objects and not any(said):
            raise other_objects(self.clicks, objects)
        return objects


@dataclass(frozen=True, eq=False)
class LayerResult:
    """The labels of all planes, and what changed."""

    labels: np.ndarray
    changes: tuple[ObjectChange, ...]


@dataclass(frozen=True)
class FolderTask:
    """Folders to be refined, as by ``clickseg-refine``."""

    options: RefineOptions
    images: Path
    masks: Path
    out: Path
    clicks: Path | None = None
    corrected: Path | None = None

    def run(self, cancelled: Stop, tell: Tell) -> FolderResult:
        """Refine what is not finished; a cancelled run goes on where it was.

        Raises
        ------
        ValueError
            If the folders cannot be used; single files that cannot are in the result.
        """
        jobs = match_files(self.images, self.masks, self.out, self.clicks, self.corrected)
        alone = without_partner(self.images, self.masks)
        results: list[FileResult] = []
        failures: list[tuple[str, str]] = []
        stopped = False

        def failed(files: Files, error: Exception) -> None:
            failures.append((files.name, sentence(error)))

        def part(files: Files, done: float) -> None:
            tell((len(results) + len(failures) + done) / len(jobs))

        try:
            for result in refine_all(jobs, self.options, failed, part, cancelled):
                results.append(result)
                part(result.files, 0.0)
        except Cancelled:
            stopped = True
        finally:
            if results or failures:
                write_tables(self.out, results, failures + alone)
        done, wrong = tuple(results), tuple(failures)
        return FolderResult(self.out, len(jobs), done, wrong, tuple(alone), stopped)


@dataclass(frozen=True, eq=False)
class FolderResult:
    """What became of folders.

    Attributes
    ----------
    out : Path
        Where masks and tables are.
    images : int
        That have masks.
    results : tuple of FileResult
    failures : tuple of (str, str)
        Name and reason of those that could not be refined.
    alone : tuple of (str, str)
        Of images without a mask, and masks without an image.
    stopped : bool
        It was cancelled before it had come to the end.
    """

    out: Path
    images: int
    results: tuple[FileResult, ...]
    failures: tuple[tuple[str, str], ...]
    alone: tuple[tuple[str, str], ...] = ()
    stopped: bool = False


@dataclass(frozen=True)
class SessionsTask:
    """Folders of images and sessions, whose objects are made again."""

    options: RefineOptions
    images: Path
    sessions: Path
    out: Path

    def run(self, cancelled: Stop, tell: Tell) -> SessionsResult:
        """Write a mask for each image; see `FolderTask.run`."""
        jobs = match_sessions(self.images, self.sessions, self.out)
        failures: list[tuple[str, str]] = []

        def failed(job: Replay, error: Exception) -> None:
            failures.append((job.name, sentence(error)))

        done = list(replay_all(jobs, self.options, failed, tell, cancelled))
        objects = sum(count for _, count in done)
        return SessionsResult(self.out, len(done), objects, tuple(failures))


@dataclass(frozen=True)
class SessionsResult:
    """How many images and objects there are masks of; name and reason of the others."""

    out: Path
    images: int
    objects: int
    failures: tuple[tuple[str, str], ...]
