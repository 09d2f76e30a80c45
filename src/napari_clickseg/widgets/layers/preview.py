"""The preview of one image: masks are shown in it, and what the user paints into it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...geometry import Box
from ..image.plane import Plane
from ..work.controller import Controller
from ..work.work import MaskChange
from .own import ClickLayers
from .redraw import redraw
from .window import Window

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["Preview"]

STRIP_PIXELS = 2**22
"""Pixels that are read at a time."""


class Preview:
    """Follows the controller: shows its masks, and hands it brush edits before they are lost.

    A brush edit becomes a step of the object as soon as anything else would rewrite the preview:
    a click, a mask that was waited for, a threshold, undo or redo. In large images the layer covers
    the surroundings of the object only and grows with it; see `window`.

    Parameters
    ----------
    layers : ClickLayers
    controller : Controller
    """

    def __init__(self, layers: ClickLayers, controller: Controller) -> None:
        self._layers = layers
        self._controller = controller
        self._painted: set[Plane] = set()
        controller.room = self._room
        controller.shown.connect(self.show)
        controller.rewriting.connect(self._keep_painted)

    def disconnect(self) -> None:
        """Follow the controller no more."""
        self._controller.shown.disconnect(self.show)
        self._controller.rewriting.disconnect(self._keep_painted)

    def begin(self, layer: Labels) -> None:
        """Watch a new layer, which shows nothing yet."""
        self._painted.clear()
        self._controller.show_again()
        layer.events.paint.connect(self._on_paint)

    def show(self, plane: Plane) -> None:
        """Show the present mask of a plane; only what has changed is written."""
        layer = self._layers.preview
        change = None if layer is None else self._controller.mask_change(plane)
        if change is None:
            return
        grown, window = self._make_room(plane, change), self._layers.window
        here, written = window.box(plane), []
        if not here.empty:
            pixels = layer.data[window.index(plane, here)]
            for box, mask in change.pieces():
                seen = box.intersect(here)
                if not seen.empty:
                    part = mask[seen.shift(-box.top, -box.left).slices]
                    pixels[seen.shift(-here.top, -here.left).slices] = part
                    written.append(seen)
        if grown:
            layer.refresh()
        else:
            redraw(layer, [window.index(plane, box) for box in written])

    def _make_room(self, plane: Plane, change: MaskChange) -> bool:
        """Let the layer of a large image cover the mask; whether it had to grow."""
        alone = change.before is None and not self._others(plane)
        window = None if change.box is None else self._larger(plane, change.box, alone)
        if window is not None:
            self._layers.cover(window)
        return window is not None

    def _larger(self, plane: Plane, box: Box, alone: bool) -> Window | None:
        """The window that a mask needs, None if it fits in the present one."""
        window = self._layers.window
        if window.box(plane).union(box) == window.box(plane):
            return None
        return window.around(plane, box, self._layers.shape, old=not alone)

    def _room(self, plane: Plane) -> Callable[[Box], None]:
        """For the worker, which has the memory ready that a mask will need."""
        work, others = self._controller.work_of(plane), self._others(plane)

        def room(box: Box) -> None:
            if work is None or self._controller.work_of(plane) is not work:
                return
            alone = not others and (work.shown is None or work.shown[2] is None)
            window = self._larger(plane, box, alone)
            if window is not None:
                self._layers.provide(window, plane)

        return room

    def _others(self, plane: Plane) -> bool:
        return any(clicks for other, clicks in self._controller.planes.items() if other != plane)

    def clear(self, plane: Plane) -> None:
        """Show nothing in a plane and forget what was painted there."""
        layer = self._layers.preview
        if layer is not None:
            here = self._layers.window.box(plane)
            if not here.empty:
                layer.data[self._layers.window.index(plane, here)] = 0
            if not self._others(plane):
                self._layers.cover(None)
            layer.refresh()
        self._painted.discard(plane)

    def strips(self, plane: Plane) -> Iterator[tuple[Box, np.ndarray]]:
        """What the layer shows of a plane, brush edits included: boxes and their bool masks."""
        window, here = self._layers.window, self._layers.window.box(plane)
        rows = max(1, STRIP_PIXELS // max(1, here.width))
        for top in range(here.top, here.bottom, rows):
            strip = Box(top, here.left, min(top + rows, here.bottom), here.right)
            yield strip, np.asarray(self._layers.preview.data[window.index(plane, strip)]) != 0

    @property
    def painted(self) -> frozenset[Plane]:
        """Planes that were painted on since their mask was kept."""
        return frozenset(self._painted)

    def _on_paint(self, event: Any = None) -> None:
        # only the user's strokes come here: what is shown leaves no trace in the layer's history
        if self._controller.plane is not None:
            self._painted.add(self._controller.plane)
            self._controller.warn_of_mask()

    def _keep_painted(self, plane: Plane) -> None:
        layer, window = self._layers.preview, self._layers.window
        if layer is None or plane not in self._painted or plane not in self._controller.planes:
            return
        self._painted.discard(plane)
        here = window.box(plane)
        if not here.empty:
            shown = np.asarray(layer.data[window.index(plane, here)]) != 0
            self._controller.paint(plane, here, shown)
