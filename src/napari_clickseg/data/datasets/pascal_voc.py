"""PascalVOC with instance masks, by both published conventions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..scenes import DatasetError, Scene
from .base import Reader, lines_of, need
from .pickles import load_plain_pickle
from .reading import grey, read_rgb

__all__ = ["PascalVOC"]

BORDER = 220  # grey value of the colour (224, 224, 192) around objects
LISTS = "ImageSets/Segmentation"
LAYOUT = f"JPEGImages/ID.jpg, SegmentationObject/ID.png and {LISTS}/SPLIT.txt (test: test.pickle)"


class PascalVOC(Reader):
    """Images whose objects are the grey values of the colours of ``SegmentationObject``.

    As published, objects whose colours have the same grey value are one object. The border (220)
    is ignored. RITM and SAIC-IS evaluate the split ``test``, a pickle that lists objects;
    CFR-ICL and SimpleClick evaluate all objects of ``val``: their numbers do not compare.

    Parameters
    ----------
    path : str or Path
        The folder ``VOC2012``.
    split : str
        ``val``, ``train``, ``trainval``; ``test`` takes the objects that ``test.pickle`` lists,
        (image ids, grey values).

    Raises
    ------
    DatasetError
        If the layout is another.
    """

    name = "PascalVOC"

    def __init__(self, path: str | Path, split: str = "val") -> None:
        self._root = Path(path)
        listing = f"{LISTS}/{split}.{'pickle' if split == 'test' else 'txt'}"
        folders = ("JPEGImages/", "SegmentationObject/")
        *_, listed = need(self.name, self._root, *folders, listing, layout=LAYOUT)
        self._values: dict[str, list[int]] | None = None
        if split == "test":
            self._values = _objects(listed)
        self.ids = lines_of(listed) if self._values is None else list(self._values)
        if not self.ids:
            raise DatasetError(f"{listed} names no image. Copy it again.")

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its objects."""
        name = self.ids[index]
        labels = grey(read_rgb(self._root / "SegmentationObject" / f"{name}.png")).astype(np.int32)
        labels[labels == BORDER] = -1
        values = None if self._values is None else self._values[name]
        image = read_rgb(self._root / "JPEGImages" / f"{name}.jpg")
        return Scene.flat(name, image, labels, values)


def _objects(path: Path) -> dict[str, list[int]]:
    """Grey values by image, in the order of the list."""
    content = load_plain_pickle(path)
    values: dict[str, list[int]] = {}
    try:
        for name, value in zip(*content, strict=True):
            found = values.setdefault(str(name), [])
            if int(value) not in found:
                found.append(int(value))
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"{path} does not hold two lists of one length, of image ids and of grey values."
        ) from error
    return values
