"""What is done to the network's answer before it is kept."""

from __future__ import annotations

from collections.abc import Sequence

from ..geometry import Box
from ..interactions import Click, Interaction
from .tiles import TileMap

__all__ = ["honour_clicks"]


def honour_clicks(probabilities: TileMap, interactions: Sequence[Interaction]) -> TileMap:
    """Give each clicked pixel exactly 1 or 0, so that every threshold keeps the click's label.

    Where two clicks share a pixel the later one counts.
    """
    image = Box.of_shape(probabilities.shape)
    clicks = [item for item in interactions if isinstance(item, Click)]
    return probabilities.set_pixels(
        {click.pixel: float(click.positive) for click in clicks if image.contains(*click.pixel)}
    )
