"""The images of a folder, and which file the mask of each one goes to. No Qt, no napari."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...commands.refine_matching import IMAGES, WRITTEN
from ...data.session_file import SUFFIX

__all__ = ["MASK_NAME", "FolderError", "FolderImage", "MaskNames", "list_folder"]

MASK_NAME = "{name}_mask.png"


class FolderError(ValueError):
    """A folder or a mask name that cannot be used; the text says why and what next."""


@dataclass(frozen=True)
class FolderImage:
    """An image and the file of its mask, which need not exist.

    Attributes
    ----------
    path, mask : Path
    """

    path: Path
    mask: Path

    @property
    def session(self) -> Path:
        """The file that its clicks can be saved in, beside the mask."""
        return self.mask.with_name(f"{_stem(self.path)}{SUFFIX}")


@dataclass(frozen=True)
class MaskNames:
    """How masks are called and where they are.

    Parameters
    ----------
    pattern : str
        File name in which ``{name}`` stands for the image's name without its suffix and ``{file}``
        for all of it; its suffix names the format.
    folder : Path or None
        None for that of the image.

    Raises
    ------
    FolderError
        If the pattern gives one name to all images, or no file that a mask can be written to.
    """

    pattern: str = MASK_NAME
    folder: Path | None = None

    def __post_init__(self) -> None:
        pattern = self.pattern
        if "{name}" not in pattern and "{file}" not in pattern:
            raise FolderError(
                f"With the name '{pattern}' all images would share one mask. Put {{name}} where "
                f"the image's name belongs, such as {MASK_NAME}."
            )
        if set(pattern) & set('/\\:*?"<>|'):
            raise FolderError(
                f"The mask name '{pattern}' has characters that file names cannot have. Choose "
                "another folder below instead of writing it into the name."
            )
        if not pattern.lower().endswith(WRITTEN):
            raise FolderError(
                f"Masks cannot be written as '{pattern}'. End it in {', '.join(WRITTEN)}."
            )

    def of(self, image: Path) -> Path:
        """The mask of an image."""
        name = self.pattern.replace("{name}", _stem(image)).replace("{file}", image.name)
        return (image.parent if self.folder is None else self.folder) / name


def list_folder(folder: str | os.PathLike[str], names: MaskNames) -> tuple[FolderImage, ...]:
    """The images of a folder in the order of their names, numbers by their value.

    Masks of other images in the folder are left out.

    Raises
    ------
    FolderError
        If there is no such folder or no image in it, a mask would replace an image, or two images
        would share a mask.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FolderError(f"There is no folder {folder}. Choose a folder of images.")
    try:
        found = [
            path
            for path in folder.iterdir()
            if path.name.lower().endswith(IMAGES) and not path.name.startswith(".")
        ]
    except OSError as error:
        raise FolderError(
            f"The folder {folder} cannot be read: {error.strerror or error}. Check that you may "
            "read it."
        ) from error
    masks = {names.of(path) for path in found if names.of(path) != path}
    images = sorted((path for path in found if path not in masks), key=_by_number)
    if not images:
        raise FolderError(
            f"{folder} holds no image. Choose a folder with files that end in {', '.join(IMAGES)}."
        )
    listed = tuple(FolderImage(path, names.of(path)) for path in images)
    _check(listed, names)
    return listed


def _check(listed: Iterable[FolderImage], names: MaskNames) -> None:
    taken: dict[Path, Path] = {}
    for image in listed:
        if image.mask == image.path:
            raise FolderError(
                f"The mask of {image.path.name} would replace the image itself. Choose another "
                f"mask name, such as {MASK_NAME}, or another folder for the masks."
            )
        if image.mask in taken:
            raise FolderError(
                f"{taken[image.mask].name} and {image.path.name} would share the mask "
                f"{image.mask.name}. Write {{file}} instead of {{name}} in the mask name."
            )
        taken[image.mask] = image.path


def _stem(path: Path) -> str:
    return path.stem.removesuffix(".ome")


def _by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.findall(r"\d+|\D+", path.name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], path.name
