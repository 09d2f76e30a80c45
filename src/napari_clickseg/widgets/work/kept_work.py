"""Unfinished objects of images that are not clicked on now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..image.plane import Plane
from ..layers.own import bare
from .work import Work

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

__all__ = ["KeptWork"]


@dataclass(frozen=True, eq=False)
class _Kept:
    image: Image
    data: Any
    objects: Labels | None
    works: dict[Plane, Work]


class KeptWork:
    """Keeps what the user left, until they come back to its image or the image is removed.

    Parameters
    ----------
    viewer : napari Viewer
    dropped : callable
        ``dropped(objects)``: told of the objects layer of an image whose work is kept no more.
    """

    def __init__(self, viewer: Viewer, dropped: Callable[[Labels], Any]) -> None:
        self._viewer, self._dropped = viewer, dropped
        self._kept: list[_Kept] = []
        viewer.layers.events.removed.connect(self._on_removed)

    def keep(self, image: Image, objects: Labels | None, works: dict[Plane, Work]) -> None:
        """Keep the objects in work of an image, by their planes."""
        self._kept.append(_Kept(image, image.data, objects, works))

    def of(self, image: Image | None) -> dict[Plane, Work]:
        """What is kept of an image."""
        return next((kept.works for kept in self._kept if kept.image is image), {})

    def take(self, image: Image) -> dict[Plane, Work]:
        """What was kept of an image, which is kept no more; nothing if its pixels are others."""
        found = {}
        for kept in [kept for kept in self._kept if kept.image is image]:
            self._kept.remove(kept)
            if kept.data is image.data:
                found = kept.works
            else:
                self._drop(kept)
        return found

    def close(self) -> None:
        """Keep nothing more, and let go of the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        while self._kept:
            self._drop(self._kept.pop())

    def _on_removed(self, event: Any) -> None:
        layer = bare(event.value)
        for kept in [kept for kept in self._kept if kept.image is layer]:
            self._kept.remove(kept)
            self._drop(kept)

    def _drop(self, kept: _Kept) -> None:
        if kept.objects is not None:
            self._dropped(kept.objects)
