"""Models by name: the one in the package, and files that you give. Importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .header import CheckpointError, read_header

if TYPE_CHECKING:
    from .base import ClickModel

__all__ = ["DEFAULT", "ModelCard", "list_models", "load_model"]

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT = "clickseg-compact"


@dataclass(frozen=True)
class ModelCard:
    """What there is to know about a model before it is loaded.

    Attributes
    ----------
    name : str
    path : Path
    architecture : str
    licence : str
        Terms of the weights.
    trained_on : tuple of str
        Names of the training sets.
    size : int
        Bytes on disk.
    """

    name: str
    path: Path
    architecture: str
    licence: str
    trained_on: tuple[str, ...]
    size: int

    @classmethod
    def of_file(cls, path: str | Path) -> ModelCard:
        """The card in a model file's header.

        Raises
        ------
        CheckpointError
            If the file is missing, damaged or not one of ours.
        """
        path = Path(path)
        about = read_header(path)
        card = about["card"]
        return cls(
            name=str(card.get("name", path.stem)),
            path=path,
            architecture=str(about["architecture"]),
            licence=str(card.get("licence", "not stated")),
            trained_on=tuple(card.get("trained_on", ())),
            size=path.stat().st_size,
        )


def list_models() -> list[ModelCard]:
    """Cards of the models in the package, the default first."""
    cards = [ModelCard.of_file(path) for path in sorted(WEIGHTS.glob("*.safetensors"))]
    return sorted(cards, key=lambda card: card.name != DEFAULT)


def find_model(name: str | Path) -> Path:
    """Path of a model by zoo name or path.

    Raises
    ------
    CheckpointError
        If neither fits; the message lists the names.
    """
    names = {card.name: card.path for card in list_models()}
    if str(name) in names:
        return names[str(name)]
    path = Path(name).expanduser()
    if not path.is_file():
        raise CheckpointError(
            f"There is no model '{name}'. Give the path of a .safetensors file, or one of: "
            f"{', '.join(names) or 'none in this installation'}."
        )
    return path


def load_model(name: str | Path = DEFAULT, device: str = "auto") -> ClickModel:
    """Load a network, ready to be clicked.

    Parameters
    ----------
    name : str or Path
        A name of `list_models`, or the path of a model file.
    device : str
        ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda:0"`` or ``"mps"``.

    Returns
    -------
    ClickModel
        In evaluation mode on the device, batch norms folded.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged or not one of ours.
    ValueError
        If the device does not exist here.
    """
    from .checkpoint import read_model
    from .device import choose_device
    from .folding import fold_batch_norms

    place = choose_device(device)
    return fold_batch_norms(read_model(find_model(name))).requires_grad_(False).to(place)
