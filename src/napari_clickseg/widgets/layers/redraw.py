"""Only what has changed of a Labels layer is sent to the graphics card."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["redraw", "undrawn"]

Index = tuple["int | slice", ...]
TOGETHER = 2**21
"""Pixels between parts up to which they are sent with them, at once."""


def undrawn(layer: Labels) -> AbstractContextManager:
    """Within it, changes of a layer are not drawn one by one; ``layer.refresh()`` draws all."""
    block = getattr(layer, "_block_refresh", None)
    return nullcontext() if block is None else block()


def redraw(layer: Labels, parts: Iterable[Index]) -> None:
    """Show pixels that were written into a layer's array.

    ``layer.refresh()`` sends the whole plane, which takes a tenth of a second for 100 MP. Napari
    can send parts, as it does for brush strokes, but has no public call for that; where it cannot,
    the whole layer is refreshed.

    Parameters
    ----------
    layer : napari Labels layer
    parts : iterable of index
        Where it was written: an int or a slice with both ends for each axis of the data.
    """
    shown = getattr(getattr(layer, "_slice_input", None), "displayed", ())
    known = len(shown) == 2 and hasattr(layer, "_partial_labels_refresh")
    if not (known and layer.visible and layer.loaded):
        layer.refresh()
        return
    layer.refresh(data_displayed=False, highlight=False, extent=False)  # the slice, the thumbnail
    for part in _together(_with_contour(part, layer) for part in parts):
        layer._updated_slice = part
        layer._partial_labels_refresh()


def _with_contour(part: Index, layer: Labels) -> tuple[slice, ...]:
    """A part as slices, with the surroundings where contours may change."""
    room = int(layer.contour)
    spans = (at if isinstance(at, slice) else slice(at, at + 1) for at in part)
    return tuple(
        slice(max(0, span.start - room), min(side, span.stop + room))
        for span, side in zip(spans, layer.data.shape, strict=True)
    )


def _together(parts: Iterable[tuple[slice, ...]]) -> list[tuple[slice, ...]]:
    """Parts that follow each other as one, where little lies between them."""
    joined: list[tuple[tuple[slice, ...], int]] = []
    for part in parts:
        pixels = _pixels(part)
        if joined:
            before, known = joined[-1]
            pairs = zip(before, part, strict=True)
            around = tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in pairs)
            if _pixels(around) <= known + pixels + TOGETHER:
                joined[-1] = around, known + pixels
                continue
        joined.append((part, pixels))
    return [part for part, _ in joined]


def _pixels(part: tuple[slice, ...]) -> int:
    return prod(span.stop - span.start for span in part)
