"""The part of the batch dock that chooses folders."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from ...commands.refine_files import RefineOptions
from ..form import wide_form
from .fields import named
from .folder_line import PathEdit
from .jobs import FolderTask, SessionsTask

__all__ = ["FolderPage"]


class FolderPage(QWidget):
    """Chooses folders of images, masks, sessions and corrected masks, and one for the output.

    Signals
    -------
    edited
        Something else is chosen.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.images, self.masks = named(PathEdit(), "images"), named(PathEdit(), "masks")
        self.out, self.clicks = named(PathEdit(), "out"), named(PathEdit(), "clicks")
        self.corrected = named(PathEdit(), "corrected")
        form = wide_form(self)
        form.addRow("Images", self.images)
        form.addRow("Masks", self.masks)
        form.addRow("Output", self.out)
        form.addRow("Clicks", self.clicks)
        form.addRow("Corrected", self.corrected)
        for path in (self.images, self.masks, self.out, self.clicks):
            path.edited.connect(self.edited)

    @property
    def ready(self) -> bool:
        """Whether there is enough to begin with."""
        start = self.masks.path or self.clicks.path
        return None not in (self.images.path, start, self.out.path)

    @property
    def from_sessions(self) -> bool:
        """Whether objects are made again from their sessions, without masks."""
        return self.masks.path is None and self.clicks.path is not None

    def task(self, options: RefineOptions) -> FolderTask | SessionsTask:
        """What is to be done.

        Raises
        ------
        ValueError
            If there are corrected masks without masks.
        """
        images, masks, out = self.images.path, self.masks.path, self.out.path
        if masks is None:
            if self.corrected.path is not None:
                raise ValueError("Corrected masks go with masks. Choose the folder of masks too.")
            return SessionsTask(options, images, self.clicks.path, out)
        return FolderTask(options, images, masks, out, self.clicks.path, self.corrected.path)
