"""The collapsed section of the dock: ZoomIn, flip averaging and refinement."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from .tooltips import tooltip

__all__ = ["AdvancedPanel"]


class AdvancedPanel(QCollapsible):
    """Options that override fields of the model's profile.

    Only options that the user touched are sent; for the rest every model keeps its own numbers.

    Signals
    -------
    edited
        An option changed; read `options`.
    """

    edited = Signal()

    def __init__(self, refinements: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__("Advanced", parent, expandedIcon="▾", collapsedIcon="▸")
        self.setDuration(0)
        self._touched: set[str] = set()
        self._filling = False
        body = QWidget()
        form = QFormLayout(body)
        form.setContentsMargins(4, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.zoom_in = QCheckBox("zoom in on object")
        self.zoom_expansion = QDoubleSpinBox()
        self.zoom_expansion.setRange(1.0, 4.0)
        self.zoom_expansion.setSingleStep(0.1)
        self.zoom_expansion.setSuffix(" ×")
        self.zoom_target = QSpinBox()
        self.zoom_target.setRange(64, 2048)
        self.zoom_target.setSingleStep(32)
        self.zoom_target.setSuffix(" px")
        self.zoom_skip = QSpinBox()
        self.zoom_skip.setRange(-1, 20)
        self.zoom_skip.setSpecialValueText("zoom at once")
        self.flip = QCheckBox("average mirrored")
        self.refinement = QComboBox()
        self.refinement.addItems(refinements)
        form.addRow("ZoomIn", self.zoom_in)
        form.addRow("Expansion", self.zoom_expansion)
        form.addRow("Target size", self.zoom_target)
        form.addRow("Skip clicks", self.zoom_skip)
        form.addRow("Flip", self.flip)
        form.addRow("Refinement", self.refinement)
        self.addWidget(body)
        self.content().layout().setContentsMargins(0, 0, 0, 0)
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.setContentsMargins(0, 0, 0, 0)
        self._connect()

    def _connect(self) -> None:
        signals = {
            "zoom_in": self.zoom_in.toggled,
            "zoom_expansion": self.zoom_expansion.valueChanged,
            "zoom_target": self.zoom_target.valueChanged,
            "zoom_skip": self.zoom_skip.valueChanged,
            "flip": self.flip.toggled,
            "refinement": self.refinement.currentTextChanged,
        }
        for name, signal in signals.items():
            widget = getattr(self, name)
            widget.setObjectName(name)
            widget.setToolTip(tooltip(name))
            signal.connect(lambda *_, name=name: self._on_edit(name))

    def _on_edit(self, name: str) -> None:
        self._enable()
        if not self._filling:
            self._touched.add(name)
            self.edited.emit()

    def show_values(self, values: dict[str, Any]) -> None:
        """Show a model's own numbers in the options that the user left alone.

        Parameters
        ----------
        values : dict
            Option name (as in `values`) to value.
        """
        self._filling = True
        setters = {
            "zoom_in": self.zoom_in.setChecked,
            "zoom_expansion": self.zoom_expansion.setValue,
            "zoom_target": self.zoom_target.setValue,
            "zoom_skip": self.zoom_skip.setValue,
            "flip": self.flip.setChecked,
            "refinement": self.refinement.setCurrentText,
        }
        for name, value in values.items():
            if name not in self._touched:
                setters[name](value)
        self._filling = False
        self._enable()

    def _enable(self) -> None:
        for option in ("zoom_expansion", "zoom_target", "zoom_skip"):
            getattr(self, option).setEnabled(self.zoom_in.isChecked())

    @property
    def touched(self) -> dict[str, Any]:
        """Options that the user set, by name."""
        getters = {
            "zoom_in": self.zoom_in.isChecked,
            "zoom_expansion": self.zoom_expansion.value,
            "zoom_target": self.zoom_target.value,
            "zoom_skip": self.zoom_skip.value,
            "flip": self.flip.isChecked,
            "refinement": self.refinement.currentText,
        }
        return {name: getters[name]() for name in getters if name in self._touched}
