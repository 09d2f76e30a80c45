"""The page that shows runs of a console script: how far they are, what they say, what came out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Protocol

from qtpy.QtCore import Qt, QTimer, QUrl, Signal
from qtpy.QtGui import QDesktopServices, QFontDatabase
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ...commands.apart import ApartRun, read_run
from ...data.progress_file import read_progress
from .. import messages
from ..remembered import remembered_runs
from .run_reading import Tail, error_in

__all__ = ["Charts", "RunPage", "sentences"]

LOOK_EVERY = 500  # milliseconds
MOST_LINES = 3000
TIPS = {
    "runs": "Runs on this machine, the last one first. They go on when napari is closed.",
    "stop": "Stop the run. What it has is saved, and Go on takes it up again.",
    "go_on": "Take the run up where it was saved last.",
    "use": "Choose the model in the dock for clicking.",
    "show": "Open the folder of the run.",
}


class Charts(Protocol):
    """What is drawn of the runs of one script."""

    pages: list[tuple[str, QWidget]]
    """Titles and widgets."""

    def open(self, folder: Path | None) -> None:
        """Show another run, or none."""

    def update(self) -> None:
        """Show what is new."""

    def model(self, run: ApartRun) -> str | None:
        """Name or file of the model that can be clicked with."""

    def done(self, run: ApartRun) -> str:
        """A sentence for a run that is finished."""


class RunPage(QWidget):
    """Shows one of the runs of a script.

    Parameters
    ----------
    script : str
        Such as ``clickseg-train``.
    charts : Charts

    Signals
    -------
    go_on_asked : ApartRun
    use_asked : str
        Name or file of a model.
    """

    go_on_asked = Signal(object)
    use_asked = Signal(str)

    def __init__(self, script: str, charts: Charts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.script, self.charts = script, charts
        self.run: ApartRun | None = None
        self._listed: list[ApartRun] = []
        self._tail: Tail | None = None
        self.box = _named(QComboBox(), "runs")
        self.box.setAccessibleName("Runs")
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.status, self.words = sentences(), sentences()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setAccessibleName("Log")
        self.log.setMaximumBlockCount(MOST_LINES)
        self.log.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.tabs = QTabWidget()
        for title, widget in (*charts.pages, ("Log", self.log)):
            widget.setAccessibleName(title)
            self.tabs.addTab(widget, title)
        self.stop = _named(QPushButton("Cancel"), "stop")
        self.go_on = _named(QPushButton("Go on"), "go_on")
        self.use = _named(QPushButton("Click with it"), "use")
        self.show_folder = _named(QPushButton("Open folder"), "show")
        self._lay_out()
        self.box.currentIndexChanged.connect(self._on_chosen)
        # once Qt has shown it, which puts the end of its last line in view
        later = Qt.ConnectionType.QueuedConnection
        self.tabs.currentChanged.connect(self._on_tab, later)
        self.stop.clicked.connect(self._on_stop)
        self.go_on.clicked.connect(lambda: self.go_on_asked.emit(self.run))
        self.use.clicked.connect(lambda: self.use_asked.emit(self.charts.model(self.run)))
        self.show_folder.clicked.connect(self._on_show_folder)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_EVERY)
        self.list_runs()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        for widget in (self.box, self.status, self.bar, self.words):
            column.addWidget(widget)
        column.addWidget(self.tabs, 1)
        grid = QGridLayout()
        for number, button in enumerate((self.stop, self.go_on, self.use, self.show_folder)):
            grid.addWidget(button, number // 2, number % 2)
        column.addLayout(grid)

    # ------------------------------------------------------------------ which run
    def list_runs(self, chosen: Path | None = None) -> None:
        """Look anew which runs there are; show that of a folder, or the one shown before."""
        found = filter(None, map(read_run, remembered_runs()))
        self._listed = [run for run in found if run.script == self.script]
        folders = [run.folder for run in self._listed]
        if chosen is None and self.run is not None:
            chosen = self.run.folder
        blocked = self.box.blockSignals(True)
        self.box.clear()
        for run in self._listed:
            when = messages.moment(run.started, time.time())
            self.box.addItem(f"{run.folder.parent.name}/{run.folder.name} · {when}")
            tip = Qt.ItemDataRole.ToolTipRole
            self.box.setItemData(self.box.count() - 1, str(run.folder), tip)
        self.box.setCurrentIndex(folders.index(chosen) if chosen in folders else 0)
        self.box.blockSignals(blocked)
        self._on_chosen()

    @property
    def any_running(self) -> bool:
        """Whether one of the runs is still at work."""
        return any(run.state == "running" for run in self._listed)

    def _on_chosen(self, *_: Any) -> None:
        row = self.box.currentIndex()
        self.run = self._listed[row] if 0 <= row < len(self._listed) else None
        self.log.clear()
        self._tail = None if self.run is None else Tail(self.run.output)
        self.charts.open(None if self.run is None else self.run.folder)
        self.look()

    # ------------------------------------------------------------------ what it does
    def look(self) -> None:
        """Show what is new of the run."""
        run = self.run
        if run is None:
            self.status.setText("No runs yet. Start one under New run.")
        else:
            # the state first: what is written before the end is then read below
            state = run.state
            anew, lines = self._tail.read()
            if anew:
                self.log.clear()
            if lines:
                self._add_to_log("\n".join(lines))
            self.charts.update()
            self._show_progress(run, state == "running")
            self.status.setText(self._sentence(run, state))
        running = run is not None and state == "running"
        for widget in (self.bar, self.words):
            widget.setVisible(running)
        self.stop.setEnabled(running)
        self.stop.setText("Stop at once" if running and run.asked_to_stop else "Cancel")
        again = run is not None and state in ("stopped", "failed", "vanished")
        self.go_on.setEnabled(again)
        self.use.setEnabled(run is not None and self.charts.model(run) is not None)
        self.show_folder.setEnabled(run is not None)

    def _add_to_log(self, text: str) -> None:
        """Add lines; the view follows them down, unless it was scrolled up, but never aside."""
        down, across = self.log.verticalScrollBar(), self.log.horizontalScrollBar()
        follows, left = down.value() >= down.maximum() - 1, across.value()
        self.log.appendPlainText(text)
        if follows:
            down.setValue(down.maximum())
        across.setValue(left)

    def _on_tab(self, *_: Any) -> None:
        """Show the log's last lines from their beginning."""
        if self.tabs.currentWidget() is self.log:
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())
            self.log.horizontalScrollBar().setValue(0)

    def _show_progress(self, run: ApartRun, running: bool) -> None:
        far = read_progress(run.folder) if running else None
        if far is None or far.total <= 0:
            self.bar.setRange(0, 0)
            self.words.setText("")
            return
        self.bar.setRange(0, far.total)
        self.bar.setValue(far.done)
        left = "" if far.left is None else f" · {messages.time_left(far.left)}"
        self.words.setText(f"{far.done} of {far.total} · {far.words}{left}")

    def _sentence(self, run: ApartRun, state: str) -> str:
        if state == "running" and run.asked_to_stop:
            return messages.RUN_STOPPING
        if state == "running":
            since = messages.moment(run.started, time.time())
            return f"Runs since {since}. It goes on when napari is closed."
        if state == "finished":
            return self.charts.done(run)
        if state == "failed":
            return error_in(run.output, run.script) or messages.RUN_VANISHED
        return messages.RUN_STOPPED if state == "stopped" else messages.RUN_VANISHED

    def _on_stop(self) -> None:
        try:
            self.run.stop(at_once=self.run.asked_to_stop)
        except OSError as error:
            self.status.setText(messages.one_sentence(error))
            return
        self.look()

    def _on_show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.run.folder)))

    def shut_down(self) -> None:
        """Look no more; the runs go on."""
        self._timer.stop()


def sentences() -> QLabel:
    """A label for sentences that can be copied, as wide as there is room."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    policy = label.sizePolicy()
    policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
    label.setSizePolicy(policy)
    return label


def _named(widget: Any, name: str) -> Any:
    widget.setObjectName(name)
    widget.setToolTip(TIPS[name])
    return widget
