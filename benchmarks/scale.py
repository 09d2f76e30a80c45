"""Time, memory and sharpness of one click in images of 1 to 400 megapixels.

The images are computed when they are asked for (see `procedural_image`). An object of 600 pixels
is the same in all of them; one of 5000 spans half of an image of 100 megapixels. Prints one table:

first mask    from the click to a mask that can be shown, as many pixels of it as a screen has
refined       from then on until the whole boundary is at full resolution
reading       part of both that went into making the pixels, the same procedure at all sizes
IoU, boundary against the exact outline, at full resolution; boundaries are 3 pixels wide
memory        resident memory of a fresh process per size, after one object and at the most of it,
              above that of the smallest image

Run it on an idle machine with as many cores as it should be measured on:

    python benchmarks/scale.py [--megapixels 1 10 100 400] [--rounds 1] [--model NAME]
"""

from __future__ import annotations

import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil
from click_latency import chosen_model, finished
from procedural_image import Outline, ProceduralImage

from napari_clickseg.commands.cli import Parser, run
from napari_clickseg.engine.predictor import Predictor
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.engine.session import Session
from napari_clickseg.engine.tiles import MaskView
from napari_clickseg.evaluation.machine import describe, machine_facts
from napari_clickseg.evaluation.metrics import boundary_iou, iou
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import Click
from napari_clickseg.models.zoo import DEFAULT

MEGAPIXELS = (1, 10, 100, 400)
RADIUS = 300  # of the object that is the same in all images, in pixels
HALF = 100  # megapixels of the image that an object spans half of
SCREEN = 1024  # rows or columns of a mask that are shown
WIDTH = 3  # pixels, of the boundaries that are compared
SLOWDOWN, MEGABYTES = 1.5, 100  # to reach: the largest image beside the smallest
FIRST, REFINED, BOUNDARY = (
    1.0,
    15.0,
    0.9,
)  # to reach: seconds and IoU of the object of half an image
# Arms, depth and straightness of the outlines, and clicks as parts of the radius from the centre.
OUTLINES = ((5, 0.5, True), (8, 0.35, True), (4, 0.4, False))
CLICKS = ((0.0, 0.0), (0.2, -0.25))
MIDDLE = (0.51, 0.48)  # of the object, as parts of the image


class TimedImage(ProceduralImage):
    """One that knows how long its pixels took, in seconds."""

    seconds = 0.0

    def read(self, box: Box, level: int = 0) -> np.ndarray:
        """See `ImageReader.read`."""
        start = time.perf_counter()
        pixels = super().read(box, level)
        self.seconds += time.perf_counter() - start
        return pixels


@dataclass(frozen=True)
class Measured:
    """One object, clicked once. Seconds and IoUs; coarse is before the boundary was refined."""

    first: float
    first_reading: float
    refined: float
    refined_reading: float
    coarse: tuple[float, float]
    sharp: tuple[float, float]


def image(megapixels: float, radius: float, kind: int, seed: int) -> TimedImage:
    """A square image with an object beside its middle."""
    side = round(math.sqrt(megapixels * 1e6))
    arms, depth, straight = OUTLINES[kind]
    row, col = (round(part * side) for part in MIDDLE)
    return TimedImage((side, side), Outline(row, col, radius, arms, depth, straight), seed)


def click_on(outline: Outline, place: tuple[float, float]) -> Click:
    """A click inside an outline."""
    row, col = (round(part * outline.radius) for part in place)
    return Click(outline.row + row, outline.col + col)


@lru_cache(maxsize=1)
def exact(outline: Outline) -> np.ndarray:
    """The mask of an outline, in its box."""
    return outline.mask(outline.box)


def shown(predictor: Predictor, session: Session) -> np.ndarray:
    """The mask around the object as a screen shows it."""
    mask = MaskView(session.probabilities, predictor.profile.threshold)
    box = mask.bounding_box() or Box(0, 0, 1, 1)
    return mask.read(box, max(1, math.ceil(max(box.shape) / SCREEN)))


