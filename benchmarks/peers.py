"""Time of one click of every published architecture here, beside a straight run of its network.

Prints one table, a line per network with and without the mirrored copy. All networks have random
weights, with batch norms and the last layer fitted to photographs so that masks are not
trivial. The click is the second one on an object in a photograph of 480 x 640, on a mistake; it is
timed whole: ZoomIn, reading, network, pasting, mask. The straight run is that of `straight_run`.
All runs of a round follow each other, and ratios are medians over rounds. Run it on an idle
machine:

    python benchmarks/peers.py [--only NAME] [--all] [--rounds N]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from click_latency import SHAPE, photograph
from random_networks import LARGER, NETWORKS, SHOWN, as_loaded, build
from straight_run import StraightRun

from napari_clickseg.commands.cli import Parser, UsageError, run
from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine import brs
from napari_clickseg.engine.predictor import Predictor
from napari_clickseg.engine.profiles import Profile, get_profile
from napari_clickseg.engine.segmenter import Segmenter
from napari_clickseg.engine.session import Session
from napari_clickseg.engine.tiles import MaskView, TileMap
from napari_clickseg.evaluation.machine import describe, machine_facts
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import Click
from napari_clickseg.models.base import ClickModel
from napari_clickseg.models.device import has_bfloat16

FIRST, SECOND, RADIUS = (240, 320), (168, 288), 110  # two clicks, and the mask before the second
ALLOWANCE = 8.0  # seconds for the rounds of one network
MOST_ROUNDS = 7
FASTER, FASTER_BFLOAT16, SAME, EVALUATION, MEGABYTES = 1.8, 2.5, 0.999, 0.5, 1200
TARGET, MEMORY_OF = "ritm-hrnet18s", "ritm-hrnet18"


@contextmanager
def evaluations() -> Iterator[list[float]]:
    """Seconds of every function evaluation of refinement in this block."""
    original, times = brs.fmin_l_bfgs_b, []

    def timed(function: Callable[[np.ndarray], Any], *args: Any, **options: Any) -> Any:
        def call(vector: np.ndarray) -> Any:
            start = time.perf_counter()
            answer = function(vector)
            times.append(time.perf_counter() - start)
            return answer

        return original(call, *args, **options)

    brs.fmin_l_bfgs_b = timed
    try:
        yield times
    finally:
        brs.fmin_l_bfgs_b = original


@dataclass
class Times:
    """Of one network with or without flip: milliseconds by way of running, one per round."""

    click: dict[str, list[float]] = field(default_factory=dict)
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    evaluation: list[float] = field(default_factory=list)
    calls: int = 0

    def add(self, way: str, click: Callable[[], TileMap], threshold: float) -> None:
        """Click once; the mask as an array is part of it."""
        with evaluations() as times:
            start = time.perf_counter()
            self.masks[way] = np.asarray(MaskView(click(), threshold))
            self.click.setdefault(way, []).append(1e3 * (time.perf_counter() - start))
        if times:
            self.evaluation.append(1e3 * statistics.fmean(times))
            self.calls = len(times)

    def faster(self, way: str) -> float:
        """How many times faster than the straight run."""
        pairs = zip(self.click["straight"], self.click[way], strict=True)
        return statistics.median(straight / own for straight, own in pairs)

    def iou(self, way: str, other: str) -> float:
        """Of two masks."""
        a, b = self.masks[way], self.masks[other]
        return float((a & b).sum() / max(1, (a | b).sum()))

    def share(self) -> float:
        """One function evaluation over a whole click without refinement."""
        pairs = zip(self.evaluation, self.click["float32"], strict=True)
        return statistics.median(one / click for one, click in pairs)


Ways = dict[str, Callable[[], TileMap]]


def ways(network: ClickModel, session: Session, roi: Box | None, profile: Profile) -> Ways:
    """Every way of answering the session's latest click, nothing remembered of the image."""
    model, straight = as_loaded(network), StraightRun(network, profile)

    def own(**options: Any) -> Callable[[], TileMap]:
        predictor = Predictor(model, profile.override(**options))

        def click() -> TileMap:
            predictor.forget(session.reader)
            return predictor.run(session).probabilities

        return click

    found = {"straight": lambda: straight(session, roi), "float32": own()}
    if has_bfloat16(model.device):
        found["bfloat16"] = own(bfloat16=True)
    return {**found, "f-BRS-B": own(brs="f-BRS-B")}


