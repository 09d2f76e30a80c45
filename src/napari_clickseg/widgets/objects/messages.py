"""What is said of recovered objects and of session files."""

from __future__ import annotations

from collections.abc import Sequence

RECOVER_LATER = (
    "Another object is in work where one was left unfinished. Accept or reset it, then recover."
)
BUSY_FOR_SESSION = "The model is still at work. Wait for its mask, then open the session."
SESSION_STOPPED = (
    "The session was not opened: something else was asked of the model, or the layers changed. "
    "Open it again."
)


def recoverable(count: int, unfinished: int, when: str) -> str:
    """Sentence for objects of an earlier session that can be brought back."""
    return f"Recover {_objects(count, unfinished)} of this image from {when}?"


def discarding(count: int, unfinished: int) -> str:
    """Question before they are deleted."""
    return f"Delete {_objects(count, unfinished)} of this image for good?"


def _objects(count: int, unfinished: int) -> str:
    """How many objects, and how many that were not accepted."""
    objects = "1 object" if count == 1 else f"{count} objects"
    begun = "1 unfinished object" if unfinished == 1 else f"{unfinished} unfinished objects"
    return " and ".join([objects] * bool(count or not unfinished) + [begun] * bool(unfinished))


def recovered(count: int, unfinished: int) -> str:
    """Sentence after objects of an earlier session were brought back."""
    verb = "is" if count + unfinished == 1 else "are"
    return f"{_objects(count, unfinished)} {verb} back, with clicks."


def session_saved(count: int, path: str) -> str:
    """Status line after a session was written."""
    objects = "1 object is" if count == 1 else f"{count} objects are"
    return f"{objects} in {path}, with clicks."


def opening_session(done: int, count: int) -> str:
    """Status line while the masks of a session are made again."""
    return f"Opening the session: {done} of {count} objects."


def session_opened(count: int, lacking: int, name: str, model: str | None) -> str:
    """Status line after a session was opened.

    `lacking` objects came out empty; `model` is the one that it was made with, if it is another.
    """
    objects = "1 object is" if count == 1 else f"{count} objects are"
    text = f"{objects} back from {name}, with clicks."
    if lacking:
        text += f" {lacking} came out empty and are left out."
    if model is not None:
        text += f" They were made with the model '{model}': masks may differ."
    return text


def other_image(file: str, name: str, shape: Sequence[int]) -> str:
    """Sentence for a session whose image is not open."""
    sides = " x ".join(map(str, shape))
    return (
        f"{file} was made on the image {name} ({sides}). Open that image first, then the session."
    )


def other_planes(file: str) -> str:
    """Sentence for a session whose objects are on planes that the image does not have."""
    return f"{file} has objects on planes that this image does not have. Use an unchanged file."
