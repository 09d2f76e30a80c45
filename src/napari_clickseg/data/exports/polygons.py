"""Masks as polygons along the edges of pixels, and polygons as masks.

Vertices are ``(row, col)`` of pixel corners: the first pixel of an image reaches from (0, 0) to
(1, 1), as in COCO, ImageJ and QuPath. Outlining a mask and filling the outline is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...geometry import Box

__all__ = ["Polygon", "fill", "outlines", "pieces_without_holes", "ring_area"]


@dataclass(frozen=True)
class Polygon:
    """A region of 4-connected pixels.

    Attributes
    ----------
    outer : (N, 2) array
        From its top left vertex to the right, so clockwise as seen on the screen; not closed.
    holes : tuple of (N, 2) array
        Outlines of its holes.
    """

    outer: np.ndarray
    holes: tuple[np.ndarray, ...] = ()

    @property
    def rings(self) -> tuple[np.ndarray, ...]:
        """The outline and the holes."""
        return (self.outer, *self.holes)


def outlines(mask: np.ndarray, place: tuple[int, int] = (0, 0)) -> list[Polygon]:
    """The polygons of a mask; pixels that touch at a corner only are in different ones.

    Parameters
    ----------
    mask : (H, W) bool array
    place : (int, int)
        Row and column of its first pixel, added to all vertices.
    """
    from scipy.ndimage import label

    padded = np.pad(np.asarray(mask, bool), 1)
    regions, count = label(padded)
    outer: list[np.ndarray | None] = [None] * count
    holes: list[list[np.ndarray]] = [[] for _ in range(count)]
    for ring in _rings(padded):
        row, col = ring[0]
        moved = ring - 1 + np.asarray(place)
        if padded[row, col]:  # the first vertex is the top left corner of what the ring encloses
            outer[regions[row, col] - 1] = moved
        else:
            holes[regions[row - 1, col - 1] - 1].append(moved)
    return [
        Polygon(ring, tuple(inner))
        for ring, inner in zip(outer, holes, strict=True)
        if ring is not None
    ]


def _rings(padded: np.ndarray) -> Iterable[np.ndarray]:
    """Closed lines along pixel edges, each as corners ``(N, 2)`` from its top left one on.

    Corners of one row are joined in pairs by horizontal edges, corners of one column by vertical
    ones; a ring goes along both in turn.
    """
    a, b = padded[:-1, :-1], padded[:-1, 1:]
    c, d = padded[1:, :-1], padded[1:, 1:]
    both = (a == d) & (b == c) & (a != b)  # two corners meet, one of each region
    single = (a ^ b ^ c ^ d) & ~both
    rows, cols = np.nonzero(single)
    # which way the edges leave a corner: to the left or right, and up or down
    left, up = (a ^ c)[rows, cols], (a ^ b)[rows, cols]
    twice_rows, twice_cols = np.nonzero(both)
    falling = a[twice_rows, twice_cols]  # a and d are inside
    true = np.ones(len(falling), bool)
    rows = np.concatenate([rows, twice_rows, twice_rows]) + 1
    cols = np.concatenate([cols, twice_cols, twice_cols]) + 1
    left = np.concatenate([left, true, ~true])
    up = np.concatenate([up, falling, ~falling])
    across = _pairs(np.lexsort((~left, cols, rows)))
    along = _pairs(np.lexsort((~up, rows, cols)))
    order = np.lexsort((~left, cols, rows)).tolist()
    seen = bytearray(len(order))
    for start in order:
        if seen[start]:
            continue
        ring, corner = [], start
        while not seen[corner]:
            beside = across[corner]
            seen[corner] = seen[beside] = 1
            ring += [corner, beside]
            corner = along[beside]
        yield np.stack([rows[ring], cols[ring]], axis=1)


def _pairs(order: np.ndarray) -> list[int]:
    """The partner of each corner, where neighbours in an order are partners."""
    partner = np.empty(len(order), np.intp)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    return partner.tolist()


def pieces_without_holes(mask: np.ndarray, place: tuple[int, int] = (0, 0)) -> list[np.ndarray]:
    """Outlines ``(N, 2)`` whose union is the mask: regions with holes are cut through them."""
    found = outlines(mask, place)
    holes = sorted(int(hole[:, 1].min()) for polygon in found for hole in polygon.holes)
    if not holes:
        return [polygon.outer for polygon in found]
    cut = holes[len(holes) // 2] + 1 - place[1]
    return [
        *pieces_without_holes(mask[:, :cut], place),
        *pieces_without_holes(mask[:, cut:], (place[0], place[1] + cut)),
    ]


def fill(rings: Iterable[np.ndarray], box: Box) -> np.ndarray:
    """The pixels of a box whose centres are inside, by the even-odd rule.

    Parameters
    ----------
    rings : iterable of (N, 2) array
        ``(row, col)`` in pixels from the image's corner on; closed or not.
    box : Box

    Returns
    -------
    ``box.shape`` bool array
    """
    crossings = np.zeros((box.height, box.width + 1), bool)
    for ring in rings:
        points = np.asarray(ring, float) - (box.top + 0.5, box.left + 0.5)
        for (y0, x0), (y1, x1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            if y0 == y1:
                continue
            low, high = min(y0, y1), max(y0, y1)
            rows = np.arange(max(0, np.ceil(low)), min(box.height, np.ceil(high)), dtype=np.intp)
            cols = np.ceil(x0 + (rows - y0) * ((x1 - x0) / (y1 - y0)))
            crossings[rows, np.clip(cols, 0, box.width).astype(np.intp)] ^= True
    return np.logical_xor.accumulate(crossings, axis=1)[:, :-1]


def ring_area(points: np.ndarray) -> float:
    """Signed area of a ring ``(N, 2)`` of (x, y); positive if counter-clockwise, y upwards."""
    x, y = np.asarray(points, float).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