def quality(predictor: Predictor, session: Session, outline: Outline) -> tuple[float, float]:
    """IoU and boundary IoU with the exact outline, wherever either has a pixel."""
    mask = MaskView(session.probabilities, predictor.profile.threshold)
    around = outline.box.union(mask.bounding_box() or outline.box)
    margin = 2 * WIDTH
    window = Box(
        around.top - margin, around.left - margin, around.bottom + margin, around.right + margin
    ).clip(session.shape)
    found, target = mask.read(window), np.zeros(window.shape, np.int8)
    target[outline.box.shift(-window.top, -window.left).slices] = exact(outline)
    return iou(found, target), boundary_iou(found, target, WIDTH)


def measure(
    predictor: Predictor, picture: TimedImage, place: tuple[float, float], whole_in_view: bool
) -> Measured:
    """Click once on the object of a fresh image and refine all of its boundary."""
    device, outline = predictor.model.device, picture.outline
    session = predictor.start(picture)
    if whole_in_view:
        session = replace(session, viewport=Box.of_shape(picture.shape))
    start = finished(device)
    session = predictor.run(session.add(click_on(outline, place)))
    shown(predictor, session)
    first, first_reading = finished(device) - start, picture.seconds
    coarse = quality(predictor, session, outline)
    start = finished(device)
    for finer in predictor.follow_edges(session):
        session = finer
    refined = finished(device) - start
    return Measured(
        first,
        first_reading,
        refined,
        picture.seconds - first_reading,
        coarse,
        quality(predictor, session, outline),
    )


def measure_all(
    predictor: Predictor,
    megapixels: float,
    radius: float,
    rounds: int,
    whole_in_view: bool = False,
) -> list[Measured]:
    """All objects and clicks in images of one size."""
    return [
        measure(predictor, image(megapixels, radius, kind, seed), place, whole_in_view)
        for seed in range(rounds)
        for kind in range(len(OUTLINES))
        for place in CLICKS
    ]


