"""Recipes as they are written, in TOML files that change and add to each other. No torch."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "RecipeError", "list_recipes", "read_recipe"]

FOLDER = Path(__file__).parent / "recipes"
HOW_TO_LIST = "Give a TOML file, or a name that 'clickseg-train --list' shows."
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
        raise _unknown(path)
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}. Correct the file.") from error
    bases = tree.pop("base", [])
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise RecipeError(
            f"{path} gives 'base' as {bases!r}. Give the name of a recipe, or a list."
        )
    if bases and path in above:
        raise RecipeError(f"{path} is its own base. Remove the entry 'base'.")
    below: dict[str, Any] = {}
    for base in bases:
        beside = path.parent / f"{base}.toml"
        found = beside if beside.is_file() else FOLDER / f"{base}.toml"
        below = _over(_read(found, (*above, path)), below)
    return _over(tree, below)


def _unknown(path: Path) -> RecipeError:
    """What to say where there is no such recipe."""
    if path.parent not in (FOLDER, Path()) or path.exists():
        return RecipeError(f"There is no recipe file {path}. {HOW_TO_LIST}")
    names = [p.stem for p in FOLDER.glob("*.toml")]
    near = difflib.get_close_matches(path.stem, names, cutoff=0.5)
    like = f" The nearest are {', '.join(near)}." if near else ""
    name = path.stem if path.parent == FOLDER else path
    return RecipeError(f"There is no recipe '{name}'.{like} {HOW_TO_LIST}")


def _over(top: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of one tree over those of another; tables are joined, but for those in `WHOLE`."""
    joined = dict(below)
    for key, value in top.items():
        both = isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        joined[key] = _over(value, below[key]) if both and key not in WHOLE else value
    return joined
