"""The predictor that the worker uses: loaded once per model and device, rebuilt on new options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import messages
from .device_memory import memory_in_use
from .options import base_profile, overrides

if TYPE_CHECKING:
    from ...cancel import Progress
    from ...engine.predictor import Predictor
    from ...engine.profiles import Profile
    from ...models.base import ClickModel, ModelSpec

__all__ = ["Choice", "PredictorCache", "list_devices"]

LEAST_VIEW = 64
"""Network pixels below which a view is not made smaller for want of memory."""


@dataclass(frozen=True)
class Choice:
    """What the dock asks for.

    Parameters
    ----------
    model : str
        Name in the zoo or path of a model file.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda:0"``, ``"mps"``.
    touched : tuple of (str, value)
        Fields of the Advanced section that the user set; see `options.overrides`.
    written : int
        When the model's file had been written as it was chosen, in ns; a training that goes on
        writes other weights into the same file.
    """

    model: str
    device: str = "auto"
    touched: tuple[tuple[str, Any], ...] = ()
    written: int = 0

    def same_model(self, other: Choice) -> bool:
        """Whether the other one asks for the same model on the same device."""
        return replace(self, touched=()) == replace(other, touched=())


def list_devices() -> list[str]:
    """Devices to offer, found without importing torch; loading a model checks them."""
    import shutil
    import sys
    from pathlib import Path

    names = ["auto", "cpu"]
    cards = sorted(Path("/dev").glob("nvidia[0-9]*")) if sys.platform == "linux" else []
    if cards:
        names += [f"cuda:{index}" for index in range(len(cards))]
    elif shutil.which("nvidia-smi"):
        names.append("cuda:0")
    if sys.platform == "darwin":
        names.append("mps")
    return names


class PredictorCache:
    """Keeps the last model and predictor. Used by one worker thread at a time.

    Parameters
    ----------
    load : callable, optional
        ``load(model, device) -> ClickModel``; by default the zoo's `load_model`.

    Attributes
    ----------
    threads : int
        That a network on the processor may use; 0 leaves that to PyTorch.
    memory : str
        What of the device's memory is in use, as it was last looked at.
    """

    def __init__(self, load: Callable[[str, str], ClickModel] | None = None) -> None:
        self._load = load
        self._model: ClickModel | None = None
        self._predictor: Predictor | None = None
        self._choice: Choice | None = None
        self.threads, self.memory = 0, ""

    def holds(self, choice: Choice) -> bool:
        """Whether the model of this choice is loaded."""
        return self._choice is not None and self._choice.same_model(choice)

    @property
    def spec(self) -> ModelSpec | None:
        """Facts about the loaded model."""
        return None if self._model is None else self._model.spec

    def get(self, choice: Choice, progress: Progress | None = None) -> Predictor:
        """The predictor for a choice; loads the model if need be (this imports torch).

        `progress` is told which part of the model was read, 0 to 1.

        Raises
        ------
        ValueError
            If the model, the device or an option does not exist, or the model takes no clicks; the
            text says what to do. The model before is kept then.
        """
        predictor = self._predictor
        if predictor is None or self._choice != choice:
            model = self._model if self.holds(choice) else self._loaded(choice, progress)
            predictor = _build(model, choice)
            self._model, self._predictor, self._choice = model, predictor, choice
        return predictor

    @property
    def device(self) -> str:
        """Where the loaded model runs, such as ``"cpu"`` or ``"cuda:0"``."""
        weight = None if self._model is None else next(self._model.parameters(), None)
        return "cpu" if weight is None else str(weight.device)

    def look_at_memory(self) -> None:
        """Note what of the device's memory is in use; for the worker, which waits for it anyway."""
        self.memory = memory_in_use(self.device)

    def get_smaller(self, choice: Choice, shape: tuple[int, int]) -> tuple[Predictor, int, int]:
        """A predictor that looks at half as many rows and columns, used from now on.

        Parameters
        ----------
        choice : Choice
            As was asked for.
        shape : (int, int)
            Of the image.

        Returns
        -------
        (Predictor, int, int)
            And the longest side of its views before and now, in network pixels.

        Raises
        ------
        MemoryError
            If the network's views have one size only, or are small already.
        """
        model, profile = self._model, self.get(choice).profile
        before = _longest(profile, shape)
        after = before // 2
        if model.spec.fixed_size is not None or after < LEAST_VIEW:
            raise MemoryError(messages.short_of_memory(self.device, before, None))
        touched = dict(choice.touched) | {"longest_side": after}
        if profile.zoom_in is not None:
            touched["zoom_target"] = after
        self._predictor = _build(model, replace(choice, touched=tuple(touched.items())))
        return self._predictor, before, after

    def forget_images(self) -> None:
        """Let go of all pixels and image features; the model stays.

        May be called from any thread: a job that still runs keeps its predictor until it ends.
        """
        self._predictor = None

    def _loaded(self, choice: Choice, progress: Progress | None) -> ClickModel:
        if self._load is None:
            from ...models.zoo import load_model

            model = load_model(choice.model, choice.device, progress)
        else:
            model = self._load(choice.model, choice.device)
        if self.threads:
            import torch

            torch.set_num_threads(self.threads)
        if "click" not in model.spec.interactions:
            raise ValueError(messages.no_clicks(model.spec.interactions))
        return model


def _longest(profile: Profile, shape: tuple[int, int]) -> int:
    """Longest side of the views of an image, in network pixels."""
    target = None if profile.zoom_in is None else profile.zoom_in.target_size
    sizes = [profile.network_size or max(shape)]
    if target:
        sizes.append(max(target) if isinstance(target, tuple) else target)
    return max(sizes)


def _build(model: ClickModel, choice: Choice) -> Predictor:
    from ...engine.predictor import Predictor

    touched = dict(choice.touched)
    base = base_profile(model.spec, touched)
    return Predictor(model, base.override(**overrides(touched, base, model.spec)))
