"""An image of a folder in the viewer: its layers, and how its mask gets into its file. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.saved_session import SavedModel
from .. import messages
from ..objects.accepted import AcceptedObject
from ..work.jobs import Job
from . import messages as texts
from .image_files import PLANE, OpenedImage, Stamp, copied, save_work
from .image_folder import FolderImage
from .parked import Parked, park, resume

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from ..dock.click_dock import ClickDock
    from .mask_saver import MaskSaver

__all__ = ["Memory", "ShownImage"]

Known = dict[int, AcceptedObject]


@dataclass(eq=False)
class Memory:
    """What is known of the images that are not open.

    Attributes
    ----------
    parked : dict
        Unfinished objects.
    journals : dict
        The journals that keep those through a crash.
    known : dict
        Accepted objects, with the clicks that made them.
    unsaved : dict
        Labels that could not be written, and the stamp of the file that they belong to.
    """

    parked: dict[Path, tuple[Parked, ...]] = field(default_factory=dict)
    journals: dict[Path, Path | None] = field(default_factory=dict)
    known: dict[Path, Known] = field(default_factory=dict)
    unsaved: dict[Path, tuple[Any, Stamp]] = field(default_factory=dict)


class ShownImage:
    """The layers of an image while it is open.

    Parameters
    ----------
    dock : ClickDock
        Clicks on it.
    viewer : napari Viewer
    image : FolderImage
    opened : OpenedImage
    memory : Memory
    saver : MaskSaver
    wrote : callable
        ``wrote(image, text, saved)``: told after the mask was written, or could not be.

    Attributes
    ----------
    layer : Image layer or None
    objects : Labels layer or None
        The one made for it; one that came later does not know what was in the mask.
    edited : bool
        The objects differ from the file.
    """

    def __init__(
        self,
        dock: ClickDock,
        viewer: Any,
        image: FolderImage,
        opened: OpenedImage,
        memory: Memory,
        saver: MaskSaver,
        wrote: Callable[[FolderImage, str, bool], None],
    ) -> None:
        self._dock, self._viewer, self._clicking = dock, viewer, dock.clicking
        self.image, self._opened, self._memory = image, opened, memory
        self._saver, self._wrote = saver, wrote
        self._stamp, self.refused = opened.stamp, opened.refused
        self.layer: Image | None = None
        self.objects: Labels | None = None
        self.edited = self._filling = False

    # ------------------------------------------------------------------ coming
    def show(self, place: int | None) -> bool:
        """Add the image at a place of the layer list and click on it; False if that is refused."""
        from napari.layers._source import layer_source  # as napari does for the files it opens

        viewer, levels = self._viewer, self._opened.levels
        several = len(levels) > 1
        with layer_source(path=str(self.image.path)):
            layer = viewer.add_image(
                levels if several else levels[0],
                multiscale=several,
                name=self.image.path.name,
                rgb=len(levels[0].shape) == 3,
            )
        if place is not None:
            viewer.layers.move(len(viewer.layers) - 1, place)
        self._dock.source.choose_image(layer)
        self._dock.start()
        self.layer, self.objects = self._dock.source.image, self._clicking.layers.objects
        if self._clicking.image is self.layer and self.objects is not None:
            return True
        viewer.layers.remove(self.layer)
        return False

    def fill(self, correct: bool) -> None:
        """Bring the objects of the mask and what is unfinished into the layers.

        Parameters
        ----------
        correct : bool
            Click again on the object if there is one only.
        """
        objects, path, memory = self._clicking.objects, self.image.path, self._memory
        labels, items = self._opened.labels, dict(self._opened.items)
        known = memory.known.get(path, {})
        kept, since = memory.unsaved.pop(path, (None, None))
        if kept is not None and self._stamp in (since, None):
            labels, items, self.edited = kept[:, :], known, True
        self._filling = True
        if labels is not None:
            self.objects.data = labels
            objects.restore(
                known[label] if label in known and known[label].area == item.area else item
                for label, item in items.items()
            )
        self._dock.actions.label = next(n for n in range(1, len(items) + 2) if n not in items)
        parked = memory.parked.pop(path, ())
        if parked:
            resume(parked, self._dock.controller, objects, self._clicking.readers.reader(PLANE))
            journal = memory.journals.pop(path, None)
            if journal is not None:  # they are in that of the image again
                journal.unlink(missing_ok=True)
                self._dock.recovery.look(self.layer)
        elif correct and len(items) == 1:
            objects.open_again((next(iter(items)), PLANE))
        self._filling = False
        self._follow("connect")

    def _follow(self, how: str) -> None:
        for signal in (self.objects.events.paint, self.objects.events.data):
            getattr(signal, how)(self._on_edit)
        getattr(self._clicking.objects.kept, how)(self._on_edit)
        getattr(self._clicking.accepted, how)(self._on_accepted)

    def name(self) -> None:
        """Call the layers as usual, now that those of the image before are gone."""
        self.layer.name, self.objects.name = self.image.path.name, "clickseg objects"

    # ------------------------------------------------------------------ going
    def leave(self) -> None:
        """Keep what is unfinished, save what was done; the layers are still there."""
        clicking, memory, path = self._clicking, self._memory, self.image.path
        self._dock.controller.cancel(quiet=True)
        if self._here and clicking.image is self.layer:
            preview = clicking.layers.preview
            painted = preview is not None and bool(np.asarray(preview.data).any())
            parked = park(self._dock.controller, clicking.objects, painted)
            if parked:
                memory.parked[path] = parked
                works = {PLANE: [(each.work, each.label) for each in parked]}
                memory.journals[path] = self._dock.autosave.keep(self.layer, works)
            self._dock.controller.forget()
        if self._here:
            memory.known[path] = {item.label: item for item in clicking.objects.items.values()}
        self._follow("disconnect")
        if self.objects not in self._viewer.layers:
            return
        journal = self._dock.autosave.release(self.objects)
        if self.edited:
            self._save(self.objects.data, journal)
        elif journal is not None:
            journal.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take its layers out of the viewer."""
        with self._viewer.layers.batched_update():
            for layer in (self.layer, self.objects):
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)
        self._clicking.objects.forget_removed()

    # ------------------------------------------------------------------ saving
    @property
    def whole(self) -> bool:
        """Whether nothing was removed, and its mask could be read."""
        layers = self._viewer.layers
        return self.refused is None and self.layer in layers and self.objects in layers

    @property
    def _here(self) -> bool:
        """Whether its own objects layer is the one in use."""
        return self._clicking.layers.objects is self.objects

    def _on_edit(self, *_: Any) -> None:
        if self._here and not self._filling:
            self.edited = True

    def _on_accepted(self, label: int) -> None:
        if self._here:
            self._save(copied(self.objects.data))
        elif self._clicking.image is self.layer:
            self._wrote(self.image, texts.LAYER_GONE, False)

    def _save(self, labels: Any, journal: Path | None = None) -> None:
        """Write the mask in the worker, unless that would destroy what was never read."""
        image, memory = self.image, self._memory
        if self.refused is not None:
            self._wrote(image, texts.refused(image.mask.name, self.refused), False)
            return
        session = None
        if self._here and self._dock.folder.saves_clicks:
            card = self._dock.source.card
            model = SavedModel(card.name, card.sha256)
            session = self._dock.autosave.session(model)
        count = len(self._clicking.objects.labels) if self._here else None
        self.edited = False

        def work(cancelled: Any, tell: Any) -> bool:
            save = save_work(image, labels, lambda: self._stamp, session)
            self._stamp = save(cancelled, tell)
            return True

        def done(job: Job) -> None:
            if job.error is None:
                if journal is not None:
                    journal.unlink(missing_ok=True)
                self._wrote(image, texts.saved(image.mask.name, count), True)
            else:
                self.edited = True
                memory.unsaved[image.path] = labels, self._stamp
                self._wrote(image, messages.one_sentence(job.error), False)

        self._saver.save(image.mask, work, done)
