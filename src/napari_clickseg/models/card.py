"""What there is to know about a model before it is loaded. Importable without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .header import CheckpointError, read_header
from .signature import SAFETENSORS, file_kind

__all__ = ["ModelCard", "NoC"]

MEGABYTE = 10**6


@dataclass(frozen=True)
class NoC:
    """Published numbers of clicks on one test set.

    Attributes
    ----------
    mode : str
        BRS mode, such as ``"NoBRS"`` or ``"f-BRS-B"``.
    dataset : str
        Test set.
    at_85, at_90 : float or None
        Mean number of clicks to 85 % and 90 % IoU; None where none was published.
    """

    mode: str
    dataset: str
    at_85: float | None
    at_90: float | None


@dataclass(frozen=True)
class ModelCard:
    """What there is to know about a model before it is loaded.

    Attributes
    ----------
    name : str
    path : Path or None
        Where its file is; None if it is not on this machine.
    architecture : str
    licence : str
        Terms of the weights, in short.
    trained_on : tuple of str
        Names of the training sets.
    size : int or None
        Bytes on disk, or as published if it is not here; None if unknown.
    system : str
        Where it comes from: ``"clickseg"``, or a published system such as ``"RITM"``.
    profile : str or None
        Profile to predict with; None takes the one that the file is read with.
    file : str or None
        Name of the published file; None for models that are not of the zoo.
    address : str or None
        Where the file can be downloaded; None if only by hand.
    page : str or None
        The project's page.
    published_size : int or None
        Bytes as published, rounded there.
    sha256 : str or None
        Published hash.
    terms : str
        The licence in a sentence.
    by_hand : tuple of str
        Steps to a file that has no address.
    noc : tuple of NoC
        Published numbers of clicks.
    results : str
        Other published results.
    """

    name: str
    path: Path | None
    architecture: str
    licence: str
    trained_on: tuple[str, ...]
    size: int | None
    system: str = "clickseg"
    profile: str | None = None
    file: str | None = None
    address: str | None = None
    page: str | None = None
    published_size: int | None = None
    sha256: str | None = None
    terms: str = ""
    by_hand: tuple[str, ...] = ()
    noc: tuple[NoC, ...] = ()
    results: str = ""

    @property
    def available(self) -> bool:
        """Whether its file is on this machine."""
        return self.path is not None

    @property
    def where(self) -> str:
        """Where its file is, or how to get it, in two or three words."""
        if self.available:
            return "on this machine" if self.file else "in the package"
        return "to download" if self.address else "by hand"

    @property
    def document(self) -> Path | None:
        """The Markdown file about it beside its file; None if there is none."""
        if self.path is None or not self.path.with_suffix(".md").is_file():
            return None
        return self.path.with_suffix(".md")

    @property
    def size_text(self) -> str:
        """The size in words."""
        if self.size is None:
            return "size unknown"
        megabytes = self.size / MEGABYTE
        return f"{megabytes:.4g} MB" if megabytes < 1000 else f"{megabytes / 1000:.3g} GB"

    @classmethod
    def of_file(cls, path: str | Path) -> ModelCard:
        """The card in a model file's header; of a checkpoint without one, what its name says.

        Raises
        ------
        CheckpointError
            If the file is missing, damaged, or no model.
        """
        path = Path(path)
        if file_kind(path) != SAFETENSORS:
            return cls(
                name=path.stem,
                path=path,
                architecture="known once loaded",
                licence="not stated",
                trained_on=(),
                size=path.stat().st_size,
                system="not stated",
            )
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

    @classmethod
    def of_entry(cls, entry: Mapping[str, Any], system: Mapping[str, Any]) -> ModelCard:
        """The card of an entry of the zoo, its file not looked for.

        Parameters
        ----------
        entry, system : mapping
            A table of ``models`` and its table of ``systems`` in ``zoo.toml``.
        """
        both = {**system, **entry}
        file = both.get("file", f"{entry['name']}.pth")
        size = round(both["size"] * MEGABYTE) if "size" in both else None
        steps = both.get("by_hand", ())
        return cls(
            name=both["name"],
            path=None,
            architecture=both["architecture"],
            licence=both["licence"],
            trained_on=tuple(both["trained_on"]),
            size=size,
            system=both["title"],
            profile=both["profile"],
            file=file,
            address=None if steps else both["release"] + file,
            page=both["page"],
            published_size=size,
            sha256=both.get("sha256"),
            terms=both["terms"],
            by_hand=tuple(step.format(page=both["page"], file=file) for step in steps),
            noc=tuple(
                NoC(mode, dataset, *(None if math.isnan(clicks) else clicks for clicks in pair))
                for mode, sets in both.get("noc", {}).items()
                for dataset, pair in sets.items()
            ),
            results=both.get("results", ""),
        )

    def require_published(self) -> str:
        """Name of the published file.

        Raises
        ------
        CheckpointError
            If the model is not one of the zoo.
        """
        if self.file is None:
            raise CheckpointError(
                f"'{self.name}' is no published checkpoint of the zoo. "
                "'clickseg-models list --all' shows those."
            )
        return self.file
