"""What a run is watched with: IoU at a threshold that adapts itself, and pixel accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .losses import focal_scale

__all__ = ["AdaptiveIoU", "accuracy", "measures_of_batch"]

STEP = 0.025
THRESHOLD_MEMORY, IOU_MEMORY = 0.99, 0.9
RANGE = (0.05, 0.95)


def _ious(probabilities: Tensor, target: Tensor, threshold: float) -> Tensor:
    """IoU of each sample that has a union, ignored pixels left out."""
    valid = target >= 0
    mask, truth = (probabilities > threshold) & valid, target > 0.5
    union = (mask | truth).flatten(1).sum(1)
    both = (mask & truth).flatten(1).sum(1)
    return both[union > 0].double() / union[union > 0]


class AdaptiveIoU:
    """Mean IoU over the batches of an epoch, at a threshold that follows the best one.

    Each batch is judged at the threshold and one step below and above; the best IoU counts, and the
    threshold moves towards the best of the three.

    Parameters
    ----------
    threshold : float
        Probability to begin with.

    Attributes
    ----------
    threshold : float
    average : float
        Exponential average of the batches' IoU.

    References
    ----------
    Sofiiuk, Petrov, Konushin, RITM, 2021: the training metric.
    """

    def __init__(self, threshold: float = 0.4) -> None:
        self.threshold, self.average = threshold, 0.0
        self.total, self.batches = 0.0, 0

    @torch.no_grad()
    def add(self, logits: Tensor, target: Tensor) -> float:
        """Count a batch ``(B, 1, H, W)``; returns its IoU."""
        if not bool((target > 0.5).any()):
            return 0.0
        probabilities = torch.sigmoid(logits)
        tried = (self.threshold, self.threshold - STEP, self.threshold + STEP)
        found = [float(_ious(probabilities, target, t).mean()) for t in tried]
        iou = max(found)
        best = tried[found.index(iou)]
        if RANGE[0] <= best <= RANGE[1]:
            self.threshold += (1 - THRESHOLD_MEMORY) * (best - self.threshold)
        self.average = IOU_MEMORY * self.average + (1 - IOU_MEMORY) * iou
        self.total += iou
        self.batches += 1
        return iou

    @property
    def mean(self) -> float:
        """Mean IoU of the batches since `restart`."""
        return self.total / max(1, self.batches)

    def restart(self) -> None:
        """Begin a new epoch; threshold and average go on."""
        self.total, self.batches = 0.0, 0

    def state(self) -> dict[str, float]:
        """Plain values to go on from."""
        return dict(vars(self))

    def restore(self, state: dict[str, float]) -> None:
        """Take back a `state`."""
        vars(self).update(state)


def accuracy(logits: Tensor, target: Tensor) -> float:
    """Share of the valid pixels that are right at a threshold of 0.5."""
    valid = target >= 0
    right = ((logits > 0) == (target > 0.5)) & valid
    return float(right.sum() / valid.sum().clamp(min=1))


@torch.no_grad()
def measures_of_batch(
    logits: Tensor, target: Tensor, losses: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """What the published logs show besides losses and IoU.

    Parameters
    ----------
    logits, target : (B, 1, H, W) Tensor
    losses : mapping of str to mapping
        See `combined_loss`.

    Returns
    -------
    dict of str to float
        ``accuracy``; with normalised focal loss ``instance_loss_k`` and ``instance_loss_m``, the
        means of its scale and of the largest scaled weight.
    """
    found = {"accuracy": accuracy(logits, target)}
    if "normalized_focal" in losses:
        scale, largest = focal_scale(logits, target, losses["normalized_focal"].get("gamma", 2.0))
        found["instance_loss_k"] = float(scale.mean())
        found["instance_loss_m"] = float(largest.mean())
    return found
