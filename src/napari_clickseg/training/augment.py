"""Crops around an object and changes of colour, as the network will meet them in use."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import binary_erosion

from ..geometry import Box

__all__ = ["colour", "crop_box", "orient", "part_box", "recolour", "resample", "to_border"]

LEAST_PART = 32  # image pixels


def crop_box(rng: np.random.Generator, target: Box, shape: tuple[int, int]) -> Box:
    """A crop that shows an object as ZoomIn or a first look at the whole image would.

    The object's longer side fills 18 to 85 % of the crop's (log-uniform); now and then the crop is
    the whole image or cuts the object.
    """
    height, width = shape
    if rng.random() < 0.15:
        return Box(0, 0, height, width)
    side = max(target.height, target.width) / np.exp(rng.uniform(np.log(0.18), np.log(0.85)))
    aspect = np.exp(rng.uniform(-0.25, 0.25))
    rows = int(np.clip(round(side * aspect), min(24, height), height))
    cols = int(np.clip(round(side / aspect), min(24, width), width))
    slack = 0.25 if rng.random() < 0.12 else 0.0
    top = _place(rng, target.top, target.bottom, rows, height, slack)
    left = _place(rng, target.left, target.right, cols, width, slack)
    return Box(top, left, top + rows, left + cols)


def part_box(rng: np.random.Generator, target: np.ndarray, box: Box) -> Box | None:
    """A square around a place on an object's outline, 20 to 80 % as long as the object.

    Parameters
    ----------
    rng : numpy Generator
    target : (H, W) bool array
    box : Box
        Of the object.

    Returns
    -------
    Box or None
        None where the image is too small for it.
    """
    height, width = target.shape
    share = np.exp(rng.uniform(np.log(0.2), np.log(0.8)))
    side = max(LEAST_PART, round(share * max(box.height, box.width)))
    if side >= min(height, width):
        return None
    inside = target[box.slices]
    rows, cols = np.nonzero(inside & ~binary_erosion(inside))
    pick = rng.integers(len(rows))
    down, right = rng.uniform(-0.85, -0.15, 2) * side
    top = int(np.clip(round(box.top + rows[pick] + down), 0, height - side))
    left = int(np.clip(round(box.left + cols[pick] + right), 0, width - side))
    return Box(top, left, top + side, left + side)


def to_border(labels: np.ndarray, depth: int) -> np.ndarray:
    """Labels continued over the outermost pixels of an image, where annotators left them out.

    Outlines that were drawn by hand end a few pixels before the border of the picture. What learns
    from them learns that nothing reaches the border.

    Parameters
    ----------
    labels : (H, W) integer array
    depth : int
        Pixels from the border on; background there becomes what is at this depth. Images that are
        not four times as large stay as they are.

    Returns
    -------
    (H, W) integer array
        A copy.
    """
    labels = labels.copy()
    if min(labels.shape) > 4 * depth:
        for turn in range(4):
            side = np.rot90(labels, turn)
            strip, inner = side[:depth], side[depth]
            strip[...] = np.where((strip == 0) & (inner > 0), inner, strip)
    return labels


def _place(
    rng: np.random.Generator, start: int, stop: int, size: int, limit: int, slack: float
) -> int:
    low, high = sorted((stop - size, start))
    extra = slack * size
    return int(np.clip(round(rng.uniform(low - extra, high + extra)), 0, limit - size))


def resample(
    image: np.ndarray, target: np.ndarray, ignore: np.ndarray, box: Box, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a box and resize it to a square, antialiased.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    target, ignore : (H, W) bool arrays
    box : Box
        Inside the image.
    size : int
        Side of the result in pixels.

    Returns
    -------
    image : (size, size, 3) uint8 array
    target : (size, size) int8 array
        1 object, 0 background, -1 ignore.
    """
    cut = np.ascontiguousarray
    picture = Image.fromarray(cut(image[box.slices])).resize((size, size), Image.BILINEAR)
    mask = Image.fromarray(cut(target[box.slices]).view(np.uint8) * 255)
    mask = np.asarray(mask.resize((size, size), Image.BILINEAR))
    out = (mask > 127).astype(np.int8)
    part = cut(ignore[box.slices])
    if part.any():
        skip = Image.fromarray(part.view(np.uint8)).resize((size, size), Image.NEAREST)
        out[np.asarray(skip) > 0] = -1
    return np.array(picture), out


