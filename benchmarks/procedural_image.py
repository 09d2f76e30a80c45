"""Photograph-like images of any size, whose pixels are computed when they are asked for.

A textured background under uneven light, and an object of another colour and texture with a sharp
outline that is known exactly. Nothing of the size of the image is ever kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_clickseg.geometry import Box

__all__ = ["Outline", "ProceduralImage"]

PERIOD = 512  # pixels after which a texture repeats; a power of two
LEAST_SIDE = 256  # levels are halved while they are larger than twice this
STRIP = 512  # rows of a mask that are computed at a time
BACKGROUND, OBJECT = (92, 116, 84), (164, 112, 88)  # mean colours, RGB
CONTRAST = (26.0, 20.0)  # standard deviation of the two textures
ONE = 128  # times the brightness, in whole numbers
LIGHT = 0.3  # how much brighter one corner of the image is than the other


@dataclass(frozen=True)
class Outline:
    """A star with straight sides, or a blob with lobes.

    Parameters
    ----------
    row, col : float
        The centre in image pixels.
    radius : float
        Largest distance from it, in pixels.
    arms : int
        Points of the star, lobes of the blob.
    depth : float
        Part of the radius by which the outline comes in between two arms.
    straight : bool
        Star or blob.
    """

    row: float
    col: float
    radius: float
    arms: int
    depth: float
    straight: bool

    @property
    def box(self) -> Box:
        """Where pixels can belong to the object."""
        reach, row, col = int(np.ceil(self.radius)) + 1, int(self.row), int(self.col)
        return Box(row - reach, col - reach, row + reach + 1, col + reach + 1)

    def distance(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Distance to the outline, positive inside: ``(len(rows), len(cols))`` float32, pixels.

        Its sign is exact; its size is so beside straight sides, and to first order beside lobes.
        """
        y = (rows - self.row).astype(np.float32)[:, None]
        x = (cols - self.col).astype(np.float32)[None]
        r, angle = np.hypot(y, x), np.arctan2(y, x)
        if self.straight:
            half = np.pi / self.arms
            turned = np.abs((angle + half) % (2 * half) - half)  # from the nearest point
            inner = self.radius * (1 - self.depth)
            along = np.array([inner * np.cos(half) - self.radius, inner * np.sin(half)])
            away = np.array([along[1], -along[0]]) / np.hypot(*along)  # from a side, outwards
            return away[0] * self.radius - r * np.cos(turned - np.arctan2(away[1], away[0]))
        swing = self.radius * self.depth / 2
        out = self.radius - swing + swing * np.cos(self.arms * angle)
        return (out - r) / np.hypot(1, self.arms * swing * np.sin(self.arms * angle) / out)

    def coverage(self, rows: np.ndarray, cols: np.ndarray, step: int) -> np.ndarray | float:
        """Part of each pixel of side `step` inside the outline; one number where all are alike."""
        least = self.radius * (1 - self.depth) - step
        spans = [
            (rows[0] - self.row, rows[-1] - self.row),
            (cols[0] - self.col, cols[-1] - self.col),
        ]
        if np.hypot(*(max(a, -b, 0) for a, b in spans)) > self.radius + step:
            return 0.0
        if np.hypot(*(max(-a, b) for a, b in spans)) < least:
            return 1.0
        # only rows and columns that the object reaches are looked at closely
        near = [
            np.flatnonzero(np.abs(a) <= self.radius + step)
            for a in (rows - self.row, cols - self.col)
        ]
        found = np.zeros((len(rows), len(cols)), np.float32)
        inner = tuple(slice(n[0], n[-1] + 1) for n in near)
        away = self.distance(rows[inner[0]], cols[inner[1]])
        found[inner] = np.clip(0.5 + away / step, 0, 1)
        return found

    def mask(self, box: Box) -> np.ndarray:
        """Pixels of a box whose centre is inside: ``(h, w)`` bool."""
        inside = np.zeros(box.shape, bool)
        cols = np.arange(box.left, box.right)
        for top in range(box.top, box.bottom, STRIP):
            rows = np.arange(top, min(top + STRIP, box.bottom))
            inside[top - box.top :][: len(rows)] = self.distance(rows, cols) > 0
        return inside


