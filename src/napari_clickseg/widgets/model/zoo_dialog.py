"""The models on this machine and published ones: their terms, getting and deleting them."""

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
    QMessageBox,
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
from ...models.download import copy_in, download, remove
from ...models.header import CheckpointError
from ...models.store import models_folder
from ...models.zoo import list_models
from .. import messages
from ..tooltips import tooltip
from ..work.jobs import Job
from ..work.worker import Runner
from . import messages as texts
from .card_dialog import facts

__all__ = ["ZooDialog", "describe"]

COLUMNS = ("Model", "System", "Size", "Licence", "Where")
BUNDLED = "It came with the plugin, which needs it: it goes when the plugin is uninstalled."
NOT_HERE = "It is not on this machine; there is nothing to delete."
SIZE = (840, 660)
"""Width and height in screen pixels."""


class ZooDialog(QDialog):
    """Gets and deletes published models; a download goes on while the dialog is closed.

    Parameters
    ----------
    in_use : callable
        ``in_use(path)``: whether a model file is the chosen one of a dock, and so stays.
    parent : QWidget, optional

    Signals
    -------
    arrived, gone : str
        Name of a model that is on this machine now, and of one that is no more.
    """

    arrived = Signal(str)
    gone = Signal(str)
    _received = Signal(object, object)  # bytes so far and in all, or None, from the worker

    def __init__(self, in_use: Callable[[Path], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.resize(*SIZE)
        self._in_use = in_use
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
        self.remove = _button("zoo_remove", "Delete...")
        self.cancel = _button("zoo_cancel", "Cancel download")
        self.leave = _button("zoo_close", "Close")
        self._lay_out()
        self.list.currentItemChanged.connect(lambda *_: self._refresh())
        self.get.clicked.connect(lambda: self._begin(_fetching))
        self.place.clicked.connect(self._on_place)
        self.remove.clicked.connect(self._on_remove)
        self.cancel.clicked.connect(self._on_cancel)
        self.leave.clicked.connect(self.close)
        self._received.connect(self._on_received)
        self.runner.finished.connect(self._on_finished)
        runner = self.runner
        self.destroyed.connect(lambda: runner.abandon())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.addWidget(QLabel("Models on this machine, then published ones that you can get:"))
        column.addWidget(self.list, 3)
        column.addWidget(self.details, 2)
        column.addWidget(self.news)
        column.addWidget(self.bar)
        row = QHBoxLayout()
        for button in (self.get, self.place, self.remove, self.cancel):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.leave)
        column.addLayout(row)

    def showEvent(self, event: Any) -> None:
        """Look anew which models are here."""
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
        self._cards = sorted(list_models(available_only=False), key=lambda c: not c.available)
        self.list.clear()
        for card in self._cards:
            texts = [card.name, card.system, card.size_text, card.licence, card.where]
            item = QTreeWidgetItem(texts)
            item.setToolTip(3, card.terms)
            self.list.addTopLevelItem(item)
        self.select(self._cards[0].name if chosen is None else chosen.name)
        self._refresh()

    def _refresh(self) -> None:
        card, busy = self.card, self._getting is not None
        self.details.setHtml("" if card is None else describe(card))
        self.list.setEnabled(not busy)
        missing = card is not None and not card.available
        size = f" ({card.size_text})" if missing and card.size is not None else ""
        self.get.setText(f"Agree and download{size}")
        self.get.setEnabled(not busy and missing and card.address is not None)
        self.place.setEnabled(not busy and missing)
        stays = _why_it_stays(card)
        self.remove.setEnabled(not busy and not stays)
        self.remove.setToolTip(f"{tooltip('zoo_remove')} {stays}".rstrip())
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

    def _on_remove(self) -> None:
        """Delete the selected model's file if the user says so, and nobody uses it."""
        card = self.card
        if self._in_use(card.path):
            self.news.setText(texts.in_use(card.name))
            return
        question = texts.deleting(card)
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        if QMessageBox.question(self, "Delete a model", question, yes | no, no) != yes:
            return
        try:
            remove(card)
        except (OSError, CheckpointError) as error:
            self.news.setText(messages.one_sentence(error))
            return
        self.news.setText(texts.deleted(card))
        self._fill()
        self.gone.emit(card.name)

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


def _why_it_stays(card: ModelCard | None) -> str:
    """Why a model cannot be deleted; empty if it can."""
    if card is None or not card.available:
        return NOT_HERE
    return "" if card.file else BUNDLED


def describe(card: ModelCard) -> str:
    """What there is to know about a model, and how to get one that is not here, as HTML."""
    write = html.escape
    if card.available:
        return f"<h3>{write(card.name)}</h3>{facts(card)}<p>Its file: {write(str(card.path))}</p>"
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
