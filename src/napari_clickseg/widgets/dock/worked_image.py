"""The image that is clicked on, the objects in work on it, and what becomes of them as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..image.plane import Plane
from ..image.plane_readers import PlaneReaders
from ..layers.own import ClickLayers
from ..layers.preview import Preview
from ..objects.objects import Objects
from ..work.controller import Controller
from ..work.kept_work import KeptWork
from ..work.work import Work

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

__all__ = ["WorkedImage"]


class WorkedImage:
    """Base of `Clicking`: an image with our layers, left for another one or removed.

    Parameters
    ----------
    viewer : napari Viewer
    controller : Controller

    Attributes
    ----------
    recoverable : callable
        ``recoverable()``: whether what is unfinished can be brought back with the image.
    """

    def __init__(self, viewer: Viewer, controller: Controller) -> None:
        self._viewer = viewer
        self._controller = controller
        self.layers = ClickLayers(viewer)
        self.readers = PlaneReaders(lambda: self.image)
        self._preview = Preview(self.layers, controller)
        self.objects = Objects(self.layers, controller, self._preview, self.readers.source)
        self._kept = KeptWork(viewer, self.objects.forget_steps)
        self.recoverable: Callable[[], bool] = lambda: False
        self.layers.leaving.connect(self._take_painted)

    @property
    def image(self) -> Image | None:
        """The image that is clicked on."""
        return self.layers.image

    @property
    def unfinished(self) -> tuple[Plane, ...]:
        """Planes of the image with an object that is not accepted yet."""
        painted = self._preview.painted - set(self._controller.begun)
        return (*self._controller.begun, *painted)

    @property
    def works(self) -> dict[Plane, list[tuple[Work, int | None]]]:
        """Objects in work by their planes, the one that is seen last, also those that are kept.

        With the id of the accepted object that was opened again for it, None for a new one.
        """
        found = {**self._kept.of(self.image), **self._controller.works}
        return {plane: self.objects.in_work(plane, work) for plane, work in found.items()}

    def tidy(self) -> None:
        """Remove the layers of ours that an image left behind as it was removed; objects stay."""
        if self.image is None:
            self.layers.drop_marks()

    def _take_painted(self) -> None:
        """Make steps of what was painted, while the image is there."""
        for plane in self.unfinished:
            if plane == self._controller.plane:
                self.objects.begin(plane)  # one that was only painted
            self._controller.rewriting.emit(plane)

    def _leave_image(self, keep: bool = False) -> None:
        if keep and self.image is not None:
            self._take_painted()
            self._controller.cancel(quiet=True)
            self._kept.keep(self.image, self.layers.objects, self._controller.take_all())
        self._forget_image(keep)
        self.layers.release()

    def _forget_image(self, keep: bool = False) -> None:
        """Let go of the image's pixels and of all that was made from them, or keep its objects."""
        if not keep:
            self.objects.forget_steps()
        self.readers.clear()
        self._controller.forget()
        self._controller.go_to(None)
