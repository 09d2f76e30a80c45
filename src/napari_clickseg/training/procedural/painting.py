"""Colours for a drawing: textures, light, edges and what a microscope adds to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .drawing import Drawing
from .noise import blurred, smooth, texture
from .tubes import strands

__all__ = ["Photograph", "paint"]

Photograph = Callable[[np.random.Generator, int], np.ndarray]
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def paint(rng: np.random.Generator, drawing: Drawing, photograph: Photograph | None) -> np.ndarray:
    """A picture of a drawing.

    Parameters
    ----------
    rng : numpy Generator
    drawing : Drawing
    photograph : callable or None
        Gives a random (S, S, 3) uint8 part of a real image, for texture; None for noise alone.

    Returns
    -------
    (S, S, 3) uint8 array
    """
    size = len(drawing.labels)
    channels = 1 if rng.random() < 0.5 else 3
    contrast = float(np.exp(rng.uniform(np.log(0.09), np.log(0.6))))
    outlined = rng.random() < drawing.outlined
    if outlined and rng.random() < 0.4:
        contrast *= 0.15  # seen by its outline alone, as without stain
    ground, figure, part = _colours(rng, channels, contrast)
    cover = _cover(rng, drawing)
    inside = _figure(rng, drawing, figure, part, contrast, photograph)
    outside = ground + _surface(rng, size, channels, contrast, photograph, 1.0)
    if rng.random() < 0.12:  # a drop shadow
        shift = rng.integers(-5, 6, 2) * size // 160
        shadow = np.roll(blurred(cover[..., 0], rng.uniform(1, 4)), shift, (0, 1))
        outside = outside * (1 - rng.uniform(0.2, 0.6) * shadow[..., None])
    image = outside + cover * (inside - outside)
    if outlined:
        image = image + _outline(rng, drawing.labels, max(contrast, 0.12))
    if rng.random() < 0.15:
        image = _cross(rng, image)
    image = _light(rng, image)
    return _camera(rng, image)


def _colours(
    rng: np.random.Generator, channels: int, contrast: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours of background, objects and parts, `contrast` apart on average."""
    if rng.random() < 0.25:  # a dark field
        ground = rng.uniform(0.01, 0.15) * np.exp(rng.normal(0, 0.3, channels))
    else:
        ground = rng.uniform(0.15, 0.9) + rng.normal(0, 0.1, channels)

    def beside(colour: np.ndarray, far: float) -> np.ndarray:
        way = rng.normal(0, 0.6, channels) + rng.choice((-1.0, 1.0))
        way *= far / max(float(np.abs(way).mean()), 0.1)
        there = np.clip(colour + way, 0, 1)
        if np.abs(there - colour).mean() < 0.7 * far:
            there = np.clip(colour - way, 0, 1)
        return there

    figure = beside(ground, contrast)
    part = beside(figure, rng.uniform(0.1, 0.4))
    return tuple(colour.astype(np.float32) for colour in (ground, figure, part))


def _cover(rng: np.random.Generator, drawing: Drawing) -> np.ndarray:
    """How much of an object is seen at each pixel, (S, S, 1) float32."""
    if drawing.soft is not None:
        return np.float32(rng.uniform(0.3, 1.0)) * drawing.soft[..., None]
    edge = rng.uniform(0.4, 0.8) if rng.random() < 0.7 else rng.uniform(0.8, 2.2)
    return blurred(drawing.labels > 0, edge)[..., None]


def _surface(
    rng: np.random.Generator,
    size: int,
    channels: int,
    contrast: float,
    photograph: Photograph | None,
    most: float,
) -> np.ndarray:
    """Deviations from a mean colour, (size, size, channels) float32, `most` contrasts at most."""
    strength = contrast * most * rng.uniform(0.03, 0.65)
    if photograph is None or rng.random() < 0.45:
        return strength * texture(rng, size)[..., None]
    real = photograph(rng, size).astype(np.float32)
    real = (real @ GREY)[..., None] if channels == 1 else real
    real -= real.mean(axis=(0, 1))
    return real * (max(strength, rng.uniform(0, 0.12)) / max(float(real.std()), 4.0))


