"""Recipes: everything that decides a training run, as frozen values read from TOML."""

from __future__ import annotations

import dataclasses
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..evaluation.random_clicks import PLACES
from .epoch_recipe import EpochRecipe
from .procedural.scenes import Procedural
from .recipe_files import FOLDER, RecipeError, list_recipes, read_recipe
from .samples import PackOptions

__all__ = ["FOLDER", "Recipe", "RecipeError", "Stage", "list_recipes", "load_recipe"]

WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


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
    keep : float
        Weight of `losses.lost_pixels_loss`, against clicks that do harm.
    """

    size: int
    steps: int
    lr: float
    lr_final: float
    encoder_factor: float = 0.0
    ema: float | None = None
    keep: float = 0.0


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
    kinds : mapping of str to float
        Probability of each kind of interaction to be the first of a sample: ``"click"``,
        ``"stroke"``, ``"contour"``, ``"box"``. Others than clicks need a network of every kind.
    scatter : mapping of str to float
        Probability of clicks at each place of `RandomClicker`, such as ``"uniform"``; the others
        lie in the inner half of the most wrong region.
    cascade : float
        Probability that the network looks at its own answer once more before the next click.
    starts : float
        Probability that a sample starts from a mask that is partly wrong.
    parts : float
        Probability that a sample is a part of an object's outline near by, to be corrected.
    procedural : Procedural or None
        Scenes drawn by the computer among the samples, with their textures from the packs.
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
    kinds: Mapping[str, float] = field(default_factory=lambda: {"click": 1.0})
    scatter: Mapping[str, float] = field(default_factory=dict)
    cascade: float = 0.0
    starts: float = 0.0
    parts: float = 0.0
    procedural: Procedural | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as kept in checkpoints."""
        return dataclasses.asdict(self)


def load_recipe(name: str | Path, changes: Sequence[str] = ()) -> Recipe | EpochRecipe:
    """Read a recipe.

    A recipe with ``stages`` keeps a pool of live samples (`Recipe`), others train by epochs
    (`EpochRecipe`). One with ``base = "NAME"`` changes and adds to another.

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
    path, tree = read_recipe(name)
    for change in changes:
        _apply(tree, change)
    return _build(tree, path) if "stages" in tree else _build_epochs(tree, path)


def _build_epochs(tree: dict[str, Any], path: Path) -> EpochRecipe:
    try:
        return _value(EpochRecipe, tree, "")
    except ValueError as error:
        raise RecipeError(f"{path} is no recipe: {str(error).rstrip('.')}.") from error


def _value(kind: Any, value: Any, where: str) -> Any:
    """A TOML value as the type that a field is annotated with."""
    origin, inner = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise ValueError(f"'{where}' has to be a table")
        hints = get_type_hints(kind)
        if unknown := [key for key in value if key not in hints]:
            raise ValueError(
                f"'{where}{'.' if where else ''}{unknown[0]}' is an entry that no "
                f"recipe takes; there are {', '.join(hints)}"
            )
        inside = f"{where}." if where else ""
        given = {key: _value(hints[key], item, f"{inside}{key}") for key, item in value.items()}
        lacking = [
            f.name
            for f in dataclasses.fields(kind)
            if f.default is f.default_factory is dataclasses.MISSING and f.name not in given
        ]
        if lacking:
            raise ValueError(f"it has no entry '{inside}{lacking[0]}'")
        return kind(**given)
    if origin in (Union, types.UnionType):
        return _value(inner[0], value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"'{where}' has to be a list")
        kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        if len(kinds) != len(value):
            raise ValueError(f"'{where}' has to be a list of {len(kinds)}")
        return tuple(_value(k, v, where) for k, v in zip(kinds, value, strict=True))
    if origin is not None:  # a mapping by name
        if not isinstance(value, Mapping):
            raise ValueError(f"'{where}' has to be a table")
        return {key: _value(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    if kind is not Any and type(value) is not kind:
        raise ValueError(f"'{where}' has to be {WORDS.get(kind, kind.__name__)}, not {value!r}")
    return value


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
        if "procedural" in tree:
            tree["procedural"] = _value(Procedural, tree["procedural"], "procedural")
        recipe = Recipe(stages=stages, packs=packs, **tree)
    except KeyError as error:
        raise RecipeError(f"{path} has no entry {error}. Add it.") from error
    except TypeError as error:
        raise RecipeError(f"{path} has an entry that no recipe takes: {error}.") from error
    except ValueError as error:
        raise RecipeError(f"{path} is no recipe: {str(error).rstrip('.')}.") from error
    _check_kinds(recipe, path)
    _check_scatter(recipe, path)
    if recipe.pool < recipe.batch:
        raise RecipeError(
            f"The pool ({recipe.pool}) is smaller than the batch ({recipe.batch}). "
            "Enlarge the pool."
        )
    return recipe


def _check_scatter(recipe: Recipe, path: Path) -> None:
    shares = recipe.scatter
    if not set(shares) <= set(PLACES) or min(shares.values(), default=0) < 0:
        raise RecipeError(
            f"{path} gives scatter as {dict(shares)}. Give probabilities of {', '.join(PLACES)}."
        )
    if sum(shares.values()) > 1:
        raise RecipeError(
            f"The scatter of {path} adds up to {sum(shares.values()):g}. Let it be at most 1."
        )


def _check_kinds(recipe: Recipe, path: Path) -> None:
    known = ("click", "stroke", "contour", "box")
    shares = list(recipe.kinds.values())
    if not set(recipe.kinds) <= set(known) or min(shares, default=0) < 0:
        raise RecipeError(
            f"{path} gives kinds as {dict(recipe.kinds)}. Give probabilities of {', '.join(known)}."
        )
    if abs(sum(shares) - 1) > 1e-6:
        raise RecipeError(f"The kinds of {path} add up to {sum(shares):g}. Let them add up to 1.")
    if set(recipe.kinds) != {"click"} and not recipe.model.get("every_kind"):
        raise RecipeError(
            f"{path} trains on {', '.join(recipe.kinds)}, and its network takes clicks only. "
            "Add every_kind = true to [model]."
        )
