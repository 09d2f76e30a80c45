"""A view: a box of the image, resized to what the network sees, and the way back.

`CornerView` corresponds pixels as the published systems do, `CentreView` exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.readers import ImageReader
from ..geometry import Box
from ..interactions import BoxPrompt, Click, Interaction
from .contrast import to_rgb
from .deferred import Deferred
from .resampling import between, blocks, hat, reduction
from .tiles import TileMap, cells

__all__ = ["NEGLIGIBLE", "VIEWS", "CentreView", "CornerView", "View"]

DENSE_PIXELS = 2**22  # boxes as large are read coarser where shown smaller, pasted by tiles
EVERY = slice(None)
Some = slice | np.ndarray  # an index
NEGLIGIBLE = 1 / 512  # in boxes that large, tiles of lower probabilities are left at 0


@dataclass(frozen=True)
class View:
    """A box of the image shown at some size.

    Parameters
    ----------
    box : Box
        In image pixels.
    size : (int, int)
        Height and width in network pixels.
    """

    box: Box
    size: tuple[int, int]

    @classmethod
    def sized(cls, box: Box, size: tuple[int, int], stride: int) -> View:
        """A view of about that size, as a network of that stride likes it."""
        raise NotImplementedError

    @property
    def scale(self) -> tuple[float, float]:
        """Network pixels per image pixel, down and across."""
        return self.size[0] / self.box.height, self.size[1] / self.box.width

    def to_view(self, row: float, col: float) -> tuple[float, float]:
        """A place in the image as a place in the view; it may lie outside."""
        raise NotImplementedError

    def resize(self, tensor: Tensor, size: tuple[int, int]) -> Tensor:
        """A ``(B, C, h, w)`` tensor at another size."""
        raise NotImplementedError

    def _before_resize(self, logits: Tensor) -> Tensor:
        """What of the logits is resized on the way back."""
        raise NotImplementedError

    def _after_resize(self, resized: Tensor) -> Tensor:
        """Probabilities from what was resized."""
        raise NotImplementedError

    def _sources(self, start: int, stop: int, axis: int) -> np.ndarray:
        """Places in the view of rows (axis 0) or columns ``start .. stop - 1`` of the box."""
        raise NotImplementedError

    def place(self, interaction: Interaction) -> Interaction:
        """An interaction in view pixels."""
        if isinstance(interaction, Click):
            row, col = self.to_view(interaction.row, interaction.col)
            return Click(row, col, interaction.positive)
        if isinstance(interaction, BoxPrompt):
            (top, left), (bottom, right) = (self.to_view(*p) for p in interaction.points)
            return BoxPrompt(Box(round(top), round(left), round(bottom) + 1, round(right) + 1))
        points = (self.to_view(*p) for p in interaction.points)
        return replace(interaction, points=tuple((self._snap(r), self._snap(c)) for r, c in points))

    def _snap(self, place: float) -> float:
        """Coordinate of a point of a line as it is drawn: whole pixels."""
        raise NotImplementedError

    def read_image(
        self, reader: ImageReader, limits: tuple[float, float], lean: bool = False
    ) -> Tensor:
        """The image in the view: ``(1, 3, h, w)`` float32 RGB, 0..1.

        Large boxes are read from the coarsest level that still has two pixels for each of the view;
        where that is large too, block by block. If `lean`, boxes of all sizes are read from the
        coarsest level that has one.
        """
        height, width = reader.levels[0]
        level, down, across = 0, 1.0, 1.0
        for i, (h, w) in enumerate(reader.levels[1:], start=1):
            rows, cols = reduction(height, h), reduction(width, w)
            if (
                self.scale[0] * rows <= 1 and self.scale[1] * cols <= 1
                if lean
                else self._coarse_enough(1 / rows, 1 / cols)
            ):
                level, down, across = i, rows, cols
        box = Box(
            math.floor(self.box.top / down),
            math.floor(self.box.left / across),
            math.ceil(self.box.bottom / down),
            math.ceil(self.box.right / across),
        ).clip(reader.levels[level])
        if box.area > DENSE_PIXELS:
            return self._read_blocks(reader, box, level, limits).expand(-1, 3, -1, -1)
        pixels = torch.from_numpy(to_rgb(reader.read(box, level), limits))
        return self.resize(pixels.permute(2, 0, 1)[None], self.size).expand(-1, 3, -1, -1)

    def _read_blocks(
        self, reader: ImageReader, box: Box, level: int, limits: tuple[float, float]
    ) -> Tensor:
        """What `resize` makes of a box, ``(1, 1 or 3, h, w)``; each block is resized on its own.

        Resizing is linear: the view is the sum of what its blocks contribute.
        """
        seen = torch.zeros(1 if len(reader.shape) == 2 else 3, *self.size)
        for block in blocks(box, DENSE_PIXELS):
            pixels = torch.from_numpy(to_rgb(reader.read(block, level), limits)).permute(2, 0, 1)
            inner = block.shift(-box.top, -box.left)
            if self.size == box.shape:
                seen[(..., *inner.slices)] = pixels
                continue
            rows, down = self._shares(inner.top, inner.bottom, box.height, 0)
            cols, across = self._shares(inner.left, inner.right, box.width, 1)
            seen[:, rows, cols] += down @ pixels @ across.T
        return seen[None]

    def _shares(self, start: int, stop: int, length: int, axis: int) -> tuple[slice, Tensor]:
        """How `resize` mixes pixels ``start .. stop - 1`` of `length` into those of the view.

        Returns the rows (axis 0) or columns of the view that they reach, and a matrix
        ``(len(reached), stop - start)``.
        """
        places, reach = self._kernel(length, axis)
        first = int(np.searchsorted(places, start - reach, "right"))
        last = int(np.searchsorted(places, stop - 1 + reach, "left"))
        near = places[first:last, None]
        around = np.floor(near) + np.arange(-math.ceil(reach), math.ceil(reach) + 2)
        there = (around >= 0) & (around < length)
        total = (hat(near - around, reach) * there).sum(axis=1, keepdims=True)
        shares = hat(near - np.arange(start, stop), reach) / total
        return slice(first, last), torch.from_numpy(shares.astype(np.float32))

    def _kernel(self, length: int, axis: int) -> tuple[np.ndarray, float]:
        """Places of the view's rows (axis 0) or columns among `length` pixels, and their reach.

        `resize` is linear interpolation: the share of a pixel falls to 0 within the reach.
        """
        raise NotImplementedError

    def read_mask(self, probabilities: TileMap) -> Tensor:
        """Probabilities in the view: ``(1, 1, h, w)`` float32."""
        step = 1
        while self._coarse_enough(0.5 / step, 0.5 / step):
            step *= 2
        values = torch.from_numpy(probabilities.read(self.box, step))
        return self.resize(values[None, None], self.size)

    def _coarse_enough(self, down: float, across: float) -> bool:
        """Whether data reduced by these factors may stand for the box."""
        enough = down >= 2 * self.scale[0] and across >= 2 * self.scale[1]
        return self.box.area >= DENSE_PIXELS and enough

    def paste(self, canvas: TileMap, logits: Tensor, where: np.ndarray | None = None) -> TileMap:
        """A map with the box replaced by the probabilities of ``(1, 1, h, w)`` logits.

        With `where`, ``(h, w)`` bool, only what shows in those pixels of the view is replaced.
        """
        if where is None and self.box.area < DENSE_PIXELS:
            return canvas.paste(self.box, self.answer(logits))
        source = self._before_resize(logits.float().cpu())[0, 0]
        if where is not None:
            return canvas.paste_parts(self._parts(source, canvas, where))
        return canvas.clear(self.box).paste_parts(self._parts(source))

    def answer(self, logits: Tensor) -> np.ndarray:
        """The probabilities of ``(1, 1, h, w)`` logits in the box, at the image's resolution."""
        source = self._before_resize(logits.float().cpu())
        return self._after_resize(self.resize(source, self.box.shape))[0, 0].numpy()

    def _parts(
        self, source: Tensor, canvas: TileMap | None = None, where: np.ndarray | None = None
    ) -> Iterator[tuple[Box, np.ndarray | Deferred]]:
        """The answer tile by tile, without those in which it is negligible or not asked for."""
        coarse, pixels = self._after_resize(source).numpy(), source.numpy()
        lines = {}  # of each row and column of tiles: its places in the view, and their slice
        for key, part in cells(self.box):
            spans = (part.top, part.bottom), (part.left, part.right)
            for axis, (start, stop) in enumerate(spans):
                if (axis, key[axis]) not in lines:
                    first = (self.box.top, self.box.left)[axis]
                    places = self._sources(start - first, stop - first, axis)
                    lines[axis, key[axis]] = places, slice(int(places[0]), int(places[-1]) + 2)
            (rows, down), (cols, across) = lines[0, key[0]], lines[1, key[1]]
            block = coarse[down, across]
            low, high = block.min(), block.max()
            if high < NEGLIGIBLE if where is None else not where[down, across].any():
                continue
            make = partial(self._enlarge, pixels[down, across], rows, cols)
            answer = Deferred(low, high, make)
            if where is None or where[down, across].all():
                yield part, answer
                continue
            asked = where[np.ix_(np.round(rows).astype(int), np.round(cols).astype(int))]
            yield part, np.where(asked, answer.make(), canvas.read(part))

    def _enlarge(
        self,
        pixels: np.ndarray,
        rows: np.ndarray,
        cols: np.ndarray,
        of_rows: Some = EVERY,
        of_cols: Some = EVERY,
    ) -> np.ndarray:
        """Probabilities at places in the view, or some of them, from the answer around them."""
        mixed = between(pixels, (rows - int(rows[0]))[of_rows])
        mixed = between(mixed.T, (cols - int(cols[0]))[of_cols]).T
        return self._after_resize(torch.from_numpy(np.ascontiguousarray(mixed))).numpy()


