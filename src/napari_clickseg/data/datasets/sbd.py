"""SBD, the Semantic Boundaries Dataset (Hariharan et al., ICCV 2011)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...geometry import bounding_box
from ..scenes import DatasetError, Scene
from .base import Reader, lines_of, need, some
from .reading import read_rgb

__all__ = ["SBD"]

LAYOUT = "img/ID.jpg, inst/ID.mat and train.txt, val.txt with the ids"
LEAST_FILL = 0.08  # published for training: mask area / area of its bounding box


class SBD(Reader):
    """Images with instances from MATLAB files.

    Parameters
    ----------
    path : str or Path
    split : str
        Names the text file of ids: ``val`` or ``train``.
    least_fill : float, optional
        Instances that fill less of their bounding box are left out; by default 0.08 for ``train``
        and 0 for others, as published.
    leave_out : str or Path, optional
        A text file with lines ``ID INSTANCE`` of what to leave out, such as SAIC-IS's
        ``sbd_val_bad_lst.txt``; a name is looked up in `path`.

    Raises
    ------
    DatasetError
        If the layout is another.
    """

    name = "SBD"

    def __init__(
        self,
        path: str | Path,
        split: str = "val",
        *,
        least_fill: float | None = None,
        leave_out: str | Path | None = None,
    ) -> None:
        self._root = root = Path(path)
        *_, listed = need(self.name, root, "img/", "inst/", f"{split}.txt", layout=LAYOUT)
        self.ids = lines_of(listed)
        if not self.ids:
            raise DatasetError(f"{listed} names no image. Copy it again.")
        self._least_fill = least_fill
        if least_fill is None:
            self._least_fill = LEAST_FILL if split == "train" else 0.0
        self._left_out = set() if leave_out is None else _pairs(root / leave_out)

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One image with its instances; nothing is ignored."""
        name = self.ids[index]
        labels = _instances(self._root / "inst" / f"{name}.mat")
        values = [
            value
            for value in np.unique(labels[labels > 0]).tolist()
            if (name, value) not in self._left_out and _fill(labels == value) >= self._least_fill
        ]
        return Scene.flat(name, read_rgb(self._root / "img" / f"{name}.jpg"), labels, values)


def _instances(path: Path) -> np.ndarray:
    """``GTinst.Segmentation`` of a MATLAB file, ``(H, W)`` int32."""
    from scipy.io import loadmat

    try:
        labels = loadmat(str(path), variable_names=["GTinst"])["GTinst"][0][0][0]
    except OSError as error:
        raise DatasetError(f"SBD needs the file {path}, which cannot be read: {error}.") from error
    except Exception as error:  # damaged files raise many unrelated kinds
        raise DatasetError(
            f"{path} is damaged or has no GTinst with the instances. Copy it again."
        ) from error
    return np.asarray(labels).astype(np.int32)


def _fill(mask: np.ndarray) -> float:
    """Part of its bounding box that a mask fills."""
    box = bounding_box(mask)
    return mask.sum() / (box.height * box.width)


def _pairs(path: Path) -> set[tuple[str, int]]:
    if not path.is_file():
        raise DatasetError(f"There is no list {path} of instances to leave out.")
    lines = [line.split() for line in lines_of(path)]
    wrong = [" ".join(line) for line in lines if len(line) != 2 or not line[1].isdigit()]
    if wrong:
        raise DatasetError(f"{path} needs lines 'ID INSTANCE', which these are not: {some(wrong)}.")
    return {(name, int(instance)) for name, instance in lines}
