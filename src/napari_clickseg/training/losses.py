"""Losses on logits, per sample, with pixels to ignore.

All take logits ``(B, 1, H, W)`` and a target of the same shape (1 object, 0 background, -1 ignore)
and give ``(B,)``; but the forces, which pull at the latest interaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "LOSSES",
    "boundary_loss",
    "combined_loss",
    "dice_loss",
    "focal_loss",
    "lost_pixels_loss",
    "map_force",
    "normalized_focal_loss",
    "point_force",
    "sigmoid_bce",
    "soft_iou_loss",
]

PIXELS = (1, 2, 3)


def _focal_terms(
    logits: Tensor, target: Tensor, gamma: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Valid pixels, object pixels, probability of the truth, and focal weights."""
    valid = (target >= 0).float()
    y = (target > 0.5).float()
    p = torch.sigmoid(logits)
    pt = torch.where(valid > 0, 1 - (y - p).abs(), torch.ones_like(p))
    return valid, y, pt, (1 - pt) ** gamma


def focal_scale(logits: Tensor, target: Tensor, gamma: float = 2.0) -> tuple[Tensor, Tensor]:
    """What normalised focal loss multiplies focal weights by, and the largest product.

    Returns
    -------
    scale, largest : (B,) Tensor
        Shown in the published logs as the loss's ``k`` and ``m``.
    """
    valid, _, _, weight = _focal_terms(logits, target, gamma)
    scale = valid.sum(PIXELS) / (weight.sum(PIXELS) + 1e-12)
    return scale, weight.amax(PIXELS) * scale


def normalized_focal_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float = 0.5,
    gamma: float = 2.0,
    max_mult: float = -1.0,
    detached: bool = True,
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
    max_mult : float
        Largest scaled weight; no limit if it is not positive.
    detached : bool
        The scale counts as a constant in the gradient.

    Returns
    -------
    (B,) Tensor

    References
    ----------
    Sofiiuk, Barinova, Konushin, "AdaptIS: Adaptive instance selection network", ICCV 2019, eq. 2.
    """
    valid, y, pt, weight = _focal_terms(logits, target, gamma)
    with torch.set_grad_enabled(torch.is_grad_enabled() and not detached):
        scale = valid.sum(PIXELS) / (weight.sum(PIXELS) + 1e-12)
    side = torch.where(y > 0.5, alpha, 1 - alpha)
    if max_mult > 0:
        side = side * (weight * scale.view(-1, 1, 1, 1)).clamp(max=max_mult)
    else:
        side = side * weight * scale.view(-1, 1, 1, 1)
    terms = side * torch.log((pt + 1e-12).clamp(max=1))
    return -(terms * valid).sum(PIXELS) / valid.sum(PIXELS).clamp(min=1)


def focal_loss(logits: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss, the mean over valid pixels.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017.
    """
    valid, y, pt, weight = _focal_terms(logits, target, gamma)
    terms = torch.where(y > 0.5, alpha, 1 - alpha) * weight * torch.log((pt + 1e-9).clamp(max=1))
    return -(terms * valid).sum(PIXELS) / valid.sum(PIXELS).clamp(min=1)


def soft_iou_loss(logits: Tensor, target: Tensor) -> Tensor:
    """``1 - sum(p y) / sum(max(p, y))`` over the valid pixels, shape ``(B,)``."""
    valid = (target >= 0).float()
    y = (target > 0.5).float() * valid
    p = torch.sigmoid(logits) * valid
    return 1 - (p * y).sum(PIXELS) / (torch.maximum(p, y).sum(PIXELS) + 1e-8)


def lost_pixels_loss(logits: Tensor, target: Tensor, before: Tensor) -> Tensor:
    """How far pixels are on the wrong side that were right before, relative to the object's area.

    It makes clicks rare that do harm. The hinge is at probability 0.5.

    Parameters
    ----------
    logits, target : (B, 1, H, W) Tensor
    before : (B, 1, H, W) Tensor
        Probabilities of the previous mask; all 0 where there is none, and nothing is lost then.
    """
    y = target > 0.5
    right = (target >= 0) & (y == (before > 0.5)) & (before.amax(PIXELS, keepdim=True) > 0.5)
    wrong_by = F.relu(torch.where(y, -logits, logits)) * right
    return wrong_by.sum(PIXELS) / y.sum(PIXELS).clamp(min=1)


