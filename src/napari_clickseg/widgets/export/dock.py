"""The dock that exports the objects of a Labels layer and shows their measurements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...cancel import Cancelled
from ...data.exports.tables import Table
from .. import messages
from ..docked import Docked
from ..form import wide_form
from ..image.plane import level_shape, objects_shape
from ..layer_box import LayerBox
from ..table_view import TableView
from ..work.jobs import Job
from ..work.worker import Runner
from .labels import source_file
from .saving import FORMATS, Task
from .stacks import measure_all, write_all
from .tasks import tasks_of

if TYPE_CHECKING:
    import napari

__all__ = ["ExportDock"]

NO_LABELS = "Add or choose a Labels layer to export."
TIPS = {
    "labels": "The Labels layer whose objects are written.",
    "planes": "Of a time-lapse or a volume: the plane that is shown, or all planes. TIFF,\n"
    "OME-Zarr, COCO JSON, ImageJ ROI sets and measurements hold all planes; objects are\n"
    "measured on each plane by itself.",
    "image": "The image that the objects are of: for intensities, and for the pixel size and\n"
    "the place on the earth that its file has.",
    "format": "What the file is for.",
    "path": "Where the file is written.",
    "browse": "Choose folder and name.",
    "save": "Write the file.",
    "cancel": "Stop; an older file stays as it was.",
    "measure": "Measure every object: area, perimeter, shape, intensity; in pixels and in the\n"
    "layer's unit. Click on a column's head to sort.",
    "save_csv": "Write the measurements as a CSV file for a spreadsheet.",
}


class ExportDock(Docked):
    """Writes the objects of a Labels layer in a format of choice.

    Parameters
    ----------
    viewer : napari Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._request = 0
        self._suggested = ""
        self._agreed: Path | None = None
        self._done: Callable[[Any], None] = self._say
        self.runner = Runner(self, name="clickseg_export")
        self.labels_box = _named(LayerBox(viewer, "Labels"), "labels")
        self.planes = _named(QComboBox(), "planes")
        self.planes.addItems(["This plane", "All planes"])
        self.image_box = _named(LayerBox(viewer, "Image", none="(none)"), "image")
        self.format_box = _named(QComboBox(), "format")
        for kind, form in FORMATS.items():
            self.format_box.addItem(form.title, kind)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setStyleSheet("font-size: 11px;")
        self.path_edit = _named(QLineEdit(), "path")
        self.browse = _button("browse", "Browse...")
        self.save = _button("save", "Save")
        self.cancel = _button("cancel", "Cancel")
        self.measure = _button("measure", "Measure objects")
        self.save_csv = _button("save_csv", "Save CSV...")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = Table((), ())
        self.view = TableView()
        self.view.setAccessibleName("Measurements")
        self._lay_out()
        self._connect()
        self._on_labels()

    def _lay_out(self) -> None:
        form = wide_form()
        form.addRow("Objects", self.labels_box)
        form.addRow("Planes", self.planes)
        self._planes_label = form.labelForField(self.planes)
        form.addRow("Image", self.image_box)
        form.addRow("Format", self.format_box)
        form.addRow("", self.note)
        form.addRow("File", _row(self.path_edit, self.browse))
        form.addRow("", _row(self.save, self.cancel))
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.addLayout(form)
        for widget in (self.bar, self.status, line, _row(self.measure, self.save_csv)):
            column.addWidget(widget)
        column.addWidget(self.view, 1)

    def _connect(self) -> None:
        self.labels_box.chosen.connect(self._on_labels)
        self.image_box.chosen.connect(self._suggest)
        self.format_box.currentIndexChanged.connect(lambda *_: self._suggest())
        self.path_edit.textChanged.connect(lambda *_: self._refresh())
        self.browse.clicked.connect(self._on_browse)
        self.save.clicked.connect(self.write)
        self.cancel.clicked.connect(self.runner.cancel)
        self.measure.clicked.connect(self.show_measurements)
        self.save_csv.clicked.connect(self._on_save_csv)
        self.runner.finished.connect(self._on_finished)
        self.runner.progressed.connect(lambda _, part: self.bar.setValue(round(1000 * part)))
        runner = self.runner
        self.destroyed.connect(lambda: runner.abandon())

    # ------------------------------------------------------------------ what is chosen
    @property
    def kind(self) -> str:
        """Key of the chosen format in `FORMATS`."""
        return self.format_box.currentData()

    def choose(self, kind: str, path: str | Path | None = None) -> None:
        """Choose a format, and a path to write to."""
        self.format_box.setCurrentIndex(self.format_box.findData(kind))
        if path is not None:
            self.path_edit.setText(str(path))

    def _on_labels(self) -> None:
        """Take it that the objects are of the topmost image of their shape."""
        labels = self.labels_box.layer
        shape = () if labels is None else level_shape(labels)
        for widget in (self.planes, self._planes_label):
            widget.setVisible(len(shape) > 2)
        if shape:
            images = self.image_box.layers
            fits = (i for i in images if shape in (level_shape(i), objects_shape(i)))
            self.image_box.choose(next(fits, None))
        self._suggest()

    def _suggest(self) -> None:
        """Offer a path of the format's kind, unless the user has named one of that kind."""
        form, text = FORMATS[self.kind], self.path_edit.text()
        self.note.setText(form.note)
        if text in ("", self._suggested) or not text.lower().endswith(form.suffixes):
            source = self._source()
            folder = Path.home() if source is None else source.parent
            stem = self._name().split(".")[0].replace(" ", "_") or "image"
            if text not in ("", self._suggested):
                folder, stem = Path(text).parent, Path(text).name.split(".")[0]
            elif self.kind == "picture":
                stem += "_picture"
            elif self.image_box.layer is not None:
                stem += "_objects"
            self._suggested = str(folder / f"{stem}{form.suffixes[0]}")
            self.path_edit.setText(self._suggested)
        self._refresh()

    def _source(self) -> Path | None:
        image = self.image_box.layer
        return None if image is None else source_file(image)

    def _name(self) -> str:
        layer = self.image_box.layer or self.labels_box.layer
        source = self._source()
        return source.name if source is not None else "" if layer is None else layer.name

    def _refresh(self) -> None:
        ready, busy = self.labels_box.layer is not None, self.runner.busy
        if not ready:
            self._say(NO_LABELS)
        elif self.status.text() == NO_LABELS:
            self._say("")
        self.save.setEnabled(ready and not busy and bool(self.path_edit.text().strip()))
        self.measure.setEnabled(ready and not busy)
        self.save_csv.setEnabled(bool(self.table.rows) and not busy)
        self.cancel.setEnabled(busy)
        self.bar.setVisible(busy)

    # ------------------------------------------------------------------ writing
    def write(self) -> None:
        """Write the file, after asking if another one would be replaced."""
        path = Path(self.path_edit.text().strip()).expanduser().absolute()
        if path.exists() and path != self._agreed and not self._may_replace(path):
            return
        self._agreed = path
        kind = self.kind
        self._begin(
            lambda tasks, tell, stop: write_all(kind, path, tasks, tell, stop),
            self._say,
            kind == "measurements",
        )

    def show_measurements(self) -> None:
        """Measure the objects and show the table."""
        self._begin(measure_all, self._show, True)

    def _begin(
        self, work: Callable[..., Any], done: Callable[[Any], None], intensities: bool
    ) -> None:
        """Run ``work(tasks, progress, cancelled)`` in the worker, then `done` with its result."""
        try:
            tasks = self._tasks(intensities)
        except ValueError as error:
            self._say(messages.one_sentence(error))
            return
        self._request += 1
        self._done = done
        self.bar.setValue(0)
        self._say("")
        self.runner.submit(Job(self._request, lambda stop, tell: work(tasks, tell, stop)))
        self._refresh()

    def _tasks(self, intensities: bool) -> list[Task]:
        """What is chosen now, as values that the worker may use."""
        image = self.image_box.layer if intensities else None
        every = not self.planes.isHidden() and self.planes.currentIndex() == 1
        source = self._source()
        return tasks_of(
            self.labels_box.layer, image, self._viewer.dims, every, source, self._name()
        )

    def _on_finished(self, job: Job) -> None:
        if isinstance(job.error, Cancelled):
            self._say("Cancelled; nothing was written.")
        elif job.error is not None:
            self._say(messages.one_sentence(job.error))
        elif job.result is not None:
            self._done(job.result)
        self._refresh()

    def _show(self, table: Table) -> None:
        self.table = table
        self.view.show_table(table)
        count = len(table.rows)
        self._say(f"{count} object{'' if count == 1 else 's'} measured.")

    def _say(self, text: str) -> None:
        self.status.setText(text)

    # ------------------------------------------------------------------ asking
    def _on_browse(self) -> None:
        form = FORMATS[self.kind]
        names = " ".join(f"*{suffix}" for suffix in form.suffixes)
        path = self._ask(form.title, self.path_edit.text(), names)
        if path:
            if not path.lower().endswith(form.suffixes):
                path += form.suffixes[0]
            else:
                self._agreed = Path(path).absolute()  # the system asked already
            self.path_edit.setText(path)

    def _on_save_csv(self) -> None:
        from ...data.exports.measurements import write_measurements

        path = self._ask("Measurements", str(Path(self.path_edit.text()).with_suffix(".csv")))
        if not path:
            return
        try:
            write_measurements(path, self.table)
            self._say(f"{len(self.table.rows)} measured objects are in {path}.")
        except ValueError as error:
            self._say(messages.one_sentence(error))

    def _ask(self, title: str, path: str, names: str = "*.csv") -> str:
        return QFileDialog.getSaveFileName(self, f"Save {title}", path, f"{title} ({names})")[0]

    def _may_replace(self, path: Path) -> bool:
        text = f"{path} is there already. Replace it?"
        return QMessageBox.question(self, "Export objects", text) == QMessageBox.StandardButton.Yes

    # ------------------------------------------------------------------ closing
    def let_go(self) -> None:
        """Stop what runs and follow the viewer no more."""
        self.runner.close()
        self.labels_box.shut_down()
        self.image_box.shut_down()


def _named(widget: Any, name: str) -> Any:
    widget.setObjectName(name)
    widget.setToolTip(TIPS[name])
    return widget


def _button(name: str, text: str) -> QPushButton:
    return _named(QPushButton(text), name)


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return holder
