"""Widgets for single values, and how they are read and written alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from ...engine.profiles import KEPT_PARTS, MOST_SMOOTH

__all__ = [
    "CLEANING_ROWS",
    "choice",
    "cleaning_fields",
    "decimal",
    "getter",
    "number",
    "setter",
    "signal",
]

CLEANING_ROWS = {
    "fill_holes": "Holes",
    "keep_parts": "Parts",
    "min_size": "Min size",
    "smooth": "Smooth",
}
"""What stands beside the fields."""


def choice(texts: tuple[str, ...]) -> QComboBox:
    """A combo box with these entries."""
    box = QComboBox()
    box.addItems(texts)
    return box


def number(
    low: int, high: int, step: int = 1, suffix: str = "", special: str | None = None
) -> QSpinBox:
    """A spin box; `special` is shown for the lowest value."""
    return _limited(QSpinBox(), low, high, step, suffix, special)


def decimal(
    low: float, high: float, step: float, suffix: str, special: str | None = None, places: int = 1
) -> QDoubleSpinBox:
    """A spin box with decimal places; `special` is shown for the lowest value."""
    box = QDoubleSpinBox()
    box.setDecimals(places)  # before the limits, which are rounded to them
    return _limited(box, low, high, step, suffix, special)


def _limited(
    box: Any, low: float, high: float, step: float, suffix: str, special: str | None
) -> Any:
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setSuffix(suffix)
    box.setKeyboardTracking(False)
    if special is not None:
        box.setSpecialValueText(special)
    return box


def cleaning_fields() -> dict[str, QWidget]:
    """Widgets for the fields of `options.CLEANING`, by name."""
    return {
        "fill_holes": QCheckBox("fill"),
        "keep_parts": choice(KEPT_PARTS),
        "min_size": number(0, 10**9, suffix=" px", special="any size"),
        "smooth": decimal(0.0, MOST_SMOOTH, 0.5, " px", special="none"),
    }


def signal(widget: QWidget) -> Any:
    """Emitted when the value changes."""
    if isinstance(widget, QCheckBox):
        return widget.toggled
    return widget.currentTextChanged if isinstance(widget, QComboBox) else widget.valueChanged


def setter(widget: QWidget) -> Callable[[Any], None]:
    """What sets the value of a widget."""
    if isinstance(widget, QCheckBox):
        return widget.setChecked
    return widget.setCurrentText if isinstance(widget, QComboBox) else widget.setValue


def getter(widget: QWidget) -> Callable[[], Any]:
    """What tells the value of a widget."""
    if isinstance(widget, QCheckBox):
        return widget.isChecked
    return widget.currentText if isinstance(widget, QComboBox) else widget.value
