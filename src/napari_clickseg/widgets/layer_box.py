"""A combo box of the viewer's layers of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from .layers.own import bare, is_preview
from .still_box import StillBox

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

__all__ = ["LayerBox"]

LAYER_EVENTS = ("inserted", "removed", "reordered", "renamed")


class LayerBox(StillBox):
    """Follows the viewer's layers and holds them as objects, so that renaming is harmless.

    The preview of an object in work is not offered.

    Parameters
    ----------
    viewer : napari Viewer
    kind : str
        Name of a layer class, such as ``"Labels"``.
    none : str, optional
        Text of a first row that stands for no layer.

    Signals
    -------
    chosen
        Another layer is the chosen one.
    """

    chosen = Signal()

    def __init__(
        self, viewer: Viewer, kind: str, none: str | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._kind, self._none = viewer, kind, none
        self._layers: list[Layer | None] = []
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self._fill()
        for name in LAYER_EVENTS:
            getattr(viewer.layers.events, name).connect(self._fill)
        self.currentIndexChanged.connect(lambda *_: self.chosen.emit())

    def shut_down(self) -> None:
        """Follow the layer list no more."""
        for name in LAYER_EVENTS:
            getattr(self._viewer.layers.events, name).disconnect(self._fill)

    @property
    def layer(self) -> Layer | None:
        """The chosen layer."""
        index = self.currentIndex()
        return self._layers[index] if 0 <= index < len(self._layers) else None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All that are offered, topmost first."""
        return tuple(layer for layer in self._layers if layer is not None)

    def choose(self, layer: Any) -> None:
        """Choose one of the layers offered; None: no layer."""
        self.setCurrentIndex(self._layers.index(None if layer is None else bare(layer)))

    def _fill(self, event: Any = None) -> None:
        import napari.layers

        kind, before = getattr(napari.layers, self._kind), self.layer
        found = [bare(layer) for layer in self._viewer.layers][::-1]
        layers: list[Layer | None] = [
            layer for layer in found if isinstance(layer, kind) and not is_preview(layer)
        ]
        if self._none is not None:
            layers.insert(0, None)
        blocked = self.blockSignals(True)
        self._layers = layers
        self.clear()
        self.addItems([self._none or "" if layer is None else layer.name for layer in layers])
        if before in layers:
            self.setCurrentIndex(layers.index(before))
        self.blockSignals(blocked)
        if self.layer is not before:
            self.chosen.emit()
