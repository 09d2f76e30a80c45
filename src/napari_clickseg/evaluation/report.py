"""Results of an evaluation as a table, as plain JSON and as CSV."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .metrics import (
    clicks_at_limit,
    failures,
    mean_interval,
    mean_iou_at,
    mean_noc,
    noc,
    noc_thresholds,
)
from .protocol import DatasetResult

__all__ = ["NocSummary", "Summary", "as_csv", "as_json", "summarise", "table"]

IOU_CLICKS = (1, 3, 5)


@dataclass(frozen=True)
class NocSummary:
    """Number of clicks to one IoU.

    Attributes
    ----------
    threshold : float
    mean : float
        NoC, averaged over objects.
    low, high : float
        Bootstrap 95 % interval of the mean, over images.
    at_limit : int
        Objects whose NoC is the limit (the published ``>=20``).
    failures : int
        Objects that never reached the threshold.
    """

    threshold: float
    mean: float
    low: float
    high: float
    at_limit: int
    failures: int


@dataclass(frozen=True)
class Summary:
    """One data set in one row.

    Attributes
    ----------
    name : str
    n_images, n_objects : int
    n_clicks : int
        The most clicks an object got.
    noc : tuple of NocSummary
        One for each threshold up to the run's target.
    iou_at : dict of int to float
        Mean IoU after so many clicks; objects that stopped before count with their last IoU.
    seconds_per_click : float
        Median time of one prediction.
    """

    name: str
    n_images: int
    n_objects: int
    n_clicks: int
    noc: tuple[NocSummary, ...]
    iou_at: dict[int, float]
    seconds_per_click: float


def summarise(result: DatasetResult) -> Summary:
    """Means, intervals and counts over the objects of a data set."""
    limit = result.n_clicks
    ious = [each.ious for each in result.objects]
    images = [each.image for each in result.objects]
    rows = []
    for threshold in noc_thresholds(result.target_iou):
        scores = [noc(each, threshold, limit) for each in ious]
        low, high = mean_interval(scores, images)
        rows.append(
            NocSummary(
                threshold,
                mean_noc(ious, threshold, limit),
                low,
                high,
                clicks_at_limit(ious, threshold, limit),
                failures(ious, threshold),
            )
        )
    return Summary(
        name=result.name,
        n_images=result.n_images,
        n_objects=len(result.objects),
        n_clicks=limit,
        noc=tuple(rows),
        iou_at={k: mean_iou_at(ious, k) for k in IOU_CLICKS if k <= limit},
        seconds_per_click=statistics.median(s for each in result.objects for s in each.seconds),
    )


def table(summaries: Sequence[Summary], style: Literal["text", "markdown"] = "text") -> str:
    """One row per data set.

    Parameters
    ----------
    summaries : sequence of Summary
        Measured with the same number of clicks and the same target.
    style : "text" or "markdown"

    Returns
    -------
    str
        Lines without a trailing newline.
    """
    head = ["set", "images", "objects"]
    last = summaries[0]
    for entry in last.noc:
        name = f"{entry.threshold * 100:.0f}"
        head += [f"NoC@{name}", "95 %", f">={last.n_clicks}@{name}"]
    head += [f"IoU@{k}" for k in last.iou_at] + ["s/click"]
    body = [_row(summary) for summary in summaries]
    widths = [max(len(line[k]) for line in [head, *body]) for k in range(len(head))]
    if style == "markdown":
        rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
        return "\n".join(
            "| " + " | ".join(_pad(line, widths)) + " |" for line in [head, rule, *body]
        )
    return "\n".join("  ".join(_pad(line, widths)) for line in [head, *body])


def _row(summary: Summary) -> list[str]:
    cells = [summary.name, str(summary.n_images), str(summary.n_objects)]
    for entry in summary.noc:
        cells += [f"{entry.mean:.2f}", f"{entry.low:.2f}-{entry.high:.2f}", str(entry.at_limit)]
    cells += [f"{value:.3f}" for value in summary.iou_at.values()]
    return [*cells, f"{summary.seconds_per_click:.3f}"]


def _pad(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The first column to the left, numbers to the right."""
    return [
        cell.ljust(width) if k == 0 else cell.rjust(width)
        for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def as_json(results: Sequence[DatasetResult], run: Mapping[str, Any]) -> dict[str, Any]:
    """Everything as plain dicts, lists, numbers and strings.

    Parameters
    ----------
    results : sequence of DatasetResult
    run : mapping
        Facts of the run (model, options, machine), put first.
    """
    sets = []
    for result in results:
        summary = asdict(summarise(result))
        summary["iou_at"] = {str(k): value for k, value in summary["iou_at"].items()}
        entry = {
            "name": result.name,
            "target_iou": result.target_iou,
            "n_clicks": result.n_clicks,
            "min_clicks": result.min_clicks,
            "summary": {key: _plain(value) for key, value in summary.items() if key != "name"},
            "objects": [_plain(asdict(each)) for each in result.objects],
            "images_without_objects": list(result.images_without_objects),
        }
        sets.append(entry)
    return {**_plain(run), "sets": sets}


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON gives them back."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def as_csv(results: Sequence[DatasetResult]) -> str:
    """One line per object: set, image, label, area, median seconds, then the IoU of each click.

    Cells after an object's last click stay empty.
    """
    limit = max(result.n_clicks for result in results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["set", "image", "label", "area", "seconds_per_click"]
    writer.writerow(head + [f"iou_{k}" for k in range(1, limit + 1)])
    for result in results:
        for each in result.objects:
            ious = [f"{value:.6f}" for value in each.ious]
            median = f"{statistics.median(each.seconds):.6f}"
            writer.writerow(
                [result.name, each.image, each.label, each.area, median]
                + ious
                + [""] * (limit - len(ious))
            )
    return text.getvalue()
