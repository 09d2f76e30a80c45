"""The sentences that the dock, the hints and the demo show: what, why, what next."""

from __future__ import annotations

from collections.abc import Iterable

from ..geometry import Box

NO_IMAGE = "Add or choose an image to begin."
NO_MODEL = "Choose a model file with Browse... or get one with More models..."
PRESS_START = "Press Start, then click on the object."
CLICKING = "Left-click object, right-click background."
PAUSED_3D = "Clicking works in 2D. Switch the viewer to 2D (Ctrl+Y)."
OUTSIDE = "That click is outside the image and was ignored."
ONLY_NEGATIVE = "Add at least one click on the object."
NOTHING_TO_ACCEPT = "The preview is empty: click on an object first."
ALL_TAKEN = "All these pixels belong to other objects already. Choose 'overwrite' to take them."
STILL_RUNNING = "The model is still at work on the clicks. Wait for their mask, then accept."
NOT_PREDICTED = (
    "Some clicks are not in the mask yet. Click once more to run them all, or undo them, "
    "then accept."
)
OTHER_SLICE = (
    "That click is on another slice than the one shown and was ignored. "
    "Move the slider there first."
)
LAYERS_REMOVED = "Click layers were removed; press Start to create them again."
PREVIEW_REMOVED = "The preview layer was removed; press Start to create it again."
CANCELLED = "Cancelled. The clicks are kept; the next click runs them all."
STOPPED = (
    "Stopped. Edges that were not refined yet stay coarse; the next click goes on with them, and "
    "Accept takes the mask as it is."
)
ACCEPT_WAITS = (
    "The object is accepted as soon as its edges are refined. To take it as it is, press Cancel "
    "(K) and accept again."
)
ACCEPTED_COARSE = "The object was accepted with edges that were not refined to the last pixel."
WIDENED = "More than 65 535 objects: labels converted to 32-bit."
NEGATIVE_LABEL = "Objects take label ids from 1 to 4 294 967 295."
AXIS_MISSING = (
    "The image does not lie in the displayed plane. Roll the axes back (Ctrl+E) to click on it."
)
OFF_PLANE = "The image has no data at this slice. Move the sliders back into the image."
IMAGE_CHANGED = "The image data changed; the unfinished object was started again."
NO_START_MASK = (
    "This model takes no previous mask, so that it cannot start from one: clicks replace what was "
    "painted (Undo brings it back). Accept it first, or choose a model that takes the mask."
)
MODEL_STAYS = "The model before stays in use."
NO_DISPLAY = (
    "napari needs a display and found none. On a Linux machine without a screen run "
    "'apt-get install xvfb libgl1 libegl1 libglx-mesa0 libgl1-mesa-dri libxkbcommon-x11-0 "
    "libdbus-1-3 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 "
    "libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1' once, then "
    "'xvfb-run -a -s \"-screen 0 1400x1000x24 +extension GLX\" clickseg-demo ...'."
)


def misfit(name: str) -> str:
    """Sentence for a layer of ours whose shape is no longer that of the image."""
    return (
        f"'{name}' no longer has the image's shape. Remove it (save it first); a new one is made."
    )


def image_removed(count: int) -> str:
    """Sentence for an image layer that went away while `count` objects were accepted."""
    if count == 0:
        return "The image was removed. Choose another image to begin."
    objects = "1 object is" if count == 1 else f"{count} objects are"
    return f"The image was removed. Your {objects} kept in 'clickseg objects'."


def replaced(positive: bool) -> str:
    """Sentence for a click on a pixel that already has a click of the other sign."""
    old = "negative" if positive else "positive"
    return f"This pixel already has a {old} click; it was replaced."


def no_clicks(kinds: Iterable[str]) -> str:
    """Sentence for a model that was trained on other interactions only."""
    return (
        f"The model takes no clicks, only {' and '.join(sorted(kinds))}. Choose a model that takes "
        "clicks, or use this one from Python with a Segmenter."
    )


def arrived(name: str) -> str:
    """Sentence for a published model that was downloaded while nobody looked."""
    return f"'{name}' is on this machine now. Choose it under Model."


def label_exists(label: int) -> str:
    """Sentence for a label id that the objects layer already holds."""
    return f"Label {label} already exists; the object was added to it."


def clicked(seconds: float | None, positive: int, negative: int) -> str:
    """Status line after a prediction, an undo or a new threshold."""
    counts = f"{positive} + / {negative} -"
    return counts if seconds is None else f"{counts} · {seconds * 1000:.0f} ms per click"


def accepted(label: int) -> str:
    """Status line after an object was accepted."""
    return f"Object {label} is in 'clickseg objects'. Click on the next one."


def region(roi: Box) -> str:
    """Footer: the bounds of what the model looked at, in image pixels."""
    return f"looked at y {roi.top}:{roi.bottom} x {roi.left}:{roi.right}"


def one_sentence(error: BaseException) -> str:
    """What an error says, in one line, never empty."""
    text = " ".join(str(error).split())
    if not text:
        return f"The model stopped with {type(error).__name__}. Try again or choose another model."
    if isinstance(error, (ValueError, ImportError, OSError)):
        return text
    return f"{type(error).__name__}: {text}"
