"""Everything accepted is in a journal on the disk at once; after a kill it is read back. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.journal import (
    Journal,
    Recorded,
    RecordedObject,
    find_journals,
    prune,
    read_journal,
)
from ..data.saved_session import ImageSignature, SavedClass, SavedModel, SavedSession
from ..engine.tiles import TileMap
from ..geometry import Box, bounding_box
from . import messages
from .accepted import AcceptedObject, Key, as_saved, from_saved
from .clicking import Clicking
from .patches import Patch, read_label
from .plane import Plane

if TYPE_CHECKING:
    from napari.layers import Image, Labels

__all__ = ["Autosave", "signature"]


def signature(image: Image) -> ImageSignature:
    """How an image layer is recognised; a few small blocks of it are read."""
    data = image.data[0] if image.multiscale else image.data
    path = getattr(image.source, "path", None)
    return ImageSignature.of(data, str(path or image.name))


class Autosave:
    """Records what is accepted, deleted, merged and named, one journal for each objects layer.

    Parameters
    ----------
    clicking : Clicking
    say : callable
        ``say(text, level)``: told once when a journal cannot be written.
    folder : Path, optional
        Of the journals; the user's by default.
    """

    def __init__(
        self,
        clicking: Clicking,
        say: Callable[[str, str], Any],
        folder: Path | None = None,
    ) -> None:
        self._clicking, self._say, self._folder = clicking, say, folder
        self._journals: list[tuple[Labels, Journal | None]] = []
        self._classes: dict[str, str] = {}
        self.on = True
        clicking.objects.kept.connect(self._on_kept)
        clicking.objects.changed.connect(self._on_changed)

    def shut_down(self) -> None:
        """Write no more. What is there can be recovered at the next start."""
        self._clicking.objects.kept.disconnect(self._on_kept)
        self._clicking.objects.changed.disconnect(self._on_changed)
        for _, journal in self._journals:
            if journal is not None:
                journal.close(keep=bool(journal.count))
        self._journals = []

    # ------------------------------------------------------------------ writing
    def _journal(self) -> Journal | None:
        """That of the objects layer in use; a new one at its first object."""
        layer, image = self._clicking.layers.objects, self._clicking.image
        for known, journal in self._journals:
            if known is layer:
                return journal
        if layer is None or image is None or not self.on:
            return None
        self._classes = {}
        journal = self._try(lambda: Journal(signature(image), self._folder))
        self._journals.append((layer, journal))
        return journal

    def _on_kept(self, put: tuple[AcceptedObject, ...], gone: tuple[Key, ...]) -> None:
        self._close_removed()
        layer, journal = self._clicking.layers.objects, self._journal()
        if journal is None or layer is None:
            return

        def write() -> None:
            for label, plane in gone:
                journal.drop(label, plane.steps)
            for item in put:
                pixels = read_label(layer, item.plane, item.label, item.box)
                journal.put(as_saved(item), _tight(pixels))

        self._try(write)

    def _on_changed(self) -> None:
        """Record the colours of classes when they are others."""
        classes = dict(self._clicking.objects.classes)
        if classes != self._classes and classes:
            journal = self._journal()
            if journal is not None:
                self._classes = classes
                self._try(lambda: journal.classes(classes))

    def _close_removed(self) -> None:
        """Let go of journals whose layer the user removed; they can be recovered then."""
        alive = {id(layer) for layer in self._clicking.layers.all_objects}
        for layer, journal in self._journals:
            if id(layer) not in alive and journal is not None:
                journal.close(keep=bool(journal.count))
        self._journals = [pair for pair in self._journals if id(pair[0]) in alive]

    def release(self, layer: Labels) -> Path | None:
        """Write no more for a layer; gives its journal, which can be deleted once it is saved."""
        journals = [journal for known, journal in self._journals if known is layer]
        self._journals = [pair for pair in self._journals if pair[0] is not layer]
        if not journals or journals[0] is None:
            return None
        journals[0].close()
        return journals[0].path

    def _try(self, write: Callable[[], Any]) -> Any:
        try:
            return write()
        except (OSError, ValueError) as error:
            layer = self._clicking.layers.objects
            for known, journal in self._journals:
                if known is layer and journal is not None:
                    journal.close(keep=True)
            self._journals = [
                (known, None if known is layer else journal) for known, journal in self._journals
            ]
            self._say(messages.autosave_failed(str(error)), "warning")
            return None

    # ------------------------------------------------------------------ reading
    def lost(self, image: Image) -> list[Recorded]:
        """Journals of an image that nobody writes, newest first, without their objects."""
        self._close_removed()
        prune(self._folder)
        shape = tuple(int(n) for n in (image.data[0] if image.multiscale else image.data).shape)
        found = [known for known in find_journals(self._folder) if known.image.shape == shape]
        mine = signature(image) if found else None
        return [known for known in found if known.image.same_image(mine)]

    def recover(self, path: Path) -> int:
        """Put the objects of a journal into the objects layer; returns how many there were.

        Ids that are taken already get other ones. The journal is deleted once its objects are in
        the journal of this session.

        Raises
        ------
        ValueError
            If there is no objects layer, or the file is no journal.
        OSError
            If it cannot be read.
        """
        if self._clicking.layers.objects is None:
            raise ValueError(messages.PRESS_START)
        recorded = read_journal(path)
        count = self.put_back(recorded.objects, recorded.classes)
        if self._journal() is not None:
            path.unlink(missing_ok=True)
        return count

    def put_back(
        self, recorded: Iterable[RecordedObject], classes: Mapping[str, str], final: bool = True
    ) -> int:
        """Put objects into the objects layer; returns how many there were.

        Ids that are taken already get other ones.

        Parameters
        ----------
        recorded : iterable of RecordedObject
            In the order in which they were accepted; those without pixels are left out.
        classes : mapping
            Colours of class names.
        final : bool
            Their pixels are theirs; otherwise an object keeps off those before it, unless it took
            pixels of others when it was made.
        """
        layer, objects = self._clicking.layers.objects, self._clicking.objects
        for name, colour in classes.items():
            objects.set_colour(name, colour)
        taken, numbers = objects.labels, {}
        items = []
        for known in recorded:
            label = known.saved.id
            if label not in numbers:
                free = label if label not in taken else max(taken) + 1
                numbers[label] = free
                taken = taken | {free}
            item = from_saved(known.saved, Box(0, 0, 0, 0), 0, layer.data.shape)
            takes = final or item.overwrites
            written = _write(layer, item, numbers[label], known.pieces, takes)
            if written.area:
                items.append(written)
        objects.restore(items)
        return len(items)

    def session(self, model: SavedModel) -> SavedSession:
        """All accepted objects of the image clicked on, to be kept in a session file.

        Raises
        ------
        ValueError
            If there is no image.
        """
        image, objects = self._clicking.image, self._clicking.objects
        if image is None:
            raise ValueError(messages.NO_IMAGE)
        in_order = sorted(objects.items.values(), key=lambda item: item.edited)
        items = tuple(as_saved(self._with_start(item)) for item in in_order)
        classes = tuple(SavedClass(name, colour) for name, colour in objects.classes.items())
        return SavedSession(signature(image), model, items, classes=classes)

    def _with_start(self, item: AcceptedObject) -> AcceptedObject:
        """An object that was only painted, given as the mask that it starts from."""
        layer = self._clicking.layers.objects
        if item.interactions or item.start is not None or layer is None:
            return item
        mask = TileMap(item.plane.shape_in(layer.data.shape))
        return replace(
            item, start=mask.paste_parts(read_label(layer, item.plane, item.label, item.box))
        )


def _tight(pieces: Any) -> Any:
    """Pieces cut to what is in them."""
    for box, mask in pieces:
        inner = bounding_box(mask)
        if inner is not None:
            yield inner.shift(box.top, box.left), mask[inner.slices]


def _write(
    layer: Labels,
    item: AcceptedObject,
    label: int,
    pieces: tuple[tuple[Box, np.ndarray], ...],
    takes: bool,
) -> AcceptedObject:
    """Write an object's pixels and return it as it is then; other objects may give way."""
    if label > np.iinfo(layer.data.dtype).max:
        layer.data = np.asarray(layer.data).astype(np.uint32)
    plane: Plane = item.plane
    patch, box, area = Patch(plane), Box(0, 0, 0, 0), 0
    for piece, mask in pieces:
        old = np.asarray(layer.data[plane.index(piece)])
        mask = mask if takes else mask & (old == 0)
        patch = patch.add(piece, old, np.where(mask, old.dtype.type(label), old))
        box, area = box.union(piece), area + int(mask.sum())
    patch.apply(layer)
    return replace(item, label=label, box=box, area=area)
