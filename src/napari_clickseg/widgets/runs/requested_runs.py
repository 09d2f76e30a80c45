"""What the forms of the training and the evaluation dock ask for, as command lines. No Qt."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...data.scenes import SceneDataset

__all__ = ["EvalRequest", "TrainRequest", "data_of_recipe", "defaults_of", "own_folder"]

RECIPE_FIELDS = {
    "epochs": "epochs",
    "epoch_length": "epoch_length",
    "batch": "batch",
    "lr": "optimizer.lr",
}
"""Fields of the form and the entries of a recipe by epochs that they change."""


def _more(text: str) -> list[str]:
    """Arguments of the lines of a text field: ``key=value``, or options as on a command line.

    Raises
    ------
    ValueError
        If a line is neither.
    """
    arguments: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("-"):
            try:
                arguments += shlex.split(line, posix=os.name != "nt")
            except ValueError as error:
                raise ValueError(f"The line '{line}' has a quotation mark too few.") from error
        elif "=" in line:
            arguments += ["--set", line]
        else:
            raise ValueError(
                f"The line '{line}' is neither key=value nor an option that begins with --. "
                "Correct or remove it."
            )
    return arguments


def _place(text: str) -> str:
    """A path in full; anything that is no path as it is."""
    path = Path(text).expanduser()
    return str(path.absolute()) if path.exists() else text


@dataclass(frozen=True)
class TrainRequest:
    """A training run.

    Attributes
    ----------
    recipe : str
        Name or TOML file.
    out : Path
        Folder of the run.
    weights : str
        Name or file of the model to start from; empty for the recipe's own start.
    data : str
        The recipe's data set; empty where $CLICKSEG_DATA says.
    device : str
    changes : mapping
        Text of the fields named in `RECIPE_FIELDS`.
    more : str
        Lines of further options.
    """

    recipe: str
    out: Path
    weights: str = ""
    data: str = ""
    device: str = "auto"
    changes: Mapping[str, str] = field(default_factory=dict)
    more: str = ""

    script = "clickseg-train"

    @property
    def arguments(self) -> list[str]:
        """Those of ``clickseg-train``.

        Raises
        ------
        ValueError
            If a line of `more` is no option.
        """
        found = [self.recipe, "-o", str(self.out)]
        if self.weights:
            found += ["--weights", self.weights]
        if self.data:
            found += ["--data", _place(self.data)]
        if self.device != "auto":
            found += ["--device", self.device]
        for name, key in RECIPE_FIELDS.items():
            if self.changes.get(name):
                found += ["--set", f"{key}={self.changes[name]}"]
        return found + _more(self.more)


@dataclass(frozen=True)
class EvalRequest:
    """An evaluation.

    Attributes
    ----------
    model : str
        Name or file.
    data : str
        Folder of images/ and masks/, or READER@FOLDER.
    out : Path
    objects : "all" or "largest"
    users : str
        Simulated user.
    device : str
    values : mapping
        Text of ``clicks``, ``target-iou``, ``limit`` and ``jobs``; empty for the script's own.
    boundary : bool
        Measure boundary IoU too.
    more : str
        Lines of further options.
    """

    model: str
    data: str
    out: Path
    objects: str = "all"
    users: str = "centre"
    device: str = "auto"
    values: Mapping[str, str] = field(default_factory=dict)
    boundary: bool = False
    more: str = ""

    script = "clickseg-eval"

    @property
    def arguments(self) -> list[str]:
        """Those of ``clickseg-eval``.

        Raises
        ------
        ValueError
            If a line of `more` is no option.
        """
        found = [self.model] if self.model else []
        if self.data:
            found += ["--data", _place(self.data)]
        found += ["-o", str(self.out)]
        for name, value, usual in (
            ("objects", self.objects, "all"),
            ("users", self.users, "centre"),
            ("device", self.device, "auto"),
            *((name, value, "") for name, value in self.values.items()),
        ):
            if value != usual:
                found += [f"--{name}", value]
        if self.boundary:
            found.append("--boundary-iou")
        return found + _more(self.more)


def own_folder(kind: str) -> Path:
    """A folder for a new run in the user's documents; not made yet."""
    import platformdirs

    from ...training.run_folder import next_run

    return next_run(platformdirs.user_documents_path() / "napari-clickseg" / kind)


def defaults_of(recipe: str) -> dict[str, str] | None:
    """What a recipe says in the fields of `RECIPE_FIELDS`; None if it does not train by epochs.

    Raises
    ------
    ValueError
        If there is no such recipe.
    """
    from ...training.recipe_files import read_recipe

    tree = read_recipe(recipe)[1]
    if "stages" in tree:
        return None
    found = {}
    for name, key in RECIPE_FIELDS.items():
        value: Any = tree
        for part in key.split("."):
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        found[name] = "all images" if name == "epoch_length" and value in ("", -1) else str(value)
    return found


def data_of_recipe(recipe: str, folder: str) -> list[SceneDataset]:
    """The data sets that a recipe would train on if its data is in a folder.

    Raises
    ------
    ValueError
        If there is no such recipe, or the data is not as it should be.
    """
    from ...data.datasets import open_dataset
    from ...training.recipe_files import read_recipe

    tree = read_recipe(recipe)[1]
    if "stages" in tree:
        packs = [Path(folder) / name for name in tree["packs"]]
        found = [open_dataset("pack", pack) for pack in packs if pack.is_dir()]
        if not found:
            raise ValueError(
                f"'{folder}' holds none of the recipe's packs ({', '.join(tree['packs'])})."
            )
        return found
    sets = tree.get("data", {})
    if folder and len(sets) > 1:
        raise ValueError(
            f"The recipe has the data sets {', '.join(sets)}. Leave Data empty and write a line "
            "such as --data NAME=FOLDER for each into More options; the run checks them."
        )
    return [
        open_dataset(
            each.get("reader", "folder"),
            folder or each.get("path") or name,
            each.get("split") or None,
            **each.get("options", {}),
        )
        for name, each in sets.items()
    ]
