"""Masks made again from session files: of one image, or of a folder of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..cancel import Progress
from ..data.mask_writer import save_mask
from ..data.readers import open_image
from ..data.session_file import SUFFIX as SESSION
from ..data.session_file import SavedSession, read_session
from .refine_files import RefineOptions
from .refine_matching import IMAGES, listed, make_folders

__all__ = ["Replay", "match_sessions", "replay_all"]

Stop = Callable[[], bool] | None


@dataclass(frozen=True)
class Replay:
    """An image, the session of clicks made on it, and where its objects go."""

    name: str
    image: Path
    session: Path
    out: Path


def match_sessions(
    images: str | os.PathLike[str],
    sessions: str | os.PathLike[str],
    out: str | os.PathLike[str],
    replace: bool = False,
) -> list[Replay]:
    """Images and sessions (``.clickseg.json``) of the same names.

    Parameters
    ----------
    images, sessions : path
        Two folders, or two files (their names may differ then).
    out : path
        A folder, for TIFF files of the images' names; a mask file where there is one image.
    replace : bool
        Older masks are replaced.

    Raises
    ------
    ValueError
        If there is nothing of the kind, no name is in both, or a file would be replaced.
    """
    found, given = listed(images, IMAGES, "image"), listed(sessions, (SESSION,), "session")
    out, one = Path(out), Path(images).is_file() and Path(sessions).is_file()
    if one:
        given = dict(zip(found, given.values(), strict=True))
    names = [name for name in found if name in given]
    if not names:
        raise ValueError(
            f"None of the {len(found)} images in {images} has a session of the same name among the "
            f"{len(given)} in {sessions}. Name an image and its session alike, but for the suffix."
        )
    jobs = [
        Replay(name, found[name], given[name], out if one else out / f"{name}.tif")
        for name in names
    ]
    for job in jobs:
        if job.out.exists() and not replace:
            raise ValueError(
                f"{job.out} exists already and is not replaced. Move it away, or give another "
                "place for the output."
            )
    return jobs


def replay_all(
    jobs: list[Replay],
    options: RefineOptions,
    failed: Callable[[Replay, Exception], object],
    progress: Progress | None = None,
    cancelled: Stop = None,
) -> Iterator[tuple[Replay, int]]:
    """Make the objects of sessions again and write them as labels.

    Parameters
    ----------
    jobs : list of Replay
    options : RefineOptions
        Model and device; the settings are those of the sessions.
    failed : callable
        Called with a job and its error where it cannot be done; the others go on.
    progress : callable, optional
        Called with the part that is done, 0..1.
    cancelled : callable, optional
        Asked before each call of the network.

    Yields
    ------
    (Replay, int)
        A finished job and its number of objects.

    Raises
    ------
    Cancelled
        If `cancelled` answered true; what is written stays.
    ValueError
        If nothing can be written.
    """
    from ..engine.replay import replay
    from ..engine.segmenter import Segmenter
    from ..models.zoo import load_model

    make_folders(jobs)
    segmenter = Segmenter(load_model(options.model, device=options.device), options.profile)
    for number, job in enumerate(jobs):

        def part(done: float, number: int = number) -> None:
            if progress is not None:
                progress((number + done) / len(jobs))

        try:
            session = read_session(job.session)
            _check_planes(session, job)
            reader = open_image(job.image, cancelled=cancelled)
            labels = replay(session, reader, segmenter, part, cancelled)
            save_mask(job.out, labels, source=job.image)
        except (ValueError, OSError) as error:
            failed(job, error)
            continue
        yield job, len(session.objects)


def _check_planes(session: SavedSession, job: Replay) -> None:
    """Raise ValueError if there are objects on planes of a stack: a mask file holds one plane."""
    if any(item.plane is not None and len(item.plane) > 2 for item in session.objects):
        raise ValueError(
            f"{job.session} has objects on planes of a stack, and a mask file holds one plane. "
            "Make them from Python: napari_clickseg.engine.replay.replay takes the stack as array."
        )
