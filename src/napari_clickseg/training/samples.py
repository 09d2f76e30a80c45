"""Training samples: a crop and a target object, a pure function of seed and number."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..data.packs import Pack
from ..geometry import Box, bounding_box
from .augment import colour, crop_box, orient, part_box, recolour, resample, to_border
from .pasting import onto
from .procedural.scenes import Procedural, scene
from .regions import Regions, find_regions

__all__ = ["PackOptions", "SampleSource", "Sample"]

HELD_OUT_EVERY = 40
MOST_DRAWS = 2000
DRAWN = 7  # sets the random numbers of drawn scenes apart from those of photographs


@dataclass(frozen=True)
class PackOptions:
    """How one pack is drawn from.

    Attributes
    ----------
    weight : float
        Relative share of the samples.
    union : float
        Probability that the target is two neighbouring objects.
    free : bool
        The pictures have no up or down: turn them too.
    regions : float
        Probability that the target is a region that stands out (`find_regions`), not an object.
    paste : float
        Probability that the target is cut out and put before another image of any pack.
    recolour : float
        Probability that colours change as with another instrument (`augment.recolour`).
    border : int
        Pixels at the border of the images that annotators left out (`augment.to_border`).
    """

    weight: float = 1.0
    union: float = 0.12
    free: bool = False
    regions: float = 0.0
    paste: float = 0.0
    recolour: float = 0.0
    border: int = 0

    def __post_init__(self) -> None:
        for name in ("union", "regions", "paste", "recolour"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= 1):
                raise ValueError(f"A pack's '{name}' is {value!r}. Give a probability from 0 to 1.")
        if not (isinstance(self.border, int) and self.border >= 0):
            raise ValueError(f"A pack's 'border' is {self.border!r}. Give a number of pixels.")


@dataclass(frozen=True)
class Sample:
    """A square crop: image (S, S, 3) uint8 and target (S, S) int8 (1 object, 0 not, -1 ignore).

    A `part` shows some of an object's outline near by.
    """

    image: np.ndarray
    target: np.ndarray
    part: bool = False


@dataclass(frozen=True)
class _Objects:
    ids: np.ndarray
    boxes: tuple[Box, ...]
    share: np.ndarray


def split(packs: Sequence[Pack]) -> tuple[list[list[int]], list[list[int]]]:
    """Which images of each pack to train on, and which are held out to watch the run with.

    One image in 40 is held out, by its name, and at least one. A single image is used for both.

    Returns
    -------
    train, held_out : list of list of int
        Indices into each pack.
    """
    draw = [[zlib.crc32(f"{pack.name}/{name}".encode()) for name in pack.ids] for pack in packs]
    held = {(p, i) for p, d in enumerate(draw) for i, x in enumerate(d) if x % HELD_OUT_EVERY == 0}
    everything = {(p, i) for p, d in enumerate(draw) for i in range(len(d))}
    if not held and everything:
        held = {min(everything, key=lambda place: draw[place[0]][place[1]])}
    train = everything - held or everything

    def by_pack(chosen: set[tuple[int, int]]) -> list[list[int]]:
        return [[i for i in range(len(pack)) if (p, i) in chosen] for p, pack in enumerate(packs)]

    return by_pack(train), by_pack(held)


class SampleSource:
    """Draws samples from packs; images are decoded once and kept in memory.

    Parameters
    ----------
    packs : mapping of Pack to PackOptions
    size : int
        Side of the samples in pixels.
    seed : int
        With the sample's number, decides everything random about it.
    held_out_part : bool
        Draw from the images that training never sees instead of from the others.
    procedural : Procedural, optional
        How many samples are drawn scenes instead; the others stay as they are without.
    parts : float
        Probability that a sample is a part of an object's outline.
    """

    def __init__(
        self,
        packs: Mapping[Pack, PackOptions],
        size: int,
        seed: int,
        held_out_part: bool = False,
        procedural: Procedural | None = None,
        parts: float = 0.0,
    ) -> None:
        self.size = size
        self.seed = seed
        self._procedural, self._parts = procedural, parts
        self._packs = list(packs)
        self._options = [packs[p] for p in self._packs]
        self._members = split(self._packs)[1 if held_out_part else 0]
        weights = [o.weight * bool(m) for o, m in zip(self._options, self._members, strict=True)]
        if not sum(weights) > 0 and held_out_part:
            weights = [float(bool(members)) for members in self._members]
        if not sum(weights) > 0:
            raise ValueError(
                "No training image is left: the packs hold none or all weights are 0. "
                "Add data or raise a weight in the recipe."
            )
        self._shares = np.array(weights) / sum(weights)
        self._cache: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, _Objects]] = {}
        self._regions: dict[tuple[int, int], Regions] = {}

    def with_size(self, size: int) -> SampleSource:
        """The same source at another crop size, sharing the decoded images."""
        other = object.__new__(SampleSource)
        other.__dict__.update(self.__dict__)
        other.size = size
        return other

    def _load(self, pack: int, index: int) -> tuple[np.ndarray, np.ndarray, _Objects]:
        key = (pack, index)
        if key not in self._cache:
            item = self._packs[pack][index]
            labels = to_border(item.labels, self._options[pack].border)
            ids, areas = np.unique(labels[labels > 0], return_counts=True)
            keep = areas >= 20
            ids, areas = ids[keep], areas[keep]
            boxes = tuple(bounding_box(labels == i) for i in ids)
            share = np.sqrt(areas)
            objects = _Objects(ids, boxes, share / share.sum() if len(ids) else share)
            self._cache[key] = (item.image, labels, objects)
        return self._cache[key]

    def __getitem__(self, number: int) -> Sample:
        """Sample `number`; the same number gives the same sample always."""
        if self._procedural is not None:
            rng = np.random.default_rng([self.seed, number, DRAWN])
            if rng.random() < self._procedural.share:
                image, target = scene(rng, self.size, self._procedural, self._photograph)
                return Sample(colour(rng, image), target.astype(np.int8))
        rng = np.random.default_rng([self.seed, number])
        for _ in range(MOST_DRAWS):
            pack, index = self._draw(rng)
            image, labels, objects = self._load(pack, index)
            if len(objects.ids) == 0:
                continue
            options = self._options[pack]
            if options.regions and rng.random() < options.regions:
                regions = self._find_regions(pack, index)
                if not regions.members:
                    continue
                target, box = regions.draw(rng)
            else:
                target, box = self._target(rng, labels, objects, options.union)
            part = None
            if self._parts and rng.random() < self._parts:
                part = part_box(rng, target, box)
            for _ in range(4):
                sample = self._cut(rng, image, labels, target, box, options, part)
                part = None
                area = int((sample.target == 1).sum())
                if 0.002 * self.size**2 <= area <= 0.95 * self.size**2:
                    return sample
        names = ", ".join(pack.name for pack in self._packs)
        raise ValueError(
            f"No usable object was found in {MOST_DRAWS} draws from the packs {names}: masks are "
            "empty, or objects fill whole images. Check the masks."
        )

    def _draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """A random pack and one of its images."""
        pack = int(rng.choice(len(self._packs), p=self._shares))
        return pack, int(rng.choice(self._members[pack]))

    def _find_regions(self, pack: int, index: int) -> Regions:
        key = (pack, index)
        if key not in self._regions:
            self._regions[key] = find_regions(self._load(pack, index)[0])
        return self._regions[key]

    def _photograph(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """A random square part of a random image, ``(size, size, 3)`` uint8."""
        image = self._load(*self._draw(rng))[0]
        side = max(1, int(min(image.shape[:2]) * rng.uniform(0.3, 1.0)))
        top, left = (int(rng.integers(n - side + 1)) for n in image.shape[:2])
        part = Image.fromarray(image).resize(
            (size, size), Image.BILINEAR, box=(left, top, left + side, top + side)
        )
        return np.array(part)

    def _target(
        self, rng: np.random.Generator, labels: np.ndarray, objects: _Objects, union: float
    ) -> tuple[np.ndarray, Box]:
        first = int(rng.choice(len(objects.ids), p=objects.share))
        box = objects.boxes[first]
        target = labels == objects.ids[first]
        if len(objects.ids) > 1 and rng.random() < union:
            gaps = [
                _gap(box, other) if i != first else np.inf for i, other in enumerate(objects.boxes)
            ]
            second = int(np.argmin(np.array(gaps) * rng.uniform(0.5, 1.5, len(gaps))))
            target |= labels == objects.ids[second]
            box = box.union(objects.boxes[second])
        return target, box

    def _cut(
        self,
        rng: np.random.Generator,
        image: np.ndarray,
        labels: np.ndarray,
        target: np.ndarray,
        box: Box,
        options: PackOptions,
        part: Box | None = None,
    ) -> Sample:
        crop = part or crop_box(rng, box, labels.shape)
        picture, mask = resample(image, target, labels < 0, crop, self.size)
        picture, mask = orient(rng, picture, mask, options.free)
        if part is None and options.paste and rng.random() < options.paste:
            alone = mask == 1
            picture = onto(colour(rng, picture), alone, self._photograph(rng, self.size), rng)
            mask = alone.astype(np.int8)
        change = colour
        if options.recolour and rng.random() < options.recolour:
            change = recolour
        return Sample(change(rng, picture), mask, part is not None)


def _gap(a: Box, b: Box) -> float:
    """Distance between two boxes in pixels, plus one; 1 if they touch."""
    rows = max(0, max(a.top, b.top) - min(a.bottom, b.bottom))
    cols = max(0, max(a.left, b.left) - min(a.right, b.right))
    return 1.0 + float(np.hypot(rows, cols))
