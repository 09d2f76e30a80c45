"""Training examples: an augmented crop, a target and first interactions; a function of a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from ..data.scenes import Scene, SceneDataset
from .drawn import DRAWN_KINDS, sample_drawn
from .pasting import mix_images, paste_object
from .points import PointOptions, sample_points
from .targets import Choice, ObjectOptions, choose_object, click_pools, keep
from .transforms import Transform, augment

__all__ = ["Batch", "Example", "ExampleOptions", "ExampleSource", "Share", "collate"]

AUGMENT_TRIES = 10
MOST_DRAWS = 500
MOST_BROKEN = 50
CONTOUR_EROSION = 0.1  # probability, as published


@dataclass(frozen=True)
class ExampleOptions:
    """What makes an example.

    Attributes
    ----------
    min_area : int
        Pixels, after the crop; smaller objects are background, and a crop without others is
        drawn anew.
    most_share : float
        Of the crop that an object may fill.
    keep_background : float
        Probability that a crop without objects is kept.
    copy_paste, image_mix : float
        Probabilities of pasting objects and of mixing images (CFR-ICL).
    """

    min_area: int = 0
    most_share: float = 1.0
    keep_background: float = 0.0
    copy_paste: float = 0.0
    image_mix: float = 0.0


@dataclass(frozen=True)
class Share:
    """One data set's part in training.

    Attributes
    ----------
    dataset : SceneDataset
    members : sequence of int
        Which scenes to use.
    weight : float or None
        Relative share of the examples; None shares by the number of images.
    chances : (len(members),) array or None
        How likely each member is; None for all alike.
    """

    dataset: SceneDataset
    members: Sequence[int]
    weight: float | None = None
    chances: np.ndarray | None = None


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes
    ----------
    image : (H, W, 3) uint8 array
    target : (H, W) int8 array
        1 object, 0 background, -1 ignore.
    points : (2N, 3) float32 array
        See `sample_points`.
    drawn : mapping of str to (2, H, W) uint8 array
        Maps of contours and strokes, if asked for.
    name : str
        Data set and image.
    broken : tuple of str
        What was drawn before and could not be read, in words.
    """

    image: np.ndarray
    target: np.ndarray
    points: np.ndarray
    drawn: Mapping[str, np.ndarray] = field(default_factory=dict)
    name: str = ""
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Examples as tensors; see `Example`.

    Attributes
    ----------
    image : (B, 3, H, W) float Tensor, 0..1
    target : (B, 1, H, W) float Tensor
    points : (B, 2N, 3) float Tensor
    drawn : dict of str to (B, 2, H, W) float Tensor
    names, broken : tuple of str
    """

    image: Tensor
    target: Tensor
    points: Tensor
    drawn: dict[str, Tensor]
    names: tuple[str, ...]
    broken: tuple[str, ...]

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return replace(
            self,
            image=self.image.to(device, non_blocking=True),
            target=self.target.to(device, non_blocking=True),
            points=self.points.to(device, non_blocking=True),
            drawn={k: v.to(device, non_blocking=True) for k, v in self.drawn.items()},
        )


def collate(examples: Sequence[Example]) -> Batch:
    """Stack examples of one size."""
    images = torch.from_numpy(np.stack([e.image for e in examples]))
    return Batch(
        images.permute(0, 3, 1, 2).float() / 255,
        torch.from_numpy(np.stack([e.target for e in examples]))[:, None].float(),
        torch.from_numpy(np.stack([e.points for e in examples])),
        {
            kind: torch.from_numpy(np.stack([e.drawn[kind] for e in examples])).float()
            for kind in examples[0].drawn
        },
        tuple(e.name for e in examples),
        tuple(words for e in examples for words in e.broken),
    )


class ExampleSource:
    """Makes examples by number; the same number gives the same example always.

    Parameters
    ----------
    shares : sequence of Share
    transforms : sequence of Transform
    options : ExampleOptions
    objects : ObjectOptions
    points : PointOptions
    seed : int
    kinds : sequence of str
        Interactions that the network takes: ``click``, ``contour``, ``stroke``.
    in_turn : bool
        Visit all images once before any again, in a new order each time; otherwise each is drawn.

    Raises
    ------
    ValueError
        If there is no image.
    """

    def __init__(
        self,
        shares: Sequence[Share],
        transforms: Sequence[Transform],
        options: ExampleOptions,
        objects: ObjectOptions,
        points: PointOptions,
        seed: int,
        kinds: Sequence[str] = ("click",),
        in_turn: bool = False,
    ) -> None:
        self.shares, self.transforms, self.options = shares, transforms, options
        self.objects, self.points, self.seed = objects, points, seed
        self.kinds, self.in_turn = tuple(kinds), in_turn
        sizes = np.array([len(share.members) for share in shares], float)
        if not sizes.sum() > 0:
            raise ValueError("The data sets hold no image to train on. Add data to the recipe.")
        weights = [
            n if s.weight is None else s.weight * (n > 0)
            for s, n in zip(shares, sizes, strict=True)
        ]
        if not sum(weights) > 0:
            raise ValueError("All weights of the data sets are 0. Raise one in the recipe.")
        self._weights = np.array(weights) / sum(weights)
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, int))

    @property
    def images(self) -> int:
        """How many there are."""
        return int(self._starts[-1])

    def _pick(self, number: int, rng: np.random.Generator, first: bool) -> tuple[int, int]:
        """Data set and member to look at."""
        if self.in_turn and first:
            turn, place = divmod(number, self.images)
            if self._order[0] != turn:
                order = np.random.default_rng([self.seed, 11, turn]).permutation(self.images)
                self._order = (turn, order)
            chosen = int(self._order[1][place])
            share = int(np.searchsorted(self._starts, chosen, side="right")) - 1
            return share, int(self.shares[share].members[chosen - self._starts[share]])
        share = int(rng.choice(len(self.shares), p=self._weights))
        of = self.shares[share]
        return share, int(of.members[int(rng.choice(len(of.members), p=of.chances))])

    def _scene(
        self, number: int, rng: np.random.Generator, first: bool, broken: list[str]
    ) -> Scene | None:
        """An augmented scene; None if it cannot be read or no object is left in it."""
        share, member = self._pick(number, rng, first)
        dataset = self.shares[share].dataset
        try:
            scene = dataset.scene(member, rng)
        except (OSError, ValueError) as error:  # a file of the user's that is not as it should be
            broken.append(f"{dataset.name}/{dataset.ids[member]}: {' '.join(str(error).split())}")
            if len(broken) >= MOST_BROKEN:
                raise ValueError(
                    f"{MOST_BROKEN} images in a row cannot be read; the last: {broken[-1]}"
                ) from error
            return None
        scene = replace(scene, id=f"{dataset.name}/{scene.id}")
        for _ in range(AUGMENT_TRIES if scene.objects else 1):
            found = self._with_objects(augment(scene, self.transforms, rng))
            if found.objects or rng.random() < self.options.keep_background:
                return found
        return None

    def _with_objects(self, scene: Scene) -> Scene:
        least = max(1, self.options.min_area)
        most = self.options.most_share * scene.layers.shape[0] * scene.layers.shape[1]
        areas = {o.id: int(scene.mask(o.id).sum()) for o in scene.objects}
        return keep(scene, [i for i, area in areas.items() if least <= area <= most])

    def _draw_scene(
        self, number: int, rng: np.random.Generator, first: bool, broken: list[str]
    ) -> Scene:
        for attempt in range(MOST_DRAWS):
            scene = self._scene(number, rng, first and attempt == 0, broken)
            if scene is not None:
                return scene
        names = ", ".join(share.dataset.name for share in self.shares)
        raise ValueError(
            f"No usable object was found in {MOST_DRAWS} images of {names}: masks are empty, or "
            f"objects are smaller than min_area ({self.options.min_area} pixels). Check the masks."
        )

    def __getitem__(self, number: int) -> Example:
        """Example `number`, from 0 on without end.

        Raises
        ------
        ValueError
            If no object is found, or many images in a row cannot be read.
        """
        rng = np.random.default_rng([self.seed, number])
        broken: list[str] = []
        scene = self._draw_scene(number, rng, True, broken)
        image, choice = scene.image, choose_object(scene, self.objects, rng)
        if rng.random() < self.options.copy_paste:
            other = self._draw_scene(number, rng, False, broken)
            front = choose_object(other, self.objects, rng)
            image, choice = paste_object(image, choice, other.image, front, rng)
        if rng.random() < self.options.image_mix:
            back = self._draw_scene(number, rng, False, broken)
            image = mix_images(image, back.image, rng)
        pools = click_pools(choice, self.objects, rng)
        return Example(
            np.ascontiguousarray(image),
            choice.target,
            sample_points(pools, self.points, rng),
            {kind: self._drawn(kind, choice, rng) for kind in DRAWN_KINDS if kind in self.kinds},
            scene.id,
            tuple(broken),
        )

    def _drawn(self, kind: str, choice: Choice, rng: np.random.Generator) -> np.ndarray:
        options = replace(self.objects, ring=0.3, ring_of_image=True)
        if kind == "contour":
            options = replace(options, erode=CONTOUR_EROSION)
        pools = click_pools(choice, options, rng)
        return sample_drawn(kind, pools, choice.mask, self.points.no_negatives, rng)
