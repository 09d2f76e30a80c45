"""A quick look at held-out crops during training: IoU after 1, 3 and 5 clicks."""

from __future__ import annotations

import numpy as np
import torch

from ..models.base import ClickModel, Inputs
from ..models.maps import draw_disk
from .clicks import error_click
from .hints import lasso, loose_box, rough_contour
from .samples import Sample

__all__ = ["watch"]


@torch.inference_mode()
def watch(
    model: ClickModel, samples: list[Sample], radius: float, clicks: tuple[int, ...] = (1, 3, 5)
) -> dict[str, float]:
    """Mean IoU of a network on fixed crops after some centre clicks each.

    Parameters
    ----------
    model : ClickModel
        In evaluation mode.
    samples : list of Sample
        All of one size.
    radius : float
        Of the click disks in pixels.
    clicks : tuple of int
        After which clicks to report.

    Returns
    -------
    dict
        ``"iou@k"`` for each k.
    """
    rng = np.random.default_rng(0)
    image = torch.stack([torch.from_numpy(s.image).permute(2, 0, 1) for s in samples]).float() / 255
    targets = np.stack([s.target for s in samples])
    size = targets.shape[-1]
    maps = np.zeros((len(samples), getattr(model, "map_channels", 2), size, size), np.uint8)
    prev = torch.zeros(len(samples), 1, size, size)
    result = {}
    for k in range(1, max(clicks) + 1):
        guess = prev[:, 0].numpy() > 0.5
        for i, target in enumerate(targets):
            click = error_click(guess[i], target, rng, centre=1.0)
            if click is not None:
                draw_disk(maps[i, 0 if click[2] else 1], click[0], click[1], radius)
        drawn = torch.from_numpy(maps).float()
        for part in torch.arange(len(samples)).split(16):
            logits = model(Inputs(image[part], drawn[part], prev[part]))
            prev[part] = torch.sigmoid(logits.float())
        if k in clicks:
            result[f"iou@{k}"] = float(
                np.mean([_iou(p, t) for p, t in zip(prev, targets, strict=True)])
            )
    if getattr(model, "map_channels", 2) == 5:
        result |= _watch_areas(model, image, targets, radius)
    return result


def _watch_areas(
    model: ClickModel, image: torch.Tensor, targets: np.ndarray, radius: float
) -> dict[str, float]:
    """Mean IoU after one contour, and after one box."""
    result: dict[str, float] = {}
    for name in ("contour", "box"):
        rng = np.random.default_rng(0)
        maps = np.zeros((len(targets), 5, *targets.shape[1:]), np.uint8)
        prev = torch.zeros(len(targets), 1, *targets.shape[1:])
        for canvas, target, before in zip(maps, targets, prev, strict=True):
            if name == "contour" and name not in model.spec.interactions:
                inside, clicks = rough_contour(target == 1, True, rng)
                before[0, torch.from_numpy(inside)] = 1
                for place in clicks:
                    draw_disk(canvas[0], *place, radius)
            elif name == "contour":
                canvas[2][lasso(target == 1, rng)] = 1
            else:
                canvas[4][loose_box(target == 1, rng).slices] = 1
        drawn = torch.from_numpy(maps).float()
        answers = torch.cat(
            [
                torch.sigmoid(model(Inputs(image[part], drawn[part], prev[part])).float())
                for part in torch.arange(len(targets)).split(16)
            ]
        )
        result[name] = float(np.mean([_iou(p, t) for p, t in zip(answers, targets, strict=True)]))
    return result


def _iou(probabilities: torch.Tensor, target: np.ndarray) -> float:
    mask = (probabilities[0].numpy() > 0.5) & (target >= 0)
    union = (mask | (target == 1)).sum()
    return float((mask & (target == 1)).sum() / max(union, 1))
