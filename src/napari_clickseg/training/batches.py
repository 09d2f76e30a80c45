"""Batches of examples by their numbers, made ahead by worker processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import DataLoader

from .epoch_recipe import EpochRecipe
from .examples import Batch, ExampleSource, collate
from .measures import AdaptiveIoU, measures_of_batch
from .parallel import Team
from .rounds import Rounds
from .run_writer import RunWriter

__all__ = ["Numbers", "load", "training_batches", "validate"]

VALIDATION = 6  # what tells its random numbers from those of training


class Numbers:
    """The numbers of one process's examples, batch after batch.

    Step s uses the examples ``s * batch`` on; every process and every part of an accumulated batch
    takes its own of them.
    """

    def __init__(self, start: int, stop: int, batch: int, accumulate: int, team: Team) -> None:
        self.steps, self.batch, self.parts, self.team = range(start, stop), batch, accumulate, team

    def __len__(self) -> int:
        return len(self.steps) * self.parts

    def __iter__(self) -> Iterator[list[int]]:
        size = self.batch // (self.parts * self.team.size)
        for step in self.steps:
            for part in range(self.parts):
                first = step * self.batch + (part * self.team.size + self.team.rank) * size
                yield list(range(first, first + size))


def load(
    source: ExampleSource, numbers: Numbers | Sequence[list[int]], team: Team, workers: int
) -> DataLoader[Batch]:
    """Batches of these examples."""
    return DataLoader(
        source,  # type: ignore[arg-type]
        batch_sampler=numbers,
        collate_fn=collate,
        num_workers=workers,
        pin_memory=team.device.type == "cuda",
        worker_init_fn=_out_of_reach,
    )


def _out_of_reach(_number: int) -> None:
    """Let a signal to the whole command, such as Ctrl-C, reach the trainer only, who ends us."""
    if hasattr(os, "setpgid"):  # not on Windows
        os.setpgid(0, 0)


def training_batches(
    source: ExampleSource, recipe: EpochRecipe, start: int, stop: int, team: Team, workers: int
) -> Iterator[list[Batch]]:
    """Batches of gradient steps `start` to `stop`, each in the parts that are accumulated."""
    numbers = Numbers(start, stop, recipe.batch, recipe.accumulate, team)
    parts: list[Batch] = []
    for batch in load(source, numbers, team, workers):
        parts.append(batch)
        if len(parts) == recipe.accumulate:
            yield parts
            parts = []


def validate(
    rounds: Rounds,
    source: ExampleSource,
    recipe: EpochRecipe,
    iou: AdaptiveIoU,
    writer: RunWriter,
    team: Team,
    workers: int,
) -> dict[str, float]:
    """Mean losses and ``iou`` of the held-out examples, the same ones every time."""
    length = recipe.validation_length if recipe.validation_length > 0 else source.images
    size = max(1, recipe.batch // (recipe.accumulate * team.size))
    numbers = [list(range(i, min(i + size, length))) for i in range(0, length, size)]
    mine = numbers[team.rank :: team.size] or numbers[:1]
    iou.restart()
    sums: dict[str, float] = {}
    for first, batch in zip((n[0] for n in mine), load(source, mine, team, workers), strict=True):
        writer.tell_broken(batch.broken)
        rng = np.random.default_rng([recipe.seed, VALIDATION, first])
        batch = batch.to(team.device)
        logits, losses = rounds.judge(batch, rng)
        iou.add(logits, batch.target)
        losses |= measures_of_batch(logits, batch.target, recipe.losses)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value / len(mine)
    return team.mean({**sums, "iou": iou.mean})
