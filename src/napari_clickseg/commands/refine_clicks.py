"""What a user said about objects of a mask that is refined: a session's clicks, and corrections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.datasets.base import some
from ..data.saved_session import SavedObject
from ..data.session_file import check_image, read_session

__all__ = [
    "clicks_on",
    "corrected_start",
    "labels_and_clicks",
    "other_objects",
    "session_objects",
]

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
    labels, fixed = corrected_start(labels, corrected)
    if session is None:
        return labels, fixed
    objects = session_objects(session, image)
    said = clicks_on(objects, labels, plane)
    if objects and not said:
        raise other_objects(session, objects)
    return labels, said | fixed


def corrected_start(
    labels: np.ndarray, corrected: np.ndarray | None
) -> tuple[np.ndarray, dict[int, Any]]:
    """The labels to start from, and clicks where the corrected ones differ, by label.

    Raises
    ------
    ValueError
        If the corrected labels are of another shape.
    """
    if corrected is None:
        return labels, {}
    if corrected.shape != labels.shape:
        raise ValueError(
            f"The corrected mask has the shape {corrected.shape} and the mask {labels.shape}. "
            "Give the corrected mask of this image."
        )
    from ..engine.refine_labels import corrections

    return corrected, corrections(labels, corrected)


def session_objects(path: Path, image: Any) -> tuple[SavedObject, ...]:
    """The objects of a session of an image.

    Raises
    ------
    ValueError
        If it cannot be read, or is of another image.
    """
    session = read_session(path)
    check_image(session, image)
    return session.objects


def clicks_on(
    objects: Iterable[SavedObject], labels: np.ndarray, plane: Plane = None
) -> dict[int, Any]:
    """What a session's objects say about the labels of a plane."""
    here = [item for item in objects if _stacked(item.plane) == _stacked(plane)]
    there = set(np.unique(labels).tolist()) if here else set()
    return {item.id: item.interactions for item in here if item.id in there}


def other_objects(path: Path, objects: Iterable[SavedObject]) -> ValueError:
    """What is said if a session knows none of the objects of a mask."""
    return ValueError(
        f"The objects of {path} ({some(item.id for item in objects)}) are not in the mask. Give "
        "the session that the mask was made in."
    )


def _stacked(plane: Plane) -> tuple[int | None, ...] | None:
    """A plane of a stack; None for an image that is one."""
    return None if plane is None or len(plane) == 2 else tuple(plane)
