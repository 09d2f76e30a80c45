"""A data set's results in a few numbers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .dataset import DatasetResult
from .metrics import (
    clicks_at_limit,
    failures,
    harmful_clicks,
    mean_interval,
    mean_iou_at,
    mean_noc,
    noc,
    noc_thresholds,
)
from .protocol import ObjectResult

__all__ = ["NocSummary", "Seconds", "Summary", "summarise"]

IOU_CLICKS = (1, 2, 3, 5, 7, 10, 20)


@dataclass(frozen=True)
class NocSummary:
    """Number of clicks (or interactions: NoI) to one IoU.

    Attributes
    ----------
    threshold : float
    mean : float
        NoC, averaged over objects and over the user's variants.
    low, high : float
        Bootstrap 95 % interval of the mean, over images.
    spread : float
        Standard deviation of the mean over the user's variants; 0 if there is one.
    at_limit : float
        Objects whose NoC is the limit (the published ``>=20``); mean over variants.
    failures : float
        Objects that never reached the threshold (NoF); mean over variants.
    """

    threshold: float
    mean: float
    low: float
    high: float
    spread: float
    at_limit: float
    failures: float


@dataclass(frozen=True)
class Seconds:
    """Where the time of a click went (SPC), in seconds per click.

    Attributes
    ----------
    network : float
        Median time of one prediction.
    network_mean, user, metric, reading : float
        Mean times of prediction, of the simulated user, of measuring, and of reading images.
    """

    network: float
    network_mean: float
    user: float
    metric: float
    reading: float


@dataclass(frozen=True)
class Summary:
    """One simulated user on one data set, in one row.

    Attributes
    ----------
    name, user : str
    n_images, n_objects, n_variants : int
    n_clicks : int
        The most clicks an object got.
    noc : tuple of NocSummary
    iou_at : dict of int to float
        Mean IoU after so many clicks; objects that stopped before count with their last IoU.
    mean_iou, mean_iou_spread : float
        Mean of the mean IoUs after each click (AvgIoU), and its deviation over variants.
    mean_boundary_iou, mean_boundary_iou_spread : float or None
        The same of boundary IoU; None if it was not measured.
    harmful : float
        Part of the clicks after which IoU fell by more than 0.01.
    seconds : Seconds
    """

    name: str
    user: str
    n_images: int
    n_objects: int
    n_variants: int
    n_clicks: int
    noc: tuple[NocSummary, ...]
    iou_at: dict[int, float]
    mean_iou: float
    mean_iou_spread: float
    mean_boundary_iou: float | None
    mean_boundary_iou_spread: float | None
    harmful: float
    seconds: Seconds = field(repr=False)


def summarise(result: DatasetResult, thresholds: Sequence[float] | None = None) -> Summary:
    """Means, intervals, spreads and counts over the objects of a data set.

    Parameters
    ----------
    result : DatasetResult
    thresholds : sequence of float, optional
        IoUs at which NoC is reported; the published ones up to the run's target by default.
    """
    limit, variants = result.terms.n_clicks, list(result.variants.values())
    ious = [[each.ious for each in objects] for objects in variants]
    images = [each.image for each in result.objects]
    rows = []
    for threshold in thresholds or noc_thresholds(result.terms.target_iou):
        means = [mean_noc(each, threshold, limit) for each in ious]
        scores = [noc(each.ious, threshold, limit) for each in result.objects]
        low, high = mean_interval(scores, images)
        rows.append(
            NocSummary(
                threshold,
                float(np.mean(means)),
                low,
                high,
                float(np.std(means)),
                _mean(clicks_at_limit(each, threshold, limit) for each in ious),
                _mean(failures(each, threshold) for each in ious),
            )
        )
    mean_iou, spread = _curve(variants, limit, lambda each: each.ious)
    edges = edge_spread = None
    if all(each.boundary_ious for each in result.objects):
        edges, edge_spread = _curve(variants, limit, lambda each: each.boundary_ious)
    all_ious = [each.ious for each in result.objects]
    return Summary(
        name=result.name,
        user=result.user,
        n_images=result.n_images,
        n_objects=len({(each.image, each.label) for each in result.objects}),
        n_variants=len(variants),
        n_clicks=limit,
        noc=tuple(rows),
        iou_at={k: mean_iou_at(all_ious, k) for k in IOU_CLICKS if k <= limit},
        mean_iou=mean_iou,
        mean_iou_spread=spread,
        mean_boundary_iou=edges,
        mean_boundary_iou_spread=edge_spread,
        harmful=harmful_clicks(all_ious),
        seconds=_seconds(result.objects),
    )


def _mean(values: object) -> float:
    return float(np.mean(list(values)))


def _curve(
    variants: Sequence[Sequence[ObjectResult]],
    limit: int,
    values: Callable[[ObjectResult], Sequence[float]],
) -> tuple[float, float]:
    """Mean of each variant's mean curve: the mean over variants, and the deviation."""
    means = []
    for objects in variants:
        curves = [values(each) for each in objects]
        means.append(np.mean([mean_iou_at(curves, k) for k in range(1, limit + 1)]))
    return float(np.mean(means)), float(np.std(means))


def _seconds(objects: Sequence[ObjectResult]) -> Seconds:
    clicks = sum(len(each.seconds) for each in objects)
    return Seconds(
        network=statistics.median(s for each in objects for s in each.seconds),
        network_mean=sum(sum(each.seconds) for each in objects) / clicks,
        user=sum(sum(each.user_seconds) for each in objects) / clicks,
        metric=sum(sum(each.metric_seconds) for each in objects) / clicks,
        reading=sum(each.reading_seconds for each in objects) / clicks,
    )
