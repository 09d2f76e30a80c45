"""How preview, clicks and lines are shown. Nothing here changes a mask."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ..form import wide_form
from ..layers.own import ON_SCREEN, ClickLayers
from ..section import Section
from ..tooltips import tooltip
from .controls import labelled_button, labelled_slider

__all__ = ["ViewPanel"]


class ViewPanel(Section):
    """Opacity, outlines, click size and line width.

    Signals
    -------
    edited
        One of them changed; `apply` shows it.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("View", parent)
        self.opacity = labelled_slider("Opacity", 0.0, 1.0)
        self.opacity.setValue(0.5)
        self.outline = QCheckBox("outline only (U)")
        self.click_size = _number(0, 40, int(ON_SCREEN), " px")
        self.click_size.setSpecialValueText("hidden")
        self.line_width = _number(1, 14, 3, " px")
        self.region = QCheckBox("what the model saw")
        self.picture = QLabel()
        self.picture.setObjectName("picture")
        self.picture.setToolTip(tooltip("picture"))
        self.picture.hide()
        self.hide_preview = labelled_button("hide_preview", "Hold to hide (H)")
        self.jump = labelled_button("jump", "Go to object (J)")
        for name in ("opacity", "outline", "click_size", "line_width", "region"):
            getattr(self, name).setObjectName(name)
            getattr(self, name).setToolTip(tooltip(name))
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(4, 0, 0, 0)
        form = wide_form()
        form.addRow("Opacity", self.opacity)
        form.addRow("Preview", self.outline)
        form.addRow("Click size", self.click_size)
        form.addRow("Line width", self.line_width)
        form.addRow("Region", self.region)
        form.addRow("", self.picture)
        column.addLayout(form)
        buttons = QHBoxLayout()
        buttons.addWidget(self.hide_preview, 1)
        buttons.addWidget(self.jump, 1)
        column.addLayout(buttons)
        self.addWidget(body)
        self.opacity.valueChanged.connect(lambda _: self.edited.emit())
        self.outline.toggled.connect(lambda _: self.edited.emit())
        self.click_size.valueChanged.connect(lambda _: self.edited.emit())
        self.line_width.valueChanged.connect(lambda _: self.edited.emit())

    def show_picture(self, pixels: np.ndarray | None) -> None:
        """Show ``(h, w, 3)`` uint8 pixels below the box of the region; None: nothing."""
        self.picture.setVisible(pixels is not None)
        if pixels is not None:
            (height, width), pixels = pixels.shape[:2], np.ascontiguousarray(pixels)
            image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            self.picture.setPixmap(QPixmap.fromImage(image))

    def apply(self, layers: ClickLayers) -> None:
        """Show clicks this way."""
        size = (
            self.click_size.value() * self.devicePixelRatioF()
        )  # napari counts those of the device
        for points in layers.points:
            points.canvas_size_limits = (max(size, 1.0), max(size, 1.0))
            points.shown = size > 0


def _number(low: int, high: int, value: int, suffix: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setSuffix(suffix)
    box.setValue(value)
    return box
