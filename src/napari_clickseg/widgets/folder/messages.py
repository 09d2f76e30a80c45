"""The sentences about a folder of images: what, why, what next."""

from __future__ import annotations

FIRST = "This is the first image of the folder."
LAST = "This is the last image of the folder."
NO_FOLDER = "Open a folder of images first."
STACK = (
    "it is a stack of planes, and the mask of an image in a folder is one plane. Open it with File "
    "> Open files and choose it above: there the dock clicks on each of its planes."
)
LAYER_GONE = (
    "The objects layer of this image was removed, so its mask is left as it is on the disk. Choose "
    "the image in the list to open it again."
)


def opening(name: str) -> str:
    """While an image is read."""
    return f"Opening {name}..."


def skipped(name: str, reason: str) -> str:
    """For an image that cannot be opened."""
    return f"{name} was skipped: {reason}"


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
