"""The dock that refines existing masks: those of a Labels layer, or of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...cancel import Cancelled
from ...commands.refine_files import COLUMNS, RefineOptions, tables
from ...data.exports.tables import Table
from ...data.session_file import SUFFIX
from ...models.zoo import list_models
from .. import messages
from ..docked import Docked
from ..image.plane import level_shape
from ..layer_box import LayerBox
from ..model.predictors import list_devices
from ..table_view import TableView
from ..work.jobs import Job
from ..work.worker import Runner
from .cleaning import CleaningSection
from .folder_line import PathEdit
from .jobs import FolderResult, FolderTask, LayerResult, LayerTask, SessionsResult, SessionsTask
from .review_layers import LayerTarget, ReviewLayers

if TYPE_CHECKING:
    import napari

__all__ = ["BatchDock", "SegmentFolderDock"]

SHOWN = ("object", "doubt", "iou", "area_before", "area_after", "image")
TIPS = {
    "what": "Refine the objects of a layer, or masks in a folder.",
    "labels": "The Labels layer to start from. It is not changed: the refined objects come as a\n"
    "new layer. Of a stack, the plane that is shown.",
    "image": "The image that the objects are of.",
    "only": "Refine the label that is selected in the layer and leave the others as they are.",
    "session": "A session (.clickseg.json) of this image: its clicks are used for the objects\n"
    "that have some.",
    "corrected_layer": "A copy of the objects of which you corrected some: where it differs\n"
    "becomes clicks. It is not changed either.",
    "images": "Folder of images, or one image.",
    "masks": "Folder of masks with the images' names: label images, or one object each.\n"
    "Leave it empty to segment the images from their sessions alone.",
    "out": "Folder for the refined masks and the tables. It must be another one.",
    "clicks": "Sessions (.clickseg.json) of the images' names: their clicks are used for the\n"
    "objects that have some. Without, every object is refined by itself.",
    "corrected": "Masks of the images' names of which you corrected some objects: where they\n"
    "differ becomes clicks.",
    "model": "The network that refines.",
    "device": "Where it runs. auto takes a GPU if there is one.",
    "refine": "Move the outline of every object to the edges of the image. Finished files of a\n"
    "folder are skipped.",
    "cancel": "Stop. Finished files stay, and the next run goes on from there.",
    "table": "What changed, the most doubtful objects first. Select a row to see the object.",
}


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
        self.what = _named(QComboBox(), "what")
        self.what.addItems(["Labels layer", "Folders"])
        self.labels_box = _named(LayerBox(viewer, "Labels"), "labels")
        self.image_box = _named(LayerBox(viewer, "Image"), "image")
        self.only = _named(QCheckBox("Only the selected label"), "only")
        self.images, self.masks = _named(PathEdit(), "images"), _named(PathEdit(), "masks")
        self.out, self.clicks = _named(PathEdit(), "out"), _named(PathEdit(), "clicks")
        self.corrected = _named(PathEdit(), "corrected")
        self.session = _named(PathEdit(f"Sessions (*{SUFFIX})"), "session")
        self.corrected_box = _named(LayerBox(viewer, "Labels", "none"), "corrected_layer")
        self.model_box = _named(QComboBox(), "model")
        for card in list_models():
            self.model_box.addItem(card.name, str(card.path))
        self.device_box = _named(QComboBox(), "device")
        self.device_box.addItems(list_devices())
        self.cleaning = CleaningSection()
        self.refine = _named(QPushButton("Refine"), "refine")
        self.cancel = _named(QPushButton("Cancel"), "cancel")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = Table(COLUMNS, ())
        self.view = _named(TableView(), "table")
        self._results: dict[str, Any] = {}
        self._lay_out()
        self._connect()
        self._on_labels()

    def _lay_out(self) -> None:
        self.pages = QStackedWidget()
        for rows in (
            (
                ("Objects", self.labels_box),
                ("Image", self.image_box),
                ("Clicks", self.session),
                ("Corrected", self.corrected_box),
                ("", self.only),
            ),
            (
                ("Images", self.images),
                ("Masks", self.masks),
                ("Output", self.out),
                ("Clicks", self.clicks),
                ("Corrected", self.corrected),
            ),
        ):
            page = QWidget()
            form = _form(page)
            for name, widget in rows:
                form.addRow(name, widget)
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.addWidget(self.what)
        column.addWidget(self.pages)
        below = QWidget()
        form = _form(below)
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
        self.labels_box.chosen.connect(self._on_labels)
        self.image_box.chosen.connect(self._refresh)
        for path in (self.images, self.masks, self.out, self.clicks):
            path.edited.connect(self._refresh)
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
        images, masks, out = self.images.path, self.masks.path, self.out.path
        if masks is None:
            if self.corrected.path is not None:
                raise ValueError("Corrected masks go with masks. Choose the folder of masks too.")
            return SessionsTask(self._options(), images, self.clicks.path, out)
        fixed = self.corrected.path
        return FolderTask(self._options(), images, masks, out, self.clicks.path, fixed)

    def _layer_task(self) -> LayerTask:
        load = self._load
        if load is None:
            from ...models.zoo import load_model as load
        labels, image = self.labels_box.layer, self.image_box.layer
        fixed = self.corrected_box.layer
        target = LayerTarget.of(labels, image, self._viewer.dims, fixed)
        self._target = target
        return LayerTask(
            self._options(),
            load,
            target.reader,
            target.limits,
            target.labels,
            int(labels.selected_label) if self.only.isChecked() else None,
            target.corrected,
            self.session.path,
            target.image,
            target.image_plane.seen,
        )

    def _on_finished(self, job: Job) -> None:
        if isinstance(job.error, Cancelled):
            kept = " Finished files are kept; Refine goes on from there." if self.folders else ""
            self._say(f"Cancelled.{kept}")
        elif job.error is not None:
            self._say(messages.one_sentence(job.error))
        elif isinstance(job.result, LayerResult):
            self._show_layer(job.result)
        elif isinstance(job.result, FolderResult):
            self._show_folder(job.result)
        elif isinstance(job.result, SessionsResult):
            images, objects = job.result.images, _objects(job.result.objects)
            head = f"{images} images segmented, {objects}. The masks are in {self.out.path}."
            self._say("\n".join((head, *job.result.failures)))
        self._refresh()

    # ------------------------------------------------------------------ what came out
    def _show_layer(self, result: LayerResult) -> None:
        layer = self._target.show(self._viewer, result.labels)
        rows = ((layer.name, *astuple(change)) for change in result.changes)
        review = sorted(rows, key=lambda row: -row[-1])
        self._show(Table(COLUMNS, tuple(review)))
        self._say(f"{_objects(len(review))} refined in the new layer '{layer.name}'.")

    def _show_folder(self, result: FolderResult) -> None:
        self._results = {done.files.name: done.files for done in result.results}
        self._show(tables(result.results)[1])
        skipped = sum(done.skipped for done in result.results)
        known = f" ({skipped} of them finished before)" if skipped else ""
        self._say(
            "\n".join(
                (
                    f"{len(result.results)} images refined{known}, "
                    f"{_objects(len(self.table.rows))}. The tables are in {self.out.path}.",
                    *result.failures,
                )
            )
        )

    def _show(self, table: Table) -> None:
        self.table = table
        kept = [table.columns.index(name) for name in SHOWN]
        self.view.show_table(Table(SHOWN, tuple(tuple(r[i] for i in kept) for r in table.rows)))

    def _on_row(self, index: Any, before: Any = None) -> None:
        """Bring the object of a row into view."""
        if not index.isValid():
            return
        row = self.table.rows[self.view.model().mapToSource(index).row()]
        name, label, place = row[0], row[1], (row[2], row[3])
        try:
            if self._target is not None:
                self._target.go_to(self._viewer, label, place)
            elif name in self._results:
                self.review.go_to(self._results[name], label, place)
        except (ValueError, OSError) as error:
            self._say(messages.one_sentence(error))

    def _on_labels(self) -> None:
        """Take it that the objects are of the topmost image of their shape."""
        labels = self.labels_box.layer
        if labels is not None:
            shape = level_shape(labels)
            fits = [image for image in self.image_box.layers if level_shape(image) == shape]
            if fits:
                self.image_box.choose(fits[0])
        self._refresh()

    def _refresh(self) -> None:
        if self._closed:
            return
        if self.folders:
            start = self.masks.path or self.clicks.path
            ready = None not in (self.images.path, start, self.out.path)
        else:
            ready = self.labels_box.layer is not None and self.image_box.layer is not None
        busy = self.runner.busy
        again = self.folders and self.masks.path is None and self.clicks.path is not None
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
        for box in (self.labels_box, self.image_box, self.corrected_box):
            box.shut_down()


class SegmentFolderDock(BatchDock):
    """The same dock, open where folders are chosen."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.what.setCurrentIndex(1)


def _objects(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'}"


def _named(widget: Any, name: str) -> Any:
    widget.setObjectName(name)
    widget.setToolTip(TIPS[name])
    return widget


def _form(parent: QWidget) -> QFormLayout:
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form
