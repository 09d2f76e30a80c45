"""Augmentations of a scene: image and objects together, as the published recipes use them.

Each is a small frozen value with numbers from a recipe; called with a scene and a random generator,
it gives another scene. Objects are resampled to the nearest pixel, images bilinearly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image

from ..data.scenes import Scene
from ..geometry import bounding_box
from .targets import keep

__all__ = ["TRANSFORMS", "Transform", "augment", "make_transforms"]


class Transform(Protocol):
    """Changes a scene at random."""

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        """Another scene."""


def _map(scene: Scene, change: Callable[[np.ndarray], np.ndarray]) -> Scene:
    """The same change of places for image and layers."""
    return dataclasses.replace(
        scene,
        image=np.ascontiguousarray(change(scene.image)),
        layers=np.ascontiguousarray(change(scene.layers)),
    )


def _resized(scene: Scene, height: int, width: int) -> Scene:
    if scene.image.shape[:2] == (height, width):
        return scene
    image = Image.fromarray(scene.image).resize((width, height), Image.BILINEAR)
    rows = ((np.arange(height) + 0.5) * scene.layers.shape[0] / height).astype(int)
    cols = ((np.arange(width) + 0.5) * scene.layers.shape[1] / width).astype(int)
    return dataclasses.replace(scene, image=np.array(image), layers=scene.layers[rows][:, cols])


@dataclass(frozen=True)
class Resize:
    """By a random factor, the same for both sides."""

    low: float = 0.75
    high: float = 1.4

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        factor = rng.uniform(self.low, self.high)
        height, width = (max(1, round(side * factor)) for side in scene.image.shape[:2])
        return _resized(scene, height, width)


@dataclass(frozen=True)
class Limit:
    """Shrink images whose longer side exceeds so many pixels."""

    longest: int

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        height, width = scene.image.shape[:2]
        factor = min(1.0, self.longest / max(height, width))
        return _resized(scene, max(1, round(height * factor)), max(1, round(width * factor)))


@dataclass(frozen=True)
class Flip:
    """Mirror left and right; `any_way`: or upside down, or both, each as often."""

    p: float = 0.5
    any_way: bool = False

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        if rng.random() >= self.p:
            return scene
        axes = ((1,), (0,), (0, 1))[int(rng.integers(3)) if self.any_way else 0]
        return _map(scene, lambda x: np.flip(x, axes))


@dataclass(frozen=True)
class Turn:
    """By a random multiple of 90 degrees."""

    p: float = 0.5

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        if rng.random() >= self.p:
            return scene
        turns = int(rng.integers(4))
        return _map(scene, lambda x: np.rot90(x, turns))


@dataclass(frozen=True)
class ShiftScaleRotate:
    """A small affine map about the middle; black and background come in from outside.

    Attributes
    ----------
    shift : float
        Of height and width at most.
    scale : float
        The factor is 1 - scale .. 1 + scale.
    degrees : float
        At most, either way.
    p : float
    mirror : bool
        Mirrored image comes in from outside instead.
    """

    shift: float = 0.03
    scale: float = 0.0
    degrees: float = 3.0
    p: float = 0.75
    mirror: bool = False

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        if rng.random() >= self.p:
            return scene
        height, width = scene.image.shape[:2]
        angle = np.deg2rad(rng.uniform(-self.degrees, self.degrees))
        factor = 1 + rng.uniform(-self.scale, self.scale)
        down, right = rng.uniform(-self.shift, self.shift, 2) * (height, width)
        margin = int(0.25 * max(height, width)) if self.mirror else 0
        if margin:
            around = [(margin, margin)] * 2 + [(0, 0)]
            scene = _map(scene, lambda x: np.pad(x, around, mode="symmetric"))
        cos, sin = np.cos(angle) / factor, np.sin(angle) / factor
        y, x = (height - 1) / 2 + margin + 0.5, (width - 1) / 2 + margin + 0.5
        matrix = (  # of output places (x, y, 1) to input ones, as PIL wants it
            cos,
            sin,
            x - cos * (x + right) - sin * (y + down),
            -sin,
            cos,
            y + sin * (x + right) - cos * (y + down),
        )
        size = (width + 2 * margin, height + 2 * margin)
        image = Image.fromarray(scene.image).transform(size, Image.AFFINE, matrix, Image.BILINEAR)
        planes = [
            np.asarray(Image.fromarray(plane).transform(size, Image.AFFINE, matrix, Image.NEAREST))
            for plane in np.moveaxis(scene.layers, 2, 0)
        ]
        moved = dataclasses.replace(scene, image=np.array(image), layers=_stack(planes, scene))
        inner = slice(margin, margin + height), slice(margin, margin + width)
        return _map(moved, lambda a: a[inner]) if margin else moved


def _stack(planes: list[np.ndarray], scene: Scene) -> np.ndarray:
    return np.stack(planes, axis=2).astype(np.int32) if planes else scene.layers


@dataclass(frozen=True)
class Crop:
    """A random part of a given size; smaller images get black background around them first."""

    height: int
    width: int

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        have = scene.image.shape[:2]
        lack = [
            max(0, want - side) for want, side in zip((self.height, self.width), have, strict=True)
        ]
        if any(lack):
            around = [*((n // 2, n - n // 2) for n in lack), (0, 0)]
            scene = _map(scene, lambda x: np.pad(x, around))
        rows, cols = scene.image.shape[:2]
        top = int(rng.integers(rows - self.height + 1))
        left = int(rng.integers(cols - self.width + 1))
        return _map(scene, lambda x: x[top : top + self.height, left : left + self.width])


@dataclass(frozen=True)
class ZoomIn:
    """Crop around an object, as ZoomIn will show it, and resize to a given size.

    Attributes
    ----------
    height, width : int
        Of the result.
    low, high : float
        By how much the crop exceeds the object's box.
    jitter : float
        By how much each side of that box may move, relative to its size.
    least_side : int
        Of the crop in pixels.
    least_area : int
        Of an object to be chosen.
    least_part : float
        Objects of which less is left in the crop are no longer asked for.
    p : float
    """

    height: int
    width: int
    low: float = 1.4
    high: float = 1.4
    jitter: float = 0.1
    least_side: int = 200
    least_area: int = 100
    least_part: float = 0.0
    p: float = 0.5

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        if rng.random() >= self.p:
            return scene
        masks = (scene.mask(scene.objects[i].id) for i in rng.permutation(len(scene.objects)))
        mask = next((m for m in masks if m.sum() >= self.least_area), None)
        box = None if mask is None else bounding_box(mask)
        if box is None:
            return scene
        sides = np.array(box.shape)
        middle = np.array([box.top + box.bottom, box.left + box.right]) / 2
        middle = middle + rng.uniform(-self.jitter, self.jitter, 2) * sides
        sides = np.maximum(sides * rng.uniform(self.low, self.high), self.least_side)
        ratio = self.width / self.height
        sides = np.maximum(sides, [sides[1] / ratio, sides[0] * ratio])
        limit = np.array(scene.image.shape[:2])
        start = np.clip(np.round(middle - sides / 2), 0, limit - 1).astype(int)
        stop = np.clip(np.round(middle + sides / 2), start + 1, limit).astype(int)
        cut = _map(scene, lambda x: x[start[0] : stop[0], start[1] : stop[1]])
        if self.least_part:
            sizes = ((o.id, cut.mask(o.id).sum(), scene.mask(o.id).sum()) for o in scene.objects)
            cut = keep(cut, [i for i, left, all_ in sizes if 0 < left >= self.least_part * all_])
        return _resized(cut, self.height, self.width)


@dataclass(frozen=True)
class BrightnessContrast:
    """Pixel values times 1 + contrast plus brightness times 255; limits are (low, high)."""

    brightness: tuple[float, float] = (-0.25, 0.25)
    contrast: tuple[float, float] = (-0.15, 0.4)
    p: float = 0.75

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        if rng.random() >= self.p:
            return scene
        gain, offset = 1 + rng.uniform(*self.contrast), 255 * rng.uniform(*self.brightness)
        table = np.clip(np.arange(256) * gain + offset, 0, 255).astype(np.uint8)
        return dataclasses.replace(scene, image=table[scene.image])


@dataclass(frozen=True)
class ColourShift:
    """Another random number added to each channel."""

    most: float = 10.0
    p: float = 0.75

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Scene:
        if rng.random() >= self.p:
            return scene
        shifts = rng.uniform(-self.most, self.most, 3)
        levels = np.clip(np.arange(256)[:, None] + shifts, 0, 255).astype(np.uint8)
        image = np.stack([levels[scene.image[..., c], c] for c in range(3)], axis=-1)
        return dataclasses.replace(scene, image=image)


TRANSFORMS: Mapping[str, type] = {
    "brightness_contrast": BrightnessContrast,
    "colour_shift": ColourShift,
    "crop": Crop,
    "flip": Flip,
    "limit": Limit,
    "resize": Resize,
    "shift_scale_rotate": ShiftScaleRotate,
    "turn": Turn,
    "zoom_in": ZoomIn,
}
"""By their names in recipes."""

SIZED = (Crop, ZoomIn)


def make_transforms(
    items: Sequence[Mapping[str, Any]], crop: tuple[int, int]
) -> tuple[Transform, ...]:
    """Augmentations from a recipe's list.

    Parameters
    ----------
    items : sequence of mapping
        ``kind`` and the numbers of each.
    crop : (int, int)
        Height and width of examples; those that give a size give this one.

    Raises
    ------
    ValueError
        If there is no such kind, or it takes no such number.
    """
    made = []
    for item in items:
        given = dict(item)
        kind = TRANSFORMS.get(given.pop("kind", None))
        if kind is None:
            raise ValueError(
                f"there is no augmentation {item.get('kind')!r}; there are {', '.join(TRANSFORMS)}"
            )
        if kind in SIZED:
            given = {"height": crop[0], "width": crop[1], **given}
        try:
            made.append(kind(**given))
        except TypeError as error:
            raise ValueError(f"the augmentation '{item['kind']}' is wrong: {error}") from error
    if not any(isinstance(t, Crop) for t in made):
        made.append(Crop(*crop))  # all examples of a batch are of one size
    return tuple(made)


def augment(scene: Scene, transforms: Sequence[Transform], rng: np.random.Generator) -> Scene:
    """All of them in order."""
    for transform in transforms:
        scene = transform(scene, rng)
    return scene
