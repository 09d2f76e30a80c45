"""The sentences about a folder of images: what, why, what next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...data.datasets.base import some

SHOWN = 2
"""Reasons that are said; the list tells all."""
FIRST = "This is the first image of the folder."
LAST = "This is the last image of the folder."
NO_FOLDER = "Open a folder of images first."
STACK = (
    "a stack of planes cannot be clicked on here, where each image has a mask of one plane. Open "
    "it with File > Open files and choose it above: there the dock clicks on each of its planes."
)
LAYER_GONE = (
    "The objects layer of this image was removed, so its mask is left as it is on the disk. Choose "
    "the image in the list to open it again."
)


def opening(name: str) -> str:
    """While an image is read."""
    return f"Opening {name}..."


def skipped(images: Mapping[str, Sequence[str]]) -> list[str]:
    """For images that cannot be opened: their names by the reason."""
    reasons = list(images.items())
    said = [
        f"{some(names)} {'was' if len(names) == 1 else 'were'} skipped: {reason}"
        for reason, names in reasons[:SHOWN]
    ]
    more = sum(len(names) for _, names in reasons[SHOWN:])
    return said + ([f"{more} more could not be opened: the list tells why."] if more else [])


def refused_image(name: str) -> str:
    """For an image that the dock does not click on."""
    return f"{name} is not open. The line below the image and the model says why."


def shown(name: str, place: int, count: int, masks: int) -> str:
    """What is open."""
    return f"{place} of {count}: {name}. {masks} of them with a mask."


def refused(mask: str, reason: str) -> str:
    """For a mask that cannot be used."""
    return (
        f"{mask} is not the mask of this image: {reason.rstrip('. ')}. It is not replaced: nothing "
        "is saved until you move it away or choose another mask name, and open the image again."
    )


def saved(mask: str, count: int | None) -> str:
    """After a mask was written; the number of objects may not be known any more."""
    if count is None:
        return f"{mask} is saved."
    return f"{mask} is saved with {count} object{'' if count == 1 else 's'}."
