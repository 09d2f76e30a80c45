"""Everything accepted is in a journal on the disk at once; after a kill it is read back. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
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
from ..data.saved_session import SavedClass, SavedModel, SavedObject, SavedSession
from ..engine.tiles import TileMap
from ..geometry import Box, bounding_box
from . import messages
from .accepted import AcceptedObject, Key, as_saved, from_saved
from .clicking import Clicking
from .layers import bare
from .patches import Patch, read_label
from .plane import Plane
from .signing import Signatures, Signed

if TYPE_CHECKING:
    from napari.layers import Image, Labels

__all__ = ["Autosave"]


@dataclass(eq=False)
class _Recording:
    """The journal of an objects layer; None if it is not to be written.

    Until its image is signed, what is to be written waits.
    """

    layer: Labels
    image: Image
    journal: Journal | None = None
    waiting: list[Callable[[Journal], Any]] | None = field(default_factory=list)


class Autosave:
    """Records what is accepted, deleted, merged and named, one journal for each objects layer.

    Parameters
    ----------
    clicking : Clicking
    say : callable
        ``say(text, level)``: told once when a journal cannot be written.
    signatures : Signatures
    folder : Path, optional
        Of the journals; the user's by default.
    """

    def __init__(
        self,
        clicking: Clicking,
        say: Callable[[str, str], Any],
        signatures: Signatures,
        folder: Path | None = None,
    ) -> None:
        self._clicking, self._say, self._folder = clicking, say, folder
        self._signatures = signatures
        self._recordings: list[_Recording] = []
        self._classes: dict[str, str] = {}
        self.on = True
        clicking.objects.kept.connect(self._on_kept)
        clicking.objects.changed.connect(self._on_changed)

    def shut_down(self) -> None:
        """Write no more. What is there can be recovered at the next start."""
        self._clicking.objects.kept.disconnect(self._on_kept)
        self._clicking.objects.changed.disconnect(self._on_changed)
        for recording in self._recordings:
            self._close(recording)
        self._recordings = []

    # ------------------------------------------------------------------ writing
    def _recording(self) -> _Recording | None:
        """That of the objects layer in use; a new one at its first object."""
        layer, image = self._clicking.layers.objects, self._clicking.image
        for known in self._recordings:
            if known.layer is layer:
                return known
        if layer is None or image is None or not self.on:
            return None
        self._classes = {}
        recording = _Recording(layer, image)
        self._recordings.append(recording)
        self._signatures.ask(image, lambda signed: self._open(recording, signed))
        return recording

    def _open(self, recording: _Recording, signed: Signed) -> None:
        """Begin the journal of a signed image, and write what waited for that."""
        waiting, recording.waiting = recording.waiting, None
        if waiting is None:
            return  # it was closed meanwhile
        try:
            recording.journal = Journal(signed.result(), self._folder)
        except Exception as error:  # noqa: BLE001  (of any reader)
            self._say(messages.autosave_failed(str(error)), "warning")
        for write in waiting:
            self._write(recording, write)

    def _write(self, recording: _Recording, write: Callable[[Journal], Any]) -> None:
        """Write into a journal, or keep that for when there is one."""
        if recording.waiting is not None:
            recording.waiting.append(write)
        elif recording.journal is not None:
            try:
                write(recording.journal)
            except (OSError, ValueError) as error:
                recording.journal.close(keep=True)
                recording.journal = None
                self._say(messages.autosave_failed(str(error)), "warning")

    def _finish(self, recording: _Recording) -> None:
        """Have the journal and what waits for it on the disk now."""
        if recording.waiting is not None:
            signed = self._signatures.begin(recording.image)
            wait((signed,))
            self._open(recording, signed)

    def _close(self, recording: _Recording) -> Journal | None:
        """Write what waits, and close the journal; one without objects is deleted."""
        if recording.waiting:
            self._finish(recording)
        recording.waiting = None
        if recording.journal is not None:
            recording.journal.close(keep=bool(recording.journal.count))
        return recording.journal

    def _on_kept(self, put: tuple[AcceptedObject, ...], gone: tuple[Key, ...]) -> None:
        self._close_removed()
        layer, recording = self._clicking.layers.objects, self._recording()
        if recording is None or layer is None:
            return
        pixels = [read_label(layer, item.plane, item.label, item.box) for item in put]
        if recording.waiting is not None:  # later they may be others
            pixels = [tuple(_tight(pieces)) for pieces in pixels]

        def write(journal: Journal) -> None:
            for label, plane in gone:
                journal.drop(label, plane.steps)
            for item, pieces in zip(put, pixels, strict=True):
                journal.put(as_saved(item), _tight(pieces))

        self._write(recording, write)

    def _on_changed(self) -> None:
        """Record the colours of classes when they are others."""
        classes = dict(self._clicking.objects.classes)
        if classes != self._classes and classes:
            recording = self._recording()
            if recording is not None:
                self._classes = classes
                self._write(recording, lambda journal: journal.classes(classes))

    def _close_removed(self) -> None:
        """Let go of journals whose layer the user removed; they can be recovered then."""
        alive = {id(layer) for layer in self._clicking.layers.all_objects}
        gone = [known for known in self._recordings if id(known.layer) not in alive]
        self._recordings = [known for known in self._recordings if id(known.layer) in alive]
        for recording in gone:
            self._close(recording)

    def release(self, layer: Labels) -> Path | None:
        """Write no more for a layer; gives its journal, which can be deleted once it is saved."""
        found = [known for known in self._recordings if known.layer is layer]
        self._recordings = [known for known in self._recordings if known.layer is not layer]
        journal = self._close(found[0]) if found else None
        return None if journal is None else journal.path

    # ------------------------------------------------------------------ reading
    def find_lost(self, image: Image, answer: Callable[[list[Recorded]], Any]) -> None:
        """Find journals of an image that nobody writes, newest first, without their objects.

        ``answer(journals)`` is called when the image is recognised: at once, unless it is lazy.
        """
        self._close_removed()
        prune(self._folder)
        shape = tuple(int(n) for n in (image.data[0] if image.multiscale else image.data).shape)
        found = [known for known in find_journals(self._folder) if known.image.shape == shape]

        def compare(signed: Signed) -> None:
            mine = None if signed.exception() else signed.result()  # the unreadable has none
            answer([known for known in found if mine and known.image.same_image(mine)])

        if found:
            self._signatures.ask(image, compare)
        else:
            answer([])

    def holds(self, image: Image, recorded: Iterable[RecordedObject]) -> bool:
        """Whether objects of an image are among the accepted ones, whatever their ids are.

        They are if they were made by the same clicks; painted ones, if they look the same.
        """
        if bare(image) is not self._clicking.image:
            return False
        accepted = self._clicking.objects.items.values()
        mine = {_essence(as_saved(item), item.box, item.area) for item in accepted}
        for known in recorded:
            box, area = Box(0, 0, 0, 0), 0
            for piece, mask in known.pieces:
                box, area = box.union(piece), area + int(np.count_nonzero(mask))
            if _essence(known.saved, box, area) not in mine:
                return False
        return True

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
        recording = self._recording()
        if recording is not None:
            self._finish(recording)
        if recording is not None and recording.journal is not None:
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
        return SavedSession(self._signatures.of(image), model, items, classes=classes)

    def _with_start(self, item: AcceptedObject) -> AcceptedObject:
        """An object that was only painted, given as the mask that it starts from."""
        layer = self._clicking.layers.objects
        if item.interactions or item.start is not None or layer is None:
            return item
        mask = TileMap(item.plane.shape_in(layer.data.shape))
        return replace(
            item, start=mask.paste_parts(read_label(layer, item.plane, item.label, item.box))
        )


def _essence(saved: SavedObject, box: Box, area: int) -> tuple[Any, ...]:
    """What two objects that are the same have in common."""
    pixels = None if saved.interactions else (box, area)
    return saved.plane, saved.interactions, pixels


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
