"""The session file ``.clickseg.json``: all accepted objects of an image, to open or replay."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..geometry import Box
from ..interactions import BoxPrompt, Click, Contour, Interaction, Stroke
from .replacing import replacing
from .saved_session import (
    VERSION,
    ImageSignature,
    SavedClass,
    SavedModel,
    SavedObject,
    SavedSession,
    SessionFileError,
    StartMask,
)

__all__ = [
    "SUFFIX",
    "ImageSignature",
    "SavedClass",
    "SavedModel",
    "SavedObject",
    "SavedSession",
    "SessionFileError",
    "StartMask",
    "check_image",
    "object_from_json",
    "object_to_json",
    "read_session",
    "session_from_json",
    "session_to_json",
    "write_session",
]

SUFFIX = ".clickseg.json"
FORMAT = "clickseg-session"


def write_session(path: str | os.PathLike[str], session: SavedSession) -> None:
    """Write a session; an older file is replaced only when the new one is complete.

    Raises
    ------
    SessionFileError
        If the name does not end in ``.clickseg.json``, or the file cannot be written.
    """
    path = Path(path)
    if not path.name.lower().endswith(SUFFIX):
        raise SessionFileError(
            f"A session is kept as {SUFFIX}, and {path.name} is none. Save it as "
            f"{path.name.split('.')[0]}{SUFFIX}."
        )

    def refuse(reason: str) -> SessionFileError:
        return SessionFileError(
            f"The session cannot be saved as {path}: {reason.rstrip('. ')}. What was there before "
            "is untouched: make room, or save it elsewhere."
        )

    text = json.dumps(session_to_json(session), allow_nan=False, indent=1)
    with replacing(path, refuse) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")


def check_image(session: SavedSession, image: Any) -> None:
    """Raise SessionFileError if a session was made on another image.

    Parameters
    ----------
    session : SavedSession
    image : array or ImageReader
        With all its axes, colours last.
    """
    signed = ImageSignature.of(image, session.image.name)
    if signed.same_image(session.image):
        return
    other = "other pixels"
    if (signed.shape, signed.dtype) != (session.image.shape, session.image.dtype):
        other = f"{signed.shape} of {signed.dtype}"
    raise SessionFileError(
        f"The session was made on {session.image.name}, {session.image.shape} of "
        f"{session.image.dtype}; this image has {other}. Give the image that it was made on."
    )


def read_session(path: str | os.PathLike[str]) -> SavedSession:
    """Read a session file.

    Raises
    ------
    SessionFileError
        If the file is missing, damaged, of another kind or of a newer version.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SessionFileError(
            f"The session {path} cannot be opened: {error.strerror or error}. Check the path, and "
            "that you may read it."
        ) from error
    except UnicodeDecodeError as error:
        raise SessionFileError(f"{path} is no session: it is not text. Choose another.") from error
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise SessionFileError(
            f"The session {path} is damaged: {reason}. Copy it again, or use an older one."
        ) from error
    try:
        return session_from_json(value)
    except SessionFileError as error:
        raise SessionFileError(f"{path}: {error}") from error


def session_to_json(session: SavedSession) -> dict[str, Any]:
    """The session as what JSON can hold."""
    return {"format": FORMAT, **_to_json(session)}


def session_from_json(value: Any) -> SavedSession:
    """The session that `session_to_json` made this of; SessionFileError if it is none."""
    if not isinstance(value, Mapping) or value.get("format") != FORMAT:
        raise SessionFileError(
            'This is no session of clicks: "format" is missing. Choose a .clickseg.json file.'
        )
    version = value.get("version")
    if isinstance(version, int) and version > VERSION:
        raise SessionFileError(
            f"This session has the version {version}, and {VERSION} is the newest one known here. "
            "Update napari-clickseg."
        )
    return _build(SavedSession, {key: item for key, item in value.items() if key != "format"})


def object_to_json(item: SavedObject) -> dict[str, Any]:
    """One object as what JSON can hold, such as a line of a journal."""
    return _to_json(item)


def object_from_json(value: Any) -> SavedObject:
    """The object that `object_to_json` made this of; SessionFileError if it is none."""
    return _build(SavedObject, value)


