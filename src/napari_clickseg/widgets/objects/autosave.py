"""What is accepted or said is in a journal at once; after a kill it is read back. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.journal import Journal, Recorded, find_journals, prune
from ...data.saved_session import SavedClass, SavedModel, SavedSession
from ...engine.tiles import TileMap
from ...geometry import bounding_box
from .. import messages
from ..dock.clicking import Clicking
from ..image.plane import Plane
from ..image.signing import Signatures, Signed
from ..layers.patches import read_label
from ..work.controller import Controller
from .accepted import AcceptedObject, Key, as_saved
from .in_work import Noted, Works
from .recorded import check_free, free_ids, holds, put_back, work_again

if TYPE_CHECKING:
    from napari.layers import Image, Labels

__all__ = ["Autosave"]


@dataclass(eq=False)
class _Recording:
    """The journal of an objects layer; None if it is not to be written.

    Until its image is signed, what is to be written waits. `places` are the planes as written.
    """

    layer: Labels
    image: Image
    journal: Journal | None = None
    waiting: list[Callable[[Journal], Any]] | None = field(default_factory=list)
    noted: Noted = field(default_factory=Noted)
    places: dict[Key, tuple[int | None, ...]] = field(default_factory=dict)


class Autosave:
    """Records what is said, accepted, deleted, merged and named; a journal for each objects layer.

    Parameters
    ----------
    clicking : Clicking
    controller : Controller
    say : callable
        ``say(text, level)``: told once when a journal cannot be written.
    signatures : Signatures
    folder : Path, optional
        Of the journals; the user's by default.

    Attributes
    ----------
    clicking : Clicking
    on : bool
        Whether journals are written.
    """

    def __init__(
        self,
        clicking: Clicking,
        controller: Controller,
        say: Callable[[str, str], Any],
        signatures: Signatures,
        folder: Path | None = None,
    ) -> None:
        self.clicking, self._say, self._folder = clicking, say, folder
        self._controller = controller
        self._signatures = signatures
        self._recordings: list[_Recording] = []
        self._classes: dict[str, str] = {}
        self.on = True
        clicking.recoverable = self._recorded
        clicking.objects.kept.connect(self._on_kept)
        clicking.objects.changed.connect(self._on_changed)
        controller.clicks_changed.connect(self._on_said)
        controller.stepped.connect(self._on_said)

    def shut_down(self) -> None:
        """Write no more. What is there can be recovered at the next start."""
        self.clicking.objects.kept.disconnect(self._on_kept)
        self.clicking.objects.changed.disconnect(self._on_changed)
        self._controller.clicks_changed.disconnect(self._on_said)
        self._controller.stepped.disconnect(self._on_said)
        for recording in self._recordings:
            self._close(recording)
        self._recordings = []

    # ------------------------------------------------------------------ writing
    def _known(self) -> _Recording | None:
        """That of the objects layer in use, if there is one."""
        layer = self.clicking.layers.objects
        return next((known for known in self._recordings if known.layer is layer), None)

    def _recorded(self) -> bool:
        """Whether what is unfinished is, or is about to be, in a journal."""
        known = self._known()
        return known is not None and (known.journal is not None or known.waiting is not None)

    def _recording(self) -> _Recording | None:
        """That of the objects layer in use; a new one at its first object."""
        layer, image, known = self.clicking.layers.objects, self.clicking.image, self._known()
        if known is not None:
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
            recording.journal.close(keep=not recording.journal.empty)
        return recording.journal

    def _on_kept(self, put: tuple[AcceptedObject, ...], gone: tuple[Key, ...]) -> None:
        self._close_removed()
        layer, recording = self.clicking.layers.objects, self._recording()
        if recording is None or layer is None:
            return
        pixels = [read_label(layer, item.plane, item.label, item.box) for item in put]
        if recording.waiting is not None:  # later they may be others
            pixels = [tuple(_tight(pieces)) for pieces in pixels]

        def write(journal: Journal) -> None:
            places = recording.places
            for label, plane in gone:
                journal.drop(label, places.pop((label, plane), plane.seen))
            for item, pieces in zip(put, pixels, strict=True):
                if places.get(item.key, item.plane.seen) != item.plane.seen:  # another channel
                    journal.drop(item.label, places[item.key])
                places[item.key] = item.plane.seen
                journal.put(as_saved(item), _tight(pieces))

        self._write(recording, write)

    def _on_said(self, *_: Any) -> None:
        """Record what is unfinished where that is new."""
        if self.clicking.image is None:
            return  # it was removed, and what was said of it may come back with it
        recording = self._recording() if self.clicking.works else self._known()
        if recording is not None:
            for plane, works in recording.noted.news(self.clicking.works):
                self._write(recording, partial(Journal.work, plane=plane.steps, works=works))

    def _on_changed(self) -> None:
        """Record the colours of classes when they are others."""
        classes = dict(self.clicking.objects.classes)
        if classes != self._classes and classes:
            recording = self._recording()
            if recording is not None:
                self._classes = classes
                self._write(recording, lambda journal: journal.classes(classes))

    def _close_removed(self) -> None:
        """Let go of journals whose layer the user removed; they can be recovered then."""
        alive = {id(layer) for layer in self.clicking.layers.all_objects}
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

    def keep(self, image: Image, works: Mapping[Plane, Works]) -> Path | None:
        """Write unfinished objects of an image that is left into a journal of their own."""
        if not self.on:
            return None
        try:
            journal = Journal(self._signatures.of(image), self._folder)
            for plane, found in Noted().news(works):
                journal.work(plane.steps, found)
        except Exception as error:  # noqa: BLE001  (of any reader)
            self._say(messages.autosave_failed(str(error)), "warning")
            return None
        journal.close(keep=not journal.empty)
        return journal.path

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

    def recover(self, recorded: Recorded) -> tuple[int, int]:
        """Bring back what a journal holds; returns how many objects, and how many unfinished ones.

        Ids that are taken already become others. The journal is deleted once all of it is in the
        journal of this session.

        Raises
        ------
        ValueError
            If there is no objects layer, or something else is in work where an object was.
        OSError
            If the journal cannot be deleted.
        """
        clicking = self.clicking
        if clicking.layers.objects is None:
            raise ValueError(messages.PRESS_START)
        lost = () if holds(clicking, clicking.image, recorded.objects) else recorded.objects
        numbers = free_ids(clicking.objects.labels, lost)
        check_free(clicking, recorded.works)
        count = put_back(clicking, lost, recorded.classes)
        unfinished = work_again(clicking, self._controller, recorded.works, numbers)
        recording = self._recording()
        if recording is not None:
            self._finish(recording)
        if recording is not None and recording.journal is not None:
            recorded.path.unlink(missing_ok=True)
        return count, unfinished

    def session(self, model: SavedModel) -> SavedSession:
        """All accepted objects of the image clicked on, to be kept in a session file.

        Raises
        ------
        ValueError
            If there is no image.
        """
        image, objects = self.clicking.image, self.clicking.objects
        if image is None:
            raise ValueError(messages.NO_IMAGE)
        in_order = sorted(objects.items.values(), key=lambda item: item.since)
        items = tuple(as_saved(self._with_start(item)) for item in in_order)
        classes = tuple(SavedClass(name, colour) for name, colour in objects.classes.items())
        return SavedSession(self._signatures.of(image), model, items, classes=classes)

    def _with_start(self, item: AcceptedObject) -> AcceptedObject:
        """An object that was only painted, given as the mask that it starts from."""
        layer = self.clicking.layers.objects
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
