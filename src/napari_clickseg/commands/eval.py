"""``clickseg-eval``: how many simulated clicks a model needs on labelled images."""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.packs import Pack
from .cli import Parser, UsageError, run

if TYPE_CHECKING:
    from ..evaluation.protocol import DatasetResult, ObjectResult, Objects

__all__ = ["main"]

PROG = "clickseg-eval"
DATA_VARIABLE = "CLICKSEG_DATA"
SECONDS_BETWEEN_LINES = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code."""
    return run(PROG, _evaluate, argv)


def _parser() -> Parser:
    parser = Parser(PROG, "Count the simulated clicks that a model needs on labelled images.")
    add = parser.add_argument
    add("model", metavar="MODEL", help="a name of the model zoo, or a file of weights")
    add(
        "--data",
        metavar="PATH",
        nargs="+",
        required=True,
        help="folders with images/ and masks/ of the same names; names are also looked up in "
        f"${DATA_VARIABLE} and ${DATA_VARIABLE}/dev",
    )
    add(
        "--objects",
        type=_objects,
        default="all",
        metavar="all|largest|K",
        help="which objects of an image: all, the largest, or the K largest (%(default)s)",
    )
    add("--clicks", type=int, default=20, help="the most clicks per object (%(default)s)")
    add(
        "--min-clicks",
        type=int,
        default=5,
        help="at least so many clicks, so that IoU@1, 3 and 5 are measured on every object; this "
        "changes no NoC (%(default)s)",
    )
    add("--target-iou", type=_iou, default=0.9, help="stop clicking at this IoU (%(default)s)")
    add("--profile", help="inference settings by name; the model's own by default")
    add(
        "--set",
        dest="settings",
        metavar="KEY=VALUE",
        type=_setting,
        nargs="+",
        action="extend",
        default=[],
        help="single fields of the profile, such as zoom_in.target_size=600",
    )
    switch = argparse.BooleanOptionalAction
    add("--zoom-in", action=switch, default=None, help="look at the object from near, or never")
    add("--flip", action=switch, default=None, help="average with the mirrored image, or not")
    add("--threshold", type=float, help="probability above which a pixel belongs to the mask")
    add("--device", default="auto", help="auto, cpu, cuda:0 or mps (%(default)s)")
    add("--limit", type=int, metavar="N", help="only the first N images of each folder")
    add(
        "-o",
        "--out",
        type=Path,
        metavar="OUT_DIR",
        help="where to write report.md, results.json and ious.csv",
    )
    return parser


def _evaluate(argv: list[str]) -> None:
    args = _parser().parse_args(argv)
    overrides = _overrides(args)
    packs = [Pack(_find(name)) for name in args.data]
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)

    from ..engine.segmenter import Segmenter
    from ..evaluation.machine import describe, machine_facts
    from ..evaluation.protocol import evaluate_dataset
    from ..evaluation.report import summarise, table
    from ..models.zoo import load_model

    model = load_model(args.model, device=args.device)
    segmenter = Segmenter(model, profile=args.profile, **overrides)
    facts = machine_facts(str(model.device))
    print(f"{args.model} on {describe(facts)}", flush=True)
    about = {
        "model": args.model,
        "profile": asdict(segmenter.profile),
        "objects": args.objects,
        "limit": args.limit,
        "machine": facts,
    }
    results: list[DatasetResult] = []
    for pack in packs:
        result = evaluate_dataset(
            segmenter,
            pack,
            objects=args.objects,
            n_clicks=args.clicks,
            target_iou=args.target_iou,
            min_clicks=min(args.min_clicks, args.clicks),
            limit=args.limit,
            progress=_progress_lines(pack.name),
        )
        results.append(result)
        if args.out is not None:
            _write(args.out, results, about, describe(facts))
    print(table([summarise(result) for result in results]))
    for result in results:
        if result.images_without_objects:
            names = ", ".join(result.images_without_objects)
            print(f"{result.name}: no object in {names}; left out.")
    if args.out is not None:
        print(f"Written to {args.out}: report.md, results.json, ious.csv")


def _objects(text: str) -> Objects:
    if text in ("all", "largest"):
        return text
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is neither all nor largest nor a number above 0")


def _iou(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no target IoU, which is above 0 and up to 1")
    return value


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form key=value")
    words = {"true": True, "on": True, "false": False, "off": False, "none": None}
    if value.lower() in words:
        return key, words[value.lower()]
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def _overrides(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of the profile that the command line sets; ``zoom_in.x`` go into one dict."""
    overrides: dict[str, Any] = {}
    if args.zoom_in is not None:
        overrides["zoom_in"] = True if args.zoom_in else None
    if args.flip is not None:
        overrides["flip"] = args.flip
    if args.threshold is not None:
        overrides["threshold"] = args.threshold
    for key, value in args.settings:
        group, dot, field = key.partition(".")
        if not dot:
            overrides[key] = value
            continue
        if args.zoom_in is False and group == "zoom_in":
            raise UsageError(f"--no-zoom-in leaves no use for --set {key}. Drop one of the two.")
        if not isinstance(overrides.get(group), dict):
            overrides[group] = {}
        overrides[group][field] = value
    return overrides


def _find(name: str) -> Path:
    """The folder of a data set: a path, or a name inside of the data folder."""
    tried = [Path(name)]
    root = os.environ.get(DATA_VARIABLE)
    if root and not tried[0].is_absolute():
        tried += [Path(root) / name, Path(root) / "dev" / name]
    for folder in tried:
        if folder.exists():
            return folder
    hint = "" if root else f" Names are looked up where {DATA_VARIABLE} says, which is not set."
    looked = ", ".join(str(folder) for folder in tried)
    raise FileNotFoundError(f"No data set '{name}': looked for {looked}.{hint}")


def _progress_lines(name: str) -> Callable[[int, int, ObjectResult], None]:
    """Tells now and then on stderr how far a data set is."""
    objects, clicks, seconds, told = 0, 0, 0.0, -math.inf

    def progress(image: int, images: int, result: ObjectResult) -> None:
        nonlocal objects, clicks, seconds, told
        objects, clicks = objects + 1, clicks + len(result.ious)
        seconds += sum(result.seconds)
        now = time.monotonic()
        if now - told < SECONDS_BETWEEN_LINES:
            return
        told = now
        print(
            f"{name}: image {image}/{images}, {objects} objects, {clicks / objects:.2f} clicks per "
            f"object, {seconds / clicks:.3f} s per click",
            file=sys.stderr,
            flush=True,
        )

    return progress


def _write(out: Path, results: list[DatasetResult], about: dict[str, Any], machine: str) -> None:
    from ..evaluation.report import as_csv, as_json, summarise, table

    rows = table([summarise(result) for result in results], style="markdown")
    (out / "report.md").write_text(
        f"# {about['model']}\n\n{rows}\n\nMeasured on {machine}.\n", encoding="utf-8"
    )
    plain = json.dumps(as_json(results, about), indent=1, allow_nan=False)
    (out / "results.json").write_text(plain + "\n", encoding="utf-8")
    (out / "ious.csv").write_text(as_csv(results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
