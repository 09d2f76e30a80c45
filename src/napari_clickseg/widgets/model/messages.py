"""What is asked and said about models whose files are deleted."""

from __future__ import annotations

from ...models.card import ModelCard


def deleting(card: ModelCard) -> str:
    """Question before the file of a published model is deleted."""
    again = "It can be downloaded again."
    if card.address is None:
        again = "It has no direct address: keep a copy, or get it again by the steps shown."
    return f"Delete '{card.name}' ({card.size_text}) from this machine? {again}"


def deleted(card: ModelCard) -> str:
    """Sentence for a published model whose file was deleted."""
    return f"'{card.name}' was deleted; {card.size_text} are free again."


def in_use(name: str) -> str:
    """Sentence for a model that is to be deleted and is the chosen one."""
    return f"'{name}' is in use. Choose another one under Model first, then delete it."
