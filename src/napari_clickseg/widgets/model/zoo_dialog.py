"""Published models that are not on this machine: what they are, their terms, how to get them."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...cancel import Cancelled
from ...models.card import ModelCard
from ...models.download import copy_in, download
from ...models.store import models_folder
from ...models.zoo import list_models
from .. import messages
from ..tooltips import tooltip
from ..work.jobs import Job
from ..work.worker import Runner
from .card_dialog import facts

__all__ = ["ZooDialog", "describe"]

COLUMNS = ("Model", "System", "Size", "Licence", "How")
SIZE = (840, 660)
"""Width and height in screen pixels."""


class ZooDialog(QDialog):
    """Chooses and gets a published model; a download goes on while the dialog is closed.

    Signals
    -------
    arrived : str
        Name of a model that is on this machine now.
    """

    arrived = Signal(str)
    _received = Signal(object, object)  # bytes so far and in all, or None, from the worker

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("More models")
        self.resize(*SIZE)
        self._cards: list[ModelCard] = []
        self._getting: ModelCard | None = None
        self._request = 0
        self.runner = Runner(self, name="clickseg_download")
        self.list = QTreeWidget()
        self.list.setHeaderLabels(COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.details = QTextBrowser()
        self.details.setOpenExternalLinks(True)
        self.news = QLabel()
        self.news.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.hide()
        self.get = _button("zoo_get", "Agree and download")
        self.place = _button("zoo_place", "Use a file I have...")
        self.cancel = _button("zoo_cancel", "Cancel download")
        self.leave = _button("zoo_close", "Close")
        self._lay_out()
        self.list.currentItemChanged.connect(lambda *_: self._refresh())
        self.get.clicked.connect(lambda: self._begin(_fetching))
        self.place.clicked.connect(self._on_place)
        self.cancel.clicked.connect(self._on_cancel)
        self.leave.clicked.connect(self.close)
        self._received.connect(self._on_received)
        self.runner.finished.connect(self._on_finished)
        runner = self.runner
        self.destroyed.connect(lambda: runner.abandon())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.addWidget(QLabel("Published models that are not on this machine yet:"))
        column.addWidget(self.list, 3)
        column.addWidget(self.details, 2)
        column.addWidget(self.news)
        column.addWidget(self.bar)
        row = QHBoxLayout()
        for button in (self.get, self.place, self.cancel):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.leave)
        column.addLayout(row)

    def showEvent(self, event: Any) -> None:
        """Look anew which models are missing."""
        super().showEvent(event)
        self._fill()

    def shut_down(self) -> None:
        """Cancel a download and close."""
        self.runner.close()
        self.close()

    # ------------------------------------------------------------------ the list
    @property
    def card(self) -> ModelCard | None:
        """The selected model."""
        row = self.list.indexOfTopLevelItem(self.list.currentItem())
        return self._cards[row] if 0 <= row < len(self._cards) else None

    def select(self, name: str) -> None:
        """Select a model of the list by name."""
        row = [card.name for card in self._cards].index(name)
        self.list.setCurrentItem(self.list.topLevelItem(row))

    def _fill(self) -> None:
        chosen = self.card
        self._cards = [card for card in list_models(available_only=False) if not card.available]
        self.list.clear()
        for card in self._cards:
            how = "download" if card.address else "by hand"
            texts = [card.name, card.system, card.size_text, card.licence, how]
            item = QTreeWidgetItem(texts)
            item.setToolTip(3, card.terms)
            self.list.addTopLevelItem(item)
        names = [card.name for card in self._cards]
        row = names.index(chosen.name) if chosen is not None and chosen.name in names else 0
        self.list.setCurrentItem(self.list.topLevelItem(row))
        self._refresh()

    def _refresh(self) -> None:
        card, busy = self.card, self._getting is not None
        self.details.setHtml("" if card is None else describe(card))
        self.list.setEnabled(not busy)
        size = "" if card is None or card.size is None else f" ({card.size_text})"
        self.get.setText(f"Agree and download{size}")
        self.get.setEnabled(not busy and card is not None and card.address is not None)
        self.place.setEnabled(not busy and card is not None)
        self.cancel.setEnabled(busy)
        self.bar.setVisible(busy)

    # ------------------------------------------------------------------ getting one
    def _on_place(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, f"The file of {self.card.name}")
        if path:
            self._begin(lambda card, *_: lambda *_: copy_in(card, Path(path)))

    def _begin(self, work: Callable[..., Callable[..., Path]]) -> None:
        """Get the selected model; `work(card, received)` gives the work of a job."""
        self._getting = self.card
        self._request += 1
        self.bar.setRange(0, 0)
        self.news.setText(f"Getting {self._getting.name}...")
        self.runner.submit(Job(self._request, work(self._getting, self._received.emit)))
        self._refresh()

    def _on_cancel(self) -> None:
        self.runner.cancel()
        self.cancel.setEnabled(False)
        self.news.setText("Cancelling; a server that is silent is given up after a while.")

    def _on_received(self, done: int, total: int | None) -> None:
        if self._getting is None or not self.cancel.isEnabled():
            return
        if total:
            self.bar.setRange(0, 1000)
            self.bar.setValue(min(1000, round(1000 * done / total)))
        of = f" of {total / 1e6:.1f}" if total else ""
        self.news.setText(f"{self._getting.name}: {done / 1e6:.1f}{of} MB")

    def _on_finished(self, job: Job) -> None:
        card, self._getting = self._getting, None
        if job.error is None and job.result is not None:
            self.news.setText(f"Saved as {job.result}")
            self._fill()
            self.arrived.emit(card.name)
        elif job.error is None or isinstance(job.error, Cancelled):
            self.news.setText("Cancelled; nothing was kept.")
        else:
            self.news.setText(messages.one_sentence(job.error))
        self._refresh()


def _fetching(card: ModelCard, received: Callable[[int, int | None], None]) -> Callable[..., Path]:
    """Work that downloads a model."""
    return lambda cancelled, progress: download(card, received, cancelled)


def describe(card: ModelCard) -> str:
    """What there is to know about a published model before it is here, as HTML."""
    write = html.escape
    target = write(str(models_folder() / card.require_published()))
    if card.address:
        steps = [
            f"Press 'Agree and download' below (from {write(card.address)}), or run "
            f"<code>clickseg-models download {write(card.name)}</code>.",
            f"Without a network: get the file elsewhere and save it as <code>{target}</code>.",
        ]
    else:
        steps = [
            *map(write, card.by_hand),
            f"Press 'Use a file I have...' below, or save the file as <code>{target}</code>.",
        ]
    listed = "".join(f"<li>{step}</li>" for step in steps)
    kind = "ul" if card.address else "ol"
    return f"<h3>{write(card.name)}</h3>{facts(card)}<{kind}>{listed}</{kind}>"


def _button(name: str, text: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tooltip(name))
    button.setAutoDefault(False)
    return button
