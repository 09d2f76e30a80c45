"""Accepted objects as values to save, and from those values the same masks again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..cancel import Progress
from ..data.planes import PlaneArray, PlaneIndex
from ..data.readers import ImageReader, as_reader
from ..data.saved_session import SavedObject, SavedSession, SessionFileError, StartMask
from ..data.session_file import check_image
from ..geometry import Box
from .fitted_zoom_in import FittedZoomIn
from .mask_rule import MaskRule
from .predictor import Predictor
from .profiles import PROFILES, Profile, get_profile
from .segmenter import Segmenter
from .session import Session
from .started import started
from .tiles import TILE, MaskView
from .zoom_in import TypedZoomIn, ZoomIn

__all__ = ["profile_of", "replay", "replay_object", "saved_object", "settings_of", "strips"]

ZOOM_INS = {kind.__name__: kind for kind in (ZoomIn, TypedZoomIn, FittedZoomIn)}
Stop = Callable[[], bool] | None


# ---------------------------------------------------------------------- settings
def settings_of(profile: Profile) -> dict[str, Any]:
    """The name of a profile and those of its fields that were overridden."""
    base = PROFILES.get(profile.name, PROFILES["clickseg"])
    settings: dict[str, Any] = {"profile": base.name}
    for field in dataclasses.fields(profile):
        value = getattr(profile, field.name)
        if value != getattr(base, field.name):
            if isinstance(value, ZoomIn):
                value = {"kind": type(value).__name__, **dataclasses.asdict(value)}
            settings[field.name] = value
    return settings


def profile_of(settings: Mapping[str, Any]) -> Profile:
    """The profile that `settings_of` made this of.

    Raises
    ------
    ValueError
        If a name is unknown or a value impossible.
    """
    overrides = dict(settings)
    profile = get_profile(overrides.pop("profile", "clickseg"))
    zoom_in = overrides.get("zoom_in")
    if isinstance(zoom_in, Mapping) and "kind" in zoom_in:
        fields = {key: value for key, value in zoom_in.items() if key != "kind"}
        kind = ZOOM_INS.get(zoom_in["kind"])
        if kind is None or _unknown(kind, fields):
            raise SessionFileError(
                f"These settings of ZoomIn mean nothing here: {dict(zoom_in)!r:.80}. Update "
                "napari-clickseg."
            )
        overrides["zoom_in"] = kind(**fields)
    return profile.override(**overrides)


def _unknown(kind: type, fields: Mapping[str, Any]) -> set[str]:
    """Names that a dataclass does not have."""
    return set(fields) - {field.name for field in dataclasses.fields(kind)}


# ---------------------------------------------------------------------- saving
def saved_object(
    session: Session,
    profile: Profile,
    label: int,
    plane: Sequence[int | None] | None = None,
    **facts: Any,
) -> SavedObject:
    """An object as a value to save.

    Parameters
    ----------
    session : Session
    profile : Profile
    label : int
        From 1.
    plane : sequence of (int or None), optional
        See `SavedObject`.
    **facts
        Further fields of `SavedObject`: ``class_name``, ``seconds``, ``overwrites``, and ``area``
        if it is not that of the mask.
    """
    one_by_one = tuple(range(session.known + 1, len(session.interactions) + 1))
    start = None
    if session.start_mask is not None:
        box = session.start_mask.bounding_box(0.5) or Box(0, 0, 0, 0)
        mask = session.start_mask.read(box) > 0.5
        start = StartMask.of(mask, (box.top, box.left), after=session.known)
    mask = MaskRule.of(profile).view(session)
    return SavedObject(
        id=label,
        plane=None if plane is None else tuple(plane),
        interactions=session.interactions,
        confined=session.region,
        start_mask=start,
        settings=settings_of(profile),
        predicted=() if session.asked == one_by_one else session.asked,
        contrast_limits=session.contrast_limits,
        viewport=session.viewport,
        **{"area": sum(int(part.sum()) for _, part in strips(mask)), **facts},
    )


def strips(mask: MaskView) -> list[tuple[Box, np.ndarray]]:
    """What a mask holds, in strips of its bounding box."""
    box = mask.bounding_box()
    if box is None:
        return []
    parts = (Box(top, box.left, top + TILE, box.right) for top in range(box.top, box.bottom, TILE))
    return [(part, mask.read(part)) for part in (part.intersect(box) for part in parts)]


# ---------------------------------------------------------------------- replaying
def replay(
    session: SavedSession,
    image: Any,
    segmenter: Segmenter,
    progress: Progress | None = None,
    cancelled: Stop = None,
) -> np.ndarray:
    """Make all objects of a session again.

    With the model, version and machine that they were made on, the masks are the same ones.

    Parameters
    ----------
    session : SavedSession
    image : array, path or ImageReader
        As for `as_reader`; a stack as an array with all its axes, colours last.
    segmenter : Segmenter
        Its model answers; its profile counts for objects that were saved without settings.
    progress : callable, optional
        Called with the part of the objects that is done, 0..1.
    cancelled : callable, optional
        Asked before each network call.

    Returns
    -------
    array
        Labels in the image's shape without colours, uint16, or uint32 if an id needs it.

    Raises
    ------
    ValueError
        If it is another image, or the model or the settings cannot be used.
    Cancelled
        If `cancelled` answered true.
    """
    source = image if hasattr(image, "shape") else as_reader(image)
    check_image(session, source)
    whole = _shape(session, tuple(source.shape))
    largest = max((item.id for item in session.objects), default=0)
    labels = np.zeros(whole, np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32)
    model, readers, predictors = segmenter.predictor.model, {}, {}
    for number, item in enumerate(session.objects):
        if progress is not None:
            progress(number / len(session.objects))
        key = repr(item.settings)
        if key not in predictors:
            profile = profile_of(item.settings) if item.settings else segmenter.profile
            predictors[key] = Predictor(model, profile)
        if item.plane not in readers:
            readers[item.plane] = _plane_of(source, item.plane)
        done = replay_object(item, readers[item.plane], predictors[key], cancelled)
        rule = MaskRule.of(predictors[key].profile)
        view = labels if item.plane is None else labels[_indices(item.plane)]
        for box, mask in strips(rule.view(done)):
            part = view[box.slices]
            free = mask if item.overwrites else mask & (part == 0)
            part[free] = item.id
    if progress is not None:
        progress(1.0)
    return labels


def replay_object(
    item: SavedObject, reader: ImageReader, predictor: Predictor, cancelled: Stop = None
) -> Session:
    """Make one object again.

    Parameters
    ----------
    item : SavedObject
    reader : ImageReader
        Of its plane.
    predictor : Predictor
        With the profile of its settings.
    cancelled : callable, optional
        Asked before each network call.

    Raises
    ------
    ValueError
        If something of it lies outside the image, or the model does not take it.
    """
    session = replace(predictor.start(reader, item.contrast_limits), viewport=item.viewport)
    if item.confined is not None:
        session = session.confine(item.confined)
    after = 0
    if item.start_mask is not None:
        session, after = started(session, item), item.start_mask.after
    for count in item.predicted or range(after + 1, len(item.interactions) + 1):
        for interaction in item.interactions[len(session.interactions) : count]:
            session = session.add(interaction)
        session = predictor.run(session, cancelled)
        for finer in predictor.follow_edges(session, cancelled):
            session = finer
    return session


def _shape(session: SavedSession, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the labels: without colours."""
    planes = {len(item.plane) for item in session.objects if item.plane is not None}
    axes = planes.pop() if len(planes) == 1 else 2
    if planes or not len(shape) - 1 <= axes <= len(shape):
        raise SessionFileError(
            f"The planes of the objects do not fit the image's shape {shape}. Give the image that "
            "the session was made on."
        )
    return shape[:axes]


def _plane_of(source: Any, plane: tuple[int | None, ...] | None) -> ImageReader:
    """A reader of one plane of an image."""
    if plane is None or len(plane) == 2 or isinstance(source, ImageReader):
        return as_reader(source)
    shape = tuple(source.shape)
    rows, cols = (axis for axis, index in enumerate(plane) if index is None)
    colours = len(plane) if len(shape) > len(plane) else None
    picked = {axis: index for axis, index in enumerate(plane) if index is not None}
    for axis, index in picked.items():
        if index >= shape[axis]:
            raise SessionFileError(
                f"An object is on plane {index} along axis {axis}, and the image has {shape[axis]} "
                "of them. Give the image that the session was made on."
            )
    return as_reader(PlaneArray(source, PlaneIndex(shape, rows, cols, colours, picked)))


def _indices(plane: tuple[int | None, ...]) -> tuple[int | slice, ...]:
    return tuple(slice(None) if index is None else index for index in plane)
