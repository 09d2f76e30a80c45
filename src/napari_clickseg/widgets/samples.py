"""Sample images without download: drawn cells and a slope, photographs, a lazy mosaic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .slope import slope

__all__ = [
    "PHOTOGRAPHS",
    "cells",
    "mosaic",
    "photograph",
    "sample_astronaut",
    "sample_cat",
    "sample_cells",
    "sample_coffee",
    "sample_mosaic",
    "sample_slope",
    "slope",
]

PHOTOGRAPHS = {
    "astronaut": "astronaut.png",
    "cat": "chelsea.png",
    "coffee": "coffee.png",
}
"""Photographs inside scikit-image's wheel."""

TILE = 512


def photograph(name: str) -> np.ndarray:
    """A photograph shipped with scikit-image, ``(H, W, 3)`` uint8.

    Raises
    ------
    ValueError
        If there is no photograph of that name, or scikit-image was installed without its images.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(
            f"There is no photograph '{name}'. Choose one of: {', '.join(PHOTOGRAPHS)}."
        )
    import skimage.data
    from skimage.io import imread

    path = Path(skimage.data.__file__).parent / PHOTOGRAPHS[name]
    if not path.is_file():
        raise ValueError(
            f"scikit-image was installed without its photograph {path.name}. "
            "Install scikit-image from its wheel, or give an image of your own."
        )
    return np.ascontiguousarray(imread(path)[..., :3])


def cells(shape: tuple[int, int] = (512, 512), count: int = 60, seed: int = 7) -> np.ndarray:
    """Fluorescence-like nuclei with uneven light and shot noise.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    count : int
        Number of nuclei, overlapping ones included.
    seed : int
        The same seed gives the same image.

    Returns
    -------
    (H, W) uint16 array
        Camera counts, about 300 to 9 000 of 65 535, as a 12- to 16-bit camera gives them.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.special import expit

    rng = np.random.default_rng(seed)
    height, width = shape
    rows, cols = np.mgrid[:height, :width].astype(np.float32)
    light = np.zeros(shape, np.float32)
    texture = gaussian_filter(rng.standard_normal(shape).astype(np.float32), 3.0)
    texture /= texture.std()
    for _ in range(count):
        row, col = rng.uniform(0, height), rng.uniform(0, width)
        long, short = rng.uniform(14, 26), rng.uniform(9, 15)
        turn = rng.uniform(0, np.pi)
        down = (rows - row) * np.cos(turn) - (cols - col) * np.sin(turn)
        along = (rows - row) * np.sin(turn) + (cols - col) * np.cos(turn)
        radius = np.sqrt((along / long) ** 2 + (down / short) ** 2)
        inside = expit((1.0 - radius) * 14.0)
        light = np.maximum(light, inside * rng.uniform(0.3, 1.0) * (1.0 + 0.15 * texture))
    haze = gaussian_filter(light, 25.0) * 0.35 + 0.04
    centre = ((rows / height - 0.45) ** 2 + (cols / width - 0.55) ** 2) * 0.8
    signal = (gaussian_filter(light, 1.2) + haze) * (1.0 - centre)
    photons = rng.poisson(np.clip(signal, 0, None) * 900.0)
    counts = 300.0 + photons * 8.0 + rng.normal(0.0, 12.0, shape)
    return np.clip(counts, 0, 65535).astype(np.uint16)


def mosaic(side: int = 10_000, step: int = 1) -> Any:
    """A lazy mosaic of flower-like shapes on noisy ground, nothing computed until it is looked at.

    Parameters
    ----------
    side : int
        Height and width in pixels at full size; 10 000 gives 100 megapixels.
    step : int
        1 for full size, or every so many pixels: a power of two, at most 512.

    Returns
    -------
    (side / step, side / step, 3) uint8 dask array
        The same pixels in every session; each tile depends on its place only.
    """
    import dask.array as da

    def chunk(block_info: Any = None) -> np.ndarray:
        (top, bottom), (left, right), _ = block_info[None]["array-location"]
        image = np.empty((bottom - top, right - left, 3), np.uint8)
        tile = TILE // step
        for row in range(0, bottom - top, tile):
            for col in range(0, right - left, tile):
                part = image[row : row + tile, col : col + tile]
                place = (top + row) // tile, (left + col) // tile
                part[:] = _mosaic_tile(*place, step)[: part.shape[0], : part.shape[1]]
        return image

    size = -(-side // step)
    sides = tuple(min(TILE, size - start) for start in range(0, size, TILE))
    empty = np.empty((0, 0, 0), np.uint8)
    return da.map_blocks(chunk, chunks=(sides, sides, (3,)), dtype=np.uint8, meta=empty)


def _mosaic_tile(down: int, across: int, step: int) -> np.ndarray:
    """Tile of TILE / step pixels a side, by its place in the grid of tiles."""
    rng = np.random.default_rng((down, across))
    rows, cols = np.mgrid[:TILE:step, :TILE:step].astype(np.float32)
    waves = np.sin((rows + down * TILE) / 97.0) + np.cos((cols + across * TILE) / 131.0)
    image = np.array([96.0, 116.0, 84.0]) + 12.0 * waves[..., None]
    for _ in range(3):
        row, col = rng.uniform(0.2, 0.8, 2) * TILE
        size, petals, turn = rng.uniform(40, 90), rng.integers(3, 8), rng.uniform(0, 6.3)
        colour = rng.uniform(60, 250, 3)
        angle = np.arctan2(rows - row, cols - col)
        edge = size * (0.75 + 0.25 * np.cos(petals * angle + turn))
        inside = np.clip((edge - np.hypot(rows - row, cols - col)) / step + 0.5, 0, 1)[..., None]
        image = image * (1 - inside) + colour * inside
    image = image + rng.normal(0.0, 9.0 / step, (*rows.shape, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


# ---------------------------------------------------------------------- npe2 commands
LayerData = tuple[Any, dict[str, Any], str]


def sample_astronaut() -> list[LayerData]:
    """Sample data: portrait of an astronaut (RGB photograph)."""
    return [(photograph("astronaut"), {"name": "astronaut"}, "image")]


def sample_cat() -> list[LayerData]:
    """Sample data: a cat (RGB photograph)."""
    return [(photograph("cat"), {"name": "cat"}, "image")]


def sample_coffee() -> list[LayerData]:
    """Sample data: a cup of coffee (RGB photograph)."""
    return [(photograph("coffee"), {"name": "coffee"}, "image")]


def sample_cells() -> list[LayerData]:
    """Sample data: generated nuclei, 16-bit gray."""
    image = cells()
    low, high = (float(v) for v in np.percentile(image, (0.5, 99.8)))
    return [(image, {"name": "cells", "contrast_limits": (low, high)}, "image")]


def sample_slope() -> list[LayerData]:
    """Sample data: a drawn snow slope with an avalanche, RGB."""
    return [(slope(), {"name": "slope"}, "image")]


def sample_mosaic() -> list[LayerData]:
    """Sample data: a 100-megapixel mosaic, computed as it is looked at, in four levels."""
    levels = [mosaic(step=step) for step in (1, 4, 16)]
    return [(levels, {"name": "mosaic", "rgb": True, "multiscale": True}, "image")]
