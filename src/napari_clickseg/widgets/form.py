"""Rows of a name and a field."""

from __future__ import annotations

from qtpy.QtWidgets import QFormLayout, QWidget

__all__ = ["wide_form"]


def wide_form(parent: QWidget | None = None) -> QFormLayout:
    """A form without margins whose fields are as wide as there is room."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form
