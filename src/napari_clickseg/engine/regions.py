"""Connected regions of a map of any size, found tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy.ndimage import generate_binary_structure, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..geometry import Box
from .tiles import TILE, Key

__all__ = ["Regions"]

Read = Callable[[Box], np.ndarray]


class Regions:
    """The connected regions of what is true; regions are numbered from 1.

    Only tiles that are neither all true nor all false take memory.

    Parameters
    ----------
    read : callable
        ``read(box) -> (h, w) bool``.
    parts : iterable of ((int, int), Box)
        Tiles, cut to what is looked at; nothing is true elsewhere.
    corners : bool
        Whether pixels that meet at a corner are connected.

    Attributes
    ----------
    sizes : (count + 1,) int64 array
        Pixels of each region; 0 for number 0.
    """

    def __init__(self, read: Read, parts: Iterable[tuple[Key, Box]], corners: bool) -> None:
        structure = generate_binary_structure(2, 2 if corners else 1)
        self._boxes: dict[Key, Box] = {}
        self._labels: dict[Key, np.ndarray | None] = {}  # None: true all over
        self._first: dict[Key, int] = {}  # what has to be added to the labels of a tile
        self._count: dict[Key, int] = {}
        total = 0
        for key, box in parts:
            piece = read(box)
            if not piece.any():
                continue
            whole = bool(piece.all())
            labels, count = (None, 1) if whole else label(piece, structure, output=np.uint16)
            self._boxes[key], self._labels[key] = box, labels
            self._first[key], self._count[key] = total, count
            total += count
        edges = np.concatenate([np.zeros((2, 0), int), *self._edges(corners)], axis=1)
        graph = coo_array((np.ones(edges.shape[1], bool), edges), shape=(total + 1, total + 1))
        _, joined = connected_components(graph, directed=False)
        self._number = np.unique(joined, return_inverse=True)[1]  # number 0 is that of nothing
        self._number[0] = 0
        self.sizes = np.zeros(int(self._number.max()) + 1, np.int64)
        for key, box in self._boxes.items():
            labels = self._labels[key]
            found = [0, box.area] if labels is None else np.bincount(labels.ravel())
            np.add.at(self.sizes, self._numbers(key), found)
        self.sizes[0] = 0

    def at(self, row: int, col: int, reach: int = 0) -> set[int]:
        """Numbers of the regions within `reach` rows and columns of a pixel."""
        found: set[int] = set()
        for key in {
            (r // TILE, c // TILE)
            for r in (row - reach, row + reach)
            for c in (col - reach, col + reach)
        } & self._boxes.keys():
            box = self._boxes[key]
            near = Box(row - reach, col - reach, row + reach + 1, col + reach + 1).intersect(box)
            if not near.empty:
                found |= set(np.unique(self._read(key, near)).tolist())
        return found - {0}

    def overlap(self, read: Read) -> np.ndarray:
        """How many pixels of each region are true in another map, ``(count + 1,)`` int64."""
        found = np.zeros(len(self.sizes), np.int64)
        for key, box in self._boxes.items():
            other = read(box)
            if other.any():
                numbers, counts = np.unique(self._read(key, box)[other], return_counts=True)
                found[numbers] += counts
        found[0] = 0
        return found

    def cut_by(self, frame: Box) -> np.ndarray:
        """Which regions have a pixel in the outermost rows or columns of a box, bool."""
        found = np.zeros(len(self.sizes), bool)
        for key, box in self._boxes.items():
            for line in (
                Box(frame.top, box.left, frame.top + 1, box.right),
                Box(frame.bottom - 1, box.left, frame.bottom, box.right),
                Box(box.top, frame.left, box.bottom, frame.left + 1),
                Box(box.top, frame.right - 1, box.bottom, frame.right),
            ):
                inside = line.intersect(box)
                if not inside.empty:
                    found[np.unique(self._read(key, inside))] = True
        found[0] = False
        return found

    def pixels(self, chosen: np.ndarray) -> Iterator[tuple[Box, np.ndarray]]:
        """Tiles with pixels of the chosen regions, and where these are, bool."""
        for key, box in self._boxes.items():
            if chosen[self._numbers(key)].any():
                yield box, chosen[self._read(key, box)]

    def _numbers(self, key: Key) -> np.ndarray:
        """The region numbers of the labels 0, 1, ... of a tile."""
        first = self._first[key] + 1
        return np.concatenate([[0], self._number[first : first + self._count[key]]])

    def _read(self, key: Key, inside: Box) -> np.ndarray:
        """Region numbers in a box within a tile."""
        box, labels, numbers = self._boxes[key], self._labels[key], self._numbers(key)
        if labels is None:
            return np.full(inside.shape, numbers[1])
        return numbers[labels[inside.shift(-box.top, -box.left).slices]]

    def _edges(self, corners: bool) -> Iterator[np.ndarray]:
        """Pairs of labels that meet where tiles do, ``(2, n)``."""
        for i, j in self._boxes:
            mine = self._boxes[i, j]
            for below, beside in ((1, 0), (0, 1)):
                if (i + below, j + beside) in self._boxes:
                    other = self._boxes[i + below, j + beside]
                    a = self._line((i, j), below, -1)
                    b = self._line((i + below, j + beside), below, 0)
                    yield _meeting(a, b)
                    if corners:
                        yield _meeting(a[1:], b[:-1])
                        yield _meeting(a[:-1], b[1:])
            for beside in (-1, 1) if corners else ():
                other = self._boxes.get((i + 1, j + beside))
                if other is not None and mine.bottom == other.top:
                    a = self._line((i, j), 1, -1)[[-1 if beside == 1 else 0]]
                    b = self._line((i + 1, j + beside), 1, 0)[[0 if beside == 1 else -1]]
                    yield _meeting(a, b)

    def _line(self, key: Key, row: int, index: int) -> np.ndarray:
        """Labels of a tile's first (0) or last (-1) row or column, from 1 over all tiles."""
        labels, first, box = self._labels[key], self._first[key], self._boxes[key]
        if labels is None:
            return np.full(box.width if row else box.height, first + 1)
        line = (labels[index] if row else labels[:, index]).astype(np.int64)
        return np.where(line, line + first, 0)


def _meeting(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pairs of labels side by side, ``(2, n)``; none where one of them is 0."""
    pairs = np.stack([a, b])[:, (a > 0) & (b > 0)]
    new = np.ones(pairs.shape[1], bool)
    new[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    return pairs[:, new]