def _to_json(value: Any) -> Any:
    if isinstance(value, Box):
        return [value.top, value.left, value.bottom, value.right]
    if isinstance(value, Click):
        return {"kind": "click", "at": [value.row, value.col], "positive": value.positive}
    if isinstance(value, Stroke | Contour):
        return {"kind": value.kind, "points": _to_json(value.points), "positive": value.positive}
    if isinstance(value, BoxPrompt):
        return {"kind": "box", "box": _to_json(value.box)}
    if dataclasses.is_dataclass(value):
        return {f.name: _to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return [_to_json(item) for item in value] if isinstance(value, tuple) else value


def _build(kind: type, value: Any) -> Any:
    """A value of one of our types from a mapping with exactly its fields."""
    what = WORDS[kind]
    if not isinstance(value, Mapping):
        raise SessionFileError(f"{what} is a mapping in a session, not {value!r:.40}. Correct it.")
    fields = dataclasses.fields(kind)
    needed = {
        f.name
        for f in fields
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    _names(what, value, needed, {f.name for f in fields})
    readers = READERS.get(kind, {})
    return kind(**{key: readers.get(key, _same)(item) for key, item in value.items()})


def _names(what: str, value: Mapping[str, Any], needed: set[str], known: set[str]) -> None:
    if missing := sorted(needed - set(value)):
        raise SessionFileError(f"{what} lacks {', '.join(missing)}. Copy the session file again.")
    if unknown := sorted(set(value) - known):
        raise SessionFileError(
            f"{what} has {', '.join(unknown)}, which means nothing here. Remove it, or update "
            "napari-clickseg."
        )


def _same(value: Any) -> Any:
    return value


def _tuple(item: Callable[[Any], Any], what: str) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise SessionFileError(f"{what} are a list, not {value!r:.40}. Correct the session.")
        return tuple(map(item, value))

    return read


def _optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _box(value: Any) -> Box:
    if not isinstance(value, list) or len(value) != 4 or not all(type(v) is int for v in value):
        raise SessionFileError(
            f"A box is four whole numbers (top, left, bottom, right), not {value!r:.60}. "
            "Correct the session."
        )
    return Box(*value)


def _interaction(value: Any) -> Interaction:
    kind = value.get("kind") if isinstance(value, Mapping) else None
    made: dict[Any, Callable[[], Interaction]] = {
        "click": lambda: Click(*value["at"], value["positive"]),
        "stroke": lambda: Stroke(value["points"], value["positive"]),
        "contour": lambda: Contour(value["points"], value["positive"]),
        "box": lambda: BoxPrompt(_box(value["box"])),
    }
    if not isinstance(kind, str) or kind not in made:
        raise SessionFileError(
            f"{kind!r:.40} is no kind of interaction; there are {', '.join(made)}. "
            "Correct the session, or update napari-clickseg."
        )
    keys = {"click": {"at", "positive"}, "box": {"box"}}.get(kind, {"points", "positive"})
    _names(f"A {kind}", value, keys, keys | {"kind"})
    places = [value["at"]] if kind == "click" else value.get("points", [])
    pairs = isinstance(places, list) and all(
        isinstance(place, list) and len(place) == 2 and all(type(n) in (int, float) for n in place)
        for place in places
    )
    if not pairs or type(value.get("positive", True)) is not bool:
        raise SessionFileError(
            f"A {kind} is pairs of numbers, and positive or not, unlike {value!r:.80}. Correct the "
            "session, or remove it."
        )
    try:
        return made[kind]()
    except ValueError as error:
        raise SessionFileError(f"A {kind} of the session is damaged. {error}") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is no number")


WORDS = {
    SavedSession: "A session",
    SavedObject: "An object",
    ImageSignature: "An image",
    SavedModel: "A model",
    SavedClass: "A class",
    StartMask: "A start mask",
}


READERS: dict[type, dict[str, Callable[[Any], Any]]] = {
    SavedSession: {
        "image": lambda value: _build(ImageSignature, value),
        "model": lambda value: _build(SavedModel, value),
        "objects": _tuple(object_from_json, "The objects"),
        "classes": _tuple(lambda value: _build(SavedClass, value), "The classes"),
    },
    SavedObject: {
        "interactions": _tuple(_interaction, "Interactions"),
        "confined": _optional(_box),
        "viewport": _optional(_box),
        "start_mask": _optional(lambda value: _build(StartMask, value)),
    },
    StartMask: {"box": _box},
}
