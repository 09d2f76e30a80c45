"""The dock that refines existing masks: those of a Labels layer, or of a folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...cancel import Cancelled
from ...commands.refine_files import RefineOptions
from ...commands.refine_tables import COLUMNS, change_row, plane_index, tables
from ...data.exports.tables import Table
from ...models.zoo import list_models
from .. import messages
from ..docked import Docked
from ..form import wide_form
from ..model.predictors import list_devices
from ..table_view import TableView
from ..work.jobs import Job
from ..work.worker import Runner
from .cleaning import CleaningSection
from .fields import named
from .folder_page import FolderPage
from .jobs import FolderResult, FolderTask, LayerResult, LayerTask, SessionsResult, SessionsTask
from .layer_page import LayerPage
from .layer_target import LayerTarget
from .messages import SESSIONS_CANCELLED, counted, refined, segmented
from .review_layers import ReviewLayers

if TYPE_CHECKING:
    import napari

__all__ = ["BatchDock", "SegmentFolderDock"]

SHOWN = ("object", "plane", "doubt", "iou", "area_before", "area_after", "image")


class BatchDock(Docked):
    """Refines existing masks and shows what to look at afterwards.

    Parameters
    ----------
    viewer : napari Viewer
    load : callable, optional
        ``load(model, device) -> ClickModel``, in place of the model zoo.
    """

    def __init__(
        self, viewer: napari.viewer.Viewer, load: Callable[[str, str], Any] | None = None
    ) -> None:
        super().__init__()
        self._viewer, self._load = viewer, load
        self._request = 0
        self._target: LayerTarget | None = None
        self.review = ReviewLayers(viewer)
        self.runner = Runner(self, name="clickseg_refinement")
        self.what = named(QComboBox(), "what")
        self.what.setAccessibleName("What is refined")
        self.what.addItems(["Labels layer", "Folders"])
        self.layer_page, self.folder_page = LayerPage(viewer), FolderPage()
        self.model_box = named(QComboBox(), "model")
        for card in list_models():
            self.model_box.addItem(card.name, str(card.path))
        self.device_box = named(QComboBox(), "device")
        self.device_box.addItems(list_devices())
        self.cleaning = CleaningSection()
        self.refine = named(QPushButton("Refine"), "refine")
        self.cancel = named(QPushButton("Cancel"), "cancel")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = Table(COLUMNS, ())
        self.view = named(TableView(), "table")
        self.view.setAccessibleName("What changed")
        self._results: dict[str, Any] = {}
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        self.pages = QStackedWidget()
        for page in (self.layer_page, self.folder_page):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.addWidget(self.what)
        column.addWidget(self.pages)
        below = QWidget()
        form = wide_form(below)
        form.addRow("Model", self.model_box)
        form.addRow("Device", self.device_box)
        column.addWidget(below)
        column.addWidget(self.cleaning)
        row = QHBoxLayout()
        row.addWidget(self.refine, 1)
        row.addWidget(self.cancel)
        column.addLayout(row)
        for widget in (self.bar, self.status):
            column.addWidget(widget)
        column.addWidget(self.view, 1)

    def _connect(self) -> None:
        self.what.currentIndexChanged.connect(self.pages.setCurrentIndex)
        self.what.currentIndexChanged.connect(lambda *_: self._refresh())
        for page in (self.layer_page, self.folder_page):
            page.edited.connect(self._refresh)
        self.refine.clicked.connect(self.start)
        self.cancel.clicked.connect(self.runner.cancel)
        self.runner.finished.connect(self._on_finished)
        self.runner.progressed.connect(lambda _, part: self.bar.setValue(round(1000 * part)))
        self.view.selectionModel().currentRowChanged.connect(self._on_row)
        runner = self.runner
        self.destroyed.connect(lambda: runner.abandon())

    # ------------------------------------------------------------------ running
    @property
    def folders(self) -> bool:
        """Whether masks of folders are refined, not those of a layer."""
        return self.what.currentIndex() == 1

    def start(self) -> None:
        """Refine what is chosen; a refusal is shown as a sentence."""
        try:
            task = self._folder_task() if self.folders else self._layer_task()
        except (ValueError, MemoryError) as error:
            self._say(messages.one_sentence(error))
            return
        self._request += 1
        self.bar.setValue(0)
        self._say("")
        self.runner.submit(Job(self._request, task.run))
        self._refresh()

    def _options(self) -> RefineOptions:
        model, device = self.model_box.currentData(), self.device_box.currentText()
        return RefineOptions(model, device, cleaning=self.cleaning.values)

    def _folder_task(self) -> FolderTask | SessionsTask:
        self._target = None
        return self.folder_page.task(self._options())

    def _layer_task(self) -> LayerTask:
        load = self._load
        if load is None:
            from ...models.zoo import load_model as load
        self._target = target = self.layer_page.target()
        return LayerTask(
            self._options(),
            load,
            target.labels,
            target.parts,
            target.limits,
            self.layer_page.label,
            target.corrected,
            self.layer_page.session.path,
            target.image,
        )

    def _on_finished(self, job: Job) -> None:
        if isinstance(job.error, Cancelled):
            self._say(SESSIONS_CANCELLED if self.folders else "Cancelled.")
        elif job.error is not None:
            self._say(messages.one_sentence(job.error))
        elif isinstance(job.result, LayerResult):
            self._show_layer(job.result)
        elif isinstance(job.result, FolderResult):
            self._show_folder(job.result)
        elif isinstance(job.result, SessionsResult):
            self._say(segmented(job.result))
        self._refresh()

    # ------------------------------------------------------------------ what came out
    def _show_layer(self, result: LayerResult) -> None:
        layer = self._target.show(self._viewer, result.labels)
        rows = [change_row(layer.name, change) for change in result.changes]
        review = sorted(rows, key=lambda row: -row[-1])
        self._show(Table(COLUMNS, tuple(review)))
        planes = len({change.plane for change in result.changes})
        where = f" on {planes} planes" if planes > 1 else ""
        self._say(
            f"{counted(len(review), 'object')}{where} refined in the new layer '{layer.name}'."
        )

    def _show_folder(self, result: FolderResult) -> None:
        self._results = {done.files.name: done.files for done in result.results}
        self._show(tables(result.results)[1])
        self._say(refined(result))

    def _show(self, table: Table) -> None:
        self.table = table
        columns = [name for name in SHOWN if name != "plane" or _stacked(table)]
        kept = [table.columns.index(name) for name in columns]
        rows = tuple(tuple(row[i] for i in kept) for row in table.rows)
        self.view.show_table(Table(tuple(columns), rows))

    def _on_row(self, index: Any, before: Any = None) -> None:
        """Bring the object of a row into view."""
        if not index.isValid():
            return
        row = self.table.rows[self.view.model().mapToSource(index).row()]
        name, label, index, place = row[0], row[1], plane_index(row[2]), (row[3], row[4])
        try:
            if self._target is not None:
                self._target.go_to(self._viewer, label, index, place)
            elif name in self._results:
                self.review.go_to(self._results[name], label, index, place)
        except (ValueError, OSError) as error:
            self._say(messages.one_sentence(error))

    def _refresh(self) -> None:
        if self._closed:
            return
        page = self.folder_page if self.folders else self.layer_page
        busy, ready = self.runner.busy, page.ready
        again = self.folders and self.folder_page.from_sessions
        self.refine.setText("Segment" if again else "Refine")
        self.refine.setEnabled(ready and not busy and self.model_box.count() > 0)
        self.cancel.setEnabled(busy)
        self.bar.setVisible(busy)

    def _say(self, text: str) -> None:
        self.status.setText(text)

    # ------------------------------------------------------------------ closing
    def let_go(self) -> None:
        """Stop what runs and follow the viewer no more."""
        self.runner.close()
        self.layer_page.shut_down()


class SegmentFolderDock(BatchDock):
    """The same dock, open where folders are chosen."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.what.setCurrentIndex(1)


def _stacked(table: Table) -> bool:
    """Whether some of the objects are on planes of stacks."""
    return any(plane_index(row[2]) for row in table.rows)
