"""Recipes: everything that decides a training run, as frozen values read from TOML."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .samples import PackOptions

__all__ = ["Recipe", "RecipeError", "Stage", "load_recipe"]

FOLDER = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe is missing or says something that cannot be."""


@dataclass(frozen=True)
class Stage:
    """One stretch of training: a warm-up, then a cosine from `lr` to `lr_final`.

    Attributes
    ----------
    size : int
        Side of the crops in pixels.
    steps : int
        Gradient steps.
    lr, lr_final : float
        Learning rates of the click network.
    encoder_factor : float
        Learning rate of the image encoder relative to that; 0 keeps the encoder frozen, which lets
        its features be computed once per crop.
    ema : float or None
        Decay of the averaged weights in this stage, if not the recipe's; short stages need a
        smaller one to leave a mark.
    """

    size: int
    steps: int
    lr: float
    lr_final: float
    encoder_factor: float = 0.0
    ema: float | None = None


@dataclass(frozen=True)
class Recipe:
    """A training run.

    Attributes
    ----------
    name : str
    model : mapping
        Arguments of the network.
    stages : tuple of Stage
        Run one after the other.
    packs : mapping of str to PackOptions
        By folder name; packs found on disk but not named here are left out.
    seed, batch, pool : int
        `pool` live samples are kept, `batch` of them drawn at each step.
    chain_stop : float
        Probability that a sample is replaced after a click; `chain_max` clicks at most.
    weight_decay, clip, ema : float
        AdamW's decay, the gradient norm's limit, the decay of the averaged weights.
    warmup : int
        Steps of linear warm-up at the start of each stage.
    bfloat16 : bool
        Run the network in bfloat16.
    validate_every, validation_samples : int
        Steps between looks at the held-out images, and how many crops of them to look at.
    card : mapping of str to str
        What the model file's header is to say besides: ``name``, ``licence``, ``start``.
    """

    name: str
    model: Mapping[str, Any]
    stages: tuple[Stage, ...]
    packs: Mapping[str, PackOptions]
    seed: int = 1
    batch: int = 16
    pool: int = 96
    chain_stop: float = 0.36
    chain_max: int = 8
    weight_decay: float = 0.03
    clip: float = 3.0
    ema: float = 0.9995
    warmup: int = 300
    bfloat16: bool = True
    validate_every: int = 1000
    validation_samples: int = 96
    card: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as kept in checkpoints."""
        return dataclasses.asdict(self)


def load_recipe(name: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    name : str or Path
        Name of a recipe of this package, or path of a TOML file.
    changes : sequence of str
        ``key=value`` with a dotted key, such as ``stages.0.steps=100`` or ``batch=8``; the value
        is TOML.

    Raises
    ------
    RecipeError
        If there is no such recipe or a key or value is wrong.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise RecipeError(f"There is no recipe {path}. Give a TOML file or one of: {known}.")
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}. Correct the file.") from error
    for change in changes:
        _apply(tree, change)
    return _build(tree, path)


def _apply(tree: Any, change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals:
        raise RecipeError(f"--set {change!r} has no '='. Write key=value, such as batch=8.")
    try:
        value = tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        value = text
    *parents, last = key.strip().split(".")
    node = tree
    try:
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        if isinstance(node, list):
            node[int(last)] = value
        else:
            node[last] = value
    except (ValueError, IndexError, AttributeError, TypeError) as error:
        raise RecipeError(
            f"--set {change!r} names no place in the recipe. "
            "Use dotted keys such as stages.0.steps."
        ) from error


def _build(tree: dict[str, Any], path: Path) -> Recipe:
    try:
        stages = tuple(Stage(**stage) for stage in tree.pop("stages"))
        packs = {name: PackOptions(**options) for name, options in tree.pop("packs").items()}
        recipe = Recipe(stages=stages, packs=packs, **tree)
    except KeyError as error:
        raise RecipeError(f"{path} has no entry {error}. Add it.") from error
    except TypeError as error:
        raise RecipeError(f"{path} has an entry that no recipe takes: {error}.") from error
    if recipe.pool < recipe.batch:
        raise RecipeError(
            f"The pool ({recipe.pool}) is smaller than the batch ({recipe.batch}). "
            "Enlarge the pool."
        )
    return recipe
