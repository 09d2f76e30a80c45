"""Learning-rate schedules as functions of the place in a run, so that nothing has to be kept."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

__all__ = ["KINDS", "Schedule"]

KINDS = ("constant", "multi_step", "step", "cosine", "poly")


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes.

    Attributes
    ----------
    kind : {"constant", "multi_step", "step", "cosine", "poly"}
        ``multi_step`` multiplies by `factor` at the epochs of `at`, ``step`` every `every` epochs;
        ``cosine`` falls to `final` over the run, changing once per epoch; ``poly`` falls as
        ``(1 - place) ** power`` from the end of the warm-up, changing at every gradient step.
    at : tuple of int
        Epochs, from 0.
    every : int
        Epochs.
    factor : float
    power : float
    final : float
        Learning rate at the end, relative to the first (``cosine``, ``poly``).
    warmup : int
        Gradient steps of linear warm-up.
    warmup_from : float
        Learning rate at its beginning, relative to the full one.
    """

    kind: str = "constant"
    at: tuple[int, ...] = ()
    every: int = 30
    factor: float = 0.1
    power: float = 0.9
    final: float = 0.0
    warmup: int = 0
    warmup_from: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no schedule '{self.kind}'; there are {', '.join(KINDS)}")
        if list(self.at) != sorted(self.at):
            raise ValueError(f"the epochs of a schedule go up, not {list(self.at)}")
        object.__setattr__(self, "at", tuple(self.at))

    def at_step(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Learning rate relative to the recipe's at gradient step `step` of a run, from 0.

        Parameters
        ----------
        step, steps_per_epoch, epochs : int
        """
        epoch = step // steps_per_epoch
        start = 1.0
        if step < self.warmup:
            start = self.warmup_from + (1 - self.warmup_from) * step / self.warmup
        if self.kind == "multi_step":
            value = self.factor ** bisect.bisect_right(self.at, epoch)
        elif self.kind == "step":
            value = self.factor ** (epoch // self.every)
        elif self.kind == "cosine":
            wave = 0.5 * (1 + math.cos(math.pi * epoch / epochs))
            value = self.final + (1 - self.final) * wave
        elif self.kind == "poly":
            falling = max(1, steps_per_epoch * epochs - self.warmup)
            left = min(1.0, max(0.0, 1 - (step - self.warmup) / falling))
            value = self.final + (1 - self.final) * left**self.power
        else:
            value = 1.0
        return start * value
