"""Masks of tiles, made in the worker so that the main thread need not. No Qt, no napari."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...engine.mask_rule import MaskRule
from ...engine.tiles import TILE, Key, TileMap, cell_box
from ...geometry import Box

if TYPE_CHECKING:
    from ...engine.session import Session

__all__ = ["ReadyMask", "ReadyMasks"]


@dataclass(frozen=True, eq=False)
class ReadyMask:
    """Parts of the mask of a session under a rule: bool tiles by their numbers.

    Tiles that did not change are left out; those of one value take no memory worth mention.
    """

    session: Session
    rule: MaskRule
    tiles: Mapping[Key, np.ndarray]

    def read(self, box: Box) -> np.ndarray:
        """The mask in a box within a tile, ``box.shape`` bool."""
        tile = self.tiles.get((box.top // TILE, box.left // TILE))
        if tile is None:
            return self.rule.view(self.session).read(box)
        top, left = box.top % TILE, box.left % TILE
        return tile[top : top + box.height, left : left + box.width]


class ReadyMasks:
    """Makes the masks of sessions that follow each other; of each, what is new only.

    Parameters
    ----------
    before : TileMap
        Probabilities of the mask that is there already, under the same threshold.
    rule : MaskRule
    room : callable, optional
        ``room(box)`` has memory ready where a mask will be shown; box: around it.
    """

    def __init__(
        self, before: TileMap, rule: MaskRule, room: Callable[[Box], None] | None = None
    ) -> None:
        self._last = before
        self._rule = rule
        self._room = room
        self._tiles: dict[Key, np.ndarray] = {}

    def of(self, session: Session, cancelled: Callable[[], bool]) -> ReadyMask:
        """The mask of the next session, and the box around it, which its map remembers."""
        probabilities = self._rule.apply(session)
        box = probabilities.bounding_box(self._rule.threshold)
        if box is not None and self._room is not None:
            self._room(box)
        for key in probabilities.changed_tiles(self._last):
            if cancelled():
                break
            tile = self._rule.view(session).read(cell_box(key, session.shape))
            whole = bool(tile.all())
            mixed = not whole and bool(tile.any())
            self._tiles[key] = tile if mixed else np.broadcast_to(whole, tile.shape)
        self._last = probabilities
        return ReadyMask(session, self._rule, dict(self._tiles))
