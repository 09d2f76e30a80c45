"""Backpropagating refinement (BRS): optimise a few numbers so that the mask obeys the clicks.

All kinds are one procedure over a split of the network. What differs is which tensors are changed
and how: a map is added to the image (RGB-BRS) or to the click maps (DistMap-BRS), or channels are
scaled and shifted somewhere inside (f-BRS-A, -B, -C).

References
----------
W.-D. Jang, C.-S. Kim, "Interactive image segmentation via backpropagating refinement scheme",
CVPR 2019. K. Sofiiuk et al., "f-BRS: Rethinking backpropagating refinement for interactive
segmentation", CVPR 2020, equations 2 to 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.optimize import fmin_l_bfgs_b
from torch import Tensor

from ..cancel import stop_if
from ..interactions import Click
from ..models.base import ClickModel, Inputs, Split
from .together import together

if TYPE_CHECKING:
    from .profiles import Profile

__all__ = ["KINDS", "Kind", "Refinement", "refine"]

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Kind:
    """One kind of refinement, with the published numbers.

    Attributes
    ----------
    added : bool
        A map is added; otherwise channels are scaled and shifted.
    max_clicks : int
        The network is shown this many clicks at most; the energy takes them all.
    """

    added: bool
    max_clicks: int


KINDS: Mapping[str, Kind] = {
    "RGB-BRS": Kind(added=True, max_clicks=5),
    "DistMap-BRS": Kind(added=True, max_clicks=5),
    "f-BRS-A": Kind(added=False, max_clicks=8),
    "f-BRS-B": Kind(added=False, max_clicks=8),
    "f-BRS-C": Kind(added=False, max_clicks=8),
}


@dataclass(frozen=True, eq=False)
class Refinement:
    """What an optimisation found, to start the next one from.

    Attributes
    ----------
    vector : (N,) float64 array
    place : hashable
        The view that an added map belongs to; None where the vector holds channels.
    """

    vector: np.ndarray
    place: object = None


@dataclass(frozen=True)
class Copy:
    """One copy of a view: what the network is given, and whether it is mirrored."""

    inputs: Inputs
    mirrored: bool


class _Changed:
    """The network's logits of every copy of the view as a function of the vector."""

    def __init__(
        self,
        model: ClickModel,
        split: Split,
        added: bool,
        copies: Sequence[Copy],
        tensors: Sequence[Tensors],
    ) -> None:
        self.model, self.split, self.added, self.copies = model, split, added, copies
        self.tensors = tensors
        first = tensors[0]
        self.length = (
            sum(first[name].numel() for name in split.added)
            if added
            else 2 * sum(split.channels.values())
        )

    def logits(self, z: Tensor) -> list[Tensor]:
        """Logits of each copy, ``(1, 1, h, w)``, turned back where it is mirrored."""
        pairs = zip(self.copies, self.tensors, strict=True)
        return together([partial(self._of_copy, z, *pair) for pair in pairs], z.device)

    def _of_copy(self, z: Tensor, copy: Copy, tensors: Tensors) -> Tensor:
        changed = self._added(tensors, z, copy.mirrored) if self.added else self._scaled(tensors, z)
        logits = self.model.after(self.split.name, changed, copy.inputs)
        return logits.flip(-1) if copy.mirrored else logits

    def _added(self, tensors: Tensors, z: Tensor, mirrored: bool) -> Tensors:
        changed, start = dict(tensors), 0
        for name in self.split.added:
            value = tensors[name]
            part = z[start : start + value.numel()].view_as(value)
            changed[name] = value + (part.flip(-1) if mirrored else part)
            start += value.numel()
        return changed

    def _scaled(self, tensors: Tensors, z: Tensor) -> Tensors:
        changed, start, half = dict(tensors), 0, self.length // 2
        for name, count in self.split.channels.items():
            scale = z[start : start + count].view(1, -1, 1, 1)
            shift = z[half + start : half + start + count].view(1, -1, 1, 1)
            changed[name] = tensors[name] * (1 + scale) + shift
            start += count
        return changed

    def penalty(self, z: Tensor) -> Tensor:
        """The regulariser; an added map counts once for each copy, as published."""
        if self.added:
            return 1e-3 * len(self.copies) * z.square().sum()
        half = self.length // 2
        return 1e-3 * (z[:half].square().sum() + 10 * z[half:].square().sum())


def click_squares(
    clicks: Sequence[Click], size: tuple[int, int], wraps: bool = False, mirrored: bool = False
) -> Tensor:
    """Squares of 3 x 3 pixels around clicks in view pixels: ``(2, h, w)``, positive first.

    With `wraps`, as published: a square that begins before the first row or column is lost, and
    one farther outside counts from the other side. With `mirrored`, they are drawn (and rounded) in
    the mirrored copy and turned back.
    """
    squares = torch.zeros(2, *size)
    for click in clicks:
        sign = 0 if click.positive else 1
        row, col = round(click.row), round(size[1] - click.col - 1 if mirrored else click.col)
        if wraps:
            squares[sign, row - 1 : row + 2, col - 1 : col + 2] = 1
        elif 0 <= row < size[0] and 0 <= col < size[1]:
            squares[sign, max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] = 1
    return squares.flip(-1) if mirrored else squares


