"""Maps as large as the image, kept as tiles so that values can share what did not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..geometry import Box, bounding_box
from .deferred import Deferred
from .sliceable import Sliceable

__all__ = ["TILE", "Key", "MaskView", "TileMap", "cell_box", "cells"]

TILE = 256  # pixels per side; tiles at the right and lower border are smaller

Key = tuple[int, int]
Tile = np.ndarray | Deferred | float


def cell_box(key: Key, shape: tuple[int, int]) -> Box:
    """The grid cell of a tile number in a map of a shape; empty if it lies outside."""
    top, left = key[0] * TILE, key[1] * TILE
    return Box(max(0, top), max(0, left), min(top + TILE, shape[0]), min(left + TILE, shape[1]))


def cells(box: Box) -> Iterator[tuple[Key, Box]]:
    """Tile numbers ``(row, column)`` and boxes of the grid cells that a box touches.

    Cells are cut to the box.
    """
    if box.empty:
        return
    for i in range(box.top // TILE, (box.bottom - 1) // TILE + 1):
        top, bottom = max(box.top, i * TILE), min(box.bottom, (i + 1) * TILE)
        for j in range(box.left // TILE, (box.right - 1) // TILE + 1):
            left, right = max(box.left, j * TILE), min(box.right, (j + 1) * TILE)
            yield (i, j), Box(top, left, bottom, right)


def _pixels(tile: Tile) -> np.ndarray | float:
    """The pixels of a tile, or the one value of all of them."""
    return tile.make() if isinstance(tile, Deferred) else tile


class TileMap(Sliceable):
    """An immutable ``(H, W)`` float32 map; pixels that were never written are 0.

    Tiles of one value take no memory worth mention, and maps made from each other share the tiles
    that are equal.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = (int(shape[0]), int(shape[1]))
        self._tiles: dict[Key, Tile] = {}
        self._boxes: dict[float, Box | None] = {}  # around what is above a threshold

    def _with(self, tiles: dict[Key, Tile]) -> TileMap:
        new = TileMap(self.shape)
        new._tiles = tiles
        return new

    def _cell(self, key: Key) -> Box:
        return cell_box(key, self.shape)

    def paste(self, box: Box, array: np.ndarray) -> TileMap:
        """A map with the pixels of a box replaced.

        Parameters
        ----------
        box : Box
            Inside the map.
        array : (box.height, box.width) array

        Raises
        ------
        ValueError
            If the box leaves the map or the array has another shape.
        """
        return self.paste_parts([(box, array)])

    def paste_parts(self, parts: Iterable[tuple[Box, np.ndarray | Deferred]]) -> TileMap:
        """A map with the pixels of several boxes replaced, in the order given.

        Pixels of a whole tile may be deferred.
        """
        tiles = dict(self._tiles)
        for box, pixels in parts:
            key = (box.top // TILE, box.left // TILE)
            if isinstance(pixels, Deferred) and box == self._cell(key):
                tiles[key] = pixels
                continue
            array = np.asarray(_pixels(pixels))
            if box != box.clip(self.shape) or array.shape != box.shape:
                raise ValueError(
                    f"An array of {array.shape} does not fit {box} in a map of {self.shape}."
                )
            for key, part in cells(box):
                piece = array[part.shift(-box.top, -box.left).slices]
                old, cell = _pixels(tiles.get(key, 0.0)), self._cell(key)
                tile: np.ndarray
                if part == cell:
                    tile = np.array(piece, dtype=np.float32)
                else:
                    tile = np.full(cell.shape, old, dtype=np.float32)
                    tile[part.shift(-cell.top, -cell.left).slices] = piece
                self._keep(tiles, key, tile)
        return self._with(tiles)

    def clear(self, box: Box) -> TileMap:
        """A map whose pixels in a box are 0; whole tiles cost nothing."""
        inside, whole, border = box.clip(self.shape), dict(self._tiles), []
        for key in self._tiles:
            part = inside.intersect(self._cell(key))
            if part == self._cell(key):
                del whole[key]
            elif not part.empty:
                border.append((part, np.zeros(part.shape, np.float32)))
        return self._with(whole).paste_parts(border)

    def set_pixels(self, pixels: dict[tuple[int, int], float]) -> TileMap:
        """A map with single pixels ``(row, column)`` replaced."""
        tiles = dict(self._tiles)
        changed: dict[Key, np.ndarray] = {}
        for (row, col), value in pixels.items():
            key = (row // TILE, col // TILE)
            if key not in changed:
                old = _pixels(tiles.get(key, 0.0))
                changed[key] = np.full(self._cell(key).shape, old, dtype=np.float32)
            changed[key][row % TILE, col % TILE] = value
        for key, tile in changed.items():
            self._keep(tiles, key, tile)
        return self._with(tiles)

    @staticmethod
    def _keep(tiles: dict[Key, Tile], key: Key, tile: np.ndarray) -> None:
        """Store a new tile in its smallest form: shared, one value, or frozen pixels."""
        old, first = tiles.get(key, 0.0), tile.flat[0]
        if isinstance(old, np.ndarray) and np.array_equal(old, tile):
            return
        if tile.flat[-1] == first and (tile == first).all():
            if first == 0.0:
                tiles.pop(key, None)
            else:
                tiles[key] = float(first)
            return
        tile.setflags(write=False)
        tiles[key] = tile

    def _gather(self, rows: range, cols: range, cut: float | None = None) -> np.ndarray:
        """Pixels; with `cut`, where only the side of it matters, no tile is computed needlessly."""
        out = np.zeros((len(rows), len(cols)), dtype=np.float32)
        if not out.size:
            return out
        spans = [
            [(i, *_inside(line, i * TILE, (i + 1) * TILE)) for i in _tiles_of(line)]
            for line in (rows, cols)
        ]
        for i, row_out, row_in in spans[0]:
            for j, col_out, col_in in spans[1]:
                tile = self._tiles.get((i, j), 0.0)
                if cut is not None and isinstance(tile, Deferred):
                    tile = tile.low if tile.low > cut else tile.high if tile.high <= cut else tile
                if rows.step > 1 and isinstance(tile, Deferred):
                    out[row_out, col_out] = tile.make(row_in, col_in)
                elif not isinstance(tile, float):
                    out[row_out, col_out] = _pixels(tile)[row_in, col_in]
                elif tile:
                    out[row_out, col_out] = tile
        return out

    def sample(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Values where rising rows and columns cross, ``(len(rows), len(cols))`` float32."""
        out = np.zeros((len(rows), len(cols)), dtype=np.float32)
        across = list(_by_tile(cols))
        for i, of_row, row in _by_tile(rows):
            for j, of_col, col in across:
                tile = self._tiles.get((i, j), 0.0)
                if not isinstance(tile, float):
                    deferred = isinstance(tile, Deferred)
                    tile = tile.make(row, col) if deferred else tile[row[:, None], col]
                out[of_row, of_col] = tile
        return out

    @property
    def kept(self) -> dict[int, int]:
        """Bytes of each tile that is kept as pixels, by its identity: maps may share it."""
        tiles = self._tiles.values()
        return {id(tile): tile.nbytes for tile in tiles if isinstance(tile, np.ndarray)}

    def changed_tiles(self, other: TileMap) -> set[Key]:
        """Numbers of the tiles that two maps of one shape do not share."""
        keys = self._tiles.keys() | other._tiles.keys()
        return {k for k in keys if self._tiles.get(k, 0.0) is not other._tiles.get(k, 0.0)}

    def bounding_box(self, threshold: float) -> Box | None:
        """Smallest box around the pixels above a threshold; None if there is none."""
        if threshold not in self._boxes:
            self._boxes[threshold] = self._find_box(threshold)
        return self._boxes[threshold]

    def _find_box(self, threshold: float) -> Box | None:
        found, unsure = Box(0, 0, 0, 0), []
        for key, tile in self._tiles.items():
            low, high = _bounds(tile)
            if low > threshold:
                found = found.union(self._cell(key))
            elif high > threshold:
                unsure.append((self._cell(key), tile))

        def outside(item: tuple[Box, Tile]) -> int:
            cell = item[0]
            rows = max(found.top - cell.top, cell.bottom - found.bottom)
            return max(rows, found.left - cell.left, cell.right - found.right)

        # the farthest ones first: they spare the pixels of most others
        for cell, tile in sorted(unsure, key=outside, reverse=True):
            if found.union(cell) == found:
                continue
            inner = bounding_box(_pixels(tile) > threshold)
            if inner is not None:
                found = found.union(inner.shift(cell.top, cell.left))
        return None if found.empty else found

    def changed_box(self, other: TileMap) -> Box | None:
        """Smallest box around the pixels in which two maps of one shape differ; None if equal."""
        if self.shape != other.shape:
            raise ValueError(f"Maps of {self.shape} and {other.shape} pixels cannot be compared.")
        found = Box(0, 0, 0, 0)
        for key in self._tiles.keys() | other._tiles.keys():
            a, b = self._tiles.get(key, 0.0), other._tiles.get(key, 0.0)
            cell = self._cell(key)
            if a is b or found.union(cell) == found:
                continue
            different = np.broadcast_to(np.asarray(_pixels(a) != _pixels(b)), cell.shape)
            inner = bounding_box(different)
            if inner is not None:
                found = found.union(inner.shift(cell.top, cell.left))
        return None if found.empty else found


class MaskView(Sliceable):
    """Where a `TileMap` of probabilities is above a threshold: a ``(H, W)`` bool map.

    Parameters
    ----------
    probabilities : TileMap
    threshold : float
    """

    dtype = np.dtype(bool)

    def __init__(self, probabilities: TileMap, threshold: float) -> None:
        self._source = probabilities
        self.shape = probabilities.shape
        self.threshold = float(threshold)

    def _gather(self, rows: range, cols: range) -> np.ndarray:
        return self._source._gather(rows, cols, self.threshold) > self.threshold

    def bounding_box(self) -> Box | None:
        """Smallest box around the mask; None if it is empty."""
        return self._source.bounding_box(self.threshold)


def _bounds(tile: Tile) -> tuple[float, float]:
    """Values between which all pixels of a tile are; those of an array are not looked at."""
    if isinstance(tile, np.ndarray):
        return -np.inf, np.inf
    return (tile.low, tile.high) if isinstance(tile, Deferred) else (tile, tile)


def _by_tile(places: np.ndarray) -> Iterator[tuple[int, slice, np.ndarray]]:
    """Tile numbers of rising places, which of the places are in each, and where in it."""
    tiles = places // TILE
    starts = np.flatnonzero(np.diff(tiles, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(places)], strict=True):
        number = int(tiles[start])
        yield number, slice(start, stop), places[start:stop] - number * TILE


def _tiles_of(line: range) -> Sequence[int]:
    """Numbers of the tiles that a rising range touches, in order."""
    if line.step >= TILE:
        return [index // TILE for index in line]
    return range(line[0] // TILE, line[-1] // TILE + 1)


def _inside(line: range, start: int, stop: int) -> tuple[slice, slice]:
    """Where the part of a rising range within ``start <= x < stop`` goes, and what it reads.

    Both as slices: positions in the range, and indices counted from `start`.
    """
    first = max(0, -((line.start - start) // line.step))
    last = max(first, -((line.start - stop) // line.step))
    last = min(last, len(line))
    if last <= first:
        return slice(0, 0), slice(0, 0)
    begin = line.start + first * line.step - start
    end = line.start + (last - 1) * line.step - start + 1
    return slice(first, last), slice(begin, end, line.step)
