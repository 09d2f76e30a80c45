"""The bar that offers objects of an earlier session, or of a layer that was removed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QMessageBox, QWidget

from ...data.journal import Recorded, read_journal
from .. import messages
from ..dock.controls import labelled_button
from . import messages as texts
from .autosave import Autosave
from .recorded import holds

__all__ = ["RecoveryBar"]


class RecoveryBar(QFrame):
    """Offers to recover objects of the chosen image; hidden if there are none.

    Parameters
    ----------
    autosave : Autosave
    start : callable
        Starts clicking, which makes the layers.

    Signals
    -------
    said : (str, str)
        A sentence and its level.
    """

    said = Signal(str, str)

    def __init__(
        self, autosave: Autosave, start: Callable[[], Any], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("recovery")
        self._autosave, self._start = autosave, start
        self._offered: Recorded | None = None
        self._later: set[Any] = set()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.recover = labelled_button("recover", "Recover")
        self.later = labelled_button("later", "Later")
        self.discard = labelled_button("discard", "Discard...")
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 6, 6, 6)
        grid.setSpacing(4)
        grid.addWidget(self.text, 0, 0, 1, 3)
        for column, button in enumerate((self.recover, self.later, self.discard)):
            grid.addWidget(button, 1, column)
            grid.setColumnStretch(column, 1)
        self.setStyleSheet("#recovery { border: 1px solid #b45309; border-radius: 6px; }")
        self.recover.clicked.connect(self._on_recover)
        self.later.clicked.connect(self._on_later)
        self.discard.clicked.connect(self._on_discard)
        self.hide()

    def look(self, image: Any) -> None:
        """Offer what there is for an image layer, None for no image."""
        self._image = image
        self._offer(image, [])
        if image is not None:
            with suppress(OSError, ValueError):  # what cannot be read is not offered
                self._autosave.find_lost(image, partial(self._offer, image))

    def _offer(self, image: Any, lost: list[Recorded]) -> None:
        """Offer the newest journal with objects, unless they are all back."""
        if image is not self._image:
            return  # another one was chosen while this one was recognised
        self._offered = None
        with suppress(OSError, ValueError):
            for known in lost:
                if known.path in self._later:
                    continue
                whole = read_journal(known.path)
                if not whole.objects and not whole.works:
                    known.path.unlink(missing_ok=True)
                elif whole.works or not holds(self._autosave.clicking, image, whole.objects):
                    self._offered = whole
                    break
        self.setVisible(self._offered is not None)
        if self._offered is not None:
            when = messages.moment(self._offered.last, time.time())
            counts = len(self._offered.objects), len(self._offered.works)
            self.text.setText(texts.recoverable(*counts, when))

    def _on_recover(self) -> None:
        offered = self._offered
        self._start()
        try:
            counts = self._autosave.recover(offered)
        except (OSError, ValueError, MemoryError) as error:
            self.said.emit(messages.one_sentence(error), "warning")
            return
        self.look(self._image)
        unfinished = counts[1] > 0  # its counts are shown next
        self.said.emit(texts.recovered(*counts), "status" if unfinished else "info")

    def _on_later(self) -> None:
        self._later.add(self._offered.path)
        self.look(self._image)

    def _on_discard(self) -> None:
        answer = QMessageBox.question(
            self,
            "Discard objects",
            texts.discarding(len(self._offered.objects), len(self._offered.works)),
        )
        if answer == QMessageBox.StandardButton.Yes:
            self._offered.path.unlink(missing_ok=True)
            self.look(self._image)
