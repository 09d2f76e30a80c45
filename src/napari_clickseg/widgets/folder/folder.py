"""One image of a folder after the other: open, click, and the mask is saved beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...cancel import Cancelled
from ...data.errors import StackError
from .. import messages
from ..work.jobs import Job
from ..work.worker import Runner
from . import messages as texts
from .image_files import OpenedImage, open_work
from .image_folder import FolderImage, list_folder
from .mask_saver import MaskSaver
from .panel import FolderPanel
from .shown_image import Memory, ShownImage

if TYPE_CHECKING:
    from ..dock.click_dock import ClickDock

__all__ = ["ImageFolder"]


class ImageFolder:
    """Joins the panel, the dock and the files.

    Parameters
    ----------
    dock : ClickDock
        Follows from image to image.
    viewer : napari Viewer
    """

    def __init__(self, dock: ClickDock, viewer: Any) -> None:
        self._dock, self._viewer = dock, viewer
        self.panel = FolderPanel()
        self.runner = Runner(dock, name="clickseg_opening")
        self.saver = MaskSaver(dock)
        self.images: tuple[FolderImage, ...] = ()
        self._shown: ShownImage | None = None
        self._memory = Memory()
        self._masked: set[Path] = set()
        self._unreadable: dict[Path, tuple[str, str]] = {}  # what the list says, and why
        self._skipped: dict[str, list[str]] = {}  # names by the reason
        self._target: tuple[FolderImage, int] | None = None
        self._last: FolderImage | None = None
        self._request = 0
        self.panel.opened.connect(self.open)
        self.panel.wanted.connect(self.show)
        self.panel.stepped.connect(self.step)
        self.panel.renamed.connect(self._on_renamed)
        self.runner.finished.connect(self._on_opened)
        runner, saver = self.runner, self.saver
        dock.destroyed.connect(lambda: (runner.abandon(), saver.abandon()))

    @property
    def keys(self) -> dict[str, Any]:
        """What keys do, by the names of `keys.KEYS`."""
        return {"previous_image": lambda: self.step(-1), "next_image": lambda: self.step(1)}

    @property
    def busy(self) -> bool:
        """Whether an image is being opened or a mask being saved."""
        return self.runner.busy or self.saver.busy

    @property
    def saves_clicks(self) -> bool:
        """Whether a session is written with each mask."""
        return self.panel.clicks.isChecked()

    @property
    def image(self) -> FolderImage | None:
        """What is open."""
        return None if self._shown is None else self._shown.image

    def shut_down(self) -> None:
        """Save what is not saved yet, and follow the viewer no more. The layers stay."""
        self.runner.close()
        if self._shown is not None:
            self._shown.leave()
        self._shown = None
        self.saver.close()

    # ------------------------------------------------------------------ verbs
    def open(self, folder: Path | str) -> None:
        """List the images of a folder and open the first one that has no mask yet."""
        folder = Path(folder)
        if not self._list(folder):
            return
        self.panel.show_folder(folder)
        done = self._masked | self._unreadable.keys()
        fresh = [place for place, image in enumerate(self.images) if image.path not in done]
        self.show(fresh[0] if fresh else 0, 1)

    def show(self, place: int, step: int = 0) -> None:
        """Open an image by its place in the list.

        Parameters
        ----------
        place : int
        step : int
            Where to go on if it cannot be opened; 0 to stay.
        """
        image = self.images[place]
        if self._target is not None and self._target[0] == image:
            return
        if self.image == image and self._shown.whole:
            self._target, self._last = None, image
            self.runner.cancel()
            self._refresh()
            self._say_with_skipped(self._place())
            return
        self._target, self._last = (image, step), image
        self._request += 1
        self._say(texts.opening(image.path.name))
        after = self.saver.last(image.mask)
        self.runner.submit(Job(self._request, open_work(image, after)))

    def step(self, rows: int) -> None:
        """Open the image so many places further; unreadable ones are skipped."""
        if self._last not in self.images:
            self._say(texts.NO_FOLDER)
            return
        place = self.images.index(self._last) + rows
        if 0 <= place < len(self.images):
            self.show(place, rows)
        else:
            self._say(texts.LAST if rows > 0 else texts.FIRST)

    # ------------------------------------------------------------------ opening
    def _on_opened(self, job: Job) -> None:
        if job.request != self._request or self._target is None:
            return
        (image, step), self._target = self._target, None
        if isinstance(job.result, OpenedImage):
            self._swap(image, job.result)
        elif job.error is not None and not isinstance(job.error, Cancelled):
            stack = isinstance(job.error, StackError)
            reason = texts.STACK if stack else messages.one_sentence(job.error)
            self._skip(image, step, "stack" if stack else "unreadable", reason)

    def _skip(self, image: FolderImage, step: int, state: str, reason: str) -> None:
        """Name an image that cannot be opened, and go on in the direction of the last step."""
        reason = reason.replace(str(image.path), image.path.name)
        self._unreadable[image.path] = state, reason
        names = self._skipped.setdefault(reason, [])
        names += [] if image.path.name in names else [image.path.name]
        self._refresh()
        place = self.images.index(image) + step if image in self.images else -1
        if step and 0 <= place < len(self.images):
            self.show(place, step)
        else:
            if step and self.image in self.images:
                self._last = self.image  # it stays open: the next step is from there
            self._say_with_skipped("")

    def _swap(self, image: FolderImage, opened: OpenedImage) -> None:
        """Put an image in the place of the one that is open."""
        before, place = self._shown, None
        if before is not None:
            before.leave()
            if before.layer in self._viewer.layers:
                place = self._viewer.layers.index(before.layer)
        shown = ShownImage(
            self._dock, self._viewer, image, opened, self._memory, self.saver, self._on_wrote
        )
        shows = shown.show(place)
        if before is not None:
            before.remove()
        if not shows:
            self._shown = None
            self._refresh()
            self._say(texts.refused_image(image.path.name))
            return
        self._shown = shown
        shown.name()
        shown.fill(self.panel.correct.isChecked())
        if before is None or (before.layer.extent.data != shown.layer.extent.data).any():
            self._viewer.reset_view()
        self._unreadable.pop(image.path, None)
        self._refresh()
        self._say_with_skipped(
            self._place()
            if opened.refused is None
            else texts.refused(image.mask.name, opened.refused)
        )

    def _on_wrote(self, image: FolderImage, text: str, saved: bool) -> None:
        """Say what became of a mask."""
        if saved:
            self._masked.add(image.path)
            self._refresh()
        self.panel.written.setText(text)

    # ------------------------------------------------------------------ the list
    def _list(self, folder: Path) -> bool:
        """List a folder; False if that is refused, with a sentence."""
        try:
            self.images = list_folder(folder, self.panel.names)
        except ValueError as error:
            self._say(messages.one_sentence(error))
            return False
        self._masked = {image.path for image in self.images if image.mask.exists()}
        self._refresh()
        return True

    def _refresh(self) -> None:
        place = self.images.index(self.image) if self.image in self.images else None
        states = [self._state(image.path) for image in self.images]
        reasons = {path: reason for path, (_, reason) in self._unreadable.items()}
        self.panel.show_images(self.images, states, place, reasons)

    def _state(self, path: Path) -> str:
        if path in self._unreadable:
            return self._unreadable[path][0]
        if path in self._memory.unsaved:
            return "not saved"
        if path in self._memory.parked:
            return "unfinished"
        return "mask" if path in self._masked else ""

    def _on_renamed(self) -> None:
        """Masks are elsewhere: what is open is saved where it belonged, and read anew."""
        path = None if self.image is None else self.image.path
        if self.panel.folder is None or not self._list(self.panel.folder):
            return
        places = [place for place, image in enumerate(self.images) if image.path == path]
        self.show(places[0] if places else 0)

    def _place(self) -> str:
        """Which image is open."""
        count, place = len(self.images), self.images.index(self.image) + 1
        return texts.shown(self.image.path.name, place, count, len(self._masked))

    def _say_with_skipped(self, text: str) -> None:
        """Say something, and once what was skipped on the way there."""
        self._say("\n".join(filter(None, (text, *texts.skipped(self._skipped)))))
        self._skipped.clear()

    def _say(self, text: str) -> None:
        self.panel.status.setText(text)
