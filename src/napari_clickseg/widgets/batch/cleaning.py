"""How refined masks are cleaned: a folded section of the batch dock."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from ..model.fields import CLEANING_ROWS, cleaning_fields, getter, setter, signal
from ..model.options import base_profile, profile_values
from ..section import Section
from ..tooltips import tooltip

__all__ = ["CleaningSection"]


class CleaningSection(Section):
    """Fields of a profile that clean a mask; those left alone stay the model's own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Cleaning", parent)
        self.fields = cleaning_fields()
        self._touched: set[str] = set()
        form = self.add_form()
        shown = profile_values(base_profile(None, {}))
        for name, widget in self.fields.items():
            widget.setObjectName(name)
            widget.setToolTip(tooltip(name))
            setter(widget)(shown[name])
            signal(widget).connect(lambda *_, name=name: self._touched.add(name))
            form.addRow(CLEANING_ROWS[name], widget)

    @property
    def values(self) -> tuple[tuple[str, Any], ...]:
        """Names and values of those that were set."""
        return tuple((n, getter(w)()) for n, w in self.fields.items() if n in self._touched)
