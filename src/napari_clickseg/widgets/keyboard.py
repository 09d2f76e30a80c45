"""What people need who use docks without a mouse, or without seeing them."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QFormLayout, QLabel, QLayout, QLayoutItem, QWidget

__all__ = ["FOCUS", "in_order", "name_fields"]

FOCUS = """
QPushButton:focus, QCheckBox:focus { outline: 2px solid #f08c1a; }
QComboBox:focus, QAbstractSpinBox:focus, QLineEdit:focus, QTextEdit:focus, QSlider:focus,
QAbstractItemView:focus { border: 1px solid #f08c1a; }
"""
"""Style that shows which control has the keyboard, in a colour that stands out in both themes."""


def in_order(layout: QLayout) -> Iterator[QWidget]:
    """The controls of a layout as they are seen, one after the other."""
    for number in range(layout.count()):
        yield from _controls(layout.itemAt(number))


def name_fields(top: QWidget) -> None:
    """Name fields after their rows in forms, for screen readers, where Qt does not.

    Qt names those that fill their row; of several in a row, the first one gets its name here.
    """
    for form in top.findChildren(QFormLayout):
        title = ""
        for row in range(form.rowCount()):
            label = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
            field = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
            words = None if label is None else label.widget()
            if isinstance(words, QLabel):
                title = words.text() or title
            for control in () if field is None else _controls(field):
                named = isinstance(control, QAbstractButton) or control.accessibleName()
                if not named and title:
                    control.setAccessibleName(title)


def _controls(item: QLayoutItem) -> Iterator[QWidget]:
    widget = item.widget()
    if widget is not None and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
        yield widget
    inner = item.layout() if widget is None else widget.layout()
    if inner is not None:
        yield from in_order(inner)
