"""Strokes, contours and boxes for models that were trained on clicks only.

A stroke becomes clicks along it. A contour is drawn into the mask so far, which the network then
corrects, and becomes clicks deep inside of it. A box confines the object, whatever the model, and
is answered with a click at its centre while nothing else says where the object is. A model that
takes boxes is shown one that came first; later ones only confine, as for the others.

The network sees more than the box, as it sees more than an object; only a profile without ZoomIn
shows it the box alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..geometry import Box
from ..interactions import BoxPrompt, Click, Contour, Interaction, Stroke
from .enclosed import box_around, drawn_into, filled
from .session import Session, only_inside

__all__ = ["as_clicks", "confinement", "interior_points", "stand_ins", "unknown_contours"]

STROKE_CLICKS = 5  # at most
STROKE_STEP = 24  # pixels of the image at least between two of them
CONTOUR_CLICKS = 3  # at most
SHALLOW = 0.4  # part of the largest depth that a further click inside a contour has at least
DRAWN = 1024  # side in pixels up to which a contour is drawn pixel by pixel to find its inside
LARGE = 1024  # a mask of n times this side is looked at every n-th pixel for its middle


def as_clicks(session: Session, kinds: Collection[str], crop: bool = False) -> Session:
    """A session whose interactions a model of these kinds can be shown.

    Those of other kinds stay where they are, each after the clicks that stand for it, because they
    say where to look. A box takes away what is outside; interactions there do not count.

    Parameters
    ----------
    session : Session
        Comes back as it is if the model knows all kinds.
    kinds : collection of str
        ``ModelSpec.interactions``.
    crop : bool
        Let a box be all that is looked at, as the published avalanche demo does.
    """
    # a model that takes boxes was shown them first, with no mask
    after = session.interactions[session.start_mask is None :]
    late = [item for item in after if isinstance(item, BoxPrompt)]
    if not late and all(item.kind in kinds for item in session.interactions):
        return session
    region = confinement(session)
    allowed = region or Box.of_shape(session.shape)
    shown: list[Interaction] = []
    for item in session.interactions:
        if item.kind in kinds:
            shown += [] if item in late else [item]
        elif not isinstance(item, BoxPrompt):
            shown += [*stand_ins(item, session.shape), item]
    shown = [item for item in shown if any(allowed.contains(*point) for point in item.points)]
    if region != session.region and not any(item.positive for item in shown):
        shown.append(
            Click((region.top + region.bottom - 1) / 2, (region.left + region.right - 1) / 2)
        )
    drawn = session.probabilities if region is None else only_inside(session.probabilities, region)
    for item in unknown_contours(session, kinds):
        drawn = drawn_into(drawn, item, allowed)
    return replace(
        session,
        probabilities=drawn,
        interactions=tuple(shown),
        region=region if crop else session.region,
    )


def unknown_contours(session: Session, kinds: Collection[str]) -> list[Contour]:
    """New contours for a model that does not know them, which `as_clicks` draws into the mask."""
    new = session.interactions[session.predicted :]
    return [item for item in new if isinstance(item, Contour) and item.kind not in kinds]


def confinement(session: Session) -> Box | None:
    """The part of the image that an object is confined to, by `Session.confine` or a box drawn.

    The latest box counts, also where the model itself takes boxes: it means the same for all.
    """
    boxes = [item.box for item in session.interactions if isinstance(item, BoxPrompt)]
    if not boxes:
        return session.region
    inside = boxes[-1].intersect(session.region or Box.of_shape(session.shape))
    return session.region if inside.empty else inside


def interior_points(mask: np.ndarray, count: int = 1) -> list[tuple[int, int]]:
    """Pixels deep inside a mask and far from each other, the deepest first.

    Of a large mask not every pixel is looked at.

    Parameters
    ----------
    mask : (H, W) bool array
    count : int
        How many at most; fewer where the mask is too small for more.

    Returns
    -------
    list of (int, int)
        Row and column; empty for an empty mask.
    """
    step = max(1, max(mask.shape, default=0) // LARGE)
    if step > 1 and (sparse := mask[::step, ::step]).any():
        return [(row * step, col * step) for row, col in interior_points(sparse, count)]
    depth = distance_transform_edt(np.pad(np.asarray(mask) != 0, 1))[1:-1, 1:-1]
    least, found = SHALLOW * depth.max(initial=0.0), []
    rows, cols = np.ogrid[: depth.shape[0], : depth.shape[1]]
    while len(found) < count:
        row, col = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, col] <= least * bool(found):
            break
        found.append((int(row), int(col)))
        depth = np.minimum(depth, np.hypot(rows - row, cols - col) / 2)
    return found


@lru_cache(maxsize=256)
def stand_ins(item: Interaction, shape: tuple[int, int]) -> tuple[Click, ...]:
    """Clicks in the place of a stroke or a contour."""
    if isinstance(item, Stroke):
        places: Sequence[tuple[float, float]] = _along(item.points)
    else:
        box = box_around(item, Box.of_shape(shape))
        step = max(1, math.ceil(max(box.shape) / DRAWN))
        inside = interior_points(filled(item, box, step), CONTOUR_CLICKS)
        places = [(box.top + step * row, box.left + step * col) for row, col in inside]
    return tuple(Click(row, col, item.positive) for row, col in places)


def _along(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Evenly spaced places on an open line, none at its ends."""
    corners = np.asarray(points, float)
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    count = min(max(round(ends[-1] / STROKE_STEP), 1), STROKE_CLICKS)
    at = (np.arange(count) + 0.5) / count * ends[-1]
    rows, cols = (np.interp(at, ends, corners[:, axis]).tolist() for axis in (0, 1))
    return list(zip(rows, cols, strict=True))