def _figure(
    rng: np.random.Generator,
    drawing: Drawing,
    figure: np.ndarray,
    part: np.ndarray,
    contrast: float,
    photograph: Photograph | None,
) -> np.ndarray:
    """The objects' colours as if they filled the scene, (S, S, C) float32."""
    labels = drawing.labels
    count = int(labels.max()) + 1
    own = rng.normal(0, 1, (count, 1)) * rng.uniform(0, 0.35) * contrast
    own = own + rng.normal(0, 1, (count, len(figure))) * rng.uniform(0, 0.2) * contrast
    if rng.random() < 0.25:  # some are of another sort
        own[rng.random(count) < 0.4] += rng.normal(0, 0.2, len(figure))
    own[0] = 0
    inside = (figure + own.astype(np.float32))[labels]
    inside = inside + _surface(rng, len(labels), len(figure), contrast, photograph, 0.7)
    if rng.random() < 0.4:  # darker or brighter towards the middle, or lit from a side
        depth = blurred(labels > 0, rng.uniform(0.015, 0.06) * len(labels)) - 0.6
        if rng.random() < 0.4:
            depth = 8 * np.gradient(depth, axis=int(rng.integers(2)))
        inside = inside + (rng.uniform(-0.8, 0.8) * contrast) * depth[..., None]
    if drawing.parts is not None:
        seen = blurred(drawing.parts, rng.uniform(0.4, 1.2))[..., None]
        inside = inside + seen * (part - figure)
    return inside


def _outline(rng: np.random.Generator, labels: np.ndarray, strength: float) -> np.ndarray:
    """A line between objects, a halo around them or a relief, (S, S, 1) float32."""
    way = rng.choice(4, p=(0.45, 0.25, 0.15, 0.15))
    height = strength * rng.uniform(0.6, 1.8) * float(rng.choice((-1, 1)))
    scale = len(labels) / 160
    if way == 0:
        line = _border(labels).astype(np.float32)
        line = blurred(line, rng.uniform(0.4, 1.4) * scale)
        return (height / max(float(line.max()), 0.1) * line)[..., None]
    mask = labels > 0
    if way == 3:  # lit from one side, as by differential interference contrast
        slope = np.gradient(blurred(mask, rng.uniform(0.8, 2.0) * scale))
        angle = rng.uniform(0, 2 * np.pi)
        return (4 * height * (np.cos(angle) * slope[0] + np.sin(angle) * slope[1]))[..., None]
    wide = rng.uniform(2, 6) * scale
    near = blurred(mask, rng.uniform(0.5, 1.0) * scale) - blurred(mask, wide)
    if way == 2:
        near = np.minimum(near, 0)  # outside alone, as phase contrast shows cells
    return (-2 * abs(height) * near)[..., None]


def _border(labels: np.ndarray) -> np.ndarray:
    edge = np.zeros(labels.shape, bool)
    edge[1:] |= labels[1:] != labels[:-1]
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return edge


def _cross(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Hairs, scratches or vessels that cross the scene and belong to nothing."""
    lines = np.array(strands(rng, len(image), 5, rng.uniform(0.008, 0.02))) > 0
    seen = rng.uniform(0.4, 1.0) * blurred(lines, 0.6)[..., None]
    colour = np.clip(image.mean(axis=(0, 1)) + rng.choice((-1, 1)) * rng.uniform(0.1, 0.4), 0, 1)
    return image + seen * (colour.astype(np.float32) - image)


def _light(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    if rng.random() < 0.45:
        uneven = smooth(rng, len(image), int(rng.integers(2, 4)))
        image = image * np.clip(1 + rng.uniform(0.05, 0.3) * uneven, 0.3, 1.7)[..., None]
    return image


def _camera(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Defocus and noise; what comes out is 8 bits per channel."""
    if rng.random() < 0.35:
        sigma = rng.uniform(0.4, 1.3)
        image = np.stack([blurred(plane, sigma) for plane in np.moveaxis(image, -1, 0)], axis=-1)
    image = np.clip(image, 0, 1)
    if rng.random() < 0.5:
        grain = rng.standard_normal(image.shape, np.float32)
        if rng.random() < 0.5:  # shot noise
            grain *= np.sqrt(image)
        image = np.clip(
            image + float(np.exp(rng.uniform(np.log(0.008), np.log(0.07)))) * grain, 0, 1
        )
    image = np.round(image * 255).astype(np.uint8)
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
