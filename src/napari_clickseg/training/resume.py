"""Whether a run may go on from a checkpoint: its recipe has to be the one that it began with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.datasets import find_data
from .samples import PackOptions

if TYPE_CHECKING:
    from .epoch_recipe import EpochRecipe
    from .recipe import Recipe

__all__ = ["check_recipe", "plain", "whole_path"]

SETS = ("data", "validation")


def check_recipe(
    path: Path,
    begun_with: Mapping[str, Any],
    recipe: Recipe | EpochRecipe,
    free: Collection[str],
    advice: str,
) -> None:
    """Compare a recipe with that of a checkpoint.

    Entries that came into recipes later count as they are by default, and folders of data are
    the same however they are spelled.

    Parameters
    ----------
    path : Path
        The checkpoint.
    begun_with : mapping
        The recipe in it, as plain values.
    recipe : Recipe or EpochRecipe
    free : collection of str
        Entries that may differ.
    advice : str
        What to do if others do.

    Raises
    ------
    ValueError
        If they differ.
    """
    old, new = _comparable(begun_with, recipe), _comparable(recipe.as_dict(), recipe)
    differing = sorted(key for key in new if key not in free and old.get(key) != new[key])
    if differing:
        raise ValueError(
            f"The recipe differs from that of {path} in: {', '.join(differing)}. {advice}"
        )


def whole_path(path: str) -> str:
    """Where a folder of data is, however it is spelled; what is not found stays as it is."""
    try:
        return str(find_data(path).resolve()) if path else path
    except ValueError:
        return path


def plain(value: Any) -> Any:
    """A value as JSON keeps it, so that tuples and lists compare equal."""
    return json.loads(json.dumps(value))


def _comparable(tree: Mapping[str, Any], recipe: Recipe | EpochRecipe) -> dict[str, Any]:
    """Plain entries of a recipe: with the default of what is missing, and whole paths."""
    found = plain(tree)
    for field in dataclasses.fields(recipe):
        if field.default is not dataclasses.MISSING:
            found.setdefault(field.name, plain(field.default))
        elif field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
            if dataclasses.is_dataclass(default):
                entries = plain(dataclasses.asdict(default))
                found[field.name] = {**entries, **found.get(field.name, {})}
            else:
                found.setdefault(field.name, plain(default))
    if "packs" in found:
        options = plain(dataclasses.asdict(PackOptions()))
        found["packs"] = {name: {**options, **given} for name, given in found["packs"].items()}
    for name in SETS:
        sets = found.get(name, {})
        found[name] = {
            key: {**given, "path": whole_path(given["path"])} for key, given in sets.items()
        }
    return found
