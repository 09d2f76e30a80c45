"""Readers of the planes of the image that is clicked on, one each. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...data.readers import ImageReader
from ...engine.contrast import black_and_white
from .contrast_choice import AS_DISPLAYED, chosen_limits
from .plane import Plane, plane_reader

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["PlaneReaders"]


class PlaneReaders:
    """The same reader for all objects of a plane and channel, so that image features are kept.

    Parameters
    ----------
    image : callable
        The image layer that is clicked on.

    Attributes
    ----------
    colours : callable
        ``colours(plane)``: a reader of chosen channels, None for the image as it is displayed.
    contrast : str
        One of `CONTRASTS`.
    """

    def __init__(self, image: Callable[[], Image]) -> None:
        self._image = image
        self._readers: dict[Any, ImageReader] = {}
        self.colours: Callable[[Plane], ImageReader | None] = lambda plane: None
        self.contrast = AS_DISPLAYED

    def clear(self) -> None:
        """Forget them: the image has other pixels, or other channels are chosen."""
        self._readers.clear()

    def reader(self, plane: Plane) -> ImageReader:
        """The reader of a plane; ValueError if it cannot be used as an image."""
        key = plane, plane.channel
        if key not in self._readers:
            self._readers[key] = self.colours(plane) or plane_reader(self._image(), plane)
        return self._readers[key]

    def limits(self, plane: Plane) -> tuple[float, float] | None:
        """What is black and white as the user chose it; None for RGB."""
        reader = self.reader(plane)
        composed = getattr(reader, "limits", None)
        return chosen_limits(self._image(), reader, self.contrast) if composed is None else composed

    def source(self, plane: Plane) -> tuple[ImageReader, tuple[float, float]]:
        """The reader of a plane, and what the model sees as black and white."""
        reader = self.reader(plane)
        return reader, black_and_white(reader, self.limits(plane))
