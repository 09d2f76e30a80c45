"""The data sets of a recipe, opened, split and checked before anything is trained."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..data.datasets import open_dataset
from ..data.datasets.scores import read_sample_scores
from ..data.scenes import SceneDataset
from .epoch_recipe import DataOptions, EpochRecipe
from .examples import Example, ExampleSource, Share
from .transforms import make_transforms

__all__ = ["check_source", "hold_out", "make_sources"]

CHECKED = 8  # examples
VALIDATION_SEED = 1_000_003


def hold_out(dataset: SceneDataset, part: float) -> tuple[list[int], list[int]]:
    """Which scenes to train on and which to keep for validation, by their names.

    At least one is kept, unless `part` is 0; a single scene serves for both.

    Returns
    -------
    train, held_out : list of int
    """
    everything = list(range(len(dataset)))
    if not part:
        return everything, []
    order = sorted(everything, key=lambda i: zlib.crc32(dataset.ids[i].encode()))
    held = sorted(order[: max(1, round(part * len(order)))])
    kept = set(held)
    return [i for i in everything if i not in kept] or everything, held


def open_data(name: str, given: DataOptions) -> SceneDataset:
    """One data set of a recipe.

    Raises
    ------
    ValueError
        If it is not found, or of another layout.
    """
    try:
        path = given.path or name
        return open_dataset(given.reader, path, given.split or None, **given.options)
    except ValueError as error:
        hint = "" if given.path else f" Say where it is with --data {name}=FOLDER."
        raise ValueError(f"The data set '{name}' of the recipe: {error}{hint}") from error


def make_sources(
    recipe: EpochRecipe, kinds: Sequence[str]
) -> tuple[ExampleSource, ExampleSource | None]:
    """Examples to train on, and to validate with if the recipe does.

    Parameters
    ----------
    recipe : EpochRecipe
    kinds : sequence of str
        Interactions that the network takes.

    Raises
    ------
    ValueError
        If a data set is not as the recipe says, or there is no image.
    """
    train, held = [], []
    for name, given in recipe.data.items():
        dataset = open_data(name, given)
        part = 0.0 if recipe.validation else recipe.held_out
        members, out = hold_out(dataset, part)
        train.append(Share(dataset, members, given.weight, _chances(dataset, members, given)))
        held.append(Share(dataset, out))
    for name, given in recipe.validation.items():
        if not given.path and name in recipe.data:
            given = replace(given, path=recipe.data[name].path)
        dataset = open_data(name, given)
        held.append(Share(dataset, range(len(dataset)), given.weight))

    def source(shares: Sequence[Share], validating: bool) -> ExampleSource:
        items = recipe.validation_augment if validating else recipe.augment
        return ExampleSource(
            shares,
            make_transforms(items, recipe.crop),
            recipe.examples,
            recipe.objects,
            recipe.points,
            recipe.seed + (VALIDATION_SEED if validating else 0),
            kinds,
            in_turn=(recipe.validation_length if validating else recipe.epoch_length) <= 0,
        )

    watched = any(len(share.members) for share in held)
    return source(train, False), source(held, True) if watched else None


def _chances(
    dataset: SceneDataset, members: Sequence[int], given: DataOptions
) -> np.ndarray | None:
    """How likely each member is, by the scores of the images."""
    if not given.scores:
        return None
    scores = read_sample_scores(given.scores, dataset.ids)[list(members)]
    chances = np.clip(1 - scores, 0, None) ** given.scores_gamma
    if not chances.sum() > 0:
        raise ValueError(
            f"{given.scores} gives every image the full score, so none would be drawn."
        )
    return chances / chances.sum()


def check_source(source: ExampleSource) -> list[Example]:
    """The first examples; an error now is better than one after hours.

    Raises
    ------
    ValueError
        If no object is found, or images cannot be read.
    """
    return [source[i] for i in range(CHECKED)]
