"""Which mask belongs to which image, and where the refined one goes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..data.ome_zarr import is_zarr
from ..data.session_file import SUFFIX as SESSION

__all__ = ["IMAGES", "Files", "listed", "make_folders", "match_files", "without_partner"]

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".npy", ".zarr")
MASKS = (".png", ".bmp", ".gif", ".tif", ".tiff", ".npy", ".zarr")
WRITTEN = (".png", ".tif", ".tiff", ".npy")


@dataclass(frozen=True)
class Files:
    """An image and its mask, and where the refined mask goes.

    Attributes
    ----------
    name : str
        What the files have in common.
    image, mask, out : Path
    clicks : Path or None
        A session with clicks on some of the objects.
    corrected : Path or None
        The mask with some of its objects corrected by hand.
    """

    name: str
    image: Path
    mask: Path
    out: Path
    clicks: Path | None = None
    corrected: Path | None = None


class HasOut(Protocol):
    """Work that writes a file."""

    @property
    def out(self) -> Path:
        """Where it goes."""


def match_files(
    images: str | os.PathLike[str],
    masks: str | os.PathLike[str],
    out: str | os.PathLike[str],
    clicks: str | os.PathLike[str] | None = None,
    corrected: str | os.PathLike[str] | None = None,
) -> list[Files]:
    """Images and masks of the same names without suffixes.

    Parameters
    ----------
    images, masks : path
        Two folders, or two files (their names may differ then).
    out : path
        A folder, which need not exist.
    clicks, corrected : path, optional
        Sessions (``.clickseg.json``) and corrected masks: a folder with some of the names, or a
        file where there is one image.

    Raises
    ------
    ValueError
        If there is nothing of the kind, no name is in both, or an input would be overwritten.
    """
    found, given = listed(images, IMAGES, "image"), listed(masks, MASKS, "mask")
    sessions = {} if clicks is None else listed(clicks, (SESSION,), "session")
    fixed = {} if corrected is None else listed(corrected, MASKS, "corrected mask")
    if len(found) == 1 and _single(images, IMAGES) and _single(masks, MASKS):
        given, sessions, fixed = (
            dict(zip(found, some.values(), strict=False)) for some in (given, sessions, fixed)
        )
    names = [name for name in found if name in given]
    if not names:
        raise ValueError(
            f"None of the {len(found)} images in {images} has a mask of the same name among the "
            f"{len(given)} in {masks}. Name an image and its mask alike, but for the suffix."
        )
    out = Path(out)
    inputs = [images, masks, *(path for path in (clicks, corrected) if path is not None)]
    folders = {os.path.realpath(p if Path(p).is_dir() else Path(p).parent) for p in inputs}
    if os.path.realpath(out) in folders:
        raise ValueError(
            f"{out} holds the input, which is never overwritten. Give another folder for the "
            "output."
        )
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file. Give a folder for the refined masks.")
    return [
        Files(
            name,
            found[name],
            given[name],
            out / (name + (s if (s := given[name].suffix.lower()) in WRITTEN else ".tif")),
            sessions.get(name),
            fixed.get(name),
        )
        for name in names
    ]


def without_partner(
    images: str | os.PathLike[str], masks: str | os.PathLike[str]
) -> list[tuple[str, str]]:
    """Names that only one of two folders has, and what is missing; none for two files."""
    if _single(images, IMAGES) or _single(masks, MASKS):
        return []
    found, given = listed(images, IMAGES, "image"), listed(masks, MASKS, "mask")
    alone = [(name, f"There is no mask of this name in {masks}.") for name in found.keys() - given]
    alone += [
        (name, f"There is no image of this name in {images}.") for name in given.keys() - found
    ]
    return sorted(alone)


def make_folders(jobs: Iterable[HasOut]) -> None:
    """Make the folders of the output.

    Raises
    ------
    ValueError
        If one cannot be made, or nothing can be written into it.
    """
    for folder in {job.out.parent for job in jobs}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise ValueError(
                f"Nothing can be written into {folder}: {error.strerror or error}. Give another "
                "folder for the output."
            ) from error


def listed(where: str | os.PathLike[str], suffixes: Sequence[str], what: str) -> dict[str, Path]:
    """Files of a folder, or one file, by name without suffix.

    Raises
    ------
    ValueError
        If there is none, or two have one name.
    """
    where = Path(where)
    if not where.exists():
        raise FileNotFoundError(
            f"There is no file or folder {where}. Give a folder of {what}s, or one file."
        )
    single = _single(where, suffixes)
    paths = [where] if single else sorted(where.iterdir())
    named: dict[str, Path] = {}
    for path in paths:
        suffix = next((s for s in suffixes if path.name.lower().endswith(s)), None)
        if path.name.startswith(".") or (suffix is None and not single):
            continue
        name = path.name[: -len(suffix)] if suffix else path.stem
        name = name.removesuffix(".ome")
        if name in named:
            raise ValueError(
                f"{named[name]} and {path} have the same name. Keep one {what} of each name in "
                f"{where}."
            )
        named[name] = path
    if not named:
        raise ValueError(
            f"{where} holds no {what}. Give a folder with files that end in {', '.join(suffixes)}."
        )
    return named


def _single(where: str | os.PathLike[str], suffixes: Sequence[str]) -> bool:
    """Whether this is one file, or one folder of Zarr, and not a folder of files."""
    where = Path(where)
    folder = ".zarr" in suffixes and is_zarr(where)
    return where.is_file() or folder or where.name.lower().endswith(tuple(suffixes))
