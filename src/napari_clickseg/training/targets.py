"""Which object of a scene to segment, and where it may be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..data.scenes import Scene

__all__ = ["Choice", "ObjectOptions", "Pools", "choose_object", "click_pools", "keep"]

SMALL_PART = 0.1  # of a parent's area
MOST_REMOVED = 3
LEAST_ERODED = 10  # pixels


@dataclass(frozen=True)
class ObjectOptions:
    """How an object is chosen and where its clicks lie.

    Attributes
    ----------
    merge : float
        Probability that the target is several objects.
    most_merged : int
        Objects in such a target at most.
    hierarchy : bool
        Go down to parts of objects, one level with probability 0.5 each.
    erode : float
        Probability that positive clicks keep away from the outline.
    erosions : int
        By how many pixels.
    ring : float
        Width of the ring around the object where border clicks lie: relative to the square root of
        its area, or to the image's diagonal if `ring_of_image`.
    ring_of_image : bool
    """

    merge: float = 0.0
    most_merged: int = 2
    hierarchy: bool = False
    erode: float = 0.9
    erosions: int = 3
    ring: float = 0.1
    ring_of_image: bool = False


@dataclass(frozen=True)
class Choice:
    """A target and what belongs to it. Arrays are ``(H, W)`` bool.

    Attributes
    ----------
    mask : array
        The target.
    positive : tuple of array
        Regions of which each gets a positive click.
    required : tuple of array
        Regions of which each gets a negative click: what was taken away from an object.
    others : array
        All objects of the scene.
    ignore : array
        Pixels that count for nothing.
    """

    mask: np.ndarray
    positive: tuple[np.ndarray, ...]
    required: tuple[np.ndarray, ...]
    others: np.ndarray
    ignore: np.ndarray

    @property
    def target(self) -> np.ndarray:
        """``(H, W)`` int8: 1 object, 0 background, -1 ignore."""
        target = self.mask.astype(np.int8)
        target[self.ignore] = -1
        return target


@dataclass(frozen=True)
class Pools:
    """Pixels to click, as ``(H, W)`` bool arrays.

    Attributes
    ----------
    positive : tuple of array
        For each region of the object.
    required : tuple of array
        For each region that must not be in it.
    elsewhere : dict of str to array
        By strategy: ``background``, ``other``, ``border``.
    """

    positive: tuple[np.ndarray, ...]
    required: tuple[np.ndarray, ...]
    elsewhere: dict[str, np.ndarray]


def choose_object(scene: Scene, options: ObjectOptions, rng: np.random.Generator) -> Choice:
    """Choose an object, a part of one, or several; nothing if the scene has none.

    References
    ----------
    Sofiiuk, Petrov, Konushin, RITM, 2021: the published sampler.
    """
    roots = scene.roots
    shape = scene.image.shape[:2]
    mask = np.zeros(shape, bool)
    others = np.zeros(shape, bool)
    for item in scene.objects:
        others |= scene.mask(item.id)
    if not roots:
        return Choice(mask, (), (), others, scene.ignore)
    count = 1
    if len(roots) > 1 and rng.random() < options.merge:
        count = int(rng.integers(2, min(len(roots), options.most_merged) + 1))
    positive, required = [], []
    for root in rng.permutation(len(roots))[:count]:
        part, inside, outside = _part(scene, roots[root].id, options.hierarchy, rng)
        mask |= part
        positive.append(inside)
        required.extend(outside)
    required = [region & ~mask for region in required]
    return Choice(mask, tuple(positive), tuple(required), others, scene.ignore)


def _part(
    scene: Scene, root: int, hierarchy: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Target, region for positive clicks and regions for negative ones, from one object."""
    node = scene.object(root)
    if not hierarchy:
        mask = scene.mask(root)
        return mask, mask, []
    while node.children and rng.random() >= 0.5:
        node = scene.object(int(rng.choice(node.children)))
    whole = scene.mask(node.id)
    mask, inside, outside = whole.copy(), whole.copy(), []
    if node.parent is not None:
        outside.append(scene.mask(node.parent) & ~whole)
    for child in node.children:
        part = scene.mask(child)
        if part.sum() < SMALL_PART * whole.sum():
            inside &= ~part
    if node.children:
        removed = int(rng.integers(0, min(len(node.children), MOST_REMOVED) + 1))
        for child in rng.permutation(node.children)[:removed]:
            part = scene.mask(int(child))
            mask &= ~part
            inside &= ~part
            outside.append(part)
    return mask, inside, outside


def click_pools(choice: Choice, options: ObjectOptions, rng: np.random.Generator) -> Pools:
    """Where clicks for a target may lie."""
    free = ~choice.mask & ~choice.ignore
    other = choice.others & free
    elsewhere = {
        "background": free,
        "other": other if other.any() else free,
        "border": _ring(choice.mask, options) & free,
    }
    return Pools(
        tuple(_inner(region, options, rng) for region in choice.positive),
        tuple(_inner(region, options, rng) for region in choice.required),
        elsewhere,
    )


def _inner(region: np.ndarray, options: ObjectOptions, rng: np.random.Generator) -> np.ndarray:
    """A region without its rim, most of the time and if enough is left."""
    if rng.random() >= options.erode or not options.erosions:
        return region
    kernel = np.ones((3, 3), bool)
    inner = ndimage.binary_erosion(region, kernel, options.erosions, border_value=1)
    return inner if inner.sum() > LEAST_ERODED else region


def _ring(mask: np.ndarray, options: ObjectOptions) -> np.ndarray:
    """The pixels around an object."""
    scale = float(np.hypot(*mask.shape)) if options.ring_of_image else float(np.sqrt(mask.sum()))
    width = int(np.ceil(options.ring * scale))
    if not mask.any() or not width:
        return np.zeros_like(mask)
    distance = ndimage.distance_transform_cdt(~mask, "chessboard")
    return (distance > 0) & (distance <= width)


def keep(scene: Scene, ids: Sequence[int]) -> Scene:
    """The scene with these objects only; parts of others belong to the next object above."""
    kept = set(ids)

    def above(parent: int | None) -> int | None:
        while parent is not None and parent not in kept:
            parent = scene.object(parent).parent
        return parent

    parents = {i: above(scene.object(i).parent) for i in kept}
    objects = tuple(
        replace(
            item,
            parent=parents[item.id],
            children=tuple(i for i in sorted(kept) if parents[i] == item.id),
        )
        for item in scene.objects
        if item.id in kept
    )
    return replace(scene, objects=objects)
