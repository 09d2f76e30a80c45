"""Channels of multichannel images, or other layers, as the colours that the model sees. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data.readers import ImageReader
from ...engine.contrast import black_and_white, to_rgb
from ...geometry import Box
from .contrast_choice import AS_DISPLAYED, chosen_limits
from .plane import (
    CHANNEL_NAMES,
    MOST_CHANNELS,
    Plane,
    level_shape,
    plane_reader,
)

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["Channel", "ChannelReader", "channels_for"]


@dataclass(frozen=True, eq=False)
class Channel:
    """One source of a colour.

    Parameters
    ----------
    layer : napari Image layer
    axis, index : int or None
        Of a channel axis of the layer; None for all of a layer.
    """

    layer: Image
    axis: int | None = None
    index: int | None = None

    @property
    def name(self) -> str:
        """For display."""
        return self.layer.name if self.axis is None else f"channel {self.index}"

    def reader(
        self, plane: Plane, contrast: str = AS_DISPLAYED
    ) -> tuple[ImageReader, tuple[float, float]]:
        """Its pixels in a plane of the image, and what is black and white there."""
        if self.axis is not None:
            steps = list(plane.steps)
            steps[self.axis] = self.index
            plane = replace(plane, steps=tuple(steps), channel=None)
        elif self.layer.ndim == 2:
            plane = Plane((0, 1), (None, None))
        found = plane_reader(self.layer, plane)
        return found, black_and_white(found, chosen_limits(self.layer, found, contrast))


def channels_for(image: Image, axes: tuple[int, int], layers: Sequence[Image]) -> list[Channel]:
    """What colours may be chosen from: channels of the image, and layers of its shape.

    Parameters
    ----------
    image : napari Image layer
    axes : (int, int)
        Its axes of rows and columns.
    layers : sequence of napari Image layers
    """
    shape = level_shape(image)
    others = [axis for axis in range(len(shape)) if axis not in axes]
    named = [axis for axis in others if str(image.axis_labels[axis]).lower() in CHANNEL_NAMES]
    short = [axis for axis in others if 2 <= shape[axis] <= MOST_CHANNELS]
    found = [
        Channel(image, axis, index) for axis in (named or short)[:1] for index in range(shape[axis])
    ]
    plane = tuple(shape[axis] for axis in axes)
    return found + [
        Channel(layer)
        for layer in layers
        if not layer.rgb and level_shape(layer) in (shape, plane if len(shape) > 2 else shape)
    ]


class ChannelReader:
    """An image of three colours, each a channel between its own black and white; 0..1 float32.

    Parameters
    ----------
    channels : sequence of Channel or None
        Red, green, blue; None is black.
    plane : Plane
        Of the image.
    contrast : str
        One of `CONTRASTS`, for each of them.

    Raises
    ------
    ValueError
        If a channel cannot be read as an image of one colour.
    """

    limits = (0.0, 1.0)
    dtype = np.dtype(np.float32)

    def __init__(
        self, channels: Sequence[Channel | None], plane: Plane, contrast: str = AS_DISPLAYED
    ) -> None:
        self._parts = [
            None if channel is None else channel.reader(plane, contrast) for channel in channels
        ]
        readers = [part[0] for part in self._parts if part is not None]
        same = all(reader.levels == readers[0].levels for reader in readers)
        self.levels = readers[0].levels if same else readers[0].levels[:1]
        self.shape: tuple[int, ...] = (*self.levels[0], 3)

    def read(self, box: Box, level: int = 0) -> np.ndarray:
        """See `ImageReader.read`."""
        box = box.clip(self.levels[level])
        pixels = np.zeros((*box.shape, 3), np.float32)
        for colour, part in enumerate(self._parts):
            if part is not None:
                reader, limits = part
                pixels[..., colour] = to_rgb(reader.read(box, level), limits)[..., 0]
        return pixels
