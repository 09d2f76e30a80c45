"""How hard the images of a training set are, as published for SBD."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..scenes import DatasetError
from .base import some
from .pickles import load_plain_pickle

__all__ = ["read_sample_scores"]


def read_sample_scores(path: str | Path, ids: Sequence[str]) -> np.ndarray:
    """Scores 0..1 of the images of a data set.

    Parameters
    ----------
    path : str or Path
        A pickle of a list of (index, image name, score); it is read without running anything.
    ids : sequence of str
        The names of the data set's scenes.

    Returns
    -------
    (N,) float64 array
        In the order of `ids`.

    Raises
    ------
    DatasetError
        If the file is of another kind, or lacks images.
    """
    try:
        scores = {Path(str(name)).stem: float(score) for _, name, score in load_plain_pickle(path)}
    except (TypeError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} is no list of (index, image name, score).") from error
    missing = [name for name in ids if name not in scores]
    if missing:
        raise DatasetError(
            f"{path} has no score for {len(missing)} of {len(ids)} images: {some(missing)}."
        )
    return np.array([scores[name] for name in ids])
