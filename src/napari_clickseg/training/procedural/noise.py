"""Smooth random fields, and the textures that are made of them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

__all__ = ["blurred", "fractal", "smooth", "texture"]


def blurred(field: np.ndarray, sigma: float) -> np.ndarray:
    """An (S, S) field after a Gaussian of `sigma` pixels, float32."""
    return gaussian_filter(field.astype(np.float32), sigma, truncate=2.5, mode="nearest")


def smooth(rng: np.random.Generator, size: int, rows: int, cols: int | None = None) -> np.ndarray:
    """A random field without detail: normal values on a coarse grid, interpolated.

    Parameters
    ----------
    rng : numpy Generator
    size : int
        Side of the result in pixels.
    rows, cols : int
        Values of the coarse grid along each side; `cols` is `rows` by default.

    Returns
    -------
    (size, size) float32 array
    """
    grid = rng.standard_normal((min(rows, size), min(cols or rows, size)), np.float32)
    return np.asarray(Image.fromarray(grid).resize((size, size), Image.BICUBIC))


def fractal(
    rng: np.random.Generator, size: int, coarsest: int, octaves: int, fall: float
) -> np.ndarray:
    """A sum of `smooth` fields, each twice as fine and `fall` times as strong as the last.

    The coarsest has `coarsest` values along each side. Returns (size, size) float32 of standard
    deviation 1.
    """
    field = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        field += fall**octave * smooth(rng, size, coarsest * 2**octave)
    return field / max(float(field.std()), 1e-6)


def texture(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random texture, (size, size) float32 of mean 0 and standard deviation 1."""
    kind = rng.choice(5, p=(0.35, 0.28, 0.2, 0.12, 0.05))
    if kind == 0:
        field = fractal(rng, size, int(rng.integers(2, 9)), 4, rng.uniform(0.4, 0.9))
    elif kind == 1:  # grain
        field = blurred(rng.standard_normal((size, size), np.float32), rng.uniform(0.4, 2.5))
    elif kind == 2:  # streaks
        long, short = int(rng.integers(2, 6)), int(rng.integers(16, 70))
        field = smooth(rng, size, *((long, short) if rng.random() < 0.5 else (short, long)))
        field = field + 0.4 * smooth(rng, size, 24)
    elif kind == 3:  # speckle: many dark or bright spots
        field = np.exp(blurred(rng.standard_normal((size, size), np.float32), 1.0) * 4)
        field = np.minimum(field, 8) * float(rng.choice((-1, 1)))
    else:  # waves
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.02, 0.12)
        rows, cols = np.mgrid[:size, :size].astype(np.float32) / size
        phase = rows * np.cos(angle) + cols * np.sin(angle) + 0.04 * smooth(rng, size, 4)
        field = np.sin(phase * (2 * np.pi / period))
    return (field - field.mean()) / max(float(field.std()), 1e-6)
