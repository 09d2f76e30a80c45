"""The collapsed section of the dock: cleaning of masks, and what overrides the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QWidget

from ...engine.profiles import NO_BRS, Profile
from ..section import Section
from ..tooltips import tooltip
from .fields import CLEANING_ROWS, choice, cleaning_fields, decimal, getter, number, setter, signal
from .options import (
    CLEANING,
    PROFILE_NAMES,
    REFINEMENTS,
    base_profile,
    idle_fields,
    profile_values,
    refinements_lacking,
)

if TYPE_CHECKING:
    from ...models.base import ModelSpec

__all__ = ["AdvancedPanel"]

ROWS = {
    **CLEANING_ROWS,
    "profile": "Profile",
    "zoom_in": "ZoomIn",
    "zoom_expansion": "Expansion",
    "zoom_target": "Target size",
    "zoom_fixed": "Fixed crop",
    "zoom_skip": "Skip clicks",
    "longest_side": "Longest side",
    "flip": "Flip",
    "refinement": "Refinement",
    "brs_evaluations": "Iterations",
    "brs_seconds": "Time limit",
    "max_clicks": "Network clicks",
    "cascade_steps": "CFR steps",
    "cascade_adaptive": "CFR end",
    "bfloat16": "Precision",
}


class AdvancedPanel(Section):
    """Options that override fields of the model's profile.

    Only options that the user touched are sent; for the rest every model keeps its own numbers.

    Signals
    -------
    edited
        An option changed; read `touched`.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Advanced", parent)
        self._touched: set[str] = set()
        self._shown = False  # whether nothing was edited since the model was shown
        self._filling = False
        self._spec: ModelSpec | None = None
        self._base: Profile = base_profile(None, {})
        for name, widget in cleaning_fields().items():
            setattr(self, name, widget)
        self.profile = choice(PROFILE_NAMES)
        self.zoom_in = QCheckBox("zoom in on object")
        self.zoom_expansion = decimal(1.0, 4.0, 0.1, " ×", places=2)
        self.zoom_target = number(0, 2048, step=32, suffix=" px", special="as it is")
        self.zoom_fixed = QCheckBox("square, whatever its shape")
        self.longest_side = number(0, 8192, step=100, suffix=" px", special="as it is")
        self.zoom_skip = number(-1, 1000, special="zoom at once")
        self.flip = QCheckBox("average mirrored")
        self.refinement = choice(REFINEMENTS)
        self.brs_evaluations = number(1, 1000, suffix=" at most")
        self.brs_seconds = decimal(0.0, 600.0, 0.5, " s", special="none")
        self.max_clicks = number(0, 1000, special="all")
        self.cascade_steps = number(0, 1000, special="none")
        self.cascade_adaptive = QCheckBox("early, once the mask settles")
        self.bfloat16 = QCheckBox("bfloat16 where it is faster")
        self._lay_out()
        self._connect()
        self.show_model(None, self._base)

    def _lay_out(self) -> None:
        form = self.add_form()
        for name, text in ROWS.items():
            form.addRow(text, getattr(self, name))

    def _connect(self) -> None:
        for name in ROWS:
            widget = getattr(self, name)
            widget.setObjectName(name)
            signal(widget).connect(lambda *_, name=name: self._on_edit(name))

    def _on_edit(self, name: str) -> None:
        if not self._filling:
            self._touched.add(name)
            self._shown = False
            self._enable()
            self.edited.emit()

    def show_model(self, spec: ModelSpec | None, base: Profile) -> None:
        """Offer what a model can do, and show its own numbers in the options left alone.

        Parameters
        ----------
        spec : ModelSpec or None
            Of the loaded model; None before one is loaded.
        base : Profile
            Whose numbers the options override.
        """
        if self._shown and spec is self._spec and base == self._base:
            return
        self._spec, self._base, self._shown = spec, base, True
        lacking = refinements_lacking(spec)
        for row, kind in enumerate(REFINEMENTS):
            item = self.refinement.model().item(row)
            item.setEnabled(kind not in lacking)
            item.setToolTip(lacking.get(kind, ""))
        if self.refinement.currentText() in lacking:
            self._touched.discard("refinement")
        self._filling = True
        for name, value in profile_values(base).items():
            if name not in self._touched:
                setter(getattr(self, name))(value)
        self._filling = False
        self._enable()

    def forget(self) -> None:
        """Leave all options to the model's own numbers again."""
        self._touched.clear()
        self._shown = False

    def _enable(self) -> None:
        self.max_clicks.setSpecialValueText(
            "all" if self.refinement.currentText() == NO_BRS else "as published"
        )
        idle = idle_fields({name: self._value(name) for name in ROWS}, self._base, self._spec)
        for name in ROWS:
            widget = getattr(self, name)
            widget.setEnabled(name not in idle)
            widget.setToolTip("\n".join(filter(None, (tooltip(name), idle.get(name)))))

    def _value(self, name: str) -> Any:
        return getter(getattr(self, name))()

    @property
    def touched(self) -> dict[str, Any]:
        """Options that the user set, by name; but for those of `cleaning`."""
        return {name: value for name, value in self._all.items() if name not in CLEANING}

    @property
    def cleaning(self) -> dict[str, Any]:
        """How the user wants masks to be cleaned, by fields of `Profile`."""
        return {name: value for name, value in self._all.items() if name in CLEANING}

    @property
    def _all(self) -> dict[str, Any]:
        return {name: self._value(name) for name in ROWS if name in self._touched}
