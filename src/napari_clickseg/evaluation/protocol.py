"""The published evaluation loop: simulate a click, predict, measure, until the mask is good."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from ..cancel import Cancelled
from ..data.scenes import Scene
from ..interactions import Click, Interaction
from .clicker import CentreClicker
from .metrics import boundary_iou, iou
from .sizes import Sized, at_size
from .terms import Terms
from .users import SimulatedUser, UserVariant, hand, user_variants

__all__ = [
    "ObjectResult",
    "Objects",
    "ProtocolSegmenter",
    "Watch",
    "chosen_objects",
    "click_scene",
    "evaluate_object",
]

Objects = Literal["all", "largest"] | int
Watch = Callable[[str, int, str, Sized, np.ndarray, "ObjectResult"], Any]
"""Called after each interaction with image, object, user, what is shown, mask and result so far."""


class ProtocolSegmenter(Protocol):
    """What the protocol asks of a segmenter; `napari_clickseg.Segmenter` is one."""

    def set_image(self, image: np.ndarray) -> Any:
        """Start on an image, without any click."""

    def click(self, row: float, col: float, positive: bool = True) -> Any:
        """Add a click and predict. `stroke` and `contour` do the like, where users draw them."""

    @property
    def mask(self) -> Any:
        """The mask so far: whatever `numpy.asarray` makes (H, W) bool of."""


@dataclass(frozen=True)
class ObjectResult:
    """What one object took.

    Attributes
    ----------
    image : str
        Name of the image.
    label : int
        The object's number in the image.
    area : int
        Pixels of the object.
    ious : tuple of float
        IoU after each interaction.
    seconds : tuple of float
        Time of each prediction alone.
    boundary_ious : tuple of float
        Boundary IoU after each interaction; empty if it was not measured.
    user_seconds, metric_seconds : tuple of float
        Time of each simulated interaction, and of measuring after it.
    reading_seconds : float
        Time to read the image, at the first object of it; 0 at the others.
    interactions : tuple of Interaction
        What the simulated user said, in pixels of the image as it was shown.
    mask_area : int
        Pixels of the last mask.
    variant : str
        Of the user; see `UserVariant`.
    """

    image: str
    label: int
    area: int
    ious: tuple[float, ...]
    seconds: tuple[float, ...]
    boundary_ious: tuple[float, ...] = ()
    user_seconds: tuple[float, ...] = ()
    metric_seconds: tuple[float, ...] = ()
    reading_seconds: float = 0.0
    interactions: tuple[Interaction, ...] = ()
    mask_area: int = 0
    variant: str = ""


def evaluate_object(
    segmenter: ProtocolSegmenter,
    target: np.ndarray,
    terms: Terms | None = None,
    user: SimulatedUser | None = None,
    rng: np.random.Generator | None = None,
    watch: Callable[[np.ndarray, ObjectResult], Any] | None = None,
    cancelled: Callable[[], bool] | None = None,
    measured: Callable[[np.ndarray], np.ndarray] | None = None,
    original: np.ndarray | None = None,
) -> ObjectResult:
    """Click on one object until its mask is good. The segmenter has the image and no clicks yet.

    Parameters
    ----------
    segmenter : ProtocolSegmenter
    target : (H, W) int array
        1 object, 0 background, -1 ignore.
    terms : Terms, optional
    user : SimulatedUser, optional
        The published one, who clicks where the mask is most wrong, by default.
    rng : numpy.random.Generator, optional
        What is random about the user.
    watch : callable, optional
        Called after each interaction with the mask and the result so far.
    cancelled : callable, optional
        Asked before each interaction.
    measured : callable, optional
        Brings a mask to the size of `original`, the target to measure against.
    original : (H, W) int array, optional
        `target` by default.

    Returns
    -------
    ObjectResult
        Of an image without name.

    Raises
    ------
    ValueError
        If `target` has no object or a size other than the image's.
    Cancelled
        If `cancelled` answered yes.
    """
    terms, user = terms or Terms(), user or CentreClicker()
    rng = np.random.default_rng(0) if rng is None else rng
    original = target if original is None else original
    if not (target == 1).any():
        raise ValueError("The target has no object pixel, so there is nothing to click on.")
    mask = np.zeros(target.shape, bool)
    result = ObjectResult("", 1, int(np.count_nonzero(original == 1)), (), ())
    last = False
    while len(result.ious) < terms.n_clicks and not last:
        if cancelled is not None and cancelled():
            raise Cancelled
        times = [time.perf_counter()]
        last = isinstance(user, CentreClicker) and user.gives_up(mask, target, result.interactions)
        said = user.next(mask, target, result.interactions, rng)
        times.append(time.perf_counter())
        _say(segmenter, said)
        times.append(time.perf_counter())
        mask = np.asarray(segmenter.mask, dtype=bool)
        shown = mask if measured is None else measured(mask)
        found = iou(shown, original)
        edges = result.boundary_ious
        if terms.boundary is not None:
            edges = (*edges, boundary_iou(shown, original, terms.boundary))
        times.append(time.perf_counter())
        user_time, network_time, metric_time = np.diff(times).tolist()
        result = replace(
            result,
            ious=(*result.ious, float(np.float32(found))),  # as published
            seconds=(*result.seconds, network_time),
            boundary_ious=edges,
            user_seconds=(*result.user_seconds, user_time),
            metric_seconds=(*result.metric_seconds, metric_time),
            interactions=(*result.interactions, said),
            mask_area=int(np.count_nonzero(shown)),
        )
        if watch is not None:
            watch(mask, result)
        if terms.reached(len(result.ious), found):
            break
    return result


def _say(segmenter: Any, said: Interaction) -> None:
    if isinstance(said, Click):
        segmenter.click(said.row, said.col, positive=said.positive)
    else:
        getattr(segmenter, said.kind)(said.points, positive=said.positive)


def chosen_objects(scene: Scene, objects: Objects = "all") -> tuple[int, ...]:
    """Ids of a scene's objects that have pixels.

    Parameters
    ----------
    scene : Scene
    objects : "all", "largest" or int
        Every object, the largest, or the so many largest; of equal ones the lower id first.
    """
    areas = {item.id: int(np.count_nonzero(scene.mask(item.id))) for item in scene.objects}
    ids = [number for number in areas if areas[number]]
    if objects == "all":
        return tuple(ids)
    keep = 1 if objects == "largest" else int(objects)
    return tuple(sorted(ids, key=lambda number: (-areas[number], number))[:keep])


def click_scene(
    segmenter: ProtocolSegmenter,
    scene: Scene,
    terms: Terms,
    variants: Sequence[UserVariant] | None = None,
    objects: Objects = "all",
    data: str = "",
    reading_seconds: float = 0.0,
    done: frozenset[tuple[str, int, str]] = frozenset(),
    watch: Watch | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[str, ObjectResult]]:
    """Click on the objects of one image. Every object begins without clicks.

    Parameters
    ----------
    segmenter : ProtocolSegmenter
    scene : Scene
    terms : Terms
    variants : sequence of UserVariant, optional
        Each clicks on every object. The published user alone by default.
    objects : "all", "largest" or int
        See `chosen_objects`.
    data : str
        Name of the data set; it decides, with image and object, what random users do.
    reading_seconds : float
        What reading the scene took.
    done : frozenset of (str, int, str)
        User, object and variant of what is not to be done again.
    watch, cancelled : callable, optional

    Yields
    ------
    user : str
        Name of the simulated user.
    result : ObjectResult
    """
    variants = variants or user_variants("centre")
    for label in chosen_objects(scene, objects):
        todo = [v for v in variants if (v.name, label, v.variant) not in done]
        if not todo:
            continue
        shown = at_size(scene.image, scene.target(label), terms)
        if not (shown.target == 1).any():
            continue  # so small that nothing is left of it at that size
        for each in todo:
            segmenter.set_image(shown.image)
            seen = None
            if watch is not None:

                def seen(
                    mask: np.ndarray,
                    result: ObjectResult,
                    label: int = label,
                    each: UserVariant = each,
                    shown: Sized = shown,
                ) -> None:
                    watch(
                        scene.id, label, f"{each.name} {each.variant}".strip(), shown, mask, result
                    )

            result = evaluate_object(
                segmenter,
                shown.target,
                terms,
                each.user,
                hand(each.seed, data, scene.id, label),
                seen,
                cancelled,
                shown.measured,
                shown.original,
            )
            named = replace(
                result,
                image=scene.id,
                label=label,
                variant=each.variant,
                reading_seconds=reading_seconds,
            )
            reading_seconds = 0.0
            yield each.name, named
