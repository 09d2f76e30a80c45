"""Models by name: the one in the package, published ones, and files that you give.

Importable without torch.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..cancel import Progress, part_of
from . import store
from .card import ModelCard, NoC
from .header import CheckpointError

if TYPE_CHECKING:
    from .base import ClickModel

__all__ = [
    "DEFAULT",
    "ModelCard",
    "NoC",
    "find_card",
    "find_model",
    "find_verified",
    "how_to_get",
    "list_models",
    "load_model",
]

WEIGHTS = Path(__file__).parent / "weights"
CATALOGUE = Path(__file__).with_name("zoo.toml")
DEFAULT = "clickseg-compact"


def list_models(available_only: bool = True) -> list[ModelCard]:
    """Cards of all models that have a name.

    Parameters
    ----------
    available_only : bool
        Leave out published checkpoints whose files are not on this machine.

    Returns
    -------
    list of ModelCard
        Those of the package, the default first; then published ones by system, in the order of
        ``zoo.toml``.
    """
    published = [_looked_for(card) for card in _catalogue()]
    return _bundled() + [card for card in published if card.available or not available_only]


def find_card(name: str | Path) -> ModelCard:
    """Card of a model by name, on this machine or not, or by path.

    Raises
    ------
    CheckpointError
        If neither fits, or the file is damaged.
    """
    for card in list_models(available_only=False):
        if card.name == str(name):
            return card
    path = _own_file(name)
    return _published_at(path) or ModelCard.of_file(path)


def find_model(name: str | Path) -> Path:
    """Path of a model by name or path.

    Raises
    ------
    CheckpointError
        If neither fits, or the model is not on this machine; the message says how to get it.
    """
    for card in list_models(available_only=False):
        if card.name == str(name):
            if card.path is None:
                raise CheckpointError(how_to_get(card))
            return card.path
    return _own_file(name)


def find_verified(
    name: str | Path, progress: Progress | None = None
) -> tuple[Path, ModelCard | None]:
    """Path of a model, and its card if it is a published checkpoint in the folder of models.

    `progress` is told which part of such a file was verified, 0 to 1.

    Raises
    ------
    CheckpointError
        See `find_model`; also if such a file is not the one that was downloaded.
    """
    path = find_model(name)
    card = _published_at(path)
    if card is not None:
        store.check_hash(path, card.sha256 or store.pinned_hash(path.name), progress)
    return path, card


def how_to_get(card: ModelCard) -> str:
    """What to do about a published checkpoint that is not on this machine, in two sentences."""
    target = store.models_folder() / card.require_published()
    way = (
        f"Download it with 'clickseg-models download {card.name}'"
        if card.address
        else f"It has no direct address: 'clickseg-models show {card.name}' lists the steps"
    )
    return (
        f"The model '{card.name}' ({card.system}, {card.size_text}, licence: {card.licence}) is "
        f"not on this machine. {way}, or place its file as {target}."
    )


def load_model(
    name: str | Path = DEFAULT, device: str = "auto", progress: Progress | None = None
) -> ClickModel:
    """Load a network, ready to be clicked. Nothing is ever downloaded here.

    Parameters
    ----------
    name : str or Path
        A name of `list_models`, or the path of a model file.
    device : str
        ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda:0"`` or ``"mps"``.
    progress : callable, optional
        ``progress(part)`` is told how far reading is, 0 to 1; a file that is verified first is read
        twice.

    Returns
    -------
    ClickModel
        In evaluation mode on the device, batch norms folded. A published checkpoint in the
        folder of models has the profile of its system.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of no known kind, or not the one that was downloaded.
    ValueError
        If the device does not exist here.
    """
    path, card = find_verified(name, part_of(progress, 0.0, 0.5))
    rest = part_of(progress, 0.0 if card is None else 0.5, 1.0)

    from .checkpoint import read_model
    from .device import choose_device
    from .inference import for_inference

    place = choose_device(device)
    model = read_model(path, None if card is None else card.profile, rest)
    return for_inference(model).to(place)


def _bundled() -> list[ModelCard]:
    cards = [ModelCard.of_file(path) for path in sorted(WEIGHTS.glob("*.safetensors"))]
    return sorted(cards, key=lambda card: card.name != DEFAULT)


@cache
def _catalogue() -> tuple[ModelCard, ...]:
    """Published checkpoints, their files not looked for."""
    tables = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    return tuple(
        ModelCard.of_entry(entry, tables["systems"][entry["system"]]) for entry in tables["models"]
    )


def _looked_for(card: ModelCard) -> ModelCard:
    """The card of a published checkpoint with its file, if that is in the folder of models."""
    path = store.models_folder() / card.require_published()
    if not os.path.isfile(path):  # unlike Path.is_file, false for a folder that may not be read
        return card
    return dataclasses.replace(card, path=path, size=path.stat().st_size)


def _published_at(path: Path) -> ModelCard | None:
    """The published checkpoint whose place in the folder of models this is."""
    for card in _catalogue():
        if path.name == card.file and path.parent.resolve() == store.models_folder().resolve():
            return _looked_for(card)
    return None


def _own_file(name: str | Path) -> Path:
    if not isinstance(name, str | Path):
        raise CheckpointError(
            f"A model is given by its name or path, not by {name!r:.80}. "
            "'clickseg-models list --all' shows the names."
        )
    path = Path(os.path.expanduser(name))  # unlike Path's, without an error for unknown users
    if not os.path.isfile(path):
        names = ", ".join(card.name for card in list_models())
        shown = name if len(str(name)) <= 200 else f"{str(name)[:80]}..."
        raise CheckpointError(
            f"There is no model '{shown}'. Give the path of a model file, or one of: "
            f"{names or 'none in this installation'} ('clickseg-models list --all' shows all)."
        )
    return path