def disk() -> np.ndarray:
    """Probabilities of an object of usual size around the first click, `SHAPE`."""
    rows, cols = np.ogrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(rows - FIRST[0], cols - FIRST[1])
    return 1 / (1 + np.exp((distance - RADIUS) / 4))


def measure(network: ClickModel, rounds: int | None) -> dict[bool, Times]:
    """Times with flip and without; as many rounds as asked for, or as the allowance has time for.

    The click is the second one, on a mistake of the network. The mask before it is a disk.
    """
    profile = get_profile(network.spec.profile).override(brs="NoBRS", flip=True)
    predictor = Predictor(as_loaded(network), profile)
    start = predictor.start(as_reader(photograph(SHOWN))).add(Click(*FIRST, True))
    known = TileMap(SHAPE).paste(Box.of_shape(SHAPE), disk())
    first = replace(start, probabilities=known, predicted=1)
    looked = predictor.run(first.add(Click(*SECOND, True)))
    mask = np.asarray(MaskView(looked.probabilities, profile.threshold))
    session, roi = first.add(Click(*SECOND, not mask[SECOND])), looked.roi
    clicks = {
        flip: ways(network, session, roi, profile.override(flip=flip)) for flip in (True, False)
    }
    times = {flip: Times() for flip in clicks}
    start = time.perf_counter()
    for _ in range(rounds or MOST_ROUNDS):
        for flip, ways_to_click in clicks.items():
            for way, click in ways_to_click.items():
                times[flip].add(way, click, profile.threshold)
        if rounds is None and time.perf_counter() - start > ALLOWANCE:
            break
    return times


HEADINGS = (
    "",
    "flip",
    "rounds",
    "straight",
    "float32",
    "faster",
    "IoU",
    "bfloat16",
    "faster",
    "IoU",
)
HEADINGS += ("f-BRS-B", "calls", "a call", "of click")
"""Times are milliseconds, IoUs those of the mask with the one to the left."""


def cells(name: str, flip: bool, times: Times) -> list[str]:
    """One line of the table; what was not measured is a dash."""
    ms = {way: f"{statistics.median(values):.0f}" for way, values in times.click.items()}
    rounds = len(times.click["straight"])
    row = [name, "yes" if flip else "no", str(rounds), ms["straight"], ms["float32"]]
    row += [f"{times.faster('float32'):.2f}", f"{times.iou('float32', 'straight'):.4f}"]
    if "bfloat16" in ms:
        row += [ms["bfloat16"], f"{times.faster('bfloat16'):.2f}"]
        row += [f"{times.iou('bfloat16', 'float32'):.4f}"]
    else:
        row += ["-"] * 3
    row += [ms["f-BRS-B"], str(times.calls)]
    one = f"{statistics.median(times.evaluation):.0f}" if times.calls else "-"
    return [*row, one, f"{times.share():.2f}" if times.calls else "-"]


def line(row: Sequence[str]) -> str:
    """A line of the table, the name to the left."""
    return f"{row[0]:<22}" + "".join(f"{cell:>9}" for cell in row[1:])


