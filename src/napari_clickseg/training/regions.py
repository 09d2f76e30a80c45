"""Pseudo-objects: regions of an image that differ from what is around them.

A hierarchy of merged superpixels, as the ultrametric contour maps of P. Arbelaez et al. (2011),
with the contrast between neighbours as its height.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude
from skimage.segmentation import watershed

from ..geometry import Box

__all__ = ["Regions", "find_regions"]

SMOOTHED = 1.2  # pixels, the outlines of regions
SPACING = 11  # pixels between the seeds of superpixels
LEAST_CONTRAST = 0.09  # to what is around, of 1 between black and white
LEAST_RATIO = 1.6  # of that to the contrast within
LEAST_AREA, MOST_AREA = 0.004, 0.6  # of the image


@dataclass(frozen=True)
class Regions:
    """Regions of one image, as sets of superpixels; they overlap where one is part of another.

    Attributes
    ----------
    superpixels : (H, W) uint16 array
    members : tuple of int arrays
        The superpixels of each region.
    boxes : tuple of Box
    share : (N,) float array
        Probability of each region; adds up to 1.
    """

    superpixels: np.ndarray
    members: tuple[np.ndarray, ...]
    boxes: tuple[Box, ...]
    share: np.ndarray

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, Box]:
        """A random region: its mask, (H, W) bool, and its box."""
        number = int(rng.choice(len(self.members), p=self.share))
        chosen = np.zeros(int(self.superpixels.max()) + 1, bool)
        chosen[self.members[number]] = True
        mask = gaussian_filter(chosen[self.superpixels].astype(np.float32), SMOOTHED) > 0.5
        return mask, self.boxes[number]


def find_regions(image: np.ndarray) -> Regions:
    """Regions of an (H, W, 3) uint8 image that stand out from their surroundings.

    Superpixels are merged in order of the contrast between neighbours. A region counts if the
    contrast at which it is merged with its surroundings is clearly above those within it; it is
    drawn as often as a threshold of random logarithm would cut it out, and in proportion to the
    root of its area.
    """
    colours = gaussian_filter(image.astype(np.float32) / 255, (0.7, 0.7, 0))
    edges = np.max([gaussian_gradient_magnitude(colours[..., c], 1.0) for c in range(3)], axis=0)
    seeds = np.zeros(image.shape[:2], np.int32)
    rows, cols = (np.arange(SPACING // 2, n, SPACING) for n in seeds.shape)
    seeds[np.ix_(rows, cols)] = np.arange(1, rows.size * cols.size + 1).reshape(rows.size, -1)
    superpixels = (watershed(edges, seeds) - 1).clip(0).astype(np.uint16)
    flat = superpixels.ravel()
    areas = np.bincount(flat).astype(float)
    sums = [np.bincount(flat, colours[..., c].ravel()) for c in range(3)]
    means = np.stack(sums, axis=1) / areas[:, None].clip(1)
    parents, heights, areas = _merge(means, areas, _borders(superpixels, edges))
    return _standing_out(superpixels, parents, heights, areas)


def _borders(superpixels: np.ndarray, edges: np.ndarray) -> dict[tuple[int, int], list[float]]:
    """Length and summed edge strength of the border between each two neighbours."""
    pairs, strengths = [], []
    for first, second in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        a, b = superpixels[first].astype(np.int64), superpixels[second].astype(np.int64)
        apart = a != b
        low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
        pairs.append(low << 16 | high)
        strengths.append(np.maximum(edges[first], edges[second])[apart])
    codes, place = np.unique(np.concatenate(pairs), return_inverse=True)
    lengths = np.bincount(place)
    totals = np.bincount(place, np.concatenate(strengths))
    return {
        (code >> 16, code & 0xFFFF): [float(length), float(total)]
        for code, length, total in zip(
            codes.tolist(), lengths.tolist(), totals.tolist(), strict=True
        )
    }


def _merge(
    means: np.ndarray, areas: np.ndarray, borders: dict[tuple[int, int], list[float]]
) -> tuple[list[int], list[float], list[float]]:
    """Merge the neighbours of least contrast until one region is left.

    Returns
    -------
    parents : list of int
        The node that each node is merged into, -1 for the last.
    heights, areas : list of float
        The contrast that each node was merged at, and its size in pixels.
    """
    small = 0.002 * float(areas.sum())
    colours, sizes = [tuple(mean) for mean in means.tolist()], areas.tolist()
    heights, parents = [0.0] * len(sizes), [-1] * len(sizes)
    around: list[dict[int, list[float]]] = [{} for _ in sizes]
    for (a, b), border in borders.items():
        around[a][b] = around[b][a] = border

    def contrast(a: int, b: int) -> float:
        length, strength = around[a][b]
        far = sum((x - y) ** 2 for x, y in zip(colours[a], colours[b], strict=True)) ** 0.5
        return (0.6 * far + strength / length) * min(1.0, min(sizes[a], sizes[b]) / small) ** 0.5

    heap = [(contrast(a, b), a, b) for a, b in borders]
    heapq.heapify(heap)
    while heap:
        height, a, b = heapq.heappop(heap)
        if parents[a] >= 0 or parents[b] >= 0:
            continue
        node, size = len(sizes), sizes[a] + sizes[b]
        parents[a] = parents[b] = node
        mixed = zip(colours[a], colours[b], strict=True)
        colours.append(tuple((sizes[a] * x + sizes[b] * y) / size for x, y in mixed))
        sizes.append(size)
        parents.append(-1)
        heights.append(max(height, heights[a], heights[b]))
        around.append({})
        for old, other in ((a, b), (b, a)):
            for neighbour, (length, strength) in around[old].items():
                if neighbour != other:
                    del around[neighbour][old]
                    before = around[node].get(neighbour, (0.0, 0.0))
                    border = [before[0] + length, before[1] + strength]
                    around[node][neighbour] = around[neighbour][node] = border
            around[old] = {}
        for neighbour in around[node]:
            heapq.heappush(heap, (contrast(node, neighbour), node, neighbour))
    return parents, heights, sizes


def _standing_out(
    superpixels: np.ndarray, parents: list[int], heights: list[float], areas: list[float]
) -> Regions:
    count = int(superpixels.max()) + 1
    inside: list[list[int]] = [[node] if node < count else [] for node in range(len(parents))]
    members, shares = [], []
    for node, parent in enumerate(parents):
        if parent < 0:
            continue
        inside[parent] = inside[parent] + inside[node]
        outer, inner = heights[parent], max(heights[node], 0.03)
        fits = LEAST_AREA * superpixels.size <= areas[node] <= MOST_AREA * superpixels.size
        if fits and outer >= LEAST_CONTRAST and outer >= LEAST_RATIO * inner:
            members.append(np.array(inside[node], np.uint16))
            shares.append(np.log(outer / inner) * areas[node] ** 0.5)
    where = _boxes(superpixels, count)
    boxes = tuple(
        Box(*where[ids, :2].min(axis=0).tolist(), *where[ids, 2:].max(axis=0).tolist())
        for ids in members
    )
    share = np.array(shares, float)
    return Regions(superpixels, tuple(members), boxes, share / max(share.sum(), 1e-9))


def _boxes(superpixels: np.ndarray, count: int) -> np.ndarray:
    """Top, left, bottom and right of each superpixel, (count, 4) int."""
    found = np.empty((count, 4), np.intp)
    found[:, :2], found[:, 2:] = max(superpixels.shape), 0
    rows, cols = np.indices(superpixels.shape)
    flat = superpixels.ravel()
    for axis, places in enumerate((rows.ravel(), cols.ravel())):
        np.minimum.at(found[:, axis], flat, places)
        np.maximum.at(found[:, axis + 2], flat, places + 1)
    return found
