"""A session that begins from the mask of a saved object. Imports no torch."""

from __future__ import annotations

from dataclasses import replace

from ..data.saved_session import SavedObject, SessionFileError
from .session import Session
from .tiles import MaskView, TileMap

__all__ = ["started"]


def started(session: Session, item: SavedObject) -> Session:
    """A session as it was when it began from the mask of an object, which knows of its clicks.

    Parameters
    ----------
    session : Session
    item : SavedObject
        With a `start_mask`.

    Raises
    ------
    SessionFileError
        If the mask lies outside the image.
    """
    start = item.start_mask
    if start.box.clip(session.shape) != start.box and start.box.area:
        raise SessionFileError(
            f"A mask that an object was started from covers {start.box}, and the image has "
            f"{session.shape[0]} x {session.shape[1]} pixels. Give the image it was made on."
        )
    tiles = TileMap(session.shape)
    if start.box.area:
        tiles = tiles.paste(start.box, start.mask)
    begun = session.with_mask(MaskView(tiles, 0.5))
    begun = begun.replace_interactions(item.interactions[: start.after])
    return replace(begun, predicted=start.after, known=start.after)