def peak() -> int:
    """Most bytes that this process has held in memory."""
    status = Path("/proc/self/status")
    if status.is_file():  # ru_maxrss would count the process that started this one
        return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def memory() -> int:
    """Megabytes that RGB-BRS needs at most above the loaded model; call it in a fresh process."""
    model, zoom_in = as_loaded(build(MEMORY_OF)), {"skip_clicks": -1, "target_size": (400, 400)}
    options = {"brs": "RGB-BRS", "brs_evaluations": 3, "brs_min_change": 0}
    segmenter = Segmenter(model, flip=True, zoom_in=zoom_in, **options)
    segmenter.set_image(photograph(SHOWN))
    loaded = psutil.Process().memory_info().rss
    segmenter.click(*FIRST)
    segmenter.click(*SECOND, not segmenter.mask[SECOND])
    return round((peak() - loaded) / 1e6)


def verdict(what: str, value: str, reached: bool) -> str:
    """One line about something to reach."""
    return f"{what}: {value}, {'reached' if reached else 'not reached'}"


def verdicts(measured: dict[str, dict[bool, Times]]) -> Iterator[str]:
    """What is to be reached, of the networks that were measured."""
    if TARGET in measured:
        times = measured[TARGET][True]
        speed, same = times.faster("float32"), times.iou("float32", "straight")
        value = f"{speed:.2f} times, IoU {same:.4f}"
        what = f"{TARGET} with flip, float32 at least {FASTER} times faster with the same mask"
        yield verdict(what, value, speed >= FASTER and same >= SAME)
        if "bfloat16" in times.click:
            speed = times.faster("bfloat16")
            what = f"{TARGET} with flip, bfloat16 at least {FASTER_BFLOAT16} times faster"
            value = f"{speed:.2f} times, IoU {times.iou('bfloat16', 'float32'):.4f}"
            yield verdict(what, value, speed >= FASTER_BFLOAT16)
    shares = {n: t[True].share() for n, t in measured.items() if t[True].calls}
    if shares:
        worst = max(shares, key=lambda name: shares[name])
        what = "one f-BRS-B evaluation with flip at most half of a click"
        value = f"{sum(s <= EVALUATION for s in shares.values())} of {len(shares)} networks, "
        value += f"at worst {shares[worst]:.2f} ({worst})"
        yield verdict(what, value, shares[worst] <= EVALUATION)


def benchmark(argv: list[str]) -> None:
    """Measure and print."""
    parser = Parser("peers.py", "Time of one click of every published architecture.")
    parser.add_argument("--only", metavar="NAME", help="networks whose names begin like this")
    parser.add_argument("--all", action="store_true", help="the largest networks as well")
    parser.add_argument("--rounds", type=int, help="repeats; by default as many as time allows")
    parser.add_argument("--memory", action="store_true", help="print only the memory of RGB-BRS")
    args = parser.parse_args(argv)
    if args.rounds is not None and args.rounds < 1:
        raise UsageError(f"{args.rounds} rounds measure nothing. Give 1 or more.")
    if args.memory:
        print(memory())
        return
    names = [*NETWORKS, *LARGER] if args.all or args.only else list(NETWORKS)
    names = [name for name in names if name.startswith(args.only or "")]
    if not names:
        known = ", ".join([*NETWORKS, *LARGER])
        raise UsageError(f"No network begins with '{args.only}'. There are {known}.")
    print(f"the second click on an object, image of {SHAPE[0]} x {SHAPE[1]}, ZoomIn; milliseconds")
    print(f"on {describe(machine_facts())}")
    print(line(HEADINGS), flush=True)
    measured = {}
    for name in names:
        measured[name] = measure(build(name), args.rounds)
        for flip, times in measured[name].items():
            print(line(cells(name, flip, times)), flush=True)
    for text in verdicts(measured):
        print(text)
    alone = [sys.executable, __file__, "--memory"]
    used = int(subprocess.run(alone, capture_output=True, text=True, check=True).stdout)
    what = f"RGB-BRS on {MEMORY_OF}, 400 x 400 and flip, below {MEGABYTES} MB above the model"
    print(verdict(what, f"{used} MB", used < MEGABYTES))


if __name__ == "__main__":
    sys.exit(run("peers.py", benchmark))
