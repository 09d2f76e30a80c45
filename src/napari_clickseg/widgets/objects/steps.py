"""Steps that change accepted objects, to be taken back and brought back. No Qt, no napari."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.session import History
from ..image.plane import Plane
from ..layers.patches import Patch
from ..work.work import Work
from .accepted import AcceptedObject

__all__ = ["Opened", "Step", "Steps"]

MOST = 200
"""Steps that are kept."""
MOST_BYTES = 512 * 2**20
"""What all steps together may take; the newest one is kept in any case."""
WHOLE = 10
"""Steps that keep all that was undone within their object; older ones keep its last state."""


@dataclass(frozen=True, eq=False)
class Opened:
    """An accepted object that is being clicked on again.

    Attributes
    ----------
    item : AcceptedObject
    removal : Patch
        What took its pixels out of the objects layer.
    parked : Work or None
        The object in work that made room for it.
    """

    item: AcceptedObject
    removal: Patch
    parked: Work | None


@dataclass(eq=False)
class Step:
    """One step. Going through it, in either direction, is the same: sides change places.

    Attributes
    ----------
    what : str
        Its name in a sentence.
    plane : Plane
        Where the user sees it.
    patches : tuple of Patch
        What it changes in the objects layer.
    items : tuple of (AcceptedObject or None, AcceptedObject or None)
        Before and after; None where there is none.
    trades : bool
        Whether the object in work is another one before and after.
    work : Work or None
        The one that is not in its place now.
    opened : Opened or None
        Likewise, which object is opened again.
    before, after : int
        Steps within the object in work on either side.
    joined : bool
        It is taken back and brought back together with the step before.
    nbytes : int
        What it took when it was done or thinned, in bytes.
    """

    what: str
    plane: Plane
    patches: tuple[Patch, ...] = ()
    items: tuple[tuple[AcceptedObject | None, AcceptedObject | None], ...] = ()
    trades: bool = False
    work: Work | None = None
    opened: Opened | None = None
    before: int = 0
    after: int = 0
    joined: bool = False
    nbytes: int = 0

    def turn(self) -> None:
        """Exchange before and after of all but the work."""
        self.patches = tuple(patch.reversed for patch in self.patches[::-1])
        self.items = tuple((new, old) for old, new in self.items[::-1])

    def thin(self) -> None:
        """Keep of the work out of place only its last state."""
        if self.work is not None:
            self.work.history = History(self.work.history.present)
            self.work.shown = None
        self.weigh()

    def weigh(self) -> None:
        """Find out what it takes: the masks that nothing else needs, and the pixels changed."""
        masks = [old.start for new, old in self.items if new is None and old is not None]
        if self.work is not None:
            history = self.work.history
            for session in (*history.past, history.present, *history.future):
                masks += [session.probabilities, session.start_mask, session.given]
        tiles: dict[int, int] = {}
        for mask in masks:
            tiles |= {} if mask is None else mask.kept
        self.nbytes = sum(tiles.values()) + sum(patch.nbytes for patch in self.patches)


class Steps:
    """Steps done and undone, newest last."""

    def __init__(self) -> None:
        self.past: list[Step] = []
        self.future: list[Step] = []

    def done(self, step: Step) -> None:
        """Remember a new step; what was undone is forgotten."""
        self.future.clear()
        self.past.append(step)
        step.weigh()
        del self.past[:-MOST]
        if len(self.past) > WHOLE:
            self.past[-WHOLE - 1].thin()
        for old in self.past[-WHOLE:-1]:
            if self.nbytes > MOST_BYTES:
                old.thin()
        while len(self.past) > 1 and self.nbytes > MOST_BYTES:
            del self.past[0]

    @property
    def nbytes(self) -> int:
        """What the steps done take, in bytes."""
        return sum(step.nbytes for step in self.past)

    def clear(self) -> None:
        """Forget all."""
        self.past.clear()
        self.future.clear()
