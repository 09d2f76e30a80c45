"""What a user said about objects of a mask that is refined: a session's clicks, and corrections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.datasets.base import some
from ..data.session_file import check_image, read_session

__all__ = ["labels_and_clicks"]

Plane = Sequence[int | None] | None


def labels_and_clicks(
    labels: np.ndarray,
    corrected: np.ndarray | None,
    session: Path | None,
    image: Any,
    plane: Plane = None,
) -> tuple[np.ndarray, dict[int, Any]]:
    """The labels to start from, and interactions by label.

    Parameters
    ----------
    labels : (H, W) array of integers
    corrected : (H, W) array of integers or None
        The labels with some objects corrected by hand: where they differ becomes clicks.
    session : Path or None
        A session file; its clicks count for objects of its numbers that were not corrected.
    image : array or ImageReader
        With all its axes, to tell whether the session is of it.
    plane : sequence of (int or None), optional
        Which plane of a stack the labels are, as a `SavedObject` has it.

    Raises
    ------
    ValueError
        If the corrected labels are of another shape, or the session cannot be read, is of another
        image, or knows none of the objects.
    """
    fixed: dict[int, Any] = {}
    if corrected is not None:
        if corrected.shape != labels.shape:
            raise ValueError(
                f"The corrected mask has the shape {corrected.shape} and the mask {labels.shape}. "
                "Give the corrected mask of this image."
            )
        from ..engine.refine_labels import corrections

        fixed = corrections(labels, corrected)
        labels = corrected
    said = {} if session is None else _clicks(session, labels, image, plane)
    return labels, said | fixed


def _clicks(path: Path, labels: np.ndarray, image: Any, plane: Plane) -> dict[int, Any]:
    """What a session says about the objects of a plane."""
    session = read_session(path)
    check_image(session, image)
    objects = [item for item in session.objects if _stacked(item.plane) == _stacked(plane)]
    there = set(np.unique(labels).tolist())
    said = {item.id: item.interactions for item in objects if item.id in there}
    if session.objects and not said:
        raise ValueError(
            f"The objects of {path} ({some(item.id for item in session.objects)}) are not in the "
            "mask. Give the session that the mask was made in."
        )
    return said


def _stacked(plane: Plane) -> tuple[int | None, ...] | None:
    """A plane of a stack; None for an image that is one."""
    return None if plane is None or len(plane) == 2 else tuple(plane)
