"""Only what has changed of a Labels layer is sent to the graphics card."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["redraw"]

Index = tuple["int | slice", ...]
TOGETHER = 2**21
"""Pixels up to which all that lies between the parts is sent with them, at once."""


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
    for part in _together([_with_contour(part, layer) for part in parts]):
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


def _together(parts: list[tuple[slice, ...]]) -> list[tuple[slice, ...]]:
    """One part around all, if that is small."""
    if len(parts) < 2:
        return parts
    axes = zip(*parts, strict=True)
    around = tuple(slice(min(s.start for s in a), max(s.stop for s in a)) for a in axes)
    return [around] if prod(s.stop - s.start for s in around) <= TOGETHER else parts
