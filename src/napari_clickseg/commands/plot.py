"""``clickseg-plot``: mean IoU after each click, of saved evaluations side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .cli import Parser, UsageError, run

__all__ = ["main"]

PROG = "clickseg-plot"
TOLD = (1, 2, 3, 5, 7, 10, 20)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code."""
    return run(PROG, _plot, argv)


def _parser() -> Parser:
    parser = Parser(PROG, "Plot mean IoU after each click, of saved evaluations side by side.")
    add = parser.add_argument
    add(
        "results",
        metavar="RESULTS",
        nargs="+",
        type=Path,
        help="results.json of clickseg-eval, or folders in which to look for them",
    )
    add(
        *("-o", "--out", "--plots-path"),
        type=Path,
        default=Path("plots"),
        metavar="OUT_DIR",
        help="gets one picture for each data set (%(default)s)",
    )
    add("--data", "--datasets", nargs="+", metavar="NAME", help="only these data sets")
    add("--users", nargs="+", metavar="USER", help="only these simulated users")
    add("--names", nargs="+", metavar="NAME", help="for the legend, one for each results.json")
    add("--clicks", "--n-clicks", "--n-interactions", type=int, help="how many clicks to show")
    add("--boundary-iou", action="store_true", help="boundary IoU instead of IoU")
    beside = parser.add_mutually_exclusive_group()
    for name, what in (
        ("std", "the deviation of objects"),
        ("min-max", "the range of objects"),
        ("all", "a thin line for each object"),
    ):
        beside.add_argument(
            f"--with-{name}",
            dest="spread",
            action="store_const",
            const=name,
            default="none",
            help=f"{what} as well",
        )
    return parser


def _plot(argv: list[str]) -> None:
    args = _parser().parse_args(argv)
    files = [file for path in args.results for file in _files(path)]
    if args.names is not None and len(args.names) != len(files):
        raise UsageError(
            f"--names has {len(args.names)} names for {len(files)} results. Give one for each."
        )
    if args.clicks is not None and args.clicks < 1:
        raise UsageError("There is nothing to show of less than one click. Raise --clicks.")

    from ..evaluation.plots import Run, curve, plot_runs
    from ..evaluation.report import results_from_json

    runs = []
    for number, file in enumerate(files):
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            results = results_from_json(plain)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        name = args.names[number] if args.names else str(plain.get("name", file.parent.name))
        for result in results:
            if args.data and result.name not in args.data:
                continue
            if args.users and result.user not in args.users:
                continue
            known = name if result.user == "centre" else f"{name}, {result.user}"
            runs.append(Run(known, result))
    if not runs:
        raise UsageError("None of the results is of these data sets and users. Name others.")
    written = plot_runs(runs, args.out, args.clicks, args.boundary_iou, args.spread)
    for one in runs:
        mean = curve(one.result, args.clicks, args.boundary_iou).mean(axis=0)
        told = ", ".join(f"@{k} {mean[k - 1]:.3f}" for k in TOLD if k <= len(mean))
        print(f"{one.result.name}  {one.name}: mean IoU {told}")
    print(f"Written: {', '.join(map(str, written))}")


def _files(path: Path) -> list[Path]:
    """A file, or all results in a folder."""
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("results.json"))
    if not found:
        raise ValueError(f"There is no results.json in {path}. Evaluate with clickseg-eval -o.")
    return found


if __name__ == "__main__":
    sys.exit(main())
