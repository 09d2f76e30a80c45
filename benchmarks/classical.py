"""Interactive segmentation without a network: what one would use otherwise, ready to be clicked.

Each class is a `ProtocolSegmenter`: `set_image`, `click`, `mask`. Clicks are disks of seeds, later
ones over earlier ones. Methods that need seeds of both kinds take the image's border as background
until the first negative click.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.graph import MCP_Geometric
from skimage.segmentation import random_walker, watershed

__all__ = [
    "CLASSICAL",
    "Flood",
    "Geodesic",
    "GrabCut",
    "RandomWalker",
    "Seeded",
    "Watershed",
]

OBJECT, BACKGROUND = 1, 2
"""Values of seeds; 0 is neither."""


class Seeded(ABC):
    """A method that segments from disks of seeds."""

    def set_image(self, image: np.ndarray) -> None:
        """Start on an (H, W, 3) uint8 image, without any click."""
        self.image = np.ascontiguousarray(image)
        self.seeds = np.zeros(image.shape[:2], np.uint8)
        self.mask = np.zeros(image.shape[:2], bool)
        self.radius = max(2, round(max(image.shape[:2]) / 100))
        self._prepare()

    def click(self, row: float, col: float, positive: bool = True) -> None:
        """Add a disk of seeds and segment anew."""
        rows, cols = np.ogrid[: self.seeds.shape[0], : self.seeds.shape[1]]
        disk = (rows - row) ** 2 + (cols - col) ** 2 <= self.radius**2
        self.seeds[disk] = OBJECT if positive else BACKGROUND
        self.mask = self._segment() if (self.seeds == OBJECT).any() else self.mask & False

    def _prepare(self) -> None:  # noqa: B027 (most have nothing to prepare)
        """What is done once for an image."""

    @abstractmethod
    def _segment(self) -> np.ndarray:
        """The mask that the seeds give; there is at least one of the object."""

    def _both(self) -> np.ndarray:
        """The seeds, with the border as background while no click says what is."""
        if (self.seeds == BACKGROUND).any():
            return self.seeds
        seeds = np.full_like(self.seeds, BACKGROUND)
        seeds[1:-1, 1:-1] = 0
        return np.where(self.seeds > 0, self.seeds, seeds)


class GrabCut(Seeded):
    """OpenCV's GrabCut (Rother et al., SIGGRAPH 2004): five rounds of colour models and graph cut.

    Seeds are certain. What is in the mask so far is probably object, the rest probably background;
    while there is no mask, a square of half of the image's shorter side around the click.
    """

    rounds = 5

    def _segment(self) -> np.ndarray:
        import cv2

        likely = self.mask
        if not likely.any():
            (row, col), side = ndimage.center_of_mass(self.seeds == OBJECT), min(self.seeds.shape)
            likely = np.zeros(self.seeds.shape, bool)
            top, left = (max(0, round(place - side / 4)) for place in (row, col))
            likely[top : top + side // 2, left : left + side // 2] = True
        kinds = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        kinds[self.seeds == OBJECT] = cv2.GC_FGD
        kinds[self.seeds == BACKGROUND] = cv2.GC_BGD
        colours = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        how = cv2.GC_INIT_WITH_MASK
        if np.isin(kinds, (cv2.GC_BGD, cv2.GC_PR_BGD)).any():  # it needs some of either
            cv2.grabCut(self.image[..., ::-1].copy(), kinds, None, *colours, self.rounds, how)
        return np.isin(kinds, (cv2.GC_FGD, cv2.GC_PR_FGD))


class RandomWalker(Seeded):
    """Random walker (Grady, TPAMI 2006) of scikit-image, beta 1000, solved directly."""

    beta = 1000

    def _segment(self) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of seeds cut off from all others by edges
            found = random_walker(self.image, self._both(), self.beta, "bf", channel_axis=-1)
        return found == OBJECT


class Geodesic(Seeded):
    """Nearer to seeds of the object than of the background, along paths that avoid edges.

    A path costs its length times 0.02 plus the gradient of the Lab colours (by their range) under
    it (after Bai and Sapiro, IJCV 2009, without their colour models).
    """

    length = 0.02

    def _prepare(self) -> None:
        self._cost = self.length + gradient(self.image)

    def _segment(self) -> np.ndarray:
        seeds = self._both()
        near, far = (
            MCP_Geometric(self._cost).find_costs(np.argwhere(seeds == kind))[0]
            for kind in (OBJECT, BACKGROUND)
        )
        return near < far


class Watershed(Seeded):
    """Seeded watershed (Meyer 1991) of scikit-image on the gradient of the Lab colours."""

    def _prepare(self) -> None:
        self._heights = gradient(self.image)

    def _segment(self) -> np.ndarray:
        return watershed(self._heights, self._both()) == OBJECT


class Flood(Seeded):
    """A magic wand: what is connected with a click and similar in colour, added or taken away.

    Parameters
    ----------
    tolerance : int
        Largest difference to the clicked pixel in any channel, of 255.
    """

    def __init__(self, tolerance: int) -> None:
        self.tolerance = tolerance

    def click(self, row: float, col: float, positive: bool = True) -> None:
        """Flood from a pixel."""
        place = round(row), round(col)
        far = np.abs(self.image.astype(np.int16) - self.image[place]).max(axis=-1)
        parts, _ = ndimage.label(far <= self.tolerance)
        flooded = parts == parts[place]
        self.mask = self.mask | flooded if positive else self.mask & ~flooded

    def _segment(self) -> np.ndarray:
        return self.mask


def gradient(image: np.ndarray) -> np.ndarray:
    """Magnitude of the gradient of slightly smoothed Lab colours, (H, W), 1 for a full range."""
    lab = ndimage.gaussian_filter(rgb2lab(image), (0.7, 0.7, 0)) / 100
    along = [ndimage.sobel(lab, axis=axis) / 4 for axis in (0, 1)]
    return np.sqrt(sum((part**2).sum(axis=-1) for part in along))


CLASSICAL = {
    "GrabCut": GrabCut,
    "random walker": RandomWalker,
    "geodesic": Geodesic,
    "watershed": Watershed,
}
