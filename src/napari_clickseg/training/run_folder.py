"""The folder of a run: what is where, and the recipe as it was run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["RunFolder", "find_run", "next_run", "to_toml"]


class RunFolder:
    """``recipe.toml``, ``log.jsonl``, ``logs/``, ``pictures/``, ``checkpoints/`` and the model.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def last(self) -> Path:
        """The checkpoint to go on from."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def best(self) -> Path:
        """The weights that did best on held-out images."""
        return self.path / "checkpoints" / "best.safetensors"

    def kept(self, epoch: int) -> Path:
        """Weights after an epoch, from 0."""
        return self.path / "checkpoints" / f"{epoch:03d}.safetensors"

    @property
    def preview(self) -> Path:
        """What the network will be shown."""
        return self.path / "preview.jpg"

    def picture(self, step: int) -> Path:
        """What the network did at a gradient step."""
        return self.path / "pictures" / f"{step:06d}_instance_segmentation.jpg"

    def prepare(self, recipe: Mapping[str, Any]) -> None:
        """Make the folders and write the recipe."""
        (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
        (self.path / "recipe.toml").write_text(to_toml(recipe), encoding="utf-8")


def next_run(parent: Path, name: str = "") -> Path:
    """The next free ``NNN`` or ``NNN_name`` in a folder of runs."""
    taken = [p.name[:3] for p in parent.iterdir()] if parent.is_dir() else []
    number = 1 + max((int(n) for n in taken if n.isdigit()), default=-1)
    return parent / (f"{number:03d}_{name}" if name else f"{number:03d}")


def find_run(parent: Path, prefix: str) -> Path:
    """The one run in a folder whose name begins so.

    Raises
    ------
    ValueError
        If there is none or several.
    """
    runs = sorted(p for p in parent.glob(f"{prefix}*") if p.is_dir()) if parent.is_dir() else []
    if len(runs) != 1:
        found = ", ".join(p.name for p in runs) or "none"
        raise ValueError(
            f"One run in {parent} has to begin with '{prefix}', but there are: {found}. "
            "Give its whole name, or -o FOLDER --resume."
        )
    return runs[0]


def to_toml(tree: Mapping[str, Any]) -> str:
    """Plain values as TOML; entries that are None are left out."""
    lines: list[str] = []
    _write(tree, (), lines)
    return "\n".join(lines) + "\n"


def _write(tree: Mapping[str, Any], above: tuple[str, ...], lines: list[str]) -> None:
    tables = {k: v for k, v in tree.items() if isinstance(v, Mapping)}
    for key, value in tree.items():
        if key not in tables and value is not None:
            lines.append(f"{_key(key)} = {_inline(value)}")
    for key, value in tables.items():
        lines.append(f"\n[{'.'.join(map(_key, (*above, key)))}]")
        _write(value, (*above, key), lines)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = (f"{_key(k)} = {_inline(v)}" for k, v in value.items() if v is not None)
        return "{ " + ", ".join(inside) + " }" if value else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
