"""The dock that trains a model: a form for ``clickseg-train``, and its runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QScrollArea, QWidget

from ...commands.apart import ApartRun
from ...data.scenes import SceneDataset
from ...training.recipe_files import list_recipes
from ..dock.opening import clicking_dock
from ..model.predictors import list_devices
from .curve import CurveView
from .model_choice import ModelChoice
from .requested_runs import RECIPE_FIELDS, TrainRequest, data_of_recipe, defaults_of
from .run_dock import PictureView, RunDock, field, more_field, named
from .run_reading import TrainingReading, has_checkpoint, trained_model

if TYPE_CHECKING:
    import napari

__all__ = ["TrainDock"]

FIRST = "finetune"
TITLES = {
    "epochs": "Epochs",
    "epoch_length": "Examples",
    "batch": "Batch",
    "lr": "Learning rate",
}
TIPS = {
    "epochs": "How often to go through the examples. Empty: as the recipe says.",
    "epoch_length": "Crops drawn from the images in each epoch. Empty: as the recipe says.",
    "batch": "Examples of one gradient step. Less needs less memory.",
    "lr": "Of the first steps after the warm-up. Empty: as the recipe says.",
}


class TrainDock(RunDock):
    """Trains a model on one's own masks, or by any recipe.

    Parameters
    ----------
    viewer : napari Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer, TrainingCharts(), "clickseg-train", "Train")
        self.recipe = named(QComboBox(), "recipe", "What is trained, and how.")
        self.recipe.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.recipe.setMinimumContentsLength(8)
        for name, about in sorted(list_recipes().items(), key=lambda item: item[0] != FIRST):
            self.recipe.addItem(name, name)
            row = self.recipe.count() - 1
            self.recipe.setItemData(row, about, Qt.ItemDataRole.ToolTipRole)
        self.browse = named(QPushButton("Browse..."), "browse", "Use a recipe of your own (TOML).")
        self.model = ModelChoice("as the recipe says")
        self.model.setToolTip("The model whose weights the training begins from.")
        self.data.setToolTip("Folder with images/ and masks/ in it, files of the same names.")
        self.out.setToolTip("Folder for checkpoints, log and model.")
        self.device = named(
            QComboBox(), "device", "Where it runs. auto takes a GPU if there is one."
        )
        self.device.addItems(list_devices())
        self.fields = {name: field(name, TIPS[name]) for name in RECIPE_FIELDS}
        self.more = more_field(
            "A change of the recipe (key=value) or an option of clickseg-train in each line.",
            "optimizer.clip=1.0\n--amp",
        )
        self._add_rows()
        self.browse.clicked.connect(self._on_browse)
        self.recipe.currentIndexChanged.connect(self._on_recipe)
        self.model.edited.connect(self.refresh)
        self.model.said.connect(self._say)
        self.device.currentIndexChanged.connect(self.refresh)
        self.more.textChanged.connect(self.refresh)
        for line in self.fields.values():
            line.textChanged.connect(self.refresh)
        self._on_recipe()
        if self.page.any_running:
            self.tabs.setCurrentWidget(self.page)

    def _add_rows(self) -> None:
        chosen = QWidget()
        row = QHBoxLayout(chosen)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.recipe, 1)
        row.addWidget(self.browse)
        self.form.addRow("Recipe", chosen)
        self.form.addRow("Begin with", self.model)
        self.form.addRow("Data", self.data)
        self.form.addRow("Output", self.out)
        for name, line in self.fields.items():
            self.form.addRow(TITLES[name], line)
        self.form.addRow("Device", self.device)
        self.form.addRow("More options", self.more)

    def _choose_start(self) -> None:
        """Fine-tuning begins with the model that is clicked with now, other recipes as they say."""
        dock = clicking_dock(self._viewer)
        card = None if dock is None else dock.source.card
        if self.recipe.currentData() == FIRST and card is not None:
            self.model.choose(card.path)
        else:
            self.model.box.setCurrentIndex(0)

    # ------------------------------------------------------------------ what is asked for
    def request(self) -> TrainRequest:
        """What the form asks for now."""
        return TrainRequest(
            self.recipe.currentData(),
            (self.out.path or Path("run")).absolute(),
            self.model.model,
            self.data.line.text().strip(),
            self.device.currentText(),
            {name: line.text().strip() for name, line in self.fields.items() if line.isEnabled()},
            self.more.toPlainText(),
        )

    def datasets(self) -> Callable[[], Sequence[SceneDataset]]:
        """What opens the data sets of the recipe."""
        return partial(data_of_recipe, self.recipe.currentData(), self.data.line.text().strip())

    def resumed(self, run: ApartRun) -> list[str]:
        """The same arguments, and ``--resume`` if there is a checkpoint."""
        arguments = [each for each in run.arguments if each != "--resume"]
        return arguments + ["--resume"] * has_checkpoint(run.folder)

    def _problem(self) -> str:
        if self.recipe.currentData() == FIRST and not self.data.line.text().strip():
            return "Choose a folder with images/ and masks/ under Data."
        return super()._problem()

    def _on_recipe(self, *_: object) -> None:
        recipe = self.recipe.currentData()
        try:
            defaults = defaults_of(recipe)
        except ValueError as error:
            self._say(str(error))
            return
        for name, line in self.fields.items():
            line.setEnabled(defaults is not None)
            line.setPlaceholderText("" if defaults is None else defaults[name])
        self._choose_start()
        self.suggest_out(Path(recipe).stem)
        self.refresh()

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a recipe", "", "Recipes (*.toml)")
        if path:
            self.recipe.addItem(Path(path).name, path)
            self.recipe.setCurrentIndex(self.recipe.count() - 1)


class TrainingCharts:
    """Loss, IoU and a picture of what the network does."""

    def __init__(self) -> None:
        nothing = "The first numbers come after 25 steps or an epoch."
        self.loss = CurveView("gradient steps", nothing=nothing)
        self.iou = CurveView("gradient steps", (0.0, 1.0), nothing)
        self.picture = PictureView()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.picture)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setToolTip("Images with clicks, masks and, once it learns, the network's answer.")
        self.pages = [("Loss", self.loss), ("IoU", self.iou), ("Pictures", scroll)]
        self._folder: Path | None = None
        self._reading: TrainingReading | None = None
        self._shown: tuple[Path, float] | None = None

    def open(self, folder: Path | None) -> None:
        """Show another run, or none."""
        self._folder, self._shown = folder, None
        self._reading = None if folder is None else TrainingReading(folder)
        self.picture.hide()
        self._draw()

    def update(self) -> None:
        """Show what is new."""
        if self._reading.update():
            self._draw()
        pictures = sorted((self._folder / "pictures").glob("*.jpg"))[-1:]
        for path in pictures or [self._folder / "preview.jpg"]:
            if path.is_file() and (path, path.stat().st_mtime) != self._shown:
                self._shown = path, path.stat().st_mtime
                self.picture.show_file(path)

    def _draw(self) -> None:
        self.loss.show_curves(() if self._reading is None else self._reading.losses)
        self.iou.show_curves(() if self._reading is None else self._reading.ious)

    def model(self, run: ApartRun) -> str | None:
        """The trained model, or the best one so far."""
        path = trained_model(run.folder)
        return None if path is None else str(path)

    def done(self, run: ApartRun) -> str:
        """Where the model is."""
        return f"Finished. The model is {trained_model(run.folder)}."