def orient(
    rng: np.random.Generator, image: np.ndarray, target: np.ndarray, free: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Mirror, sometimes rotate a little; `free` pictures (no up or down) are turned as well."""
    if rng.random() < 0.5:
        image, target = image[:, ::-1], target[:, ::-1]
    if free:
        turns = int(rng.integers(4))
        image, target = np.rot90(image, turns), np.rot90(target, turns)
    image, target = np.ascontiguousarray(image), np.ascontiguousarray(target)
    if rng.random() < 0.15:
        angle = rng.uniform(-20, 20)
        image = np.array(Image.fromarray(image).rotate(angle, Image.BILINEAR))
        shifted = Image.fromarray((target + 2).astype(np.uint8)).rotate(angle, Image.NEAREST)
        target = np.asarray(shifted).astype(np.int8) - 2
        target[target == -2] = -1  # corners that the rotation left empty
    return image, target


def colour(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Change brightness, contrast, colour, sharpness and noise of an (H, W, 3) uint8 image."""
    if rng.random() < 0.08:
        picture = Image.fromarray(image).filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6)))
        image = np.array(picture)
    if rng.random() < 0.1:
        grey = image @ np.array([0.299, 0.587, 0.114])
        image = np.repeat(np.round(grey).astype(np.uint8)[..., None], 3, axis=2)
    elif rng.random() < 0.05:
        image = image[..., rng.permutation(3)]
    image = _curves(rng, image)
    if rng.random() < 0.08:
        noise = rng.normal(0, rng.uniform(2, 14), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def _curves(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Gain, offset, gamma and inversion as one look-up table per channel."""
    if rng.random() > 0.85:
        return image
    level = np.linspace(0, 1, 256)[None]
    if rng.random() < 0.35:
        level = level ** np.exp(rng.uniform(-0.6, 0.6))
    level = level * rng.uniform(0.7, 1.35) + rng.uniform(-0.15, 0.15)
    level = level * rng.uniform(0.88, 1.12, (3, 1)) + rng.uniform(-0.05, 0.05, (3, 1))
    if rng.random() < 0.03:
        level = 1 - level
    table = np.round(np.clip(level, 0, 1) * 255).astype(np.uint8)
    return np.stack([table[c][image[..., c]] for c in range(3)], axis=-1)


def recolour(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Change an (H, W, 3) uint8 image as far as another instrument or stain would.

    Grey (30 %) or exchanged channels (20 %), blur (10 %), the range stretched between two
    percentiles (20 %), a gamma of 0.5 to 2 (40 %), inverted (10 %), noise (15 %), JPEG (10 %).
    """
    if rng.random() < 0.1:
        picture = Image.fromarray(image).filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.8)))
        image = np.array(picture)
    kind = rng.random()
    if kind < 0.3:
        grey = image @ rng.dirichlet((2.0, 2.0, 2.0))
        image = np.repeat(np.round(grey).astype(np.uint8)[..., None], 3, axis=2)
    elif kind < 0.5:
        image = image[..., rng.permutation(3)]
    level = np.linspace(0, 1, 256)
    if rng.random() < 0.2:
        cut = rng.uniform(0, 6), 100 - rng.uniform(0, 6)
        low, high = np.percentile(image[::2, ::2], cut) / 255
        level = np.clip((level - low) / max(high - low, 0.05), 0, 1)
    if rng.random() < 0.4:
        level = level ** np.exp(rng.uniform(-np.log(2), np.log(2)))
    level = level * rng.uniform(0.75, 1.25) + rng.uniform(-0.1, 0.1)
    if rng.random() < 0.1:
        level = 1 - level
    image = np.round(np.clip(level, 0, 1) * 255).astype(np.uint8)[image]
    if rng.random() < 0.15:
        noise = rng.standard_normal(image.shape, np.float32) * rng.uniform(2, 20)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        packed = io.BytesIO()
        Image.fromarray(image).save(packed, "JPEG", quality=int(rng.integers(20, 85)))
        image = np.array(Image.open(packed))
    return image