class ProceduralImage:
    """An `ImageReader` of an object on a background, RGB uint8.

    Each level is what the means of blocks of the full resolution would be: the textures have exact
    means, the outline covers a part of each pixel.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    outline : Outline
    seed : int
        Of the textures.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, shape: tuple[int, int], outline: Outline, seed: int = 0) -> None:
        self.shape: tuple[int, ...] = (*shape, 3)
        self.outline = outline
        levels = [shape]
        while min(levels[-1]) >= 2 * LEAST_SIDE:
            levels.append((-(-shape[0] >> len(levels)), -(-shape[1] >> len(levels))))
        self.levels: tuple[tuple[int, int], ...] = tuple(levels)
        rng = np.random.default_rng(seed)
        self._ground = _halvings(_texture(rng, BACKGROUND, CONTRAST[0], smoothness=1.0))
        self._object = _halvings(_texture(rng, OBJECT, CONTRAST[1], smoothness=0.6))

    def read(self, box: Box, level: int = 0) -> np.ndarray:
        """See `ImageReader.read`; the part of the box outside the image is left out."""
        box, step = box.clip(self.levels[level]), 1 << level
        if box.empty:
            return np.zeros((*box.shape, 3), np.uint8)
        rows, cols = (
            (np.arange(start, stop) + 0.5) * step - 0.5
            for start, stop in ((box.top, box.bottom), (box.left, box.right))
        )
        share = self.outline.coverage(rows, cols, step)
        alike = isinstance(share, float)
        pixels = _repeated((self._object if alike and share else self._ground)[level], box)
        if not alike:
            inside, edge = share > 0.5, np.nonzero((share > 0) & (share < 1))
            other = _repeated(self._object[level], box)
            part = share[edge][:, None]
            mixed = part * other[edge] + (1 - part) * pixels[edge]
            np.copyto(pixels, other, where=inside[..., None])
            pixels[edge] = np.round(mixed)
        down, across = rows / self.shape[0], cols / self.shape[1]
        light = np.add.outer(
            *(np.round(ONE * LIGHT / 2 * a).astype(np.uint16) for a in (down, across))
        )
        light += round(ONE * (1 - LIGHT / 2))
        pixels *= light[..., None]
        pixels //= ONE
        return np.minimum(pixels, 255, out=pixels).astype(np.uint8)


def _texture(
    rng: np.random.Generator, colour: tuple[int, int, int], contrast: float, smoothness: float
) -> np.ndarray:
    """Noise around a colour that falls with frequency, ``(PERIOD, PERIOD, 3)`` float32, periodic.

    Most of it is common to the three channels, as light and shade are.
    """
    frequency = np.hypot(np.fft.fftfreq(PERIOD)[:, None], np.fft.rfftfreq(PERIOD)[None])
    damping = 1 / np.maximum(frequency, 4 / PERIOD) ** smoothness
    layers = []
    for _ in range(4):
        white = np.fft.rfft2(rng.normal(size=(PERIOD, PERIOD)))
        layer = np.fft.irfft2(white * damping, s=(PERIOD, PERIOD))
        layers.append((layer - layer.mean()) / layer.std())
    common, *own = layers
    noise = np.stack([0.9 * common + 0.44 * channel for channel in own], axis=-1)
    return (np.array(colour) + contrast * noise).clip(0, 255).astype(np.float32)


def _halvings(texture: np.ndarray) -> list[np.ndarray]:
    """A texture and the means of its blocks of 2, 4, ... pixels, down to one; uint16."""
    levels = [texture]
    while len(levels[-1]) > 1:
        t = levels[-1]
        levels.append((t[::2, ::2] + t[1::2, ::2] + t[::2, 1::2] + t[1::2, 1::2]) / 4)
    return [np.round(t).astype(np.uint16) for t in levels]


def _repeated(texture: np.ndarray, box: Box) -> np.ndarray:
    """A box of the plane that is paved with a texture, as a new array."""
    side = len(texture)
    top, left = box.top % side, box.left % side
    times = -(-(top + box.height) // side), -(-(left + box.width) // side), 1
    if times == (1, 1, 1):
        return texture[top : top + box.height, left : left + box.width].copy()
    paved = np.tile(np.roll(texture, (-top, -left), (0, 1)), times)
    return np.ascontiguousarray(paved[: box.height, : box.width])
