"""The buttons and fields of the dock below the image and model: the click rhythm."""

from __future__ import annotations

import re
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider, QLargeIntSpinBox

from ..form import wide_form
from ..objects.masks import POLICIES
from ..tooltips import tooltip

__all__ = ["Controls", "Pill", "labelled_button", "labelled_slider"]

KEY = re.compile(r" \([^()]+\)|\.\.\.$")
MARGIN = 8
"""Pixels of a button that its text does not have."""
PILL = {
    "no image": ("#6b7280", "white"),
    "no model": ("#6b7280", "white"),
    "ready": ("#2563a8", "white"),
    "loading": ("#b45309", "white"),
    "clicking": ("#15803d", "white"),
    "running": ("#b45309", "white"),
    "refining": ("#b45309", "white"),
    "paused": ("#6b7280", "white"),
    "error": ("#b91c1c", "white"),
}


class Pill(QLabel):
    """A small rounded label that names the state, in words and in colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pill")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_state(self, state: str, done: float = 0.0) -> None:
        """Show one of the keys of `PILL`, with a percentage if a part of it, 0 to 1, is done."""
        text = f"{state} {done:.0%}" if done else state
        if text == self.text():
            return
        back, front = PILL[state]
        self.setText(text)
        self.setStyleSheet(
            f"background: {back}; color: {front}; border-radius: 7px; padding: 1px 8px;"
            " font-size: 11px; min-height: 15px;"
        )


class Controls(QWidget):
    """Start, polarity, undo, accept, label and threshold. Only widgets; the dock connects them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.start = labelled_button("start", "Start clicking", big=True)
        self.positive = labelled_button("positive", "+ object (T)")
        self.negative = labelled_button("negative", "- background (T)")
        group = QButtonGroup(self)
        for button in (self.positive, self.negative):
            button.setCheckable(True)
            group.addButton(button)
        self.positive.setChecked(True)
        self.undo = labelled_button("undo", "Undo (Ctrl+Z)")
        self.redo = labelled_button("redo", "Redo (Ctrl+Shift+Z)")
        self.reset = labelled_button("reset", "Reset object (R)")
        self.cancel = labelled_button("cancel", "Cancel (K)")
        self.accept = labelled_button("accept", "Accept → next (N)", big=True)
        self.accept_part = labelled_button("accept_part", "Accept part (Shift+N)")
        self.threshold = labelled_slider("Threshold", 0.05, 0.95)
        self._threshold_moved = False
        self.threshold.valueChanged.connect(self._on_threshold)
        self.label = QLargeIntSpinBox()
        self.label.setRange(1, 2**32 - 1)
        self.label.setValue(1)
        self.label.setAccessibleName("Label id")
        self.swatch = QLabel()
        self.swatch.setFixedSize(22, 22)
        self.policy = QComboBox()
        self.policy.addItems(POLICIES)
        for name in ("threshold", "label", "policy"):
            widget = getattr(self, name)
            widget.setObjectName(name)
            widget.setToolTip(tooltip(name))
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.start)
        grid = QGridLayout()
        grid.setSpacing(4)
        pairs = ((self.positive, self.negative), (self.undo, self.redo), (self.reset, self.cancel))
        for row, pair in enumerate(pairs):
            for col, button in enumerate(pair):
                grid.addWidget(button, row, col)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        column.addWidget(self.accept)
        column.addWidget(self.accept_part)
        form = wide_form()
        label_row = QHBoxLayout()
        label_row.setSpacing(4)
        label_row.addWidget(self.label, 1)
        label_row.addWidget(self.swatch)
        form.addRow("Label id", label_row)
        form.addRow("Overlap", self.policy)
        form.addRow("Threshold", self.threshold)
        column.addLayout(form)

    def _on_threshold(self) -> None:
        self._threshold_moved = True

    def show_threshold(self, threshold: float) -> None:
        """Show a model's own threshold, unless the user moved the slider."""
        if not self._threshold_moved:
            blocked = self.threshold.blockSignals(True)
            self.threshold.setValue(threshold)
            self.threshold.blockSignals(blocked)

    def show_colour(self, colour: tuple[float, ...] | None) -> None:
        """Show the colour that the next label will have; None shows nothing."""
        style = ""
        if colour is not None:
            red, green, blue = (round(255 * c) for c in colour[:3])
            style = f"background: rgb({red}, {green}, {blue}); border-radius: 4px;"
        if style != self.swatch.styleSheet():  # a style is costly, even the same again
            self.swatch.setStyleSheet(style)


class _Button(QPushButton):
    """Leaves the key in brackets, or dots at the end, out where there is no room for it."""

    def paintEvent(self, event: Any) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        width = max(map(option.fontMetrics.horizontalAdvance, self.text().split("\n")))
        if width > self.width() - MARGIN:
            option.text = KEY.sub("", self.text())
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)


def labelled_slider(what: str, low: float, high: float) -> QLabeledDoubleSlider:
    """A slider in steps of a hundredth, at which Tab stops once; `what` is for screen readers."""
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setSingleStep(0.01)
    slider.setDecimals(2)
    slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    slider.findChild(QSlider).setAccessibleName(what)
    return slider


def labelled_button(name: str, text: str, big: bool = False) -> QPushButton:
    """A button with its object name, text and tooltip; big ones stand out."""
    button = _Button(text)
    button.setObjectName(name)
    button.setToolTip(tooltip(name))
    button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(1)  # in a narrow dock the text is cut, and the tooltip has it all
    if big:
        button.setMinimumHeight(34)
        button.setStyleSheet("font-weight: bold;")
    else:
        button.setStyleSheet("padding: 4px 2px;")
    return button
