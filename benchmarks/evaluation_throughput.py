"""Clicks per second of a whole evaluation, against the straightforward loop in float32.

The straightforward loop reads an image, clicks and measures in turn, with distance transforms of
whole images and the network as `straight_run` runs it. Random weights do for it: both get as many
clicks on every object. It does every second image before ours and the others after it, so that a
machine that slows down does not decide.

    OMP_NUM_THREADS=2 python benchmarks/evaluation_throughput.py DATA [--images N] [--clicks K]
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from random_networks import build
from scipy.ndimage import distance_transform_edt
from straight_run import StraightRun

from napari_clickseg.commands.cli import Parser, run
from napari_clickseg.data.datasets import open_dataset
from napari_clickseg.data.readers import as_reader
from napari_clickseg.data.scenes import SceneDataset
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.engine.session import Session
from napari_clickseg.evaluation.job import Job, forget
from napari_clickseg.evaluation.journal import Journal
from napari_clickseg.evaluation.machine import describe, machine_facts
from napari_clickseg.evaluation.metrics import iou
from napari_clickseg.evaluation.protocol import chosen_objects
from napari_clickseg.evaluation.runner import on_processes, run_job
from napari_clickseg.evaluation.terms import Terms
from napari_clickseg.evaluation.users import user_variants
from napari_clickseg.interactions import Click
from napari_clickseg.models.checkpoint import write_model

NETWORK = "ritm-hrnet18s"
NEVER = 1.01  # a target that no mask reaches

Ious = dict[tuple[str, int], list[float]]


def straight_loop(
    straight: StraightRun, data: SceneDataset, images: Iterable[int], clicks: int
) -> tuple[Ious, float]:
    """The published loop, one thing after the other; IoUs and seconds."""
    profile, start = straight.profile, time.perf_counter()
    found: Ious = {}
    for index in images:
        scene = data[index]
        reader = as_reader(scene.image)
        for label in chosen_objects(scene):
            target = scene.target(label)
            session = Session.of_image(reader, (0.0, 255.0))
            free = np.ones(target.shape)
            ious = []
            for _ in range(clicks):
                mask = np.asarray(session.probabilities) > profile.threshold
                errors = (target == 1) & ~mask, (target == 0) & mask
                depths = [distance_transform_edt(np.pad(e, 1))[1:-1, 1:-1] * free for e in errors]
                positive = depths[0].max() > depths[1].max()
                depth = depths[0] if positive else depths[1]
                row, col = np.unravel_index(depth.argmax(), depth.shape)
                free[row, col] = 0
                session = session.add(Click(int(row), int(col), bool(positive)))
                roi = profile.zoom_in.choose(session, session.interactions)
                answer = straight(session, roi)
                session = replace(session, probabilities=answer, roi=roi)
                mask = np.asarray(session.probabilities) > profile.threshold
                ious.append(float(np.float32(iou(mask, target))))
                if ious[-1] == 1.0:
                    break
            found[scene.id, label] = ious
    return found, time.perf_counter() - start


@contextlib.contextmanager
def random_job(data: str, clicks: int) -> Iterator[Job]:
    """The same as a job for `run_job`, the weights in a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{NETWORK}.safetensors"
        card = {"name": NETWORK, "licence": "none", "trained_on": []}
        write_model(build(NETWORK), path, card, half=False)
        yield Job(
            model=str(path),
            data=data,
            terms=Terms(clicks, NEVER),
            variants=user_variants("centre"),
            device="cpu",
            profile="ritm",
        )


def ours(job: Job, images: int, processes: int) -> tuple[Ious, float]:
    """IoUs and seconds, starting and warming up left out as for the loop."""
    if processes > 1:
        job = replace(job, threads=max(1, torch.get_num_threads() // processes))
    with on_processes(processes) if processes > 1 else contextlib.nullcontext() as executor:
        warm = run_job(replace(job, terms=Terms(1)), Journal(None, {}), executor, processes)
        assert warm
        start = time.perf_counter()
        (result,) = run_job(job, Journal(None, {}), executor, images)
        seconds = time.perf_counter() - start
    forget()
    return {(each.image, each.label): list(each.ious) for each in result.objects}, seconds


def told(name: str, ious: Ious, seconds: float, straight: tuple[Ious, float]) -> str:
    """One line of the table."""
    clicks = sum(map(len, ious.values()))
    of_straight = sum(map(len, straight[0].values()))
    faster = (clicks / seconds) / (of_straight / straight[1])
    differ = max(
        abs(a - b)
        for key, values in ious.items()
        for a, b in zip(values, straight[0][key], strict=False)
    )
    mean = np.mean([value for values in ious.values() for value in values])
    return (
        f"{name:<24}{clicks:>7}{seconds:>9.1f}{clicks / seconds:>10.2f}{faster:>9.2f}"
        f"{mean:>10.4f}{differ:>13.6f}"
    )


def benchmark(argv: list[str]) -> None:
    """Measure and print."""
    parser = Parser("evaluation_throughput.py", "Clicks per second of an evaluation.")
    parser.add_argument("data", help="data set, as clickseg-eval takes it")
    parser.add_argument("--images", type=int, default=10, help="the first so many (%(default)s)")
    parser.add_argument("--clicks", type=int, default=6, help="on each object (%(default)s)")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args(argv)
    data = open_dataset(args.data)
    images = min(args.images, len(data))
    network = StraightRun(build(NETWORK), get_profile("ritm"))
    straight_loop(network, data, [0], 1)  # threads and kernels are warm from here on
    before = straight_loop(network, data, range(0, images, 2), args.clicks)
    counts = tuple(dict.fromkeys((1, args.processes)))
    with random_job(args.data, args.clicks) as job:
        measured = [ours(job, images, processes) for processes in counts]
    after = straight_loop(network, data, range(1, images, 2), args.clicks)
    straight = before[0] | after[0], before[1] + after[1]
    print(f"{NETWORK} with random weights, {images} images of {data.name}, {args.clicks} clicks")
    print(f"on {describe(machine_facts())}")
    print(
        f"{'':<24}{'clicks':>7}{'s':>9}{'clicks/s':>10}{'faster':>9}{'mean IoU':>10}"
        f"{'largest diff':>13}"
    )
    print(told("straightforward loop", *straight, straight))
    for processes, found in zip(counts, measured, strict=True):
        name = "clickseg-eval" + (f" --jobs {processes}" if processes > 1 else "")
        print(told(name, *found, straight))


if __name__ == "__main__":
    sys.exit(run("evaluation_throughput.py", benchmark))
