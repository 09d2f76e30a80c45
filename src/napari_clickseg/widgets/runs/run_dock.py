"""What the docks for training and evaluation share: a form for a new run, and the runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from ...cancel import Cancelled
from ...commands.apart import ApartRun, command_text, start_apart
from ...data.scenes import SceneDataset
from ...models.zoo import find_card
from .. import messages
from ..batch.folder_line import PathEdit
from ..dock.opening import clicking_dock
from ..docked import Docked, bring_forward
from ..form import wide_form
from ..remembered import remember_run
from ..work.jobs import Job
from ..work.worker import Runner
from .data_check import check
from .requested_runs import own_folder
from .run_page import Charts, RunPage, sentences

if TYPE_CHECKING:
    import napari

__all__ = ["PictureView", "Request", "RunDock", "field", "more_field", "named"]

WIDEST = 336
"""Pixels."""


class Request(Protocol):
    """A command line in the making."""

    script: str
    out: Path

    @property
    def arguments(self) -> list[str]:
        """Of the script."""


class RunDock(Docked):
    """A form that starts a console script in its own process, and a page that shows its runs.

    Those who inherit add rows to `form` and say what is asked for.

    Parameters
    ----------
    viewer : napari Viewer
    charts : Charts
    script : str
    verb : str
        On the button that starts.
    """

    def __init__(
        self, viewer: napari.viewer.Viewer, charts: Charts, script: str, verb: str
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._request = 0
        self._own_out = ""
        self.runner = Runner(self, name="clickseg_data_check")
        self.page = RunPage(script, charts)
        self.data, self.out = PathEdit(), PathEdit()
        self.look_at_data = named(
            QPushButton("Check data"), "check", "Read some of the images and masks and show them."
        )
        self.start_button = named(
            QPushButton(verb), "start", "Start it in a process of its own, which survives napari."
        )
        self.command = QLineEdit()
        self.command.setReadOnly(True)
        self.command.setAccessibleName("Command")
        self.copy = named(QPushButton("Copy"), "copy", "Copy the command.")
        self.status, self.found = sentences(), sentences()
        self.found.hide()
        self.picture = PictureView()
        self.tabs = QTabWidget()
        self.form = wide_form()
        self._lay_out()
        self.start_button.clicked.connect(self.start)
        self.look_at_data.clicked.connect(self.check_data)
        self.copy.clicked.connect(lambda: QApplication.clipboard().setText(self.command.text()))
        for path in (self.data, self.out):
            path.edited.connect(self.refresh)
        self.page.go_on_asked.connect(self._on_go_on)
        self.page.use_asked.connect(self._on_use)
        self.runner.finished.connect(self._on_checked)
        self.runner.progressed.connect(
            lambda _, part: self._say(f"Reading images: {100 * part:.0f} %")
        )
        runner = self.runner
        self.destroyed.connect(lambda: runner.abandon())

    def _lay_out(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(6, 6, 6, 6)
        column.addLayout(self.form)
        column.addWidget(self.found)
        column.addWidget(self.picture)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        self._body, self._scroll = body, scroll
        new = QWidget()
        outer = QVBoxLayout(new)
        outer.setContentsMargins(0, 0, 0, 6)
        outer.addWidget(scroll, 1)
        outer.addWidget(self.status)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 0)
        row.addWidget(self.command, 1)
        row.addWidget(self.copy)
        outer.addLayout(row)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 0)
        row.addWidget(self.look_at_data)
        row.addWidget(self.start_button, 1)
        outer.addLayout(row)
        self.tabs.addTab(new, "New run")
        self.tabs.addTab(self.page, "Runs")
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.addWidget(self.tabs)

    # ------------------------------------------------------------------ of those who inherit
    def request(self) -> Request:
        """What the form asks for now."""
        raise NotImplementedError

    def datasets(self) -> Callable[[], Sequence[SceneDataset]]:
        """What opens the data sets that the form names; it is called in another thread."""
        raise NotImplementedError

    def resumed(self, run: ApartRun) -> list[str]:
        """Arguments that take a run up again."""
        raise NotImplementedError

    # ------------------------------------------------------------------ a new run
    def suggest_out(self, kind: str) -> None:
        """Suggest the next free folder, unless the user chose one."""
        if self.out.line.text() == self._own_out:
            self._own_out = str(own_folder(kind))
            self.out.choose(self._own_out)

    def refresh(self, *_: Any) -> None:
        """Show the command, and whether it can be started."""
        problem = self._problem()
        self.start_button.setEnabled(not problem)
        try:
            request = self.request()
            text = command_text(request.script, request.arguments)
        except ValueError as error:
            text, problem = "", messages.one_sentence(error)
            self.start_button.setEnabled(False)
        self.command.setText(text)
        self.command.setCursorPosition(0)
        self.command.setToolTip(f"This runs, and does the same in a terminal:\n{text}")
        self._say(problem)
        self.look_at_data.setEnabled(not self.runner.busy)

    def _problem(self) -> str:
        """Why it cannot be started yet; empty if it can."""
        return "" if self.out.path is not None else "Choose a folder for the run under Output."

    def start(self) -> None:
        """Start what the form asks for; a refusal is shown as a sentence."""
        try:
            request = self.request()
            self._start(request.script, request.arguments, request.out)
        except (ValueError, OSError) as error:
            self._say(messages.one_sentence(error))

    def _start(self, script: str, arguments: list[str], folder: Path) -> None:
        run = start_apart(script, arguments, folder)
        remember_run(run.folder)
        self.page.list_runs(run.folder)
        self.tabs.setCurrentWidget(self.page)

    def _on_go_on(self, run: ApartRun) -> None:
        try:
            self._start(run.script, self.resumed(run), run.folder)
        except (ValueError, OSError) as error:
            self.page.status.setText(messages.one_sentence(error))

    def _on_use(self, model: str) -> None:
        try:
            dock = clicking_dock(self._viewer, make=True)
            dock.source.choose_model_file(find_card(model).path)
            bring_forward(dock)
        except (ValueError, OSError) as error:
            self.page.status.setText(messages.one_sentence(error))

    # ------------------------------------------------------------------ the data
    def check_data(self) -> None:
        """Read some of the data and show it."""
        self._request += 1
        self._say("Reading images...")
        open_data = self.datasets()
        self.runner.submit(Job(self._request, lambda stop, tell: check(open_data(), stop, tell)))
        self.look_at_data.setEnabled(False)

    def _on_checked(self, job: Job) -> None:
        self.look_at_data.setEnabled(True)
        if isinstance(job.error, Cancelled):
            return
        if job.error is not None:
            self._say(messages.one_sentence(job.error))
            return
        self._say("")
        self.found.setText(job.result.words)
        self.found.show()
        if job.result.picture is not None:
            self.picture.show_array(job.result.picture)
        QTimer.singleShot(0, self._scroll_to_found)

    def _scroll_to_found(self) -> None:
        if not self._closed:
            self._body.layout().activate()
            bar = self._scroll.verticalScrollBar()
            bar.setValue(min(self.found.y(), bar.maximum()))

    def _say(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def showEvent(self, event: Any) -> None:
        """Ask for the width that the form needs in the viewer's style."""
        super().showEvent(event)
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        self._scroll.setMinimumWidth(min(WIDEST, self._body.minimumSizeHint().width() + bar))

    def let_go(self) -> None:
        """Stop looking; runs go on."""
        self.runner.close()
        self.page.shut_down()


