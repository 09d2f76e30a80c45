"""What the batch dock does in the worker. No Qt, no napari."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...commands.refine import refine_all
from ...commands.refine_clicks import labels_and_clicks
from ...commands.refine_files import FileResult, RefineOptions, write_tables
from ...commands.refine_matching import Files, match_files
from ...commands.segment_sessions import Replay, match_sessions, replay_all

if TYPE_CHECKING:
    from ...data.readers import ImageReader
    from ...engine.refine_labels import ObjectChange

__all__ = [
    "FolderResult",
    "FolderTask",
    "LayerResult",
    "LayerTask",
    "SessionsResult",
    "SessionsTask",
]

Stop = Callable[[], bool]
Tell = Callable[[float], object]


@dataclass(frozen=True, eq=False)
class LayerTask:
    """One plane of a Labels layer to be refined.

    Attributes
    ----------
    options : RefineOptions
    load : callable
        ``load(model, device) -> ClickModel``.
    reader : ImageReader
        Of the plane of the image.
    limits : (float, float) or None
        Values shown as black and white.
    labels : (H, W) array
        A copy.
    only : int or None
        The one object to refine; None for all.
    corrected : (H, W) array or None
        A copy of the labels with some objects corrected.
    clicks : Path or None
        A session of the image.
    image : array
        The image with all its axes, to tell whether the session is of it.
    plane : tuple of (int or None)
        Which plane of it the labels are.
    """

    options: RefineOptions
    load: Callable[[str, str], Any]
    reader: ImageReader
    limits: tuple[float, float] | None
    labels: np.ndarray
    only: int | None = None
    corrected: np.ndarray | None = None
    clicks: Path | None = None
    image: Any = None
    plane: tuple[int | None, ...] | None = None

    def run(self, cancelled: Stop, tell: Tell) -> LayerResult:
        """Refine; see `refine_labels` and `labels_and_clicks` for what is raised."""
        from ...engine.refine import MaskRefiner
        from ...engine.refine_labels import refine_labels

        labels, said = labels_and_clicks(
            self.labels, self.corrected, self.clicks, self.image, self.plane
        )
        model = self.load(self.options.model, self.options.device)
        refiner = MaskRefiner(model, self.options.profile, **dict(self.options.cleaning))
        refiner.set_image(self.reader, self.limits)
        only = None if self.only is None else [self.only]
        labels, changes = refine_labels(refiner, labels, said, only, tell, cancelled)
        return LayerResult(labels, tuple(changes))


@dataclass(frozen=True, eq=False)
class LayerResult:
    """The refined plane and what changed."""

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
        Cancelled
            If `cancelled` answered true; the tables hold what is finished.
        """
        jobs = match_files(self.images, self.masks, self.out, self.clicks, self.corrected)
        results: list[FileResult] = []
        failures: list[str] = []

        def failed(files: Files, error: Exception) -> None:
            failures.append(f"{files.name}: {error}")

        def part(files: Files, done: float) -> None:
            tell((len(results) + len(failures) + done) / len(jobs))

        try:
            for result in refine_all(jobs, self.options, failed, part, cancelled):
                results.append(result)
                part(result.files, 0.0)
        finally:
            if results:
                write_tables(self.out, results)
        return FolderResult(tuple(results), tuple(failures))


@dataclass(frozen=True, eq=False)
class FolderResult:
    """The refined files, and sentences about those that could not be."""

    results: tuple[FileResult, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True)
class SessionsTask:
    """Folders of images and sessions, whose objects are made again."""

    options: RefineOptions
    images: Path
    sessions: Path
    out: Path

    def run(self, cancelled: Stop, tell: Tell) -> SessionsResult:
        """Write a mask for each image; see `FolderTask.run`."""
        failures: list[str] = []

        def failed(job: Replay, error: Exception) -> None:
            failures.append(f"{job.name}: {error}")

        jobs = match_sessions(self.images, self.sessions, self.out)
        done = list(replay_all(jobs, self.options, failed, tell, cancelled))
        return SessionsResult(len(done), sum(count for _, count in done), tuple(failures))


@dataclass(frozen=True)
class SessionsResult:
    """How many images and objects there are masks of, and sentences about the others."""

    images: int
    objects: int
    failures: tuple[str, ...]
