"""What the readers of data sets share: finding files, and saying what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..scenes import DatasetError, Scene

__all__ = [
    "IMAGE_SUFFIXES",
    "Reader",
    "files_by_stem",
    "folder_of",
    "lines_of",
    "masks_of_images",
    "need",
    "some",
]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".npy")
SHOWN = 6  # names in a message


class Reader:
    """Base of the readers: a sequence of scenes by number (see `SceneDataset`).

    A reader sets `name` and `ids`, and defines `scene`.
    """

    name: str
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Scene:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} scenes, so there is no number {index}.")
        return self.scene(index)

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One scene; see `SceneDataset.scene`."""
        raise NotImplementedError


def some(names: Iterable[object]) -> str:
    """The first of some names for a message, and how many more there are."""
    names = [str(name) for name in names]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) + more) or "nothing"


def folder_of(path: str | Path, split: str | None) -> Path:
    """The folder of a data set whose splits, if any, are folders of their own."""
    return Path(path) / split if split else Path(path)


def need(name: str, root: Path, *parts: str, layout: str) -> list[Path]:
    """Paths of the files and folders that a layout consists of.

    Parameters
    ----------
    name : str
        Of the data set.
    root : Path
    *parts : str
        Names below `root`; those that end in ``/`` are folders.
    layout : str
        What the data set looks like, for the message.

    Raises
    ------
    DatasetError
        If one is missing: what was looked for where, and what is there.
    """
    paths = [root / part for part in parts]
    for part, path in zip(parts, paths, strict=True):
        if path.is_dir() if part.endswith("/") else path.is_file():
            continue
        parent = path.parent
        while not parent.is_dir() and parent != parent.parent:
            parent = parent.parent
        found = f"{parent} holds {some(sorted(p.name for p in parent.iterdir()))}"
        pack = (root / "images").is_dir() and (root / "masks").is_dir()
        hint = " It looks like images/ with masks/: open it as 'pack' or 'folder'." if pack else ""
        kind = "folder" if part.endswith("/") else "file"
        raise DatasetError(
            f"{name} needs the {kind} {path}, which is not there ({found}). Its layout is: "
            f"{layout}.{hint}"
        )
    return paths


def files_by_stem(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> dict[str, Path]:
    """Image files of a folder by name without suffix, sorted.

    Raises
    ------
    DatasetError
        If there are none, or two differ in the suffix only.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if path.stem in found:
            raise DatasetError(
                f"{folder} holds both {found[path.stem].name} and {path.name}; which one belongs "
                "to its partner cannot be told. Remove or rename one."
            )
        found[path.stem] = path
    if not found:
        names = some(sorted(path.name for path in folder.iterdir()))
        raise DatasetError(f"{folder} holds no image ({', '.join(suffixes)}); found: {names}.")
    return found


def lines_of(path: Path) -> list[str]:
    """Lines of a text file that are not empty, stripped."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def masks_of_images(
    images: Iterable[str], masks: dict[str, Path], endings: Sequence[str] = ()
) -> tuple[dict[str, list[Path]], list[Path]]:
    """Which masks belong to which image.

    Those named as the image, up to the image's first dot too; or as the image with ``_0``,
    ``_1``, ... behind, in order of these numbers; or with one of `endings` behind.

    Parameters
    ----------
    images : iterable of str
        Stems.
    masks : dict of str to Path
        By stem.
    endings : sequence of str
        Such as ``_mask``.

    Returns
    -------
    by_image : dict of str to list of Path
        Every image, in the order given; an empty list for those without mask.
    left : list of Path
        Masks of no image.
    """
    by_image: dict[str, list[Path]] = {stem: [] for stem in images}
    short = {stem.split(".")[0]: stem for stem in reversed(list(by_image))}
    numbered: dict[str, list[tuple[int, Path]]] = {}
    left = []
    for stem, path in masks.items():
        names = [stem, *(stem.removesuffix(end) for end in endings if stem.endswith(end))]
        owner = next((name for name in names if name in by_image), short.get(stem))
        number = re.fullmatch(r"(.*)_(\d+)", stem)
        if owner is not None:
            by_image[owner].append(path)
        elif number and number[1] in by_image:
            numbered.setdefault(number[1], []).append((int(number[2]), path))
        else:
            left.append(path)
    for stem, several in numbered.items():
        by_image[stem] += [path for _, path in sorted(several)]
    return by_image, left
