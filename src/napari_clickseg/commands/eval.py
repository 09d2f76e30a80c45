"""``clickseg-eval``: how many simulated clicks a model needs on labelled images."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.progress_file import FarSoFar, ProgressFile
from .cli import UsageError, run
from .eval_options import eval_parser
from .eval_request import (
    data_of,
    from_anywhere,
    models_of,
    names_of,
    overrides_of,
    terms_of,
    thresholds_of,
    users_of,
)

if TYPE_CHECKING:
    from ..evaluation.dataset import Progress
    from ..evaluation.job import Job
    from ..evaluation.protocol import ObjectResult
    from ..evaluation.users import UserVariant

__all__ = ["main"]

PROG = "clickseg-eval"
SECONDS_BETWEEN_LINES = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code."""
    return run(PROG, _evaluate, argv)


def _evaluate(argv: list[str]) -> None:
    args = eval_parser(PROG).parse_args(argv)
    models, terms, overrides = models_of(args), terms_of(args), overrides_of(args)
    thresholds = thresholds_of(args, terms)
    if args.jobs < 1 or args.jobs > 1 and args.dask:
        raise UsageError("Give --jobs of 1 or more, or --dask; a cluster has its own processes.")
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)

    from ..data.datasets import open_dataset
    from ..evaluation.machine import describe, machine_facts
    from ..evaluation.report import table
    from ..evaluation.saving import Evaluation, save, save_together
    from ..evaluation.summary import summarise
    from ..models.device import choose_device

    data = data_of(args)
    sets = [open_dataset(name).name for name in data]  # wrong data are told before the work
    if len(set(sets)) < len(sets):
        raise UsageError(
            f"Two data sets have the same name ({', '.join(sets)}). Evaluate them one by one, or "
            "rename a folder."
        )
    made: list[Evaluation] = []
    with _workers(args) as executor:
        for model, name in zip(models, names_of(models, args.name), strict=True):
            folder = args.out
            if folder is not None and len(models) > 1:
                folder = folder / name
                folder.mkdir(exist_ok=True)
            jobs = [_job(args, model, each, overrides, folder) for each in data]
            segmenter = jobs[0].segmenter()
            if segmenter.profile.name == "avalanche":
                jobs = [replace(job, variants=_variants(args, True)) for job in jobs]
            facts = machine_facts(str(choose_device(args.device)))
            print(f"{name} on {describe(facts)}", flush=True)
            one = Evaluation(name, model, jobs, segmenter.profile, facts, args.limit)
            one.measure(folder, args.restart, executor, _progress_lines(name, args.out))
            made.append(one)
            if folder is not None:
                save(folder, one, thresholds, args.worst)
    results = [(one.name, result) for one in made for result in one.results]
    names = [name for name, _ in results] if len(models) > 1 else None
    rows = [summarise(result, thresholds) for _, result in results]
    print(table(rows, names=names, every_iou=args.iou_analysis))
    for result in {result.name: result for _, result in results}.values():
        if result.images_without_objects:
            left_out = ", ".join(result.images_without_objects)
            print(f"{result.name}: no object in {left_out}; left out.")
    for one in made:
        if one.peak_memory is not None:
            print(f"{one.name}: peak memory {one.peak_memory / 2**20:.0f} MB")
    if args.out is not None:
        if len(models) > 1:
            save_together(args.out, made, thresholds)
        print(f"Written to {args.out}: {', '.join(sorted(p.name for p in args.out.iterdir()))}")


def _job(
    args: argparse.Namespace, model: str, data: str, overrides: dict, folder: Path | None
) -> Job:
    import torch

    from ..evaluation.job import Job
    from ..evaluation.shown import Shown

    if (args.pictures or args.masks) and folder is None:
        raise UsageError("Pictures and masks need a folder. Give one with -o.")
    return Job(
        model=",".join(map(from_anywhere, model.split(","))),
        data=from_anywhere(data),
        terms=terms_of(args),
        variants=_variants(args),
        objects=args.objects,
        device=args.device,
        profile=args.profile,
        overrides=overrides,
        eval_mode=args.eval_mode,
        norm_radius=args.norm_radius,
        threads=None if args.jobs == 1 else max(1, torch.get_num_threads() // args.jobs),
        shown=Shown(folder.resolve(), args.pictures, args.masks)
        if folder is not None and (args.pictures or args.masks)
        else None,
    )


def _variants(args: argparse.Namespace, stops_at_specks: bool = False) -> tuple[UserVariant, ...]:
    from ..evaluation.users import user_variants

    return tuple(
        variant
        for name in users_of(args)
        for variant in user_variants(name, args.seeds, args.seed, stops_at_specks)
    )


@contextlib.contextmanager
def _workers(args: argparse.Namespace) -> Iterator[Executor | None]:
    """What does the images: nothing but this process, other ones, or a cluster."""
    from ..evaluation.job import forget
    from ..evaluation.runner import on_cluster, on_processes

    try:
        if args.dask:
            with on_cluster(args.dask) as executor:
                yield executor
        elif args.jobs > 1:
            with on_processes(args.jobs) as executor:
                yield executor
        else:
            yield None
    finally:
        forget()


def _progress_lines(model: str, folder: Path | None) -> Callable[[str], Progress]:
    """Tells now and then on stderr, and in `folder`, how far each data set is."""
    return lambda data: _progress_of(model, data, ProgressFile(folder))


def _progress_of(model: str, name: str, file: ProgressFile) -> Progress:
    objects, clicks, seconds, told = 0, 0, 0.0, -math.inf
    start, before = time.monotonic(), None

    def progress(image: int, images: int, result: ObjectResult) -> None:
        nonlocal objects, clicks, seconds, told, before
        objects, clicks = objects + 1, clicks + len(result.ious)
        seconds += sum(result.seconds)
        now = time.monotonic()
        before = image - 1 if before is None else before  # measured by an earlier run
        left = (images - image) * (now - start) / (image - before)
        file.write(FarSoFar(image, images, round(left, 1), f"{model} on {name}"))
        if now - told < SECONDS_BETWEEN_LINES:
            return
        told = now
        print(
            f"{name}: image {image}/{images}, {objects} objects, {clicks / objects:.2f} clicks per "
            f"object, {seconds / clicks:.3f} s per click",
            file=sys.stderr,
            flush=True,
        )

    return progress


if __name__ == "__main__":
    sys.exit(main())
