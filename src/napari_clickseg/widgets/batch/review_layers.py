"""An image of a folder and its refined mask, shown to be reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...commands.refine_matching import Files
from ...data.datasets.label_stacks import LabelStack
from ...data.datasets.reading import read_labels
from ...data.readers import open_image
from ...geometry import Box
from .layer_target import go_to_object

if TYPE_CHECKING:
    from napari.viewer import Viewer

__all__ = ["ReviewLayers"]

DENSE_PIXELS = 2**28  # of images that are opened for a look
Index = tuple[int, ...]


class ReviewLayers:
    """An image of a folder and its refined mask, opened to be looked at; one pair at a time.

    Parameters
    ----------
    viewer : napari Viewer
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._shown: tuple[Files, Index] | None = None
        self._layers: list[Any] = []

    def go_to(self, files: Files, label: int, index: Index, place: tuple[int, int]) -> None:
        """Show an object; the pair before is closed. Of a stack, the object's plane is opened.

        Raises
        ------
        ValueError
            If the files cannot be read any more, or are too large to be opened for a look.
        """
        open_still = self._layers and all(layer in self._viewer.layers for layer in self._layers)
        if (files, index) != self._shown or not open_still:
            self._open(files, index)
        go_to_object(self._viewer, self._layers[1], label, np.asarray(place, float))

    def _open(self, files: Files, index: Index) -> None:
        reader = open_image(files.image, index or None)
        whole = Box.of_shape(reader.shape)
        if whole.area > DENSE_PIXELS:
            raise ValueError(
                f"{files.image.name} has {whole.height} x {whole.width} pixels, too many to be "
                "opened for a look. Open it with File > Open, and the mask from the output folder."
            )
        image = reader.read(whole)
        mask = LabelStack.open(files.out).read(index) if index else read_labels(files.out)
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        name = f"{files.name} {', '.join(map(str, index))}".strip()
        self._layers = [
            self._viewer.add_image(image, name=name, rgb=image.ndim == 3),
            self._viewer.add_labels(mask, name=f"{name} refined"),
        ]
        self._shown = files, index
