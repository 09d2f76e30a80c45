"""All readers of data sets by name."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..packs import Pack
from ..scenes import DatasetError, SceneDataset
from . import ade20k, coco_lvis, coco_panoptic, lvis, open_images, pascal_voc, sbd
from .base import IMAGE_SUFFIXES, some
from .click_sets import CLICK_SETS, ClickSet
from .folders import AvalancheSet, Folder, ImagesDirectory
from .reading import read_labels

__all__ = ["DATA_VARIABLE", "ReaderCard", "dataset_readers", "find_data", "open_dataset"]

DATA_VARIABLE = "CLICKSEG_DATA"
LOOKED_AT = 3  # masks of a folder that is named alone
AVALANCHES = (
    *(f"Avalanche{n}" for n in ("", "1", "2", "3", "3a", "3b", "4")),
    *(f"Avalanche_{n}" for n in ("train", "vali", "vali1", "vali_combo", "DG")),
    *(f"Avalanche_uibk_test{n}" for n in ("", "1")),
    "Train_ours_uibk",
    "Vali_ours_uibk",
    "User_study",
)
ALIASES = {
    "images": "images_dir",
    "images directory": "images_dir",
    "coco+lvis": "COCO_LVIS",
    "cocolvis": "COCO_LVIS",
    "coco_panoptic": "COCO",
    "lvis_v1": "LVIS",
    "pascal_voc": "PascalVOC",
    "voc": "PascalVOC",
    "oai-zib": "OAIZIB",
    "oai_zib": "OAIZIB",
}
SPEC = re.compile(
    r"(?P<name>[^:,@/\\]+)(:(?P<split>[^:,@]+))?(?P<options>(,[^,@=]+=[^,@]*)*)@(?P<path>.+)"
)


@dataclass(frozen=True)
class ReaderCard:
    """A reader and what it reads.

    Attributes
    ----------
    name : str
    open : callable
        Takes the path, ``split`` where there are splits, and the reader's options.
    layout : str
        What is looked for, in words.
    """

    name: str
    open: Callable[..., SceneDataset]
    layout: str

    @property
    def options(self) -> tuple[str, ...]:
        """Names of what `open` takes beside the path."""
        names = list(inspect.signature(self.open).parameters)[1:]
        return tuple(name for name in names if name != "name")


def _pack(path: str | Path) -> SceneDataset:
    return Pack(path)


def dataset_readers() -> dict[str, ReaderCard]:
    """All readers by name."""
    pairs = "images/ and masks/ with files of the same names"
    cards = [
        ReaderCard("pack", _pack, f"{pairs}; masks are PNG: 1..N objects, 255 (65535) ignore"),
        ReaderCard("folder", Folder, f"{pairs}; any image formats, label or black-white masks"),
        ReaderCard("images_dir", ImagesDirectory, "images/, masks/STEM.png or STEM_K.png, > 128"),
        *(
            ReaderCard(name, partial(ClickSet, name=name), layout.words)
            for name, layout in CLICK_SETS.items()
        ),
        ReaderCard("SBD", sbd.SBD, sbd.LAYOUT),
        ReaderCard("PascalVOC", pascal_voc.PascalVOC, pascal_voc.LAYOUT),
        ReaderCard("COCO", coco_panoptic.CocoPanoptic, coco_panoptic.LAYOUT),
        ReaderCard("LVIS", lvis.LVIS, lvis.LAYOUT),
        ReaderCard("COCO_LVIS", coco_lvis.CocoLvis, coco_lvis.LAYOUT),
        ReaderCard("ADE20k", ade20k.ADE20k, ade20k.LAYOUT),
        ReaderCard("OpenImages", open_images.OpenImages, open_images.LAYOUT),
        *(ReaderCard(name, partial(AvalancheSet, name=name), pairs) for name in AVALANCHES),
    ]
    return {card.name: card for card in cards}


def open_dataset(
    name_or_spec: str | os.PathLike[str] | Mapping[str, Any],
    path: str | os.PathLike[str] | None = None,
    split: str | None = None,
    **options: Any,
) -> SceneDataset:
    """Open a data set for training or evaluation.

    Parameters
    ----------
    name_or_spec : str, path or mapping
        With `path`, the name of a reader (see `dataset_readers`; case does not matter). Without:
        ``READER[:SPLIT][,OPTION=VALUE...]@PATH`` such as ``SBD:val@/data/SBD``; or the same as a
        mapping ``{"reader": "folder", "path": ..., "ignore": 255}``; or only a folder: of images/
        and masks/ (``pack`` if the masks are PNG files that number their objects, else
        ``folder``), or of a published set under its own name, such as ``/data/GrabCut`` with
        ``data_GT``.
    path : str or path, optional
        The data set's folder, or its name where `CLICKSEG_DATA` says.
    split : str, optional
        The part of the data set; the reader's own default if not given.
    **options
        What the reader takes besides.

    Returns
    -------
    SceneDataset

    Raises
    ------
    DatasetError
        If there is no such reader, option or folder, or the layout is another.
    """
    if isinstance(name_or_spec, Mapping):
        given = dict(name_or_spec)
        name, path = given.pop("reader", "pack"), given.pop("path", path)
        split = given.pop("split", split)
        options = {**given, **options}
        if path is None:
            raise DatasetError(f"The data set {dict(name_or_spec)} has no path. Add one.")
    elif path is None:
        name, path, split, options = _parsed(os.fspath(name_or_spec), split, options)
    else:
        name = os.fspath(name_or_spec)
    card = _card(name)
    if split is not None:
        options["split"] = split
    unknown = [option for option in options if option not in card.options]
    if unknown:
        raise DatasetError(
            f"The reader {card.name} has no option {some(unknown)}; it takes {some(card.options)}."
        )
    return card.open(find_data(path), **options)


def find_data(path: str | os.PathLike[str]) -> Path:
    """The folder of a data set: a path, or a name inside of the folder `CLICKSEG_DATA` names.

    Raises
    ------
    DatasetError
        If there is none; the message says where it was looked for.
    """
    tried = _candidates(path)
    for folder in tried:
        if folder.is_dir():
            return folder
    known = os.environ.get(DATA_VARIABLE)
    hint = "" if known else f" Names are looked up where {DATA_VARIABLE} says, which is not set."
    if any(folder.exists() for folder in tried):
        hint = " It is a file; name the data set's folder."
    looked = ", ".join(str(folder) for folder in tried)
    raise DatasetError(f"There is no data set '{path}': looked for {looked}.{hint}")


def _candidates(path: str | os.PathLike[str]) -> list[Path]:
    """Where a folder may be meant."""
    root = os.environ.get(DATA_VARIABLE)
    if not root or Path(path).is_absolute():
        return [Path(path)]
    return [Path(path), *(Path(root) / below / path for below in ("", "dev", "train"))]


def _card(name: str) -> ReaderCard:
    cards = {known.lower(): card for known, card in dataset_readers().items()}
    wanted = ALIASES.get(name.lower(), name).lower()
    if wanted not in cards:
        raise DatasetError(f"There is no reader '{name}'. There are {', '.join(_common())}.")
    return cards[wanted]


def _parsed(
    spec: str, split: str | None, options: dict[str, Any]
) -> tuple[str, str, str | None, dict[str, Any]]:
    """Reader, path, split and options of a spec; see `open_dataset`."""
    parts = SPEC.fullmatch(spec)
    if parts is None or any(folder.is_dir() for folder in _candidates(spec)):
        return _reader_of(find_data(spec)), spec, split, options
    pairs = [option.partition("=") for option in parts["options"].split(",") if option]
    given = {key.strip(): _value(value) for key, _, value in pairs}
    return parts["name"], parts["path"], parts["split"] or split, {**given, **options}


def _reader_of(folder: Path) -> str:
    """The reader of a folder that is named alone."""
    name = folder.resolve().name
    known = {known.lower() for known in dataset_readers()}
    same = [n for n, c in CLICK_SETS.items() if (c.images, c.masks) == ("images", "masks")]
    if name in same:  # a published set with the folders of a pack
        return name
    if (folder / "images").is_dir() and (folder / "masks").is_dir():
        return "pack" if _has_pack_masks(folder / "masks") else "folder"
    if ALIASES.get(name.lower(), name).lower() in known:
        return name
    raise DatasetError(
        f"{folder} has no folders images/ and masks/ (found: "
        f"{some(sorted(path.name for path in folder.iterdir()))}). For other layouts name the "
        f"reader: READER@{folder}, with one of {', '.join(_common())}."
    )


def _has_pack_masks(masks: Path) -> bool:
    """Whether masks may be those of a pack: PNG files that are not all black and white."""
    files = [path for path in sorted(masks.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES]
    if any(path.suffix.lower() != ".png" for path in files):
        return False
    try:
        first = [set(np.unique(read_labels(path)).tolist()) - {0} for path in files[:LOOKED_AT]]
    except ValueError:  # damaged, which the reader tells of
        return True
    return not any(first) or any(values - {255} for values in first)


def _common() -> list[str]:
    """Names of readers for a message."""
    return [name for name in dataset_readers() if name not in AVALANCHES[1:]]


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
