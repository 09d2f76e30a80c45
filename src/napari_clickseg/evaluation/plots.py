"""Mean IoU after each click, of several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .dataset import DatasetResult
from .shown import as_file_name

__all__ = ["Run", "curve", "plot_runs"]

SIZE = (12, 7)  # inches


@dataclass(frozen=True)
class Run:
    """The results of one model and user on one data set, with a name for the legend."""

    name: str
    result: DatasetResult


def curve(result: DatasetResult, clicks: int | None = None, boundary: bool = False) -> np.ndarray:
    """IoU of each object after each click; one that stopped before keeps its last.

    Parameters
    ----------
    result : DatasetResult
    clicks : int, optional
        How many; as many as the run allowed by default.
    boundary : bool
        Boundary IoU instead.

    Returns
    -------
    (N, K) float array

    Raises
    ------
    ValueError
        If boundary IoU was not measured.
    """
    length = clicks or result.terms.n_clicks
    rows = [each.boundary_ious if boundary else each.ious for each in result.objects]
    if not all(rows):
        raise ValueError(
            f"Boundary IoU was not measured on {result.name}. Evaluate with --boundary-iou."
        )
    return np.array([[row[min(k, len(row) - 1)] for k in range(length)] for row in rows])


def plot_runs(
    runs: Sequence[Run],
    folder: Path,
    clicks: int | None = None,
    boundary: bool = False,
    spread: str = "none",
) -> list[Path]:
    """One picture for each data set with a curve for each run.

    Parameters
    ----------
    runs : sequence of Run
    folder : Path
        Made if it is missing; gets ``SET.png``.
    clicks : int, optional
        As many as all runs of a data set allowed by default.
    boundary : bool
        Boundary IoU instead of IoU.
    spread : "none", "std", "min-max" or "all"
        What is drawn beside the means: a deviation of objects, their range, or each object.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If matplotlib is missing, or boundary IoU was not measured.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError(
            "Plots need matplotlib. Install it with: pip install 'napari-clickseg[plot]'."
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in dict.fromkeys(run.result.name for run in runs):
        mine = [run for run in runs if run.result.name == name]
        length = clicks or min(run.result.terms.n_clicks for run in mine)
        figure = Figure(figsize=SIZE)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        for number, run in enumerate(mine):
            _draw(axes, run.name, curve(run.result, length, boundary), spread, f"C{number % 10}")
        axes.set_title(name)
        axes.set_xlabel("clicks")
        axes.set_ylabel("mean boundary IoU" if boundary else "mean IoU")
        axes.set_xticks(range(1, length + 1))
        axes.grid(alpha=0.4)
        axes.legend(loc="lower right")
        written.append(folder / f"{as_file_name(name)}.png")
        figure.savefig(written[-1], dpi=100, bbox_inches="tight")
    return written


def _draw(axes: Any, name: str, values: np.ndarray, spread: str, colour: str) -> None:
    clicks, mean = np.arange(1, values.shape[1] + 1), values.mean(axis=0)
    if spread == "all":
        axes.plot(clicks, values.T, color=colour, alpha=0.15, linewidth=0.7)
    elif spread != "none":
        std = values.std(axis=0)
        low, high = (
            (mean - std, mean + std)
            if spread == "std"
            else (values.min(axis=0), values.max(axis=0))
        )
        axes.fill_between(clicks, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(clicks, mean, color=colour, marker="o", markersize=3, label=name)
