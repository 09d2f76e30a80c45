"""The part of an evaluation that one process does: a model and the images of a data set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..data.datasets import open_dataset
from ..data.scenes import Scene, SceneDataset
from .eval_modes import profile_for
from .machine import peak_memory
from .protocol import ObjectResult, Objects, click_scene
from .shown import Shown
from .terms import Terms
from .users import UserVariant

__all__ = ["Job", "Measured", "forget", "measure_image"]

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What to measure. A plain value that any process can work from.

    Attributes
    ----------
    model : str
        Name in the zoo or path, or several with commas between them.
    data : str
        Name or path of a data set, see `open_dataset`.
    terms : Terms
    variants : tuple of UserVariant
    objects : "all", "largest" or int
    device : str
    profile : str or None
        The model's own if None.
    overrides : mapping
        Fields of the profile.
    eval_mode : str
        See `profile_for`.
    norm_radius : float or None
        Radius of the clicks' maps in network pixels; the model's own if None.
    threads : int or None
        Of each process; None leaves torch's.
    shown : Shown or None
        What pictures and masks are written.
    """

    model: str
    data: str
    terms: Terms
    variants: tuple[UserVariant, ...]
    objects: Objects = "all"
    device: str = "auto"
    profile: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    eval_mode: str = "cvpr"
    norm_radius: float | None = None
    threads: int | None = None
    shown: Shown | None = None

    def dataset(self) -> SceneDataset:
        """The data set, opened once in each thread."""
        return _recall("data", self.data, lambda: open_dataset(self.data))

    def segmenter(self) -> Any:
        """The model under its profile, loaded once in each thread."""
        from ..engine.segmenter import Segmenter

        def load() -> Any:
            if self.threads is not None:
                import torch

                torch.set_num_threads(self.threads)
            model = load_one_or_several(self.model, self.device)
            if self.norm_radius is not None:
                set_radius(model, self.norm_radius)
            return model

        def make() -> Any:
            wanted = profile_for(
                model, self.profile, self.overrides, self.eval_mode, self.dataset().name
            )
            return Segmenter(model, profile=wanted)

        which = (self.model, self.device, self.norm_radius)
        model = _recall("model", which, load)
        how = (which, self.profile, repr(self.overrides), self.eval_mode, self.dataset().name)
        return _recall("segmenter", how, make)

    def peak_memory(self) -> int | None:
        """See `machine.peak_memory`; of the GPU if the model is there."""
        latest = getattr(_here, "model", None)
        return peak_memory(str(getattr(latest[1], "device", "cpu")) if latest else "cpu")

    def click(
        self,
        scene: Scene,
        seconds: float,
        done: frozenset[tuple[str, int, str]],
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[str, ObjectResult]]:
        """See `click_scene`."""
        data = self.dataset().name
        return click_scene(
            self.segmenter(),
            scene,
            self.terms,
            self.variants,
            self.objects,
            data,
            seconds,
            done,
            None if self.shown is None else self.shown.watch(data),
            cancelled,
        )


class Measured(NamedTuple):
    """What a process found in one image: the user and result of each object."""

    image: str
    results: list[tuple[str, ObjectResult]]
    peak_memory: int | None


def measure_image(job: Job, index: int, done: frozenset[tuple[str, int, str]]) -> Measured:
    """All objects of one image.

    Works in any process that finds the model and the data where the job says.
    """
    start = time.perf_counter()
    scene = job.dataset()[index]
    results = list(job.click(scene, time.perf_counter() - start, done))
    return Measured(scene.id, results, job.peak_memory())


def load_one_or_several(name: str, device: str) -> Any:
    """A model, or with commas between names one that shows each kind of interaction to its own."""
    from ..models.staged import TypedModel
    from ..models.zoo import load_model

    if "," not in name or Path(name).exists():
        return load_model(name, device=device)
    return TypedModel([load_model(part, device=device) for part in name.split(",")])


def set_radius(model: Any, radius: float) -> None:
    """Give a model's click maps another radius, in network pixels.

    Raises
    ------
    ValueError
        If the model draws no maps with a radius, or none of this size.
    """
    inputs = getattr(model, "inputs", None)
    if inputs is not None:
        model.inputs = replace(inputs, radius=radius)
    elif hasattr(model, "radius") and radius > 0:
        model.radius = radius
    else:
        raise ValueError(
            f"The clicks of {model.spec.architecture} cannot be drawn with a radius of {radius}. "
            "Leave out --norm-radius."
        )


_here = threading.local()


def _recall(kind: str, key: Hashable, make: Callable[[], T]) -> T:
    """The latest of a kind in this thread, made anew for another key."""
    latest = getattr(_here, kind, None)
    if latest is None or latest[0] != key:
        setattr(_here, kind, None)  # room for the next
        latest = key, make()
        setattr(_here, kind, latest)
    return latest[1]


def forget() -> None:
    """Drop the model and the data set that this thread holds."""
    vars(_here).clear()