def refine(
    model: ClickModel,
    mode: str,
    copies: Sequence[Copy],
    tensors: Sequence[Tensors],
    clicks: Sequence[Click],
    start: Refinement | None,
    place: object,
    profile: Profile,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[list[Tensor], Refinement]:
    """Logits of a view after refinement.

    Parameters
    ----------
    model : ClickModel
    mode : str
        A key of ``model.spec.brs``.
    copies : sequence of Copy
        The view, and its mirrored copy if there is one; all share one vector.
    tensors : sequence of mapping
        Of each copy, those at the mode's split.
    clicks : sequence of Click
        All clicks, in pixels of the (unmirrored) view.
    start : Refinement or None
        Of the click before; ignored if it does not fit.
    place : hashable
        Names the view.
    profile : Profile
        Its threshold and ``brs_`` numbers.
    cancelled : callable, optional
        Asked before each call.

    Returns
    -------
    logits : list of (1, 1, h, w) Tensor
        Of each copy, all turned the same way, from the call with the least energy.
    refinement : Refinement
    """
    kind = KINDS[mode]
    changed = _Changed(model, model.splits[model.spec.brs[mode]], kind.added, copies, tensors)
    here = place if kind.added else None
    fits = start is not None and start.place == here and start.vector.size == changed.length
    x0 = start.vector if fits else np.zeros(changed.length)
    device = copies[0].inputs.image.device
    if len(clicks) < 2:
        stop_if(cancelled)
        return changed.logits(_on(x0, device)), Refinement(x0, here)

    size = (int(copies[0].inputs.image.shape[-2]), int(copies[0].inputs.image.shape[-1]))
    of_copies = [click_squares(clicks, size, profile.brs_wraps, c.mirrored) for c in copies]
    energy = _Energy(changed, torch.stack(of_copies, dim=1).to(device), profile, cancelled)
    most = profile.brs_evaluations
    try:
        found, _, _ = fmin_l_bfgs_b(
            energy, x0, m=20, factr=0, pgtol=1e-8, maxfun=most, maxiter=2 * most
        )
    except _TimeIsUp:
        found = energy.best_vector
    return energy.best, Refinement(found, here)


def _on(vector: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(vector).float().to(device)


class _TimeIsUp(Exception):
    """Leaves the optimiser, which a zero gradient does not end within a line search."""


def _gradient(output: Tensor, z: Tensor, slope: Tensor | None = None) -> Tensor:
    """Gradient of an output with respect to the vector."""
    return torch.autograd.grad(output, z, slope)[0]


class _Energy:
    """The energy and its gradient; a zero gradient tells the optimiser that all is well.

    `squares` are those of each copy, ``(2, copies, h, w)``.
    """

    def __init__(
        self,
        changed: _Changed,
        squares: Tensor,
        profile: Profile,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.changed, self.squares, self.cancelled = changed, squares, cancelled
        self.threshold, self.min_change = profile.threshold, profile.brs_min_change
        limit = profile.brs_seconds
        self.deadline = None if limit is None else time.monotonic() + limit
        self.best: list[Tensor] = []
        self.best_vector = np.zeros(changed.length)
        self._least = np.inf
        self._mask: Tensor | None = None

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        stop_if(self.cancelled)
        with torch.enable_grad():
            z = _on(vector, self.squares.device).requires_grad_()
            copies = self.changed.logits(z)
            answers = [logits.detach().requires_grad_() for logits in copies]
            p = torch.sigmoid(torch.cat(answers)[:, 0])
            positive, negative = self.squares
            misses = ((1 - p).square() * positive).sum() / (positive.sum() + 1e-5)
            misses = misses + (p.square() * negative).sum() / (negative.sum() + 1e-5)
            penalty = self.changed.penalty(z)
        value = (misses + penalty).item()
        if value < self._least or not self.best:
            self._least, self.best = value, [logits.detach() for logits in copies]
            self.best_vector = vector.copy()
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise _TimeIsUp
        if self._obeyed(p.detach()) or self._settled(p.detach() > self.threshold):
            return value, np.zeros_like(vector)
        # The chain rule by hand, so that the copies' networks are gone through side by side.
        slopes = torch.autograd.grad(misses, answers)
        pairs = zip(copies, slopes, strict=True)
        parts = together(
            [partial(_gradient, logits, z, slope) for logits, slope in pairs], z.device
        )
        gradient = sum(parts, _gradient(penalty, z))
        return value, gradient.cpu().numpy().astype(np.float64)

    def _obeyed(self, p: Tensor) -> bool:
        """Whether every pixel around the clicks is on the right side of the threshold."""
        missed = ((1 - p) * self.squares[0]).max().item()
        extra = (p * self.squares[1]).max().item()
        return missed < 1 - self.threshold and extra < self.threshold

    def _settled(self, mask: Tensor) -> bool:
        """Whether the mask is nearly that of the call before."""
        before, self._mask = self._mask, mask
        if before is None:
            return False
        union = (mask | before).sum(dim=(1, 2)).float()
        common = (mask & before).sum(dim=(1, 2)).float()
        counted = union > 0
        return bool(counted.any()) and bool(
            (common[counted] / union[counted]).mean() > 1 - self.min_change
        )
