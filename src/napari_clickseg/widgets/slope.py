"""A drawn snow slope with an avalanche, as sample data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["avalanche", "slope"]

SUN = np.array([-0.55, -0.65])  # down and to the right the slope falls into shadow
SNOW = np.array([0.93, 0.94, 0.96], np.float32)
SHADE = np.array([0.52, 0.60, 0.74], np.float32)
DEBRIS = np.array([0.75, 0.72, 0.67], np.float32)
ROCK = np.array([0.30, 0.28, 0.27], np.float32)
SKY = np.array([0.42, 0.60, 0.86], np.float32), np.array([0.74, 0.83, 0.93], np.float32)
TREES = np.array([0.13, 0.19, 0.16], np.float32)


def slope(shape: tuple[int, int] = (768, 1024), seed: int = 0) -> np.ndarray:
    """A slope under a ridge, with rocks, trees, and the debris of an avalanche.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    seed : int
        The same seed gives the same image; each one another avalanche on another slope.

    Returns
    -------
    (H, W, 3) uint8 array
    """
    return _Scene(shape, seed).paint()


def avalanche(shape: tuple[int, int] = (768, 1024), seed: int = 0) -> np.ndarray:
    """Where the avalanche is in the image of the same shape and seed, ``(H, W)`` bool."""
    return _Scene(shape, seed).debris > 0.5


@dataclass
class _Scene:
    """What is where, in shares of the image: 0 at the top and the left, 1 at the other end."""

    shape: tuple[int, int]
    seed: int

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng((self.seed, 77))
        height, width = self.shape
        self.rows, self.cols = np.meshgrid(
            np.linspace(0, 1, height, dtype=np.float32),
            np.linspace(0, 1, width, dtype=np.float32),
            indexing="ij",
        )
        self.ground = self._noise(0.5, 0.03)
        self.ridge = self._ridge()
        self.debris = self._debris()

    def _noise(self, longest: float, shortest: float = 0.004) -> np.ndarray:
        """Mountain-like noise of standard deviation 1, with waves of these shares of the height."""
        height, width = self.shape
        down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
        frequency = np.hypot(down, across) * height
        power = (longest**-2 + frequency**2) ** -0.95 * np.exp(-((frequency * shortest) ** 2))
        grain = np.fft.rfft2(self.rng.standard_normal(self.shape))
        found = np.fft.irfft2(grain * power * (frequency > 0), s=self.shape)
        return (found / found.std()).astype(np.float32)

    def _ridge(self) -> np.ndarray:
        """The row of the ridge in each column, ``(W,)``."""
        line = self._noise(0.35)[self.shape[0] // 2]
        lean = self.rng.uniform(-0.08, 0.08) * (self.cols[0] - 0.5)
        return 0.16 + lean + 0.035 * line

    def _debris(self) -> np.ndarray:
        """How much of each pixel is avalanche: release, track, and a tongue with lobes."""
        from scipy.ndimage import label

        top, end = self.rng.uniform(0.30, 0.36), self.rng.uniform(0.80, 0.88)
        start, drift = self.rng.uniform(0.35, 0.6), self.rng.uniform(-0.16, 0.16)
        along = (self.rows - top) / (end - top)
        inside = np.clip(along, 0, 1)
        bend = 0.03 * np.sin(self.rng.uniform(2, 5) * inside + self.rng.uniform(0, 6))
        middle = start + drift * inside**1.3 + bend
        release = 0.075 * np.exp(-((inside / 0.22) ** 2))
        tongue = 0.075 * np.exp(-(((inside - 0.82) / 0.2) ** 2))
        half = 0.035 + release + tongue
        edge = self._noise(0.05, 0.02)
        across = (self.cols - middle) * self.shape[1] / self.shape[0]
        beside = half * 1.35 + 0.011 * edge - np.abs(across)
        below = (along - 0.035 * self._noise(0.07, 0.03) * (along < 0.3)) * (end - top)
        ahead = end - top - (across / 0.9) ** 2 * 2.2 + 0.012 * edge - below
        crown = below + 0.25 * across**2
        far = np.minimum(np.minimum(beside, ahead), crown) * self.shape[0]
        pieces, _ = label(far > -1)
        far[pieces != np.bincount(pieces[pieces > 0]).argmax()] = -1
        return np.clip(far / 1.6 + 0.5, 0, 1).astype(np.float32)

    def paint(self) -> np.ndarray:
        """The picture, ``(H, W, 3)`` uint8."""
        from scipy.ndimage import gaussian_filter

        height = self.shape[0]
        lumps = np.maximum(self._noise(0.025, 0.006), -0.4)
        relief = 0.013 * self.ground + 0.0002 * self._noise(0.02)
        relief = relief + self.debris * (0.0021 * lumps + 0.004)
        light = self._light(gaussian_filter(relief, 0.6) * height)
        snow = SHADE + (SNOW - SHADE) * light[..., None]
        dirty = SHADE + (DEBRIS - SHADE) * (light * 0.9)[..., None]
        image = snow + self.debris[..., None] * (dirty * 0.93 - snow)
        image = self._mix(image, ROCK * (0.6 + 0.7 * light[..., None]), self._rocks())
        image = self._mix(image, TREES * (0.7 + 0.6 * light[..., None]), self._trees())
        sky = SKY[0] + (SKY[1] - SKY[0]) * np.clip(self.rows / 0.25, 0, 1)[..., None]
        image = self._mix(image, sky, np.clip((self.ridge - self.rows) * height + 0.5, 0, 1))
        image = gaussian_filter(image, (0.5, 0.5, 0))
        image = image + self.rng.normal(0, 0.008, image.shape)
        return (np.clip(image, 0, 1) * 255).round().astype(np.uint8)

    @staticmethod
    def _mix(image: np.ndarray, other: np.ndarray, cover: np.ndarray) -> np.ndarray:
        return image + cover[..., None] * (other - image)

    def _light(self, relief: np.ndarray) -> np.ndarray:
        """How much sun falls on each pixel of a relief in pixels, 0..1."""
        down, across = np.gradient(relief)
        facing = 0.72 + SUN[0] * down * 0.9 + SUN[1] * across * 0.9
        return np.clip(facing, 0, 1).astype(np.float32)

    def _rocks(self) -> np.ndarray:
        """Rocks: many under the ridge, few below, none in the avalanche."""
        under = np.exp(-np.clip(self.rows - self.ridge, 0, 1) / 0.07)
        rough = self._noise(0.06) - 2.7 + 2.4 * under
        return np.clip(rough * 4, 0, 1) * (1 - self.debris)

    def _trees(self) -> np.ndarray:
        """Trees along the lower edge, as thin spikes, denser further down."""
        height, width = self.shape
        cover = np.zeros(self.shape, np.float32)
        for _ in range(260):
            foot, col = 1 - 0.14 * self.rng.random() ** 1.5, self.rng.random()
            if self.debris[min(int(foot * height), height - 1), int(col * width)] > 0:
                continue
            tall = 0.03 + 0.035 * self.rng.random() * foot
            rows = slice(int((foot - tall) * height), int(foot * height))
            reach = 0.17 * tall * height / width
            cols = slice(int(max(col - reach, 0) * width), int((col + reach) * width) + 1)
            above = (foot - self.rows[rows, cols]) / tall
            wide = reach * (1.02 - above)
            cover[rows, cols][np.abs(self.cols[rows, cols] - col) < wide] = 1
        return cover
