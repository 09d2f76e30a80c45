"""The default model beside what one would use otherwise, clicked by the same simulated user.

    CLICKSEG_DATA=data/dev python benchmarks/baselines.py -o results [--images 20]
    python benchmarks/baselines.py --sets GrabCut --checkpoint coco_lvis_h18_itermask my.pth

One Markdown table: the default model, published or own checkpoints that you name, and methods
without a network (OpenCV's GrabCut, needs `pip install opencv-python-headless`; random walker;
geodesic distance; watershed; a magic wand). The user, the measure and the limit of 20 clicks are
those of `clickseg-eval`. Methods without a network see images reduced to `--size`; their masks are
brought back and measured at full size, as all are. The wand is run with several tolerances and
shown with the one that is best on the set, which favours it. Of SciMix each image's 5 largest
objects are clicked and averaged by image, then by kind (its files' prefix). With `-o` an
interrupted run goes on.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from classical import CLASSICAL, Flood

from napari_clickseg.commands.cli import Parser, UsageError, run
from napari_clickseg.data.datasets import open_dataset
from napari_clickseg.data.scenes import Scene, SceneDataset
from napari_clickseg.evaluation.dataset import DatasetResult
from napari_clickseg.evaluation.job import Job
from napari_clickseg.evaluation.journal import Journal
from napari_clickseg.evaluation.machine import describe, machine_facts
from napari_clickseg.evaluation.metrics import mean_iou_at, noc
from napari_clickseg.evaluation.protocol import ObjectResult
from napari_clickseg.evaluation.runner import run_job
from napari_clickseg.evaluation.terms import Terms
from napari_clickseg.evaluation.users import user_variants
from napari_clickseg.models.zoo import DEFAULT, find_model

SETS = ("GrabCut", "COCO_MVal", "SciMix", "Avalanche")
OBJECTS, ALL = {"SciMix": 5}, "largest"
BY_KIND = ("SciMix",)
WAND, TOLERANCES = "magic wand", (10, 20, 30, 45)
CLICKS = 20
METHODS = (*CLASSICAL, WAND)
HEADINGS = ("method", "set", "images", "seen at", "NoC@85", "NoC@90", "never 90 %")
HEADINGS += ("IoU@1", "IoU@3", "IoU@5", "ms per click")


class Spread:
    """So many scenes of a data set, spread evenly over it."""

    def __init__(self, dataset: SceneDataset, count: int | None) -> None:
        chosen = np.linspace(0, len(dataset) - 1, min(count or len(dataset), len(dataset)))
        self._all, self._chosen = dataset, [round(place) for place in chosen]
        self.name, self.ids = dataset.name, [dataset.ids[place] for place in self._chosen]

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Scene:
        return self._all[self._chosen[index]]

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """The same as by indexing, with what a data set draws at random."""
        return self._all.scene(self._chosen[index], rng)


@dataclass(frozen=True)
class Task(Job):
    """A job whose model may be one without a network, on some of the images.

    Attributes
    ----------
    images : int or None
        How many; all by default.
    """

    images: int | None = None

    def dataset(self) -> Spread:
        """The chosen images."""
        return Spread(super().dataset(), self.images)

    def segmenter(self) -> Any:
        """What is clicked."""
        name, _, tolerance = self.model.partition(":")
        if name == WAND:
            return Flood(int(tolerance))
        return CLASSICAL[name]() if name in CLASSICAL else super().segmenter()


def kind_of(data: str, image: str) -> str:
    """What to average an image with, before everything is averaged."""
    return image.partition("_")[0] if data in BY_KIND else ""


def averaged(data: str, values: Sequence[tuple[str, float]]) -> float:
    """Mean over the kinds of the means over their images of the means over their objects."""
    images: dict[str, list[float]] = {}
    for image, value in values:
        images.setdefault(image, []).append(value)
    kinds: dict[str, list[float]] = {}
    for image, found in images.items():
        kinds.setdefault(kind_of(data, image), []).append(statistics.fmean(found))
    return statistics.fmean(statistics.fmean(found) for found in kinds.values())


def noc_of(result: DatasetResult, threshold: float) -> float:
    """Mean number of clicks, see `averaged`."""
    return averaged(
        result.name, [(o.image, noc(o.ious, threshold, CLICKS)) for o in result.objects]
    )


def never(objects: Sequence[ObjectResult]) -> str:
    """How many objects stayed below 90 %."""
    return f"{sum(max(each.ious) < 0.9 for each in objects)} of {len(objects)}"


def row(method: str, seen: str, result: DatasetResult) -> str:
    """One line of the table."""
    cells = [method, result.name, str(result.n_images), seen]
    cells += [f"{noc_of(result, threshold):.2f}" for threshold in (0.85, 0.9)]
    cells.append(never(result.objects))
    for clicks in (1, 3, 5):
        found = [(each.image, mean_iou_at([each.ious], clicks)) for each in result.objects]
        cells.append(f"{averaged(result.name, found):.3f}".lstrip("0"))
    seconds = statistics.median(s for each in result.objects for s in each.seconds)
    return f"| {' | '.join(cells)} | {1e3 * seconds:.0f} |"


def measure(task: Task, out: Path | None) -> DatasetResult:
    """Click through a set, or go on where an earlier run stopped."""
    folder = None
    if out is not None:
        name = f"{Path(task.model).stem}-{Path(task.data).name}".replace(":", "-")
        folder = out / name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
    about = {"model": task.model, "images": task.images, "size": task.terms.max_size}
    return run_job(task, Journal(folder, about))[0]


def rows(args: Any) -> list[Task]:
    """Everything to measure, one set after the other."""
    tasks = []
    for data in args.sets:
        terms = Terms(CLICKS, 0.9, min_clicks=5)
        first = Task(
            DEFAULT,
            data,
            terms,
            user_variants("centre"),
            OBJECTS.get(Path(data).name, ALL),
            device=args.device,
            images=args.images,
        )
        for model in [] if args.no_models else [DEFAULT, *args.checkpoint]:
            tasks.append(replace(first, model=model))
        for method in args.methods:
            tasks.append(replace(first, model=method, terms=replace(terms, max_size=args.size)))
    return tasks


def best_wand(task: Task, out: Path | None) -> tuple[str, DatasetResult]:
    """The tolerance with the fewest clicks to 90 %, and its result."""
    found = {t: measure(replace(task, model=f"{WAND}:{t}"), out) for t in TOLERANCES}
    best = min(found, key=lambda tolerance: noc_of(found[tolerance], 0.9))
    return f"{WAND}, tolerance {best}, the best of {', '.join(map(str, TOLERANCES))}", found[best]


def benchmark(argv: list[str]) -> None:
    """Measure and print."""
    parser = Parser("baselines.py", "Clicks of the default model beside those of other methods.")
    parser.add_argument("--sets", nargs="+", default=list(SETS), metavar="DATA")
    parser.add_argument("--images", type=int, metavar="N", help="of each set, spread evenly")
    parser.add_argument(
        "--checkpoint",
        nargs="+",
        action="extend",
        default=[],
        metavar="MODEL",
        help="more models: names of `clickseg-models list`, or files",
    )
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--no-models", action="store_true", help="only methods without a network")
    parser.add_argument("--size", type=int, default=256, help="longest side they see (%(default)s)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    args = parser.parse_args(argv)
    if args.images is not None and args.images < 1:
        raise UsageError(f"{args.images} images measure nothing. Give 1 or more.")
    if "GrabCut" in args.methods:
        try:
            import cv2  # noqa: F401
        except ImportError as error:
            raise UsageError(
                "OpenCV is not installed, and GrabCut needs it. Run 'pip install "
                "opencv-python-headless', or leave it out with --methods."
            ) from error
    for name in args.checkpoint:
        find_model(name)  # wrong names are told before the work
    for name in args.sets:
        open_dataset(name)
    print(f"on {describe(machine_facts())}")
    print(f"| {' | '.join(HEADINGS)} |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for task in rows(args):
        if task.model == WAND:
            method, result = best_wand(task, args.out)
        else:
            method, result = Path(task.model).stem, measure(task, args.out)
        seen = "own views" if task.terms.max_size is None else f"{task.terms.max_size} px"
        print(row(method, seen, result), flush=True)


if __name__ == "__main__":
    sys.exit(run("baselines.py", benchmark))
