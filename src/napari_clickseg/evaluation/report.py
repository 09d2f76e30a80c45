"""Results of an evaluation as a table, as plain JSON and as CSV."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from .dataset import DatasetResult
from .journal import result_from_json, result_to_json
from .random_clicks import PLACES
from .summary import Summary, summarise
from .terms import Terms

__all__ = ["as_csv", "as_json", "results_from_json", "table"]

FEW_CLICKS = (1, 3, 5)


def table(
    summaries: Sequence[Summary],
    style: Literal["text", "markdown"] = "text",
    names: Sequence[str] | None = None,
    every_iou: bool = False,
) -> str:
    """One row per data set and simulated user.

    Parameters
    ----------
    summaries : sequence of Summary
        Measured with the same number of clicks and at the same IoUs.
    style : "text" or "markdown"
    names : sequence of str, optional
        A first column, such as of models.
    every_iou : bool
        Show mean IoU after more than the first few clicks.

    Returns
    -------
    str
        Lines without a trailing newline. ``±`` is the deviation over the user's variants.
    """
    lines = [_cells(summary, summaries, every_iou) for summary in summaries]
    if names is not None:
        lines = [{"model": name, **line} for name, line in zip(names, lines, strict=True)]
    head, body = list(lines[0]), [list(line.values()) for line in lines]
    widths = [max(len(line[k]) for line in [head, *body]) for k in range(len(head))]
    left = [key in ("model", "set", "user") for key in head]

    def padded(cells: Sequence[str]) -> list[str]:
        return [
            cell.ljust(width) if is_left else cell.rjust(width)
            for cell, width, is_left in zip(cells, widths, left, strict=True)
        ]

    if style == "markdown":
        rule = [
            "-" * width if is_left else "-" * (width - 1) + ":"
            for width, is_left in zip(widths, left, strict=True)
        ]
        return "\n".join("| " + " | ".join(padded(line)) + " |" for line in [head, rule, *body])
    return "\n".join("  ".join(padded(line)) for line in [head, *body])


def _cells(summary: Summary, others: Sequence[Summary], every_iou: bool) -> dict[str, str]:
    """A row as text, by the names of its columns; all rows have the same."""
    cells = {"set": summary.name}
    if any(each.user != "centre" for each in others):
        cells["user"] = summary.user
    cells |= {"images": str(summary.n_images), "objects": str(summary.n_objects)}
    spread = any(each.n_variants > 1 for each in others)
    several = summary.n_variants > 1
    word = "NoC" if all(each.user in ("centre", *PLACES) for each in others) else "NoI"
    for entry in summary.noc:
        name = f"{entry.threshold * 100:g}"
        cells[f"{word}@{name}"] = f"{entry.mean:.2f}"
        if spread:
            cells[f"±@{name}"] = f"{entry.spread:.2f}" if several else ""
        cells[f"95 %@{name}"] = f"{entry.low:.2f}-{entry.high:.2f}"
        cells[f">={summary.n_clicks}@{name}"] = (
            f"{entry.at_limit:g}" if not several else (f"{entry.at_limit:.1f}")
        )
    if summary.noc:
        last = summary.noc[-1]
        cells[f"NoF@{last.threshold * 100:g}"] = (
            f"{last.failures:.1f}" if several else f"{last.failures:g}"
        )
    shown = [k for k in summary.iou_at if every_iou or k in FEW_CLICKS]
    cells |= {f"IoU@{k}": f"{summary.iou_at[k]:.3f}" for k in shown}
    cells["mean IoU %"] = _with_spread(summary.mean_iou, summary.mean_iou_spread, several)
    if any(each.mean_boundary_iou is not None for each in others):
        cells["mean bIoU %"] = _with_spread(
            summary.mean_boundary_iou, summary.mean_boundary_iou_spread, several
        )
    cells["harmful"] = f"{100 * summary.harmful:.1f} %"
    seconds = summary.seconds
    cells |= {"s/click": f"{seconds.network:.3f}", "user s": f"{seconds.user:.3f}"}
    return {**cells, "reading s": f"{seconds.reading:.3f}"}


def _with_spread(mean: float | None, spread: float | None, several: bool) -> str:
    if mean is None:
        return ""
    return f"{100 * mean:.2f} ± {100 * spread:.2f}" if several else f"{100 * mean:.2f}"


def as_json(
    results: Sequence[DatasetResult],
    run: Mapping[str, Any],
    thresholds: Sequence[float] | None = None,
) -> dict[str, Any]:
    """Everything as plain dicts, lists, numbers and strings.

    Parameters
    ----------
    results : sequence of DatasetResult
    run : mapping
        Facts of the run (model, options, machine), put first.
    thresholds : sequence of float, optional
        See `summarise`.
    """
    sets = []
    for result in results:
        summary = asdict(summarise(result, thresholds))
        summary["iou_at"] = {str(k): value for k, value in summary["iou_at"].items()}
        entry = {
            "name": result.name,
            "user": result.user,
            "terms": asdict(result.terms),
            "summary": {k: v for k, v in summary.items() if k not in ("name", "user")},
            "objects": [result_to_json(each) for each in result.objects],
            "images_without_objects": list(result.images_without_objects),
        }
        sets.append(_plain(entry))
    return {**_plain(run), "sets": sets}


def results_from_json(value: Mapping[str, Any]) -> list[DatasetResult]:
    """The results that `as_json` made this of.

    Raises
    ------
    ValueError
        If it did not.
    """
    try:
        return [
            DatasetResult(
                entry["name"],
                tuple(map(result_from_json, entry["objects"])),
                Terms(**{**entry["terms"], "resize": _pair(entry["terms"]["resize"])}),
                tuple(entry["images_without_objects"]),
                entry["user"],
            )
            for entry in value["sets"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            "These are no results of an evaluation. Choose the results.json of clickseg-eval."
        ) from error


def _pair(value: Any) -> tuple[int, int] | None:
    return None if value is None else tuple(value)


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON gives them back."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def as_csv(results: Sequence[DatasetResult], models: Sequence[str] | None = None) -> str:
    """One line per object: where it is, median seconds, then the IoU after each click.

    Cells after an object's last click stay empty.

    Parameters
    ----------
    results : sequence of DatasetResult
    models : sequence of str, optional
        The model of each, for a first column.
    """
    limit = max(result.terms.n_clicks for result in results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["set", "user", "variant", "image", "label", "area", "seconds_per_click"]
    first = [] if models is None else ["model"]
    writer.writerow(first + head + [f"iou_{k}" for k in range(1, limit + 1)])
    for number, result in enumerate(results):
        for each in result.objects:
            ious = [f"{value:.6f}" for value in each.ious]
            where = [result.name, result.user, each.variant, each.image, each.label, each.area]
            writer.writerow(
                ([] if models is None else [models[number]])
                + where
                + [f"{statistics.median(each.seconds):.6f}"]
                + ious
                + [""] * (limit - len(ious))
            )
    return text.getvalue()
