"""Colours of classes, and the objects layer drawn in them."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Labels

    from ..objects.accepted import AcceptedObject

__all__ = ["ClassColours", "new_colour", "object_colours"]

PALETTE = (
    *("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8866", "#44bb99"),
    *("#ffaabb", "#bbcc33", "#99ddff", "#997700"),
)
"""Told apart by people who see few colours: 'bright' and 'light' of P. Tol's colour schemes."""
WITHOUT = "#bbbbbb"
FIRST_HUE, HUES = 0.87, 48
"""Magenta, which hardly any photograph has; the preview is blue, clicks are green and red."""


def object_colours() -> Any:
    """A napari colormap of labels in pure hues, which stand out from photographs.

    Neighbouring labels are the golden angle apart on the circle of hues.
    """
    from napari.utils.colormaps import CyclicLabelColormap

    hues = (FIRST_HUE + 0.618034 * i for i in range(HUES))
    colours = [(*colorsys.hsv_to_rgb(hue % 1, 1.0, 1.0), 1.0) for hue in hues]
    return CyclicLabelColormap(colors=[(0.0, 0.0, 0.0, 0.0), *colours])


def new_colour(used: Iterable[str]) -> str:
    """The first colour of the palette that is used least."""
    taken = list(used)
    return min(PALETTE, key=taken.count)


class ClassColours:
    """Draws the objects layer in the colours of classes, and gives its own colours back."""

    def __init__(self) -> None:
        self._before: list[tuple[Labels, Any]] = []

    def show(
        self, layer: Labels, items: Iterable[AcceptedObject], classes: Mapping[str, str]
    ) -> None:
        """Draw each object in the colour of its class."""
        from napari.utils.colormaps import DirectLabelColormap

        if all(known is not layer for known, _ in self._before):
            self._before.append((layer, layer.colormap))
        colours: dict[int | None, Any] = {None: WITHOUT, 0: "transparent"}
        colours |= {item.label: classes[item.name] for item in items if item.name in classes}
        layer.colormap = DirectLabelColormap(color_dict=colours)

    def hide(self, layer: Labels) -> None:
        """Draw each object in its own colour again."""
        for known, colormap in self._before:
            if known is layer:
                layer.colormap = colormap
        self._before = [pair for pair in self._before if pair[0] is not layer]
