"""Clicks as maps that a network can read."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["disk_maps"]


def disk_maps(points: Tensor, shape: tuple[int, int], radius: float) -> Tensor:
    """Filled disks around positive and negative points.

    Parameters
    ----------
    points : (B, 2N, 2 or 3) Tensor
        ``(row, col[, order])`` in pixels; N positive, then N negative; a row whose larger
        coordinate is negative is padding.
    shape : (int, int)
        Height and width of the maps.
    radius : float
        In pixels; a pixel is set if its centre is at most this far away.

    Returns
    -------
    (B, 2, H, W) float32 Tensor
        1 inside a disk, 0 elsewhere; positive map first.

    References
    ----------
    Sofiiuk, Petrov, Konushin, "Reviving iterative training with mask guidance for interactive
    segmentation", 2021, section 3.1 (disks of radius 5).
    """
    height, width = shape
    batch, doubled = points.shape[0], points.shape[1]
    row = torch.arange(height, device=points.device, dtype=torch.float32)
    col = torch.arange(width, device=points.device, dtype=torch.float32)
    place = points[..., :2].float()
    valid = place.amax(dim=-1) >= 0
    d_row = (row - place[..., 0:1]) ** 2
    d_col = (col - place[..., 1:2]) ** 2
    near = d_row[..., :, None] + d_col[..., None, :] <= radius * radius
    near &= valid[..., None, None]
    return near.view(batch, 2, doubled // 2, height, width).any(dim=2).float()
