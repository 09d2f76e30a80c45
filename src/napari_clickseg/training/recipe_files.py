"""Recipes as they are written, in TOML files that change and add to each other. No torch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "RecipeError", "list_recipes", "read_recipe"]

FOLDER = Path(__file__).parent / "recipes"
WHOLE = ("losses",)  # a recipe's replace those of its base


class RecipeError(ValueError):
    """A recipe is missing or says something that cannot be."""


def list_recipes() -> dict[str, str]:
    """The recipes of the package: a line about each, by name."""
    lines = {}
    for path in sorted(FOLDER.glob("*.toml")):
        comment = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        lines[path.stem] = str(_read(path).get("about", comment))
    return lines


def read_recipe(name: str | Path) -> tuple[Path, dict[str, Any]]:
    """Where a recipe is, and its entries over those of its base.

    Parameters
    ----------
    name : str or Path
        Name of a recipe of this package, or path of a TOML file.

    Raises
    ------
    RecipeError
        If there is none, or it is not TOML.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = FOLDER / f"{name}.toml"
    return path, _read(path)


def _read(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A file's entries over those of its base."""
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise RecipeError(f"There is no recipe {path}. Give a TOML file or one of: {known}.")
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}. Correct the file.") from error
    base = tree.pop("base", None)
    if base is None:
        return tree
    if path in above:
        raise RecipeError(f"{path} is its own base. Remove the entry 'base'.")
    beside = path.parent / f"{base}.toml"
    found = beside if beside.is_file() else FOLDER / f"{base}.toml"
    return _over(tree, _read(found, (*above, path)))


def _over(top: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of one tree over those of another; tables are joined, but for those in `WHOLE`."""
    joined = dict(below)
    for key, value in top.items():
        both = isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        joined[key] = _over(value, below[key]) if both and key not in WHOLE else value
    return joined
