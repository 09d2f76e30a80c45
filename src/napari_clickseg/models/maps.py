"""Clicks as maps that a network can read."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

__all__ = ["disk_maps", "distance_maps", "draw_disk"]

FAR = 1e6  # squared distance where there is no click, in units of the squared radius


def draw_disk(canvas: np.ndarray, row: float, col: float, radius: float) -> None:
    """Set the pixels whose centres are at most `radius` away from a point to 1.

    Only the small window around the point is looked at.

    Parameters
    ----------
    canvas : (H, W) array
        Is changed.
    row, col : float
        In pixels; the point may lie outside.
    radius : float
        In pixels.
    """
    top, left = (max(0, math.floor(place - radius)) for place in (row, col))
    bottom, right = (max(0, math.ceil(place + radius) + 1) for place in (row, col))
    window = canvas[top:bottom, left:right]
    if window.size:  # float32, as in `disk_maps`, so that both round alike
        rows = np.arange(top, top + window.shape[0], dtype=np.float32) - np.float32(row)
        cols = np.arange(left, left + window.shape[1], dtype=np.float32) - np.float32(col)
        window[rows[:, None] ** 2 + cols**2 <= radius * radius] = 1


def _nearest(points: Tensor, shape: tuple[int, int]) -> Tensor:
    """Squared distance of every pixel to the nearest point of each sign, ``(B, 2, H, W)``.

    Infinite where there is none. Points are taken one after the other: memory does not grow with
    their number.
    """
    height, width = shape
    batch, doubled = points.shape[0], points.shape[1]
    row = torch.arange(height, device=points.device, dtype=torch.float32)[:, None]
    col = torch.arange(width, device=points.device, dtype=torch.float32)[None, :]
    place = points[..., :2].float().view(batch, 2, doubled // 2, 2, 1, 1)
    nearest = torch.full((batch, 2, height, width), torch.inf, device=points.device)
    for i in range(doubled // 2):
        at = place[:, :, i]
        valid = at.amax(dim=2) >= 0
        distance = (row - at[:, :, 0]) ** 2 + (col - at[:, :, 1]) ** 2
        nearest = torch.minimum(nearest, distance.where(valid, torch.inf))
    return nearest


def disk_maps(points: Tensor, shape: tuple[int, int], radius: float) -> Tensor:
    """Filled disks around positive and negative points, for a batch and on any device.

    Its cost grows with the number of points times the size of the maps; `draw_disk` is for many
    points in one large map.

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
    return (_nearest(points, shape) <= radius * radius).float()


def distance_maps(points: Tensor, shape: tuple[int, int], radius: float) -> Tensor:
    """Distances to the nearest positive and negative point: ``tanh(2 d / radius)``, 1 without any.

    Parameters are those of `disk_maps`.

    Returns
    -------
    (B, 2, H, W) float32 Tensor
        0 at a point, towards 1 far away; positive map first.

    References
    ----------
    Sofiiuk et al., "f-BRS", CVPR 2020 (distance maps of radius 260).
    """
    squared = (_nearest(points, shape) / (radius * radius)).clamp(max=FAR)
    return torch.tanh(2 * squared.sqrt())
