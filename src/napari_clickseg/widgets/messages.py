"""The sentences that the dock, the hints and the demo show: what, why, what next."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from ..geometry import Box

NO_IMAGE = "Add or choose an image to begin."
NO_MODEL = "Choose a model file with Browse... or get one with More models..."
PRESS_START = "Press Start, then click on the object."
CLICKING = "Left-click object, right-click background."
DRAWING = {
    "points": CLICKING,
    "stroke": "Draw along the object; right button: background.",
    "contour": "Draw around the object; right button: background.",
    "polygon": "Click corners around the object; double-click ends.",
    "box": "Draw a box that the object lies in.",
}
PAUSED_3D = "Clicking works in 2D. Switch the viewer to 2D (Ctrl+Y)."
OBJECTS_ON_CHANNELS = (
    "There are objects already, which stay on the channel that they were made on. Delete them to "
    "have objects that all channels share."
)
OUTSIDE = "That click is outside the image and was ignored."
ONLY_NEGATIVE = "Add at least one click on the object."
NOTHING_TO_ACCEPT = "The preview is empty: click on an object first."
ALL_TAKEN = "All these pixels belong to other objects already. Choose 'overwrite' to take them."
STILL_RUNNING = "The model is still at work on the clicks. Wait for their mask, then accept."
NOT_PREDICTED = "Some clicks are not in the mask yet. Run them (G), or undo them, then accept."
OTHER_SLICE = (
    "That click is on another slice than the one shown and was ignored. "
    "Move the slider there first."
)
LAYERS_REMOVED = "Click layers were removed; press Start to create them again."
SHAPES_REMOVED = (
    "The shapes layer was removed; what was drawn still counts and comes back with the next tool."
)
PREVIEW_REMOVED = "The preview layer was removed; press Start to create it again."
CANCELLED = "Cancelled. The clicks are kept; Run (G) or the next click runs them all."
AUTO_RUN_OFF = "Auto-run is off: clicks wait until you press Run (G)."
NOT_FINITE = "The image has NaN or infinite values here; they were set to 0 for the model."
NO_MASK_HERE = "The mask has nothing at this click; the object starts empty."
SELECT_ONE = "Select one object in the table; the new object starts from its mask."
OTHER_AXES = "The selected object lies on a slice along other axes. Show those, or select another."
NO_SLICES = "The image has no other slice to go on to."
LAST_SLICE = "This is the last slice of the slider that you moved last: there is none to go on to."
NOTHING_NEAR = "There is no click near the mouse pointer."
STOPPED = (
    "Stopped. Edges that were not refined yet stay coarse; the next click goes on with them, and "
    "Accept takes the mask as it is."
)
ACCEPT_WAITS = (
    "The object is accepted as soon as its edges are refined. To take it as it is, press Cancel "
    "(K) and accept again."
)
ACCEPT_CLEANS = "The object is accepted as soon as its mask is made anew."
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
GOING_ON = "going on with the object on the next slice"
NEXT_IN_WORK = (
    "There is an unfinished object on the next slice. Accept or reset it there, then go on to it."
)
ACCEPTING = "accepting object {}"
OPENING = "opening object {} again"
CLOSING = "giving object {} back"
DELETING = "deleting object {}"
MERGING = "merging objects {}"
NAMING = "naming the class of object {}"
NO_OBJECT_HERE = "There is no object under the mouse pointer. Point at one and press the key again."
MERGE_TWO = "Select two objects or more in the table (Ctrl+click), then merge."
MODEL_STAYS = "The model before stays in use."
RUN_STOPPING = "It was asked to stop and saves what it has. Stop at once loses that."
RUN_STOPPED = "Stopped. Go on takes it up where it was saved last."
RUN_VANISHED = (
    "It ended without a word, as when the computer is switched off or memory runs out. Go on takes "
    "it up where it was saved last."
)
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


def no_contrast(value: float) -> str:
    """Sentence for a region of one value."""
    return (
        f"This region has no contrast (min = max = {value:g}). "
        "Check the contrast limits or channel."
    )


def not_writable(name: str) -> str:
    """A layer that objects cannot be written into."""
    return (
        f"'{name}' is read from a file as it is shown, or has several scales, so that nothing can "
        "be written into it. Choose a Labels layer in memory; Duplicate Layer makes one."
    )


def other_place(name: str) -> str:
    """A layer for objects that does not lie on the image."""
    return (
        f"'{name}' has the image's shape but lies elsewhere. Give it the image's scale and "
        "translation, or choose it under Start from, which resamples it."
    )


def mask_misfit(name: str, shape: Sequence[int], wanted: Sequence[int]) -> str:
    """Sentence for a mask of another shape than the image."""
    mask, image = (" x ".join(map(str, sides)) for sides in (shape, wanted))
    return (
        f"'{name}' is {mask} but the image is {image}. "
        "Choose a mask of the same shape or transform."
    )


def mask_resampled(turned: bool) -> str:
    """Sentence for a mask that lies otherwise than the image."""
    how = "rotated" if turned else "placed or scaled otherwise"
    return f"The mask layer is {how} relative to the image; it was resampled by nearest neighbour."


def outside(kind: str) -> str:
    """Sentence for something said outside the image."""
    return f"That {kind} is outside the image and was ignored."


def outside_box(kind: str) -> str:
    """Sentence for something said outside the box that confines the object."""
    return (
        f"That {kind} is outside the box and was ignored. Draw a larger box, or select and delete "
        "it in 'clickseg shapes'."
    )


def image_removed(count: int, unfinished: int = 0, recoverable: bool = False) -> str:
    """Sentence for an image layer that went away while `count` objects were accepted."""
    text = "The image was removed."
    if count:
        objects = "1 object is" if count == 1 else f"{count} objects are"
        text = f"{text} Your {objects} kept in 'clickseg objects'."
    if unfinished and recoverable:
        return f"{text} Open the image again to recover what was not accepted yet."
    if unfinished:
        return f"{text} What was not accepted yet is gone: autosave is off."
    return text if count else f"{text} Choose another image to begin."


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


def channels(count: int) -> str:
    """Sentence for an image whose channels lie in the displayed plane."""
    return f"The image has {count} channels; the model takes 3. Choose channels under Channels."


def short_of_memory(device: str, pixels: int, retried: int | None) -> str:
    """Sentence for a view that is too large for the memory; `retried`: the size that was not."""
    text = f"Not enough memory on {device} for a {pixels} px region."
    if retried is not None:
        return f"{text} Retried at {retried} px."
    instead = "a smaller target size or longest side under Advanced"
    if not device.startswith("cpu"):
        instead = f"the device cpu, or {instead}"
    return f"{text} Choose {instead}, then press Run (G)."


def no_key(text: str, action: str) -> str:
    """Sentence for what was set as a key and is none."""
    return f"'{text}' is no key for '{action}': write one like N or Ctrl+Shift+Z in Preferences."


def key_taken(text: str, action: str, other: str) -> str:
    """Sentence for a key that was set for two actions."""
    return f"{text} is set for '{other}' and '{action}': give one of them another in Preferences."


def key_of_napari(text: str, action: str, what: str) -> str:
    """Sentence for a key that napari has too."""
    return f"{text} is napari's key to {what}, too: while you click it is that of '{action}'."


def on_cpu(seconds: float) -> str:
    """Sentence for a model that runs without a GPU, said once."""
    return f"Running on CPU: about {max(seconds, 0.01):.2g} s per click with this model."


def arrived(name: str) -> str:
    """Sentence for a published model that was downloaded while nobody looked."""
    return f"'{name}' is on this machine now. Choose it under Model."


def label_exists(label: int) -> str:
    """Sentence for a label id that the objects layer already holds."""
    return f"Label {label} already exists; the object was added to it."


def no_object(label: int) -> str:
    """Sentence for an object that is not there (any more)."""
    return f"There is no object {label} any more. Choose one of the table."


def outside_label(label: int) -> str:
    """Sentence for a mask that lies outside the label that it has to stay inside."""
    return (
        f"Nothing of this mask lies inside label {label}, which is selected in 'clickseg objects'. "
        "Select another label there, or another overlap rule."
    )


def left_out(label: int, count: int, whole: int, outside: int | None) -> str:
    """Sentence for an object that was accepted without some of its pixels.

    `outside`: the label that it had to stay inside, None if other objects kept theirs.
    """
    counts = f"{count:,} of its {whole:,} pixels".replace(",", "\N{NO-BREAK SPACE}")
    why, instead = "belong to other objects", "'overwrite' under Overlap"
    if outside is not None:
        why, instead = f"lie outside label {outside}", "another rule under Overlap"
    return (
        f"Object {label} is in 'clickseg objects' without {counts}, which {why}. "
        f"To take them, undo and choose {instead}."
    )


def done(what: str) -> str:
    """Status line after a step outside the object in work."""
    return f"Done: {what}. Undo takes it back."


def undone(what: str) -> str:
    """Status line after a step outside the object in work was taken back."""
    return f"Undone: {what}."


def redone(what: str) -> str:
    """Status line after a step outside the object in work was brought back."""
    return f"Redone: {what}."


def clicked(seconds: float | None, positive: int, negative: int) -> str:
    """Status line after a prediction, an undo or a new threshold."""
    counts = f"{positive} + / {negative} -"
    if seconds is None or positive + negative == 0:
        return counts
    return f"{counts} · {seconds * 1000:.0f} ms per click"


def accepted(label: int) -> str:
    """Status line after an object was accepted."""
    return f"Object {label} is in 'clickseg objects'. Click on the next one."


def accepted_part(label: int) -> str:
    """Status line after a part of an object was accepted."""
    return f"Part of object {label} is in 'clickseg objects'. Click on its next part."


def autosave_failed(reason: str) -> str:
    """Sentence for a journal that cannot be written."""
    return (
        f"Autosave stopped: {reason.rstrip('. ')}. Accepted objects are in 'clickseg objects' "
        "only: save that layer yourself, and make room on the disk."
    )


def waiting(count: int) -> str:
    """Sentence for clicks that were not predicted before clicking was stopped."""
    clicks = "1 click waits" if count == 1 else f"{count} clicks wait"
    return f"{clicks} for the model. The next start goes on with the object."


def opened(label: int) -> str:
    """Hint while an accepted object is clicked on again."""
    return f"Object {label} is open again: Accept keeps its id, a key (Escape) gives it back."


def moment(then: float, now: float) -> str:
    """A time of day, with its date if that is not today's; seconds since 1970."""
    day, clock = time.strftime("%Y-%m-%d", time.localtime(then)), time.localtime(then)
    today = day == time.strftime("%Y-%m-%d", time.localtime(now))
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", clock)


def time_left(seconds: float) -> str:
    """How long something will still take."""
    if seconds < 60:
        return f"{seconds:.0f} s left"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min left"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min left"


def region(roi: Box) -> str:
    """Footer: the bounds of what the model looked at, in image pixels."""
    return f"looked at y {roi.top}:{roi.bottom} x {roi.left}:{roi.right}"


def one_sentence(error: BaseException) -> str:
    """What an error says, in one line, never empty."""
    text = " ".join(str(error).split())
    if not text:
        return f"The model stopped with {type(error).__name__}. Try again or choose another model."
    if isinstance(error, (ValueError, ImportError, OSError, MemoryError)):
        return text
    return f"{type(error).__name__}: {text}"


def unfinished(count: int) -> str:
    """Question before another image is clicked on."""
    what = "An object is" if count == 1 else f"{count} objects are"
    it = "it" if count == 1 else "them"
    return (
        f"{what} not accepted yet on the image before. Accept {it}, keep {it} until you come back "
        f"to that image, or discard {it}?"
    )
