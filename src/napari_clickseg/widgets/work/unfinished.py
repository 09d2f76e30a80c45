"""The unfinished objects of an image, one per plane. No Qt, no napari."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ...interactions import Interaction
from ..image.plane import Plane
from .work import Work, needs_prediction

if TYPE_CHECKING:
    from ...engine.session import Session

__all__ = ["Unfinished"]


class Unfinished:
    """Objects in work by their plane, and the plane that is the present one."""

    def __init__(self) -> None:
        self._works: dict[Plane, Work] = {}
        self.plane: Plane | None = None

    @property
    def work(self) -> Work | None:
        """The object of the present plane, None before its first click."""
        return self._works.get(self.plane) if self.plane is not None else None

    @property
    def works(self) -> dict[Plane, Work]:
        """All objects in work by their planes. Not to be changed."""
        return self._works

    def work_of(self, plane: Plane) -> Work | None:
        """The object in work on a plane."""
        return self._works.get(plane)

    def begun_on(self, plane: Plane) -> Plane:
        """The plane with the channel that was shown when its object was begun."""
        return next((known for known in self._works if known == plane), plane)

    @property
    def session(self) -> Session | None:
        """The present session, None before the first click."""
        return self.work.history.present if self.work else None

    @property
    def clicks(self) -> tuple[Interaction, ...]:
        """Interactions of the object in work."""
        return tuple(self.session.interactions) if self.session else ()

    @property
    def planes(self) -> dict[Plane, tuple[Interaction, ...]]:
        """All planes with an unfinished object, and its interactions."""
        return {plane: tuple(w.history.present.interactions) for plane, w in self._works.items()}

    @property
    def begun(self) -> tuple[Plane, ...]:
        """Planes with something to lose: interactions, or a mask painted or started from."""
        sessions = ((plane, work.history.present) for plane, work in self._works.items())
        return tuple(p for p, s in sessions if s.interactions or s.start_mask is not None)

    def take_all(self) -> dict[Plane, Work]:
        """All objects in work, which are here no more."""
        taken, self._works = self._works, {}
        return taken

    def put_all(self, works: Mapping[Plane, Work]) -> None:
        """Go on with objects that `take_all` gave."""
        self._works.update(works)
        for work in works.values():
            work.shown = None

    @property
    def can_undo(self) -> bool:
        """Whether a step can be taken back."""
        return bool(self.work and self.work.history.can_undo)

    @property
    def can_redo(self) -> bool:
        """Whether a step can be brought back."""
        return bool(self.work and self.work.history.can_redo)

    @property
    def waiting(self) -> int:
        """How many clicks of the present plane's object are not in its mask yet."""
        return len(self.clicks) - self.session.predicted if self.session else 0

    def exchanged(
        self, gone: Collection[tuple[Plane, int]], moved: Mapping[tuple[Plane, int], Interaction]
    ) -> dict[Plane, tuple[Interaction, ...]]:
        """The interactions of planes where some are gone or changed, named by plane and order."""
        planes = {plane for plane, _ in (*gone, *moved)}
        return {
            plane: tuple(
                moved.get((plane, order), item)
                for order, item in enumerate(self.planes[plane])
                if (plane, order) not in gone
            )
            for plane in planes
        }

    def pending(self, plane: Plane) -> bool:
        """Whether clicks of a plane's object are not in its mask yet."""
        return plane in self._works and needs_prediction(self._works[plane].history.present)

    def coarse(self, plane: Plane) -> bool:
        """Whether the mask of a plane's object has edges that are not refined yet."""
        return plane in self._works and bool(self._works[plane].history.present.coarse)

    def stale(self, plane: Plane) -> bool:
        """Whether the mask of a plane's object is shown as it was under another rule."""
        return plane in self._works and self._works[plane].stale

    def show_again(self) -> None:
        """Forget what the preview shows, because its layer is new."""
        for work in self._works.values():
            work.shown = None