class PictureView(QLabel):
    """A picture as wide as there is room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap: QPixmap | None = None
        self.setMinimumWidth(1)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_array(self, picture: np.ndarray) -> None:
        """Show an (H, W, 3) uint8 array."""
        height, width = picture.shape[:2]
        rows = np.ascontiguousarray(picture)
        image = QImage(rows.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._show(QPixmap.fromImage(image))

    def show_file(self, path: Path) -> None:
        """Show a picture file; one that cannot be read shows nothing."""
        self._show(QPixmap(str(path)))

    def _show(self, pixmap: QPixmap) -> None:
        self._pixmap = None if pixmap.isNull() else pixmap
        self.setVisible(self._pixmap is not None)
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Follow the width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._pixmap is not None:
            mode = Qt.TransformationMode.SmoothTransformation
            self.setPixmap(self._pixmap.scaledToWidth(max(1, self.width()), mode))


def named(widget: Any, name: str, tip: str) -> Any:
    """A widget with a name and a tooltip."""
    widget.setObjectName(name)
    widget.setToolTip(tip)
    return widget


def field(name: str, tip: str, usual: str = "") -> QLineEdit:
    """A field that shows the usual value while it is empty."""
    line = named(QLineEdit(), name, tip)
    line.setPlaceholderText(usual)
    return line


def more_field(tip: str, example: str) -> QTextEdit:
    """A field for lines of further options."""
    text = named(QTextEdit(), "more", tip)
    text.setAcceptRichText(False)
    text.setTabChangesFocus(True)
    text.setPlaceholderText(example)
    text.setFixedHeight(56)
    return text
