"""The rounds of an example: the network answers, is corrected, and learns from what it then says.

Sofiiuk, Petrov, Konushin, RITM, 2021 (iterative training); Galeev et al., "Contour-based
interactive segmentation", IJCAI 2023 (strokes and contours); S. Sun et al., "CFR-ICL", AAAI 2024
(iterative click loss).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..evaluation.mixed import MixedUser
from ..interactions import Click, Contour, Stroke
from ..models.base import ClickModel, Inputs
from ..models.hrnet import HRNetModel
from .clicks import error_click
from .drawn import draw_interaction
from .examples import Batch
from .losses import combined_loss, map_force, point_force, sigmoid_bce

__all__ = ["Objective", "RoundOptions", "Rounds", "State"]

PUBLISHED_NAMES = {"click": "point"}
INNER = 0.5  # of the greatest depth of an error: where the next click may be


@dataclass(frozen=True)
class RoundOptions:
    """How often an example is corrected before, or while, the network learns from it.

    Attributes
    ----------
    kind : {"next_clicks", "click_loss"}
        ``next_clicks``: a random number of corrections without learning, then one step (RITM).
        ``click_loss``: each round counts in the loss by `weights` (CFR-ICL).
    least, most : int
        Corrections; for ``click_loss`` rounds.
    threshold : float
        Probability above which a pixel is in the mask that is corrected.
    weights : tuple of float
        Of the rounds of ``click_loss``.
    from_centre : bool
        Begin with a single click in the middle of the object instead of the sampled points.
    append : bool
        Corrections of ``next_clicks`` go to the first free place (CFR-ICL), not over the last ones.
    drop_prev : float
        Probability that an example forgets its previous mask.
    drop_others : float
        Probability that the interactions of other kinds than the first round's are left out.
    kinds : mapping of str to float
        How likely each kind of interaction is, where the network takes several.
    """

    kind: str = "next_clicks"
    least: int = 0
    most: int = 0
    threshold: float = 0.49
    weights: tuple[float, ...] = (1.0, 2.0, 3.0)
    from_centre: bool = False
    append: bool = False
    drop_prev: float = 0.0
    drop_others: float = 0.9
    kinds: Mapping[str, float] = field(
        default_factory=lambda: {"click": 0.34, "contour": 0.33, "stroke": 0.33}
    )

    def __post_init__(self) -> None:
        if self.kind not in ("next_clicks", "click_loss"):
            raise ValueError(f"rounds are next_clicks or click_loss, not '{self.kind}'")
        if not 0 <= self.least <= self.most:
            raise ValueError(f"rounds are {self.least} to {self.most}, which is no range")
        if self.kind == "click_loss" and len(self.weights) < max(1, self.most):
            raise ValueError(f"there are {self.most} rounds but {len(self.weights)} weights")


@dataclass
class State:
    """What the network is shown, besides the image, and what it was last told.

    Attributes
    ----------
    points : (B, 2N, 3) Tensor
    drawn : dict of str to (B, 2, H, W) Tensor
    prev : (B, 1, H, W) Tensor
    latest : str
        Kind of the latest interaction.
    told_points : (B, 2K, 2 or 3) Tensor or None
        Places that the latest interaction says something about,
    told_maps : (B, 2, H, W) Tensor or None
        or regions.
    """

    points: Tensor
    drawn: dict[str, Tensor]
    prev: Tensor
    latest: str = "click"
    told_points: Tensor | None = None
    told_maps: Tensor | None = None


@dataclass(frozen=True)
class Objective:
    """The loss of a batch.

    Attributes
    ----------
    losses : mapping of str to mapping
        See `combined_loss`.
    aux : float
        Weight of the cross-entropy of the auxiliary output of an HRNet with object context; other
        networks have none.
    force : float
        Weight of the pull towards what the latest interaction says (SAIC-IS).
    """

    losses: Mapping[str, Mapping[str, Any]]
    aux: float = 0.0
    force: float = 0.0

    def __call__(
        self, logits: Tensor, aux: Tensor | None, target: Tensor, state: State
    ) -> dict[str, Tensor]:
        """Means over the batch by name; ``overall`` is what to minimise."""
        parts = {"instance_loss": combined_loss(logits, target, self.losses).mean()}
        overall = parts["instance_loss"]
        if aux is not None:
            parts["instance_aux_loss"] = sigmoid_bce(aux, target).mean()
            overall = overall + self.aux * parts["instance_aux_loss"]
        if self.force:
            parts["force_loss"] = logits.new_zeros(())
            if state.told_maps is not None:
                parts["force_loss"] = map_force(logits, state.told_maps)
            elif state.told_points is not None:
                parts["force_loss"] = point_force(logits, state.told_points)
            overall = overall + self.force * parts["force_loss"]
        parts["overall"] = overall
        return parts


class Rounds:
    """Plays the rounds of a batch with a network.

    Parameters
    ----------
    model : ClickModel
    options : RoundOptions
    objective : Objective
    autocast : callable
        Gives the context in which the network runs.
    train_mode : callable
        Puts the network into the state in which it learns.
    """

    def __init__(
        self,
        model: ClickModel,
        options: RoundOptions,
        objective: Objective,
        autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
        train_mode: Callable[[nn.Module], None] = lambda model: model.train() and None,
    ) -> None:
        self.model, self.options, self.objective = model, options, objective
        self._autocast, self._train_mode = autocast, train_mode
        self.shown: State | None = None  # with the last answer
        self.kinds = [kind for kind in ("click", "contour", "stroke") if self._takes(kind)]

    def _takes(self, kind: str) -> bool:
        return kind in self.model.spec.interactions

    def learn(
        self, batch: Batch, rng: np.random.Generator, backward: Callable[[Tensor], None]
    ) -> tuple[Tensor, dict[str, float]]:
        """Play a batch and call `backward` with each loss.

        Returns
        -------
        logits : (B, 1, H, W) Tensor
            Of the last round; `shown` is what the network then saw.
        losses : dict of str to float
            Means over the batch.
        """
        return self._play(batch, rng, backward)

    @torch.no_grad()
    def judge(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """The same without learning."""
        return self._play(batch, rng, None)

    def _play(
        self,
        batch: Batch,
        rng: np.random.Generator,
        backward: Callable[[Tensor], None] | None,
    ) -> tuple[Tensor, dict[str, float]]:
        o = self.options
        self.shown = state = self._begin(batch, rng)
        rounds = int(rng.integers(o.least, o.most + 1))
        if o.kind == "click_loss":
            return self._play_click_loss(batch, state, max(1, rounds), rng, backward)
        self.model.eval()
        with torch.no_grad():
            for i in range(1, rounds + 1):
                state.prev = torch.sigmoid(self._answer(batch, state)[0])
                self._correct(batch, state, rng, slot=None if o.append else i)
        if rounds and o.drop_prev:
            kept = torch.from_numpy(rng.random(len(batch.image)) >= o.drop_prev)
            state.prev = state.prev * kept.to(state.prev).view(-1, 1, 1, 1)
        if backward is not None:
            self._train_mode(self.model)
        logits, aux = self._answer(batch, state)
        parts = self.objective(logits, aux, batch.target, state)
        if backward is not None:
            backward(parts["overall"])
        return logits.detach(), {k: float(v.detach()) for k, v in parts.items()}

    def _play_click_loss(
        self,
        batch: Batch,
        state: State,
        rounds: int,
        rng: np.random.Generator,
        backward: Callable[[Tensor], None] | None,
    ) -> tuple[Tensor, dict[str, float]]:
        """Rounds of which each counts; previous masks are constants, so each is learnt at once."""
        sums: dict[str, float] = {}
        (self._train_mode if backward is not None else nn.Module.eval)(self.model)
        for i in range(rounds):
            logits, aux = self._answer(batch, state)
            weight = self.options.weights[i]
            for name, value in self.objective(logits, aux, batch.target, state).items():
                sums[name] = sums.get(name, 0.0) + weight * float(value.detach())
                if name == "overall" and backward is not None:
                    backward(weight * value)
            state.prev = torch.sigmoid(logits.detach())
            if i + 1 < rounds:
                self._correct(batch, state, rng, slot=None)
        return logits.detach(), sums

    def _answer(self, batch: Batch, state: State) -> tuple[Tensor, Tensor | None]:
        """Logits and auxiliary ones in float32."""
        shape = (int(batch.image.shape[-2]), int(batch.image.shape[-1]))
        drawn = {k: v for k, v in state.drawn.items() if k in self.kinds}
        latest = PUBLISHED_NAMES.get(state.latest, state.latest) if len(self.kinds) > 1 else None
        maps = self.model.interaction_maps(state.points, shape, drawn, latest)
        prev = state.prev if self.model.spec.takes_prev_mask else None
        inputs = Inputs(batch.image, maps, prev)
        has_aux = isinstance(self.model, HRNetModel) and "context" in self.model.splits
        with self._autocast():
            if self.objective.aux and has_aux:
                logits, aux = self.model.logits_and_aux(inputs)
                return logits.float(), aux.float()
            return self.model(inputs).float(), None

    # ------------------------------------------------------------------ what the user says
    def _begin(self, batch: Batch, rng: np.random.Generator) -> State:
        state = State(
            batch.points.clone(),
            {k: v.clone() for k, v in batch.drawn.items()},
            torch.zeros_like(batch.target),
        )
        if self.options.from_centre:
            state.points.fill_(-1)
            self._correct(batch, state, rng, slot=None, centre=True)
            return state
        state.latest = self._draw_kind(rng)
        if len(self.kinds) > 1:
            if state.latest != "click" and rng.random() < self.options.drop_others:
                state.points.fill_(-1)
            for kind, maps in state.drawn.items():
                if kind != state.latest and rng.random() < self.options.drop_others:
                    maps.zero_()
        if state.latest == "click":
            state.told_points = state.points.clone()
        elif state.latest == "contour":
            state.told_maps = state.drawn["contour"].clone()
        return state

    def _draw_kind(self, rng: np.random.Generator) -> str:
        shares = np.array([self.options.kinds.get(kind, 0.0) for kind in self.kinds])
        drawn = len(self.kinds) > 1 and shares.sum() > 0
        return str(rng.choice(self.kinds, p=shares / shares.sum())) if drawn else self.kinds[0]

    def _correct(
        self,
        batch: Batch,
        state: State,
        rng: np.random.Generator,
        slot: int | None,
        centre: bool = False,
    ) -> None:
        """Say one thing more about each example; see `_put` for `slot`."""
        masks = (state.prev[:, 0] > self.options.threshold).cpu().numpy()
        targets = batch.target[:, 0].cpu().numpy().astype(np.int8)
        state.latest = self._draw_kind(rng)
        state.told_points = state.told_maps = None
        if state.latest == "click":
            told = state.points.new_full((len(masks), 2, 3), -1)
            for i, (mask, target) in enumerate(zip(masks, targets, strict=True)):
                place = 1.0 if centre else 0.0
                click = error_click(mask, target, rng, place, INNER)
                if click is not None:
                    told[i, 0 if click[2] else 1] = _put(state.points[i], click, slot)
            state.told_points = told
            return
        user = MixedUser((state.latest,))
        maps = np.zeros((len(masks), 2, *masks.shape[1:]), np.float32)
        ends = state.points.new_full((len(masks), 4, 2), -1)
        for i, (mask, target) in enumerate(zip(masks, targets, strict=True)):
            if not ((target == 1) & ~mask).any() and not ((target == 0) & mask).any():
                continue
            item = user.next(mask, target, (), rng)
            side = 0 if item.positive else 1
            if isinstance(item, Click):  # where a region is too small to draw in
                _put(state.points[i], (int(item.row), int(item.col), item.positive), slot)
            elif isinstance(item, Contour | Stroke):
                draw_interaction(maps[i, side], item)
                limit = np.subtract(mask.shape, 1)
                for k, end in enumerate((item.points[0], item.points[-1])):
                    ends[i, 2 * side + k] = torch.tensor(np.clip(np.floor(end), 0, limit))
        state.drawn[state.latest] = torch.from_numpy(maps).to(state.prev)
        if state.latest == "contour":
            state.told_maps = state.drawn["contour"]
        else:
            state.told_points = ends


def _put(points: Tensor, click: tuple[int, int, bool], slot: int | None) -> Tensor:
    """Write a click into points ``(2N, 3)``, which are changed; returns its row.

    With a slot i it goes to the i-th place from the end of its half with the order i, over what
    was there, as published by RITM; without, to the first free place, or the last (CFR-ICL).
    """
    row, col, positive = click
    half = points.shape[0] // 2
    start, stop = (0, half) if positive else (half, 2 * half)
    if slot is not None:
        place, order = max(start, stop - slot), float(slot)
    else:
        free = torch.nonzero(points[start:stop, 0] < 0)
        place = start + int(free[0]) if len(free) else stop - 1
        order = float((points[:, 0] >= 0).sum())
    points[place] = points.new_tensor([row, col, order])
    return points[place]
