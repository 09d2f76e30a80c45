"""The section of the dock that chooses which channels the model sees as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from ..image.channels import Channel, ChannelReader, channels_for
from ..image.contrast_choice import AS_DISPLAYED
from ..image.plane import Plane, channel_axis
from ..layers.own import bare
from ..section import Section
from ..tooltips import tooltip

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

__all__ = ["ChannelPanel"]

COLOURS = ("red", "green", "blue")
AS_SHOWN, NONE = "as displayed", "none"
LAYER_EVENTS = ("inserted", "removed", "renamed")


class ChannelPanel(Section):
    """Red, green and blue, each from a channel or a layer; or the image as it is displayed.

    Signals
    -------
    edited
        Other channels were chosen.

    Attributes
    ----------
    contrast : str
        One of `CONTRASTS`, for each channel.
    """

    edited = Signal()

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__("Channels", parent)
        self._viewer = viewer
        self._image: Image | None = None
        self._offered: list[Channel] = []
        self.contrast = AS_DISPLAYED
        form = self.add_form()
        self.boxes = [QComboBox() for _ in COLOURS]
        for name, box in zip(COLOURS, self.boxes, strict=True):
            box.setObjectName(f"channel_{name}")
            box.setToolTip(tooltip("channel"))
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(8)
            box.activated.connect(self._on_edit)
            form.addRow(name.capitalize(), box)
        for name in LAYER_EVENTS:
            getattr(viewer.layers.events, name).connect(self._on_layers)
        self.show_image(None)

    def shut_down(self) -> None:
        """Stop following the layer list."""
        for name in LAYER_EVENTS:
            getattr(self._viewer.layers.events, name).disconnect(self._on_layers)

    def show_image(self, image: Image | None) -> None:
        """Offer the channels of an image; hidden where there is nothing to choose."""
        if image is not self._image:
            self._image = image
            self._on_layers()

    def _on_layers(self, event: Any = None) -> None:
        from napari.layers import Image

        chosen = [self._key(box) for box in self.boxes]
        layers = [bare(layer) for layer in self._viewer.layers]
        images = [layer for layer in layers if isinstance(layer, Image)]
        self._offered = []
        if self._image in images and not self._image.rgb:
            behind = channel_axis(self._image)
            axes = tuple(axis for axis in range(self._image.ndim) if axis != behind)[-2:]
            self._offered = channels_for(self._image, axes, images)
        keys = [(channel.layer, channel.index) for channel in self._offered]
        for number, box in enumerate(self.boxes):
            box.clear()
            box.addItem(NONE if number else AS_SHOWN)
            box.addItems([channel.name for channel in self._offered])
            if chosen[number] in keys:
                box.setCurrentIndex(1 + keys.index(chosen[number]))
        self.setVisible(len(self._offered) > 1)
        self._enable()

    @property
    def axis(self) -> int | None:
        """The axis of the image that the first colour is a channel of."""
        channel = self._channel(self.boxes[0])
        return None if channel is None or channel.layer is not self._image else channel.axis

    @property
    def image(self) -> Image | None:
        """The image whose channels are offered."""
        return self._image

    def _key(self, box: QComboBox) -> tuple[Any, Any] | None:
        channel = self._channel(box)
        return None if channel is None else (channel.layer, channel.index)

    def _channel(self, box: QComboBox) -> Channel | None:
        index = box.currentIndex() - 1
        return self._offered[index] if 0 <= index < len(self._offered) else None

    def choose(self, *names: str) -> None:
        """Choose red, green and blue by what the lists show."""
        for box, name in zip(self.boxes, names, strict=False):
            box.setCurrentText(name)
        self._on_edit()

    def _on_edit(self, *_: Any) -> None:
        self._enable()
        self._show_rows_and_columns()
        self.edited.emit()

    def _show_rows_and_columns(self) -> None:
        """Give an axis of channels that is displayed as rows or columns a slider instead."""
        channel, dims = self._channel(self.boxes[0]), self._viewer.dims
        if channel is None or channel.axis is None:
            return
        axis = channel.axis + dims.ndim - self._image.ndim
        if axis in dims.displayed:
            dims.order = (axis, *(other for other in dims.order if other != axis))

    def _enable(self) -> None:
        on = self._channel(self.boxes[0]) is not None
        for box in self.boxes[1:]:
            box.setEnabled(on)

    def reader(self, plane: Plane) -> ChannelReader | None:
        """What the model sees of a plane; None: the image as it is displayed.

        Raises
        ------
        ValueError
            If a channel cannot be read as an image.
        """
        channels = [self._channel(box) for box in self.boxes]
        if channels[0] is None:
            return None
        return ChannelReader(channels, plane, self.contrast)
