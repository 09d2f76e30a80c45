"""Which model answers, with which options. No Qt, no napari."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from ...engine.mask_rule import MaskRule
from ...engine.profiles import Profile
from ..model.options import base_profile, overrides
from ..model.predictors import Choice, PredictorCache
from .unfinished import Unfinished

if TYPE_CHECKING:
    from ...models.base import ModelSpec

__all__ = ["Chosen"]


class Chosen(Unfinished):
    """Objects in work, and the model that the user chose for them.

    Parameters
    ----------
    cache : PredictorCache
        Where models are loaded.
    """

    changed = Signal()
    reverted = Signal()

    def __init__(self, cache: PredictorCache) -> None:
        super().__init__()
        self._cache = cache
        self.choice: Choice | None = None
        self._last_good: Choice | None = None
        self.error: str | None = None
        self._threshold: float | None = None
        self._cleaning: dict[str, Any] = {}

    def choose(self, choice: Choice | None) -> None:
        """Use another model, device or options from the next click on."""
        if choice != self.choice:
            self.choice = choice
            self._last_good = self._last_good or choice
            self.error = None
            self.changed.emit()

    @property
    def profile(self) -> Profile:
        """The profile whose numbers the options override."""
        return base_profile(self._cache.spec, dict(self.choice.touched if self.choice else ()))

    @property
    def settings(self) -> dict[str, Any]:
        """What masks are made with now: the profile's name and the fields of it that differ."""
        touched = dict(self.choice.touched if self.choice else ())
        found = {"profile": self.profile.name, **overrides(touched, self.profile, self._cache.spec)}
        if self._threshold is not None:
            found["threshold"] = self._threshold
        return found | self._cleaning

    @property
    def cache(self) -> PredictorCache:
        """Where models are loaded; for the worker."""
        return self._cache

    @property
    def model_loaded(self) -> bool:
        """Whether the chosen model is ready for clicks."""
        return self.choice is not None and self._cache.holds(self.choice)

    @property
    def spec(self) -> ModelSpec | None:
        """Facts about the chosen model, once it is loaded."""
        return self._cache.spec if self.model_loaded else None

    def _go_back(self) -> bool:
        """Choose the model before again; False if there is none, or the chosen one is loaded."""
        before = self._last_good
        if self.model_loaded or before is None or before.same_model(self.choice):
            return False
        self.choice = before
        self.reverted.emit()
        return True

    @property
    def threshold(self) -> float:
        """Probability above which a pixel is shown: the user's, else that of the model."""
        if self._threshold is not None:
            return self._threshold
        return self.profile.threshold

    @property
    def rule(self) -> MaskRule:
        """What of the probabilities is shown as mask: as the user set it, else as the model has."""
        own = replace(MaskRule.of(self.profile), threshold=self.threshold)
        return replace(own, **self._cleaning)
