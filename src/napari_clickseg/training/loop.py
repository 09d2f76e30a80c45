"""The training loop: one gradient step per click, exact resume."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..models.base import Inputs
from ..models.compact import CompactModel
from .checkpoint import read_checkpoint, write_checkpoint
from .ema import Average
from .losses import lost_pixels_loss, normalized_focal_loss, soft_iou_loss
from .pool import Encode, Pool, Prefetch
from .progress import Progress
from .recipe import Recipe, Stage
from .resume import check_recipe
from .run_writer import RunWriter
from .samples import SampleSource
from .validation import watch

__all__ = ["Trainer"]

CHECKPOINT = "last.pt"
FREE_TO_CHANGE = ("card",)  # says nothing about the training


class Trainer:
    """Runs a recipe.

    Parameters
    ----------
    recipe : Recipe
    model : CompactModel
        With its starting weights.
    source, held_out : SampleSource
        Samples to train on and to watch the run with.
    folder : Path
        Gets ``last.pt`` and ``log.jsonl``.
    save_every : float
        Seconds between checkpoints.
    tensorboard : bool
        Log for TensorBoard as well.
    say : callable
        Gets a line of text now and then.
    progress : bool
        Show how far the run is.
    """

    def __init__(
        self,
        recipe: Recipe,
        model: CompactModel,
        source: SampleSource,
        held_out: SampleSource,
        folder: Path,
        save_every: float = 180.0,
        tensorboard: bool = False,
        say: Callable[[str], None] = print,
        progress: bool = False,
    ) -> None:
        self.recipe, self.folder = recipe, folder
        self.source, self.held_out = source, held_out
        self.save_every, self._progress = save_every, progress
        self.writer = RunWriter(folder, say, tensorboard)
        self.writer.prepare(lambda: folder.mkdir(parents=True, exist_ok=True))
        self.model = model.to(memory_format=torch.channels_last)
        self.average = Average(self.model)
        inside = {id(p) for p in model.encoder.parameters()}
        rest = [p for p in model.parameters() if id(p) not in inside]
        self.optimizer = torch.optim.AdamW(
            [{"params": rest}, {"params": list(model.encoder.parameters())}],
            lr=0.0,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.stage, self.step, self.total, self.drawn = 0, 0, 0, 0
        self.seconds = 0.0
        self.pool: Pool | None = None
        self.prefetch: Prefetch | None = None

    @property
    def path(self) -> Path:
        """The checkpoint."""
        return self.folder / CHECKPOINT

    def run(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train to the end of the recipe, or until `stop` says so between two steps.

        Returns
        -------
        bool
            Whether the recipe is finished. A checkpoint is written in both cases.
        """
        steps = sum(stage.steps for stage in self.recipe.stages)
        bar = Progress(steps, self.total, folder=self.folder) if self._progress else None
        try:
            while self.stage < len(self.recipe.stages):
                if not self._run_stage(self.recipe.stages[self.stage], stop, bar):
                    return False
                self.stage, self.step, self.pool = self.stage + 1, 0, None
            self.save()
            return True
        finally:
            if self.prefetch is not None:
                self.prefetch.close()
                self.prefetch = None

    def _run_stage(self, stage: Stage, stop: Callable[[], bool], bar: Progress | None) -> bool:
        trained = stage.encoder_factor > 0
        self.model.train()
        self.model.encoder.eval()  # its batch norms keep the statistics they came with
        self.model.encoder.requires_grad_(trained)
        if self.prefetch is not None:
            self.prefetch.close()
        self.prefetch = Prefetch(self.source.with_size(stage.size), self.drawn)
        self._ready_pool(stage, trained)
        watched = [
            self.held_out.with_size(stage.size)[i] for i in range(self.recipe.validation_samples)
        ]
        saved = clock = time.perf_counter()
        losses = []
        while self.step < stage.steps:
            if stop():
                self.save()
                return False
            losses.append(self._step(stage, trained))
            now = time.perf_counter()
            self.seconds, clock = self.seconds + now - clock, now
            if bar is not None:
                words = f"stage {self.stage + 1}/{len(self.recipe.stages)}  loss {losses[-1]:.3f}"
                bar.show(self.total, words)
            if self.step % self.recipe.validate_every == 0 or self.step == stage.steps:
                if bar is not None:
                    bar.clear()
                scores = watch(self.average.model, watched, self.model.radius)
                self._log(stage, losses, scores)
                losses.clear()
                clock = time.perf_counter()
            if now - saved > self.save_every:
                self.save()
                saved = clock = time.perf_counter()
        return True

    def _ready_pool(self, stage: Stage, trained: bool) -> None:
        r = self.recipe
        encode = None if trained else self._features
        pool = self._empty_pool(stage, encode)
        if self.pool is not None:  # restored from a checkpoint
            pool.restore(self.pool.state())
        else:
            rng = np.random.default_rng([r.seed, 1, self.total])
            for places in np.array_split(np.arange(r.pool), math.ceil(r.pool / r.batch)):
                pool.fill(places.tolist(), [self._take() for _ in places], rng)
        self.pool = pool

    def _empty_pool(self, stage: Stage, encode: Encode | None) -> Pool:
        r, radius = self.recipe, self.model.radius
        return Pool(
            r.pool,
            stage.size,
            radius,
            r.chain_stop,
            r.chain_max,
            encode,
            r.kinds,
            r.starts,
            self.model.spec.interactions,
            r.scatter,
            r.cascade,
        )

    def _take(self) -> Any:
        sample = self.prefetch.take()
        self.drawn = self.prefetch.next
        return sample

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16)

    @torch.no_grad()
    def _features(self, image: Tensor) -> dict[str, Tensor]:
        image = image.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            return self.model.before("features", Inputs(image, image, image))

    def _rates(self, stage: Stage) -> tuple[float, float]:
        """Learning rates of the click network and the encoder at this step."""
        warm = min(1.0, (self.step + 1) / max(1, min(self.recipe.warmup, stage.steps // 10)))
        wave = 0.5 * (1 + math.cos(math.pi * self.step / stage.steps))
        rate = warm * (stage.lr_final + (stage.lr - stage.lr_final) * wave)
        return rate, rate * stage.encoder_factor

    def _step(self, stage: Stage, trained: bool) -> float:
        rng = np.random.default_rng([self.recipe.seed, 2, self.total])
        places = torch.from_numpy(rng.choice(self.recipe.pool, self.recipe.batch, replace=False))
        inputs, target, features = self.pool.batch(places)
        for group, rate in zip(self.optimizer.param_groups, self._rates(stage), strict=True):
            group["lr"] = rate
        with self._autocast():
            if trained:
                features = self.model.before("features", inputs)
            logits = self.model.after("features", features, inputs)
        logits = logits.float()
        losses = normalized_focal_loss(logits, target) + soft_iou_loss(logits, target)
        if stage.keep:
            losses = losses + stage.keep * lost_pixels_loss(logits, target, inputs.prev_mask)
        loss = losses.mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(
            [p for p in self.model.parameters() if p.grad is not None], self.recipe.clip
        )
        self.optimizer.step()
        decay = self.recipe.ema if stage.ema is None else stage.ema
        self.average.update(self.model, self.total, decay)
        done = self.pool.advance(places, torch.sigmoid(logits.detach()), rng)
        self.pool.fill(done, [self._take() for _ in done], rng)
        self.step += 1
        self.total += 1
        return loss.item()

    def _log(self, stage: Stage, losses: list[float], scores: dict[str, float]) -> None:
        entry = {
            "stage": self.stage,
            "step": self.step,
            "total": self.total,
            "size": stage.size,
            "samples": self.total * self.recipe.batch,
            "fresh": self.drawn,
            "seconds": round(self.seconds, 1),
            "lr": self.optimizer.param_groups[0]["lr"],
            "loss": round(float(np.mean(losses)), 4),
            **{name: round(value, 4) for name, value in scores.items()},
        }
        self.writer.report(entry)

    def save(self) -> None:
        """Write the checkpoint.

        Raises
        ------
        ValueError
            If it cannot be written; the one before stays.
        """
        state = {
            "recipe": self.recipe.as_dict(),
            "stage": self.stage,
            "step": self.step,
            "total": self.total,
            "drawn": self.drawn,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "pool": None if self.pool is None else self.pool.state(),
            "torch_rng": torch.get_rng_state(),
        }
        write_checkpoint(self.path, state)

    def resume(self) -> None:
        """Go on from the checkpoint in the folder, bit for bit as if never stopped.

        Raises
        ------
        ValueError
            If the recipe differs from the checkpoint's in anything but stages that have not begun.
        """
        state = read_checkpoint(self.path)
        begun = state["stage"] + 1 if state["step"] else state["stage"]
        stages = [dataclasses.asdict(Stage(**stage)) for stage in state["recipe"]["stages"][:begun]]
        check_recipe(
            self.path,
            {**state["recipe"], "stages": stages},
            dataclasses.replace(self.recipe, stages=self.recipe.stages[:begun]),
            FREE_TO_CHANGE,
            "Resume with the same one (stages that have not begun may change), or use another "
            "folder.",
        )
        for name in ("stage", "step", "total", "drawn", "seconds"):
            setattr(self, name, state[name])
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch_rng"])
        if state["pool"] is not None:
            self.pool = self._empty_pool(self.recipe.stages[self.stage], None)
            self.pool.restore(state["pool"])
