"""Which image values the model sees as black and as white: the user's choice. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data.readers import ImageReader
from ...engine.contrast import full_range, percentile_limits
from .plane import contrast_limits

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["AS_DISPLAYED", "CONTRASTS", "chosen_limits"]

AS_DISPLAYED = "as displayed"
CONTRASTS = {
    AS_DISPLAYED: None,
    "percentiles 0.1-99.9": percentile_limits,
    "full range": full_range,
}


def chosen_limits(layer: Image, reader: ImageReader, choice: str) -> tuple[float, float] | None:
    """Black and white of a layer; None for RGB, which is taken as it is.

    Parameters
    ----------
    layer : napari Image layer
    reader : ImageReader
        Of what is looked at of it.
    choice : str
        One of `CONTRASTS`.
    """
    limits = CONTRASTS[choice]
    if limits is None or layer.rgb:
        return contrast_limits(layer)
    return limits(reader)
