"""How well each kind of interaction steers a model: mean IoU after one of them.

    CLICKSEG_DATA=data/dev python benchmarks/kinds.py [WEIGHTS ...] [--data GrabCut held-out]

One line per model and data set: mean IoU of the largest objects after one click and three clicks of
the published user, and after one stroke, one box, one contour. Strokes and contours are those of
the SAIC-IS evaluation, boxes are loose by up to 5 % of their sides; all are drawn from a seed that
depends on the object alone, so that models see the same. Objects too small to draw on are left out
of the whole line.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_clickseg.commands.cli import Parser, UsageError, run
from napari_clickseg.data.datasets import open_dataset
from napari_clickseg.data.scenes import SceneDataset
from napari_clickseg.engine.segmenter import Segmenter
from napari_clickseg.evaluation.contours import draw_contour
from napari_clickseg.evaluation.machine import describe, machine_facts
from napari_clickseg.evaluation.metrics import iou
from napari_clickseg.evaluation.protocol import chosen_objects, evaluate_object
from napari_clickseg.evaluation.strokes import draw_stroke
from napari_clickseg.evaluation.terms import Terms
from napari_clickseg.evaluation.users import hand
from napari_clickseg.geometry import Box, bounding_box
from napari_clickseg.models.zoo import DEFAULT, load_model

LOOSE = 0.05  # of a box's sides, at most
FIRST, THREE = Terms(3, 1.01), ("1 click", "3 clicks")
DRAWN = ("1 stroke", "1 box", "1 contour")


def loose_box(mask: np.ndarray, rng: np.random.Generator) -> Box:
    """The box of an object as somebody draws it: a little too large on each side."""
    tight = bounding_box(mask)
    assert tight is not None
    down, across = (LOOSE * side * rng.random(2) for side in tight.shape)
    return Box(
        max(0, round(tight.top - down[0])),
        max(0, round(tight.left - across[0])),
        min(mask.shape[0], round(tight.bottom + down[1])),
        min(mask.shape[1], round(tight.right + across[1])),
    )


def drawn_on(target: np.ndarray, of: tuple[object, ...]) -> dict[str, Callable[[Any], Any]] | None:
    """What each drawn kind does to a segmenter; None if the object is too small for one.

    Parameters
    ----------
    target : (H, W) int array
        1 object, 0 background, -1 ignore.
    of : tuple
        What the chance depends on.
    """
    mask = target == 1
    stroke = draw_stroke(mask, True, hand(0, *of, "stroke"))
    contour = draw_contour(mask, True, hand(0, *of, "contour"))
    box = loose_box(mask, hand(0, *of, "box"))
    if stroke is None or contour is None:
        return None
    says = (
        lambda segmenter: segmenter.stroke(stroke.points),
        lambda segmenter: segmenter.box(box),
        lambda segmenter: segmenter.contour(contour.points),
    )
    return dict(zip(DRAWN, says, strict=True))


def steering(segmenter: Any, data: SceneDataset, limit: int | None) -> dict[str, list[float]]:
    """IoU of each object after each kind of interaction."""
    found: dict[str, list[float]] = {name: [] for name in (*THREE, *DRAWN)}
    for index in range(min(limit or len(data), len(data))):
        scene = data[index]
        for label in chosen_objects(scene, "largest"):
            target = scene.target(label)
            drawn = drawn_on(target, (data.name, scene.id, label))
            if drawn is None:
                continue
            segmenter.set_image(scene.image)
            clicked = evaluate_object(segmenter, target, FIRST).ious
            for name, value in zip(THREE, (clicked[0], clicked[-1]), strict=True):
                found[name].append(value)
            for name, say in drawn.items():
                segmenter.set_image(scene.image)
                say(segmenter)
                found[name].append(iou(np.asarray(segmenter.mask, dtype=bool), target))
    return found


def benchmark(argv: list[str]) -> None:
    """Measure and print."""
    parser = Parser("kinds.py", "Mean IoU after one interaction of each kind.")
    parser.add_argument("models", nargs="*", default=[DEFAULT], help="names or files of weights")
    parser.add_argument("--data", nargs="+", default=["GrabCut"], help="as clickseg-eval takes it")
    parser.add_argument("--images", type=int, metavar="N", help="the first so many of each set")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args(argv)
    if args.images is not None and args.images < 1:
        raise UsageError(f"{args.images} images measure nothing. Give 1 or more.")
    sets = [open_dataset(name) for name in args.data]
    print(f"mean IoU, on {describe(machine_facts())}")
    names = (*THREE, *DRAWN)
    print(f"| model | set | objects | {' | '.join(names)} | contour at least 3 clicks |")
    print("|---|---|--:|" + "--:|" * len(names) + "---|")
    for model in args.models:
        segmenter = Segmenter(load_model(model, device=args.device))
        for data in sets:
            found = steering(segmenter, data, args.images)
            if not found[DRAWN[0]]:
                raise UsageError(f"No object of {data.name} is large enough to draw on.")
            means = {name: statistics.fmean(values) for name, values in found.items()}
            cells = [f"{means[name]:.3f}".lstrip("0") for name in names]
            better = "yes" if means["1 contour"] >= means["3 clicks"] else "no"
            count = len(found[DRAWN[0]])
            line = [Path(model).stem, data.name, str(count), *cells, better]
            print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    sys.exit(run("kinds.py", benchmark))
