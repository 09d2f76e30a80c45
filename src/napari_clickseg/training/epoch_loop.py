"""The training loop by epochs, for any network: exact resume, one or several processes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..models.base import ClickModel
from .batches import training_batches, validate
from .checkpoint import read_checkpoint, write_checkpoint
from .ema import Average
from .epoch_recipe import EpochRecipe
from .examples import Batch, ExampleSource
from .measures import AdaptiveIoU, measures_of_batch
from .parallel import Team
from .parameters import ENCODERS, make_optimizer
from .pictures import picture_of_answer, save_picture
from .progress import Progress
from .resume import check_recipe, plain
from .rounds import Objective, Rounds
from .run_folder import RunFolder
from .run_writer import RunWriter

__all__ = ["EpochTrainer"]

LOG_EVERY = 25  # gradient steps
FREE_TO_CHANGE = ("about", "card", "checkpoints", "epochs", "pictures", "validation_length")
STEP = 5  # what tells the random numbers of steps from others


class EpochTrainer:
    """Runs a recipe.

    Parameters
    ----------
    recipe : EpochRecipe
    model : ClickModel
        With its starting weights.
    source : ExampleSource
        To train on.
    held_out : ExampleSource or None
        To validate with.
    folder : RunFolder
    team : Team
    workers : int
        Processes that make examples; 0 makes them in this one.
    save_every : float
        Seconds between checkpoints.
    tensorboard : bool
        Log for TensorBoard as well.
    say : callable
        Gets a line of text now and then.
    progress : bool
        Show how far the run is.

    Raises
    ------
    ValueError
        If the batch does not divide among the processes.
    """

    def __init__(
        self,
        recipe: EpochRecipe,
        model: ClickModel,
        source: ExampleSource,
        held_out: ExampleSource | None,
        folder: RunFolder,
        team: Team | None = None,
        workers: int = 0,
        save_every: float = 300.0,
        tensorboard: bool = False,
        say: Callable[[str], None] = print,
        progress: bool = False,
    ) -> None:
        self.recipe, self.source, self.held_out, self.folder = recipe, source, held_out, folder
        self.team = Team() if team is None else team
        self.workers, self.save_every, self.say = workers, save_every, say
        shares = recipe.accumulate * self.team.size
        if recipe.batch % shares:
            raise ValueError(
                f"A batch of {recipe.batch} does not divide into {shares} parts ({self.team.size} "
                f"processes, {recipe.accumulate} parts each). Change batch or accumulate."
            )
        self.model = model.to(self.team.device)
        self.optimizer = make_optimizer(self.model, recipe.optimizer)
        self.average = Average(self.model) if recipe.ema else None
        objective = Objective(recipe.losses, recipe.aux, recipe.force)
        self.rounds = Rounds(self.model, recipe.rounds, objective, self._autocast, self._learning)
        length = recipe.epoch_length if recipe.epoch_length > 0 else source.images
        self.steps_per_epoch = max(1, length // recipe.batch)
        self.steps = self.steps_per_epoch * recipe.epochs
        self.total, self.seconds = 0, 0.0
        self.sums: dict[str, float] = {}
        self.counted = 0
        self.best = -math.inf
        self.iou, self.held_out_iou = AdaptiveIoU(), AdaptiveIoU()
        self._progress = progress and self.team.leads
        self.writer = RunWriter(folder.path, say, tensorboard, "logs", self.team.leads)
        self.writer.prepare(lambda: folder.prepare(recipe.as_dict()))

    # ------------------------------------------------------------------ modes of the network
    def _autocast(self) -> torch.autocast:
        device = self.team.device.type
        return torch.autocast(device, torch.bfloat16, enabled=self.recipe.bfloat16)

    def _learning(self, model: nn.Module) -> None:
        """Into training mode, but for batch norms that keep their statistics."""
        model.train()
        frozen = self.recipe.optimizer.encoder_factor == 0
        encoder = ENCODERS.get(self.model.spec.architecture, ((), ()))[0] if frozen else ()
        for name, layer in model.named_modules():
            still = self.recipe.model.fixed_norms or (encoder and f"{name}.".startswith(encoder))
            if still and isinstance(layer, nn.BatchNorm2d):
                layer.eval()

    @property
    def result(self) -> ClickModel:
        """The network as it is to be used: the average, if there is one."""
        return self.model if self.average is None else self.average.model

    # ------------------------------------------------------------------ the run
    def run(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train to the end of the recipe, or until `stop` says so between two steps.

        Returns
        -------
        bool
            Whether the recipe is finished. A checkpoint is written in both cases.

        Raises
        ------
        ValueError
            If the loss is no number any more, the disk is full, or images cannot be read; the last
            checkpoint stays.
        """
        bar = Progress(self.steps, self.total, folder=self.folder.path) if self._progress else None
        if not self.total and self.held_out is not None and self.recipe.model.start == "weights":
            start = {"total": 0, "epoch": -1}  # how good it is already
            self.writer.report(start, self._validate(start))
        clock = saved = time.monotonic()
        while self.total < self.steps:
            end = (self.total // self.steps_per_epoch + 1) * self.steps_per_epoch
            for parts in training_batches(
                self.source, self.recipe, self.total, end, self.team, self.workers
            ):
                if self.team.any(stop()):
                    self.save()
                    return False
                words = self._step(parts)
                now = time.monotonic()
                self.seconds, clock = self.seconds + now - clock, now
                if bar is not None:
                    epoch = (self.total - 1) // self.steps_per_epoch + 1
                    bar.show(self.total, f"epoch {epoch}/{self.recipe.epochs}  {words}")
                if self.total % LOG_EVERY == 0 or self.total % self.steps_per_epoch == 0:
                    self._log_losses()
                if self.total % self.steps_per_epoch == 0:
                    if bar is not None:
                        bar.clear()
                    self._end_epoch(self.total // self.steps_per_epoch - 1)
                    self.save()
                    clock = saved = time.monotonic()
                elif self.team.any(now - saved > self.save_every):
                    self.save()
                    clock = saved = time.monotonic()
        self.save()
        return True

    def _step(self, parts: list[Batch]) -> str:
        """One gradient step; returns what to say about it."""
        r, team = self.recipe, self.team
        factor = r.schedule.at_step(self.total, self.steps_per_epoch, r.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = r.optimizer.lr * factor * group["factor"]
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, float] = {}
        for part, batch in enumerate(parts):
            self.writer.tell_broken(batch.broken)
            place = part * team.size + team.rank
            torch.manual_seed((r.seed * 1_000_003 + self.total) * 4096 + place)  # dropout
            rng = np.random.default_rng([r.seed, STEP, self.total, place])
            batch = batch.to(team.device)
            logits, losses = self.rounds.learn(
                batch, rng, lambda loss: (loss / len(parts)).backward()
            )
            losses["iou"] = self.iou.add(logits, batch.target)
            losses |= measures_of_batch(logits, batch.target, r.losses)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value / len(parts)
        sums = team.mean(sums)
        if not math.isfinite(sums["overall"]):
            raise ValueError(
                f"The loss is no number at step {self.total}. Begin again with a smaller learning "
                "rate (--set optimizer.lr=...) or a limit of the gradient (--set optimizer.clip=1)."
            )
        team.average_gradients(self.model)
        if r.optimizer.clip:
            nn.utils.clip_grad_norm_(
                [p for p in self.model.parameters() if p.grad is not None], r.optimizer.clip
            )
        self.optimizer.step()
        team.average(self.model.buffers())
        if self.average is not None:
            self.average.update(self.model, self.total, r.ema)
        self.total += 1
        for name, value in sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.counted += 1
        if r.pictures and self.total % r.pictures == 0:
            path, shown = self.folder.picture(self.total), self.rounds.shown
            self.writer.picture(lambda: save_picture(picture_of_answer(batch, shown, logits), path))
        return f"loss {sums['overall']:.3f}  IoU {sums['iou']:.3f}"

    def _validate(self, entry: dict[str, Any]) -> dict[str, float]:
        """Judge the held-out examples, into an entry of the log; returns the numbers by tag."""
        r = self.recipe
        rounds = Rounds(self.result, r.rounds, self.rounds.objective, self._autocast)
        found = validate(
            rounds, self.held_out, r, self.held_out_iou, self.writer, self.team, self.workers
        )
        said = {k: v for k, v in found.items() if not k.endswith(("_k", "_m"))}
        entry |= {f"validation_{name}": round(value, 4) for name, value in said.items()}
        tags = {"ValMetrics/AdaptiveIoU": found.pop("iou")}
        tags["ValMetrics/Accuracy"] = found.pop("accuracy")
        return tags | {f"ValLosses/{name}": value for name, value in found.items()}

    def _end_epoch(self, epoch: int) -> None:
        """Validate, log and keep the weights."""
        entry: dict[str, Any] = {"total": self.total, "epoch": epoch}
        tags = {"TrainMetrics/AdaptiveIoU": self.iou.mean}
        entry["train_iou"] = round(self.iou.mean, 4)
        score = self.iou.mean
        if self.held_out is not None:
            tags |= self._validate(entry)
            score = tags["ValMetrics/AdaptiveIoU"]
        self.iou.restart()
        better = score > self.best
        self.best = max(self.best, score)
        if not self.team.leads:
            return
        self.writer.report(entry, tags)
        if self.recipe.keeps(epoch):
            self.export(self.folder.kept(epoch))
        if better:
            self.export(self.folder.best)

    # ------------------------------------------------------------------ what is written
    def _log_losses(self) -> None:
        """Means since the last time."""
        means = {name: value / self.counted for name, value in self.sums.items()}
        self.sums, self.counted = {}, 0
        rate = self.optimizer.param_groups[0]["lr"] / self.optimizer.param_groups[0]["factor"]
        entry = {"total": self.total, "epoch": (self.total - 1) // self.steps_per_epoch}
        entry |= {"seconds": round(self.seconds, 1), "lr": rate}
        entry |= {name: round(value, 5) for name, value in means.items()}
        tags = {f"TrainLosses/{k}": v for k, v in means.items() if k not in ("iou", "accuracy")}
        tags |= {
            "TrainMetrics/Accuracy": means["accuracy"],
            "TrainStates/learning_rate": rate,
            "TrainMetrics/AdaptiveIoU_ema_iou": self.iou.average,
            "TrainMetrics/AdaptiveIoU_iou_thresh": self.iou.threshold,
        }
        self.writer.log(entry, tags)

    def export(self, path: Path) -> None:
        """Write the network as a model file that can be loaded at once.

        Raises
        ------
        ValueError
            If it cannot be written.
        """
        r = self.recipe
        card = {
            "name": r.name,
            "licence": "not stated",
            **r.card,
            "trained_on": sorted({*r.data}),
            "gradient_steps": self.total,
            "batch": r.batch,
            "seconds": round(self.seconds),
        }
        self.writer.model(self.result, path, card)

    def save(self) -> None:
        """Write the checkpoint.

        Raises
        ------
        ValueError
            If it cannot be written; the one before stays.
        """
        if not self.team.leads:
            return
        state = {
            "recipe": plain(self.recipe.as_dict()),
            "processes": self.team.size,
            "total": self.total,
            "seconds": self.seconds,
            "sums": self.sums,
            "counted": self.counted,
            "best": self.best,
            "iou": self.iou.state(),
            "held_out_iou": self.held_out_iou.state(),
            "log": self.writer.log_size,
            "model": self.model.state_dict(),
            "average": None if self.average is None else self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        write_checkpoint(self.folder.last, state)

    def resume(self) -> None:
        """Go on from the checkpoint in the folder, bit for bit as if never stopped.

        Raises
        ------
        ValueError
            If there is none, or its recipe differs in what decides the weights.
        """
        if not self.folder.last.is_file():
            raise ValueError(
                f"There is no checkpoint {self.folder.last} to go on from. Leave out --resume to "
                "begin."
            )
        state = read_checkpoint(self.folder.last)
        advice = "Resume with the same one, or begin another run."
        check_recipe(self.folder.last, state["recipe"], self.recipe, FREE_TO_CHANGE, advice)
        for name in ("total", "seconds", "sums", "counted", "best"):
            setattr(self, name, state[name])
        self.iou.restore(state["iou"])
        self.held_out_iou.restore(state["held_out_iou"])
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.model.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.writer.go_on(state["log"], self.total)