def peak() -> int:
    """The most resident memory of this process so far, in bytes.

    Linux counts that of the parent in ``ru_maxrss``, so its own record of the process is read.
    """
    record = Path("/proc/self/status")
    if record.is_file():
        line = next(x for x in record.read_text().splitlines() if x.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def memory_of(predictor: Predictor, megapixels: float) -> tuple[float, float]:
    """Resident memory of this process after one object, and the most of it so far, in MB."""
    picture = image(megapixels, RADIUS, 0, 0)
    session = predictor.run(predictor.start(picture).add(click_on(picture.outline, CLICKS[0])))
    for finer in predictor.follow_edges(session):
        session = finer
    shown(predictor, session)
    return psutil.Process().memory_info().rss / 1e6, peak() / 1e6


def memory_in_fresh_process(megapixels: float, options: Sequence[str]) -> tuple[float, float]:
    """`memory_of` in a process that did nothing before; the median of three."""
    alone = [sys.executable, __file__, "--memory-of", f"{megapixels:g}", *options]
    runs = []
    for _ in range(3):
        said = subprocess.run(alone, capture_output=True, text=True, check=True).stdout
        runs.append([float(number) for number in said.split()])
    after, most = (statistics.median(numbers) for numbers in zip(*runs, strict=True))
    return after, most


def median(measured: Sequence[Measured], field: str) -> float:
    """Median of one of the times."""
    return statistics.median(getattr(one, field) for one in measured)


def row(name: str, measured: Sequence[Measured], memory: str) -> str:
    """One line of the table."""
    times = [median(measured, f) for f in ("first", "first_reading", "refined", "refined_reading")]
    qualities = np.median([[*one.coarse, *one.sharp] for one in measured], axis=0)
    return (
        f"{name:<22}{len(measured):>5}"
        + "".join(f"{1e3 * seconds:>9.0f}" for seconds in times)
        + "".join(f"{value:>9.3f}" for value in qualities)
        + memory
    )


HEAD = (
    f"{'':<22}{'':>5}{'first':>9}{'reading':>9}{'refined':>9}{'reading':>9}"
    f"{'coarse':>9}{'':>9}{'refined':>9}{'':>9}{'memory':>9}{'at most':>9}\n"
    f"{'megapixels':<22}{'n':>5}{'ms':>9}{'ms':>9}{'ms':>9}{'ms':>9}"
    f"{'IoU':>9}{'boundary':>9}{'IoU':>9}{'boundary':>9}{'MB':>9}{'MB':>9}"
)


def verdict(what: str, value: str, reached: bool) -> str:
    """One line about something to reach."""
    return f"{what}: {value}, {'reached' if reached else 'not reached'}"


def half_of_an_image(predictor: Predictor, rounds: int) -> None:
    """Lines and verdicts of the object that spans half of an image."""
    radius = math.sqrt(HALF * 1e6) / 4
    lines = []
    for name, in_view in (("click only", False), ("all in view", True)):
        measured = measure_all(predictor, HALF, radius, rounds, in_view)
        print(row(f"{HALF}, half, {name}", measured, ""), flush=True)
        first, refined = median(measured, "first"), median(measured, "refined")
        boundary = statistics.median(one.sharp[1] for one in measured)
        half = f"object of half the side, {name}"
        lines += [
            verdict(f"{half}: first mask in {FIRST:g} s", f"{first:.2f} s", first <= FIRST),
            verdict(f"{half}: refined in {REFINED:g} s", f"{refined:.1f} s", refined <= REFINED),
            verdict(f"{half}: boundary {BOUNDARY:g}", f"{boundary:.3f}", boundary >= BOUNDARY),
        ]
    print("\n".join(lines))


def benchmark(argv: list[str]) -> None:
    """Measure and print."""
    parser = Parser("scale.py", "One click in images of 1 to 400 megapixels.")
    parser.add_argument("--model", default=DEFAULT, help="name or file (%(default)s)")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda:0 or mps (%(default)s)")
    parser.add_argument(
        "--megapixels", type=float, nargs="+", default=MEGAPIXELS, help="image sizes"
    )
    parser.add_argument("--rounds", type=int, default=1, help="textures per outline (%(default)s)")
    parser.add_argument("--memory-of", type=float, help="megapixels: print the memory of one only")
    args = parser.parse_args(argv)
    if args.rounds < 1:
        raise ValueError(f"{args.rounds} rounds measure nothing. Give 1 or more.")
    if min(*args.megapixels, args.memory_of or 1) < 1:
        raise ValueError(f"The object needs images of 1 megapixel or more, not {args.megapixels}.")
    model = chosen_model(args.model, args.device)
    predictor = Predictor(model, get_profile("clickseg"))
    if args.memory_of:
        print(*memory_of(predictor, args.memory_of))
        return
    options = ("--model", args.model, "--device", args.device)
    sizes = sorted(args.megapixels)
    measure(predictor, image(sizes[0], RADIUS, 0, 0), CLICKS[0], False)  # warm from here on
    print(f"{args.model} on {describe(machine_facts(str(model.device)))}")
    print(f"load before: {os.getloadavg()[0]:.1f}")
    print(HEAD)
    # Sizes take turns, so that all of them see the same load.
    of_size = {size: [] for size in sizes}
    for seed in range(args.rounds):
        for kind in range(len(OUTLINES)):
            for place in CLICKS:
                for size in sizes:
                    picture = image(size, RADIUS, kind, seed)
                    of_size[size].append(measure(predictor, picture, place, False))
    memories = {size: memory_in_fresh_process(size, options) for size in sizes}
    least = memories[sizes[0]]
    for size in sizes:
        growth = [now - then for now, then in zip(memories[size], least, strict=True)]
        print(row(f"{size:g}", of_size[size], "".join(f"{mb:>+9.0f}" for mb in growth)))
    ratio = median(of_size[sizes[-1]], "first") / median(of_size[sizes[0]], "first")
    grown = max(memories[size][0] - least[0] for size in sizes)
    half_of_an_image(predictor, args.rounds)
    what = f"first mask at {sizes[-1]:g} MP beside {sizes[0]:g} MP, at most {SLOWDOWN:g} times"
    print(verdict(what, f"{ratio:.2f}", ratio <= SLOWDOWN))
    what = f"resident memory from {sizes[0]:g} to {sizes[-1]:g} MP, below {MEGABYTES} MB"
    print(verdict(what, f"{grown:+.0f} MB", grown < MEGABYTES))
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(run("scale.py", benchmark))