def sigmoid_bce(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy; the mean over all pixels, to which ignored ones add nothing."""
    valid = (target >= 0).float()
    y = (target > 0.5).float()
    terms = F.binary_cross_entropy_with_logits(logits, y, reduction="none")
    return (terms * valid).mean(PIXELS)


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """``1 - (2 sum(p y) + e) / (sum(p^2) + sum(y^2) + e)``, e = 1e-6, over the valid pixels.

    References
    ----------
    Milletari, Navab, Ahmadi, "V-Net", 3DV 2016.
    """
    valid = (target >= 0).float()
    y = (target > 0.5).float() * valid
    p = torch.sigmoid(logits) * valid
    both = 2 * (p * y).sum(PIXELS) + 1e-6
    return 1 - both / ((p * p).sum(PIXELS) + (y * y).sum(PIXELS) + 1e-6)


def boundary_loss(logits: Tensor, target: Tensor, width: int = 2) -> Tensor:
    """Binary cross-entropy near the object's outline: its mean over the pixels around it.

    Parameters
    ----------
    logits, target : (B, 1, H, W) Tensor
    width : int
        Pixels on either side of the outline that count.
    """
    y = (target > 0.5).float()
    side = 2 * width + 1
    grown = F.max_pool2d(y, side, stride=1, padding=width)
    shrunk = 1 - F.max_pool2d(1 - y, side, stride=1, padding=width)
    band = (grown - shrunk) * (target >= 0)
    terms = F.binary_cross_entropy_with_logits(logits, y, reduction="none")
    return (terms * band).sum(PIXELS) / band.sum(PIXELS).clamp(min=1)


def point_force(logits: Tensor, points: Tensor) -> Tensor:
    """Cross-entropy at the places of the latest interaction: the mean of each sign, added.

    Parameters
    ----------
    logits : (B, 1, H, W) Tensor
    points : (B, 2N, 2 or 3) Tensor
        ``(row, col)``; N on the object, N on background; negative rows are padding.

    Returns
    -------
    () Tensor

    References
    ----------
    Galeev et al., "Contour-based interactive segmentation", IJCAI 2023.
    """
    half = points.shape[1] // 2
    total = logits.new_zeros(())
    for places, sign in ((points[:, :half], 1.0), (points[:, half:], 0.0)):
        sample, number = torch.nonzero(places[..., :2].amin(-1) >= 0, as_tuple=True)
        if len(sample):
            row, col = places[sample, number, :2].long().unbind(-1)
            at = logits[sample, 0, row, col]
            total = total + F.binary_cross_entropy_with_logits(at, torch.full_like(at, sign))
    return total


def map_force(logits: Tensor, maps: Tensor) -> Tensor:
    """Cross-entropy in the region of the latest contour or stroke: ``sum / (1 + area)`` per sign.

    Parameters
    ----------
    logits : (B, 1, H, W) Tensor
    maps : (B, 2, H, W) Tensor
        1 in the regions, on the object and on background.

    Returns
    -------
    () Tensor

    References
    ----------
    Galeev et al., "Contour-based interactive segmentation", IJCAI 2023.
    """
    inside, outside = maps[:, :1].float(), maps[:, 1:].float()
    on = (F.softplus(-logits) * inside).sum() / (1 + inside.sum())
    off = (F.softplus(logits) * outside).sum() / (1 + outside.sum())
    return on + off


LOSSES: Mapping[str, Callable[..., Tensor]] = {
    "bce": sigmoid_bce,
    "boundary": boundary_loss,
    "dice": dice_loss,
    "focal": focal_loss,
    "normalized_focal": normalized_focal_loss,
    "soft_iou": soft_iou_loss,
}
"""Those that a recipe may name."""


def combined_loss(logits: Tensor, target: Tensor, parts: Mapping[str, Mapping[str, Any]]) -> Tensor:
    """Weighted sum of losses, ``(B,)``.

    Parameters
    ----------
    logits, target : (B, 1, H, W) Tensor
    parts : mapping of str to mapping
        Arguments by name in `LOSSES`; ``weight`` among them is the factor, 1 by default.
    """
    total = logits.new_zeros(logits.shape[0])
    for name, arguments in parts.items():
        weight = arguments.get("weight", 1.0)
        rest = {key: value for key, value in arguments.items() if key != "weight"}
        total = total + weight * LOSSES[name](logits, target, **rest)
    return total
