"""Losses on logits, per sample, with pixels to ignore."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["normalized_focal_loss", "soft_iou_loss"]

PIXELS = (1, 2, 3)


def normalized_focal_loss(
    logits: Tensor, target: Tensor, alpha: float = 0.5, gamma: float = 2.0
) -> Tensor:
    """Focal loss whose weights are scaled to sum to the number of valid pixels.

    Parameters
    ----------
    logits : (B, 1, H, W) Tensor
    target : (B, 1, H, W) Tensor
        1 object, 0 background, -1 ignore.
    alpha : float
        Weight of object pixels; background has ``1 - alpha``.
    gamma : float
        Exponent of the focal weight.

    Returns
    -------
    (B,) Tensor

    References
    ----------
    Sofiiuk, Barinova, Konushin, "AdaptIS: Adaptive instance selection network", ICCV 2019, eq. 2.
    """
    valid = (target >= 0).float()
    y = (target > 0.5).float()
    p = torch.sigmoid(logits)
    pt = torch.where(valid > 0, 1 - (y - p).abs(), torch.ones_like(p))
    weight = (1 - pt) ** gamma
    with torch.no_grad():
        scale = valid.sum(PIXELS) / (weight.sum(PIXELS) + 1e-12)
    side = torch.where(y > 0.5, alpha, 1 - alpha)
    terms = side * weight * scale.view(-1, 1, 1, 1) * torch.log((pt + 1e-12).clamp(max=1))
    return -(terms * valid).sum(PIXELS) / valid.sum(PIXELS).clamp(min=1)


def soft_iou_loss(logits: Tensor, target: Tensor) -> Tensor:
    """``1 - sum(p y) / sum(max(p, y))`` over the valid pixels, shape ``(B,)``."""
    valid = (target >= 0).float()
    y = (target > 0.5).float() * valid
    p = torch.sigmoid(logits) * valid
    return 1 - (p * y).sum(PIXELS) / (torch.maximum(p, y).sum(PIXELS) + 1e-8)
