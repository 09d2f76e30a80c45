"""Changes of a Labels layer as values: pixels before and after, so that each can be taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...geometry import Box, bounding_box
from ..image.plane import Plane
from .redraw import redraw

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["Patch", "owned", "read_label", "relabel"]

STRIP_PIXELS = 2**22
"""Pixels that are read at a time."""
WRITTEN_PIXELS = 2**17
"""Pixels that are written at a time: what they need stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class _Part:
    """The changed pixels of a box: one bit per pixel, and their values, once if all are equal."""

    box: Box
    bits: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def strips(self) -> Iterator[tuple[Box, np.ndarray, np.ndarray | int, np.ndarray | int]]:
        """Strips of the box: which pixels are changed (bool), from what and to what."""
        box, done = self.box, 0
        rows = max(1, WRITTEN_PIXELS // box.width)
        for first in range(0, box.height, rows):
            bits = self.bits[first : first + rows]
            where = np.unpackbits(bits, axis=1, count=box.width).view(bool)
            strip = Box(box.top + first, box.left, box.top + first + len(bits), box.right)
            count = np.count_nonzero(where)
            values = (v[done : done + count] if v.ndim else v for v in (self.before, self.after))
            before, after = (_spread(v, where) for v in values)
            yield strip, where, before, after
            done += count

    def counts(self) -> Counter[int]:
        """By how many pixels each label grows."""
        pixels = int(np.unpackbits(self.bits).sum())
        found: Counter[int] = Counter()
        for values, sign in ((self.after, 1), (self.before, -1)):
            labels, counts = np.unique(values, return_counts=True)
            counts = [pixels] if values.ndim == 0 else counts
            for label, count in zip(labels, counts, strict=True):
                found[int(label)] += sign * int(count)
        return found


@dataclass(frozen=True, eq=False)
class Patch:
    """Changed pixels of one plane of a Labels layer.

    Applying it writes a pixel only if it still has the value from before, and reverting only if it
    still has the value from after: what the user painted in the meantime stays.

    Attributes
    ----------
    plane : Plane
    parts : tuple
    """

    plane: Plane
    parts: tuple[_Part, ...] = ()

    def add(self, box: Box, before: np.ndarray, after: np.ndarray) -> Patch:
        """The patch with the changes of one more box, given by its values before and after."""
        changed = before != after
        tight = bounding_box(changed)
        if tight is None:
            return self
        changed, here = changed[tight.slices], tight.shift(box.top, box.left)
        values = (_once(array[tight.slices], changed) for array in (before, after))
        return self._with(here, changed, *values)

    def put(self, box: Box, where: np.ndarray, before: np.ndarray, label: int) -> Patch:
        """The patch that gives one label to the pixels `where` (bool) of one more box.

        `before` is what all pixels of the box are now.
        """
        changed = where & (before != label)
        tight = bounding_box(changed)
        if tight is None:
            return self
        changed, here = changed[tight.slices], tight.shift(box.top, box.left)
        return self._with(here, changed, _once(before[tight.slices], changed), np.uint32(label))

    def _with(self, box: Box, changed: np.ndarray, before: np.ndarray, after: np.ndarray) -> Patch:
        part = _Part(box, np.packbits(changed, axis=1), before, after)
        return replace(self, parts=(*self.parts, part))

    @property
    def box(self) -> Box | None:
        """Around all changed pixels; None if there are none."""
        found = Box(0, 0, 0, 0)
        for part in self.parts:
            found = found.union(part.box)
        return None if found.empty else found

    @property
    def reversed(self) -> Patch:
        """What takes this patch back."""
        parts = tuple(replace(p, before=p.after, after=p.before) for p in self.parts[::-1])
        return replace(self, parts=parts)

    @property
    def nbytes(self) -> int:
        """What it takes, in bytes."""
        return sum(p.bits.nbytes + p.before.nbytes + p.after.nbytes for p in self.parts)

    def counts(self) -> Counter[int]:
        """By how many pixels each label grows; negative for those that lose some."""
        total: Counter[int] = Counter()
        for part in self.parts:
            total.update(part.counts())
        return total

    def given(self, label: int) -> Iterator[tuple[Box, np.ndarray]]:
        """Boxes with the pixels (bool) that it gives a label."""
        for part in self.parts:
            for strip, where, _, after in part.strips():
                found = np.zeros(where.shape, bool)
                np.copyto(found, np.equal(after, label), where=where)
                yield strip, found

    def apply(self, layer: Labels) -> None:
        """Write it into the layer; the layer's own undo knows nothing of it."""
        in_place = isinstance(layer.data, np.ndarray)
        for part in self.parts:
            for strip, where, before, after in part.strips():
                index = self.plane.index(strip)
                values = layer.data[index] if in_place else np.array(layer.data[index])
                still = where & (values == before)
                np.copyto(values, after, where=still, casting="same_kind")
                if not in_place:
                    layer.data[index] = values
        redraw(layer, [self.plane.index(part.box) for part in self.parts])


def _once(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The values of some pixels, one for all of them if they are equal; uint32."""
    first = values[np.unravel_index(where.argmax(), where.shape)]
    if not ((values != first) & where).any():
        return np.uint32(first)
    return values[where].astype(np.uint32)


def _spread(values: np.ndarray, where: np.ndarray) -> np.ndarray | int:
    """Values at their pixels; one that all share stays as it is."""
    if values.ndim == 0:
        return int(values)
    array = np.zeros(where.shape, np.uint32)
    array[where] = values
    return array


def read_label(
    layer: Labels, plane: Plane, label: int, box: Box
) -> Iterator[tuple[Box, np.ndarray]]:
    """Where a label is in a box of a plane: strips of it and their bool masks."""
    rows = max(1, STRIP_PIXELS // max(1, box.width))
    for top in range(box.top, box.bottom, rows):
        strip = Box(top, box.left, min(top + rows, box.bottom), box.right)
        yield strip, np.asarray(layer.data[plane.index(strip)]) == label


def owned(layer: Labels, plane: Plane, label: int, box: Box) -> tuple[Box | None, int]:
    """The box around the pixels of a label that lie in a box, None for none, and their number."""
    found, area = Box(0, 0, 0, 0), 0
    for strip, mask in read_label(layer, plane, label, box):
        tight = bounding_box(mask)
        if tight is not None:
            found = found.union(tight.shift(strip.top, strip.left))
            area += int(np.count_nonzero(mask))
    return (found, area) if area else (None, 0)


def relabel(layer: Labels, plane: Plane, box: Box, old: int, new: int) -> Patch:
    """The patch that gives the pixels of one label in a box another label; nothing is written."""
    patch = Patch(plane)
    for strip, mask in read_label(layer, plane, old, box):
        patch = patch.put(strip, mask, np.broadcast_to(np.uint32(old), mask.shape), new)
    return patch