def _multiples(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """The nearest sides that are multiples of the stride."""
    height, width = (max(1, round(side / stride)) * stride for side in size)
    return height, width


class CornerView(View):
    """As published: bilinear with aligned corners, clicks scaled by the ratio of the sides.

    The two do not agree to the pixel; published networks and scores come from this. Probabilities,
    not logits, are resized on the way back.
    """

    @classmethod
    def sized(cls, box: Box, size: tuple[int, int], stride: int) -> CornerView:
        """Sides are left alone unless the network needs multiples of its stride."""
        return cls(box, _multiples(size, stride))

    def to_view(self, row: float, col: float) -> tuple[float, float]:
        """See `View.to_view`."""
        (height, width), box = self.size, self.box
        return height * (row - box.top) / box.height, width * (col - box.left) / box.width

    def _snap(self, place: float) -> float:
        return float(math.trunc(place))  # as published

    def resize(self, tensor: Tensor, size: tuple[int, int]) -> Tensor:
        """See `View.resize`."""
        if tuple(tensor.shape[-2:]) == size:
            return tensor
        return F.interpolate(tensor, size=size, mode="bilinear", align_corners=True)

    def _before_resize(self, logits: Tensor) -> Tensor:
        return logits.sigmoid()

    def _after_resize(self, resized: Tensor) -> Tensor:
        return resized

    def _sources(self, start: int, stop: int, axis: int) -> np.ndarray:
        step = (self.size[axis] - 1) / max(1, self.box.shape[axis] - 1)
        return np.arange(start, stop) * step

    def _kernel(self, length: int, axis: int) -> tuple[np.ndarray, float]:
        step = (length - 1) / max(1, self.size[axis] - 1)
        return np.arange(self.size[axis]) * step, 1.0


class CentreView(View):
    """Pixel centres correspond exactly; antialiased; logits are resized on the way back."""

    @classmethod
    def sized(cls, box: Box, size: tuple[int, int], stride: int) -> CentreView:
        """Sides become multiples of the network's stride."""
        return cls(box, _multiples(size, stride))

    def to_view(self, row: float, col: float) -> tuple[float, float]:
        """See `View.to_view`."""
        (down, across), box = self.scale, self.box
        return (row - box.top + 0.5) * down - 0.5, (col - box.left + 0.5) * across - 0.5

    def _snap(self, place: float) -> float:
        return math.floor(place + 0.5)

    def resize(self, tensor: Tensor, size: tuple[int, int]) -> Tensor:
        """See `View.resize`."""
        if tuple(tensor.shape[-2:]) == size:
            return tensor
        return F.interpolate(tensor, size=size, mode="bilinear", antialias=True)

    def _before_resize(self, logits: Tensor) -> Tensor:
        return logits

    def _after_resize(self, resized: Tensor) -> Tensor:
        return resized.sigmoid()

    def _sources(self, start: int, stop: int, axis: int) -> np.ndarray:
        places = (np.arange(start, stop) + 0.5) * self.scale[axis] - 0.5
        return places.clip(0, self.size[axis] - 1)

    def _kernel(self, length: int, axis: int) -> tuple[np.ndarray, float]:
        step = length / self.size[axis]
        return (np.arange(self.size[axis]) + 0.5) * step - 0.5, max(1.0, step)


VIEWS: Mapping[str, type[View]] = {"corners": CornerView, "centres": CentreView}
