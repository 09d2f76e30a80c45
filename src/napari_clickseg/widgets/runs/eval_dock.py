"""The dock that measures a model by simulated clicks: a form for ``clickseg-eval``, its runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QComboBox

from ...commands.apart import ApartRun
from ...data.datasets import open_dataset
from ...data.exports.tables import Table
from ...data.scenes import SceneDataset
from ...data.session_file import read_session
from .. import messages
from ..dock.opening import clicking_dock
from ..model.predictors import list_devices
from ..table_view import TableView
from .curve import CurveView
from .model_choice import ModelChoice
from .requested_runs import EvalRequest
from .run_dock import RunDock, field, more_field, named
from .run_reading import WORST, EvaluationReading, worst_cases

if TYPE_CHECKING:
    import napari

__all__ = ["EvalDock"]

USERS = ("centre", "near-centre", "uniform", "near-boundary", "outside", "realistic")
FIELDS = {
    "clicks": ("Most clicks", "20", "The most clicks per object."),
    "target-iou": ("Target IoU", "0.9", "An object is done when its mask is as good as this."),
    "limit": ("Images", "all", "Only so many images of the data set."),
    "jobs": ("Processes", "1", "Side by side; each loads the model once."),
}


class EvalDock(RunDock):
    """Counts the clicks that a model needs on labelled images.

    Parameters
    ----------
    viewer : napari Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        charts = EvaluationCharts(self._open_session)
        super().__init__(viewer, charts, "clickseg-eval", "Evaluate")
        self.model = ModelChoice()
        self.model.setToolTip("The model to measure.")
        tip = "Folder with images/ and masks/ in it, or READER@FOLDER, such as SBD:val@/data/SBD."
        self.data.setToolTip(tip)
        self.out.setToolTip("Folder for the report, plots and the worst cases.")
        self.objects = named(QComboBox(), "objects", "Which objects of an image are clicked on.")
        self.objects.addItems(["all", "largest"])
        self.users = named(
            QComboBox(), "users", "Where the simulated user clicks. centre is the published one;\n"
            "realistic is it and all others, whose clicks are drawn at random."
        )  # fmt: skip
        self.users.addItems(USERS)
        self.device = named(
            QComboBox(), "device", "Where it runs. auto takes a GPU if there is one."
        )
        self.device.addItems(list_devices())
        self.fields = {name: field(name, tip, usual) for name, (_, usual, tip) in FIELDS.items()}
        self.boundary = named(QCheckBox("Boundary IoU too"), "boundary", "Measure it as well.")
        self.more = more_field(
            "An option of clickseg-eval, or a field of the profile (key=value), in each line.",
            "--checkpoint other.safetensors\n--no-flip",
        )
        self.form.addRow("Model", self.model)
        self.form.addRow("Data", self.data)
        self.form.addRow("Output", self.out)
        self.form.addRow("Objects", self.objects)
        self.form.addRow("User", self.users)
        for name, line in self.fields.items():
            self.form.addRow(FIELDS[name][0], line)
            line.textChanged.connect(self.refresh)
        self.form.addRow("Device", self.device)
        self.form.addRow("", self.boundary)
        self.form.addRow("More options", self.more)
        self.model.edited.connect(self.refresh)
        self.model.said.connect(self._say)
        for box in (self.objects, self.users, self.device):
            box.currentIndexChanged.connect(self.refresh)
        self.boundary.toggled.connect(self.refresh)
        self.more.textChanged.connect(self.refresh)
        dock = clicking_dock(viewer)
        if dock is not None and dock.source.card is not None:
            self.model.choose(dock.source.card.path)
        self.suggest_out("evaluation")
        self.refresh()
        if self.page.any_running:
            self.tabs.setCurrentWidget(self.page)

    def request(self) -> EvalRequest:
        """What the form asks for now."""
        return EvalRequest(
            self.model.model,
            self.data.line.text().strip(),
            (self.out.path or Path("run")).absolute(),
            self.objects.currentText(),
            self.users.currentText(),
            self.device.currentText(),
            {name: line.text().strip() for name, line in self.fields.items()},
            self.boundary.isChecked(),
            self.more.toPlainText(),
        )

    def datasets(self) -> Callable[[], Sequence[SceneDataset]]:
        """What opens the data set that is named."""
        name = self.data.line.text().strip()
        return lambda: [open_dataset(name)]

    def resumed(self, run: ApartRun) -> list[str]:
        """The same arguments: what is measured is kept."""
        return [each for each in run.arguments if each != "--restart"]

    def _open_session(self, path: str) -> None:
        """Open an image with the clicks that it was given."""
        try:
            image = Path(read_session(path).image.name)
            if all(layer.name != image.stem for layer in self._viewer.layers):
                self._viewer.open(image)
            self._viewer.open(path, plugin="napari-clickseg")
        except (ValueError, OSError) as error:
            self.page.status.setText(messages.one_sentence(error))

    def _problem(self) -> str:
        if not self.data.line.text().strip():
            return "Choose a folder with images/ and masks/ under Data."
        return super()._problem()


class EvaluationCharts:
    """IoU after each click, the numbers of clicks, and the worst objects.

    Parameters
    ----------
    open_session : callable
        Gets the file of the session of a worst object.
    """

    def __init__(self, open_session: Callable[[str], None]) -> None:
        nothing = "The first object is not measured yet."
        self.iou = CurveView("clicks", (0.0, 1.0), nothing)
        self.table = TableView()
        self.worst = TableView()
        self.worst.setToolTip("What took most clicks. Double-click opens it in the viewer.")
        self.worst.doubleClicked.connect(
            lambda index: open_session(index.siblingAtColumn(len(WORST) - 1).data())
        )
        self.pages = [("IoU", self.iou), ("Clicks", self.table), ("Worst", self.worst)]
        self._folder: Path | None = None
        self._reading: EvaluationReading | None = None
        self._worst: Table | None = None

    def open(self, folder: Path | None) -> None:
        """Show another run, or none."""
        self._folder = folder
        self._reading = None if folder is None else EvaluationReading(folder)
        self._worst = Table((), ())
        self.iou.show_curves(())
        self.table.show_table(self._worst)
        self.worst.show_table(self._worst)

    def update(self) -> None:
        """Show what is new."""
        if self._reading.update():
            self.iou.show_curves(self._reading.curves)
            self.table.show_table(self._reading.table)
        worst = worst_cases(self._folder)
        if worst != self._worst:
            self._worst = worst
            self.worst.show_table(worst)

    def model(self, run: ApartRun) -> str | None:
        """The model that was measured."""
        return run.arguments[0] if run.arguments and not run.arguments[0].startswith("-") else None

    def done(self, run: ApartRun) -> str:
        """Where the report is."""
        return f"Finished. The report is {run.folder / 'report.md'}."
