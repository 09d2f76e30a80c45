"""Session files from the dock: save all objects, or open a file and go on with its objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from ...data.journal import RecordedObject
from ...data.saved_session import SavedModel, SavedObject, SavedSession, SessionFileError
from ...data.session_file import SUFFIX, read_session, write_session
from ...geometry import Box
from .. import messages
from ..dock.clicking import Clicking
from ..dock.source import SourcePanel
from ..image.signing import Signatures
from ..model.predictors import Choice, PredictorCache
from ..work.controller import Controller
from ..work.jobs import Job, Tell
from ..work.worker import Runner
from . import messages as texts
from .accepted import from_saved
from .autosave import Autosave
from .recorded import put_back

if TYPE_CHECKING:
    from napari.layers import Image

    from ...data.readers import ImageReader

__all__ = ["SessionFiles", "replaying"]

FILTER = f"Sessions (*{SUFFIX})"
HASHED_BYTES = 2**27
"""Model files up to this size are hashed when a session is saved, unless their hash is known."""


class SessionFiles:
    """Saves the objects of an image with their clicks, and makes them again from a file.

    `opened` is emitted when they are made.

    Parameters
    ----------
    clicking : Clicking
    controller : Controller
    runner : Runner
        The dock's: masks are made again one at a time with its predictions.
    source : SourcePanel
        Which image and model are chosen.
    autosave : Autosave
        Knows the objects as values.
    signatures : Signatures
    start : callable
        Starts clicking on the image chosen.
    parent : QWidget
        Of the file dialogs.
    """

    opened = Signal()

    def __init__(
        self,
        clicking: Clicking,
        controller: Controller,
        runner: Runner,
        source: SourcePanel,
        autosave: Autosave,
        signatures: Signatures,
        start: Callable[[], Any],
        parent: QWidget,
    ) -> None:
        self._clicking, self._controller, self._runner = clicking, controller, runner
        self._source, self._autosave = source, autosave
        self._signatures = signatures
        self._start, self._parent = start, parent
        self._job: Job | None = None
        self._opened: tuple[Path, SavedSession, Any] | None = None
        runner.finished.connect(self._on_finished)
        runner.progressed.connect(self._on_progress)

    # ------------------------------------------------------------------ saving
    def save(self, path: str | Path | None = None) -> None:
        """Write all objects of the image into a session file; without a path the user is asked."""
        image = self._clicking.image
        if path is None:
            stem = "image" if image is None else image.name.split(".")[0]
            path, _ = QFileDialog.getSaveFileName(
                self._parent, "Save the session", f"{stem}{SUFFIX}", FILTER
            )
        if not path:
            return
        path = Path(path)
        if not path.name.lower().endswith(SUFFIX):
            path = path.with_name(f"{path.name.removesuffix('.json')}{SUFFIX}")
        try:
            session = self._autosave.session(self._model())
            write_session(path, session)
        except (ValueError, OSError) as error:
            self._say(messages.one_sentence(error), "error")
            return
        self._say(texts.session_saved(len(session.objects), str(path)), "info")

    def _model(self) -> SavedModel:
        """The chosen model, with the hash of its file if that is known or quickly found."""
        card = self._source.card
        if card is None:
            raise ValueError(messages.NO_MODEL)
        known = card.sha256
        path = card.path
        if known is None and path.is_file() and path.stat().st_size <= HASHED_BYTES:
            from ...models.store import file_hash

            known = file_hash(path)
        return SavedModel(card.name, known)

    # ------------------------------------------------------------------ opening
    def open(self, path: str | Path | None = None) -> None:
        """Make the objects of a session file again, beside those that are there.

        The image that it was made on has to be open. Its model is chosen if it is offered.
        """
        if path is None:
            path, _ = QFileDialog.getOpenFileName(self._parent, "Open a session", "", FILTER)
        if not path:
            return
        try:
            self._begin(Path(path))
        except (ValueError, OSError, MemoryError) as error:
            self._say(messages.one_sentence(error), "error")

    def _begin(self, path: Path) -> None:
        session = read_session(path)
        if self._controller.busy in ("running", "refining") or self._job is not None:
            raise ValueError(texts.BUSY_FOR_SESSION)
        image = self._image_of(session, path)
        self._source.choose_image(image)
        self._choose_model(session)
        if self._clicking.image is not image or self._clicking.layers.objects is None:
            self._start()
        if self._clicking.image is not image or self._clicking.layers.objects is None:
            return  # refused, and that was said
        shape = self._clicking.layers.shape
        planes = {}
        for item in session.objects:
            planes[item.plane] = from_saved(item, Box(0, 0, 0, 0), 0, shape).plane
            _check_plane(planes[item.plane].steps, shape, path)
        readers = {known: self._clicking.readers.reader(plane) for known, plane in planes.items()}
        cache, choice = self._controller.cache, self._controller.choice
        work = replaying(cache, choice, session.objects, readers)
        self._job = Job(-1, work)
        self._opened = path, session, self._clicking.layers.objects
        self._say(texts.opening_session(0, len(session.objects)), "info")
        self._runner.submit(self._job)

    def _image_of(self, session: SavedSession, path: Path) -> Image:
        """The image layer that a session was made on, the chosen one first."""
        images = list(self._source.images)
        images.sort(key=lambda layer: layer is not self._source.image)
        for image in images:
            if self._signatures.of(image).same_image(session.image):
                return image
        known = session.image
        raise SessionFileError(texts.other_image(path.name, known.name, known.shape))

    def _choose_model(self, session: SavedSession) -> None:
        wanted = session.model.name
        if self._source.card is not None and self._source.card.name == wanted:
            return
        for card in self._source.cards:
            if card.name == wanted:
                self._source.choose_model(str(card.path))
                return

    def _on_progress(self, request: int, news: Any) -> None:
        if request == -1 and self._opened is not None and isinstance(news, int):
            count = len(self._opened[1].objects)
            self._say(texts.opening_session(news, count), "info")

    def _on_finished(self, job: Job) -> None:
        if job is not self._job:
            if self._job is not None and not self._runner.busy:  # it was pushed out
                self._job = self._opened = None
                self._say(texts.SESSION_STOPPED, "warning")
            return
        (path, session, layer), self._job, self._opened = self._opened, None, None
        if job.stop.is_set() or layer is not self._clicking.layers.objects:
            self._say(texts.SESSION_STOPPED, "warning")
        elif job.error is not None:
            self._say(messages.one_sentence(job.error), "error")
        else:
            classes = {known.name: known.colour for known in session.classes}
            try:
                count = put_back(self._clicking, job.result, classes, final=False)
            except (ValueError, MemoryError, OSError) as error:
                self._say(messages.one_sentence(error), "error")
                return
            card = self._source.card
            other = card is None or card.name != session.model.name
            model = session.model.name if other else None
            lacking = len(session.objects) - count
            self.opened.emit()
            self._say(texts.session_opened(count, lacking, path.name, model), "info")

    def _say(self, text: str, level: str) -> None:
        self._controller.said.emit(text, level)


def replaying(
    cache: PredictorCache,
    choice: Choice,
    objects: tuple[SavedObject, ...],
    readers: Mapping[tuple[int | None, ...] | None, ImageReader],
) -> Callable[[Callable[[], bool], Tell], tuple[RecordedObject, ...]]:
    """Work that makes saved objects again; it tells how many are done.

    Parameters
    ----------
    cache : PredictorCache
    choice : Choice
        Its model answers, with the settings of each object.
    objects : tuple of SavedObject
    readers : mapping
        Of the plane of each object.
    """

    def work(cancelled: Callable[[], bool], tell: Any) -> tuple[RecordedObject, ...]:
        from ...engine.mask_rule import MaskRule
        from ...engine.predictor import Predictor
        from ...engine.replay import profile_of, replay_object, strips

        own, predictors, made = cache.get(choice), {}, []
        for item in objects:
            key = repr(item.settings)
            if key not in predictors:
                predictors[key] = (
                    Predictor(own.model, profile_of(item.settings)) if item.settings else own
                )
            predictor = predictors[key]
            done = replay_object(item, readers[item.plane], predictor, cancelled)
            mask = MaskRule.of(predictor.profile).view(done)
            made.append(RecordedObject(item, tuple(strips(mask))))
            tell(len(made))
        return tuple(made)

    return work


def _check_plane(steps: tuple[int | None, ...], shape: tuple[int, ...], path: Path) -> None:
    sides = zip(steps, shape, strict=False)
    if len(steps) != len(shape) or any(s is not None and s >= n for s, n in sides):
        raise SessionFileError(texts.other_planes(path.name))
