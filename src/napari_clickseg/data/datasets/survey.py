"""A look at all scenes of a data set before hours are spent on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..scenes import SceneDataset
from .base import some

__all__ = ["Survey", "survey"]


@dataclass(frozen=True)
class Survey:
    """What is in a data set.

    Attributes
    ----------
    name : str
    images : int
        Scenes that could be read.
    objects : tuple of int
        The number of objects of each.
    shares : tuple of float
        Each object's part of its image's pixels.
    ignored : float
        Mean part of the pixels to ignore.
    sizes : tuple of (int, int)
        Height and width of each scene.
    empty : tuple of str
        Scenes without an object.
    broken : dict of str to str
        Scenes that could not be read, and why.
    without_mask : tuple of str
        Images that are no scenes, because they have no mask.
    """

    name: str
    images: int
    objects: tuple[int, ...]
    shares: tuple[float, ...]
    ignored: float
    sizes: tuple[tuple[int, int], ...]
    empty: tuple[str, ...]
    broken: dict[str, str]
    without_mask: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.images} images, {sum(self.objects)} objects"]
        if self.sizes:
            areas = sorted(self.sizes, key=lambda size: size[0] * size[1])
            least, most = (f"{h} x {w}" for h, w in (areas[0], areas[-1]))
            lines.append(f"  sizes {least} to {most}, {self.ignored:.1%} of pixels ignored")
        if self.shares:
            low, middle, high = np.percentile(self.shares, (0, 50, 100))
            lines.append(
                f"  objects per image {min(self.objects)} to {max(self.objects)}; an object covers "
                f"{low:.2%} to {high:.1%} of its image (median {middle:.2%})"
            )
        if self.empty:
            lines.append(f"  no object: {some(self.empty)}")
        if self.without_mask:
            lines.append(f"  no mask, left out: {some(self.without_mask)}")
        lines += [f"  {name} cannot be used: {why}" for name, why in self.broken.items()]
        return "\n".join(lines)


def survey(
    dataset: SceneDataset,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Read every scene once.

    Parameters
    ----------
    dataset : SceneDataset
    limit : int, optional
        Only so many scenes, spread evenly over the data set.
    progress : callable, optional
        Called with the scenes read and all that are to be read.

    Returns
    -------
    Survey
        Scenes that cannot be read are named in it; nothing is raised for them.
    """
    total = len(dataset) if limit is None else min(limit, len(dataset))
    indices = np.linspace(0, len(dataset) - 1, total).round().astype(int).tolist()
    objects, shares, ignored, sizes = [], [], [], []
    empty, broken = [], {}
    for done, index in enumerate(indices, start=1):
        try:
            scene = dataset[index]
        except (ValueError, OSError) as error:
            broken[dataset.ids[index]] = str(error)
            continue
        areas = [int(np.count_nonzero(scene.mask(item.id))) for item in scene.objects]
        pixels = scene.image.shape[0] * scene.image.shape[1]
        objects.append(sum(area > 0 for area in areas))
        shares += [area / pixels for area in areas if area]
        ignored.append(float(scene.ignore.mean()))
        sizes.append(scene.image.shape[:2])
        if not any(areas):
            empty.append(scene.id)
        if progress is not None:
            progress(done, total)
    mean = float(np.mean(ignored)) if ignored else 0.0
    counts = (tuple(objects), tuple(shares), mean, tuple(sizes), tuple(empty), broken)
    left_out = tuple(getattr(dataset, "without_mask", ()))
    return Survey(dataset.name, len(objects), *counts, left_out)
