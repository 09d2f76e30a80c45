"""The options of ``clickseg-eval``; names of published evaluation scripts are taken as well."""

from __future__ import annotations

import argparse
import ast
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.profiles import BRS
from .cli import Parser

if TYPE_CHECKING:
    from ..evaluation.protocol import Objects

__all__ = ["DEFAULT_TARGET", "eval_parser"]

DEFAULT_TARGET = 0.9


def eval_parser(prog: str) -> Parser:
    """The parser of the command line."""
    parser = Parser(prog, "Count the simulated clicks that a model needs on labelled images.")
    add = parser.add_argument
    add(
        "models",
        metavar="MODEL",
        nargs="*",
        help="names of the model zoo or files of weights; a,b is one model that shows each kind of "
        "interaction to its own network; FOLDER[:PREFIX] is all weights in a folder; a kind of "
        "refinement, such as f-BRS-B, is taken as --brs",
    )
    add(
        *("--checkpoint", "--exp-path"),
        metavar="MODEL",
        action="append",
        default=[],
        help="the same as MODEL",
    )
    add("--exp-checkpoint-id", metavar="PREFIX", default="", help="PREFIX of each FOLDER")
    _add_data(parser.add_argument_group("images and objects").add_argument)
    _add_clicking(parser.add_argument_group("clicks").add_argument)
    _add_prediction(parser.add_argument_group("prediction").add_argument)
    _add_running(parser.add_argument_group("running").add_argument)
    _add_output(parser.add_argument_group("output").add_argument)
    return parser


def _add_data(add: Any) -> None:
    add(
        "--data",
        "--datasets",
        metavar="DATA",
        nargs="+",
        default=[],
        help="data sets: folders of images/ and masks/, by path or by name in $CLICKSEG_DATA, or "
        "READER[:SPLIT]@PATH, such as SBD:val@/data/SBD",
    )
    add(
        "--config-path",
        type=Path,
        metavar="FILE",
        help="a published config.yml, in which GRABCUT_PATH is where GrabCut is, and so on; all "
        "of its test sets are taken without --data",
    )
    add(
        "--objects",
        type=_objects,
        default="all",
        metavar="all|largest|K",
        help="which objects of an image: all, the largest, or the K largest (%(default)s)",
    )
    add("--limit", type=int, metavar="N", help="only the first N images of each data set")
    add(
        "--max-size",
        type=int,
        metavar="PIXELS",
        help="reduce longer images to this for the model; masks are measured at full size",
    )
    add(
        "--resize",
        type=int,
        nargs=2,
        metavar=("WIDTH", "HEIGHT"),
        help="bring wider or higher images and their masks to this size",
    )


def _add_clicking(add: Any) -> None:
    add(
        *("--clicks", "--n-clicks", "--n-interactions"),
        type=int,
        default=20,
        help="the most clicks per object (%(default)s)",
    )
    add(
        *("--min-clicks", "--min-n-clicks", "--min-n-interactions"),
        type=int,
        default=5,
        help="at least so many clicks, so that IoU@1, 3 and 5 are measured on every object; this "
        "changes no NoC (%(default)s)",
    )
    add(
        "--target-iou",
        type=_iou,
        help=f"stop clicking at this IoU ({DEFAULT_TARGET}, or the highest of --noc)",
    )
    add(
        *("--iou-analysis", "--print-ious"),
        action="store_true",
        help="never stop early, so that IoU is measured after every click",
    )
    add(
        "--noc",
        type=_iou,
        nargs="+",
        metavar="IOU",
        help="IoUs to count clicks to (0.8 0.85 0.9 0.95, up to the target)",
    )
    add(
        "--users",
        nargs="+",
        default=["centre"],
        metavar="USER",
        help="simulated users: centre (published), near-centre, uniform, near-boundary, outside "
        "(realistic: all of these), saic-is (contours, strokes and clicks), product (their 27 "
        "sequences), or a sequence such as contour-stroke-click",
    )
    add("--seeds", type=int, default=3, help="repetitions of users with chance (%(default)s)")
    add("--seed", type=int, default=0, help="the first seed (%(default)s)")
    add(
        *("--boundary-iou", "--boundary-size"),
        type=float,
        nargs="?",
        const=0.005,
        metavar="WIDTH",
        help="measure boundary IoU too, with this part of the diagonal or pixels (%(const)s)",
    )


def _add_prediction(add: Any) -> None:
    switch = argparse.BooleanOptionalAction
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
    add("--brs", choices=BRS, help="refinement by backpropagation")
    add(
        "--eval-mode",
        default="cvpr",
        metavar="cvpr|ritm|fixedN|fixedH,W",
        help="sizes that the network sees: the profile's own as published, those of RITM, or "
        "always N x N or H x W (%(default)s)",
    )
    add(
        "--eval-ritm", dest="eval_mode", action="store_const", const="ritm", help="--eval-mode ritm"
    )
    add(
        *("--zoom-in", "--zoomin"),
        action=switch,
        default=None,
        help="look at the object from near, or never",
    )
    add("--flip", action=switch, default=None, help="average with the mirrored image, or not")
    add(
        *("--threshold", "--thresh"),
        type=float,
        help="probability above which a pixel belongs to the mask",
    )
    add(
        *("--clicks-limit", "--interactions-limit"),
        type=int,
        help="show the network this many clicks at most; -1: as many as --clicks",
    )
    add("--fixed-size", type=int, nargs=2, metavar=("H", "W"), help="show everything at this size")
    add("--fixed-h", type=int, help=argparse.SUPPRESS)
    add("--fixed-w", type=int, help=argparse.SUPPRESS)
    add("--cascade-steps", "--cf-n", type=int, help="more looks at the own answer (CFR)")
    add("--cascade-clicks", "--cf-click", type=int, help="after how many first clicks (CFR)")
    add(
        *("--cascade-adaptive", "--acf"),
        action=switch,
        default=None,
        help="look no more once hardly a pixel changes (CFR)",
    )
    add("--norm-radius", type=float, help="radius of the clicks' maps in network pixels")
    add("--device", default="auto", help="auto, cpu, cuda:0 or mps (%(default)s)")
    add("--cpu", dest="device", action="store_const", const="cpu", help="--device cpu")
    add("--gpus", dest="device", type=_gpu, metavar="N", help="--device cuda:N")


def _add_running(add: Any) -> None:
    add("--jobs", type=int, default=1, metavar="N", help="processes side by side (%(default)s)")
    add("--dask", metavar="ADDRESS", help="spread the images over an existing Dask cluster")
    add("--restart", action="store_true", help="forget what an interrupted run left in OUT_DIR")


def _add_output(add: Any) -> None:
    add(
        *("-o", "--out", "--logs-path"),
        type=Path,
        metavar="OUT_DIR",
        help="where to write report.md, results.json, ious.csv, plots and the worst cases; a run "
        "that was interrupted continues there",
    )
    add("--name", "--model-name", help="what to call the model in reports and plots")
    add("--pictures", "--vis-preds", action="store_true", help="a picture after each click")
    add("--masks", action="store_true", help="the mask and its box after each click")
    add(
        "--worst",
        type=int,
        default=10,
        metavar="N",
        help="how many of the worst objects to write as sessions for napari (%(default)s)",
    )
    add(
        *("--save-ious", "--noi", "--with-spo", "--log-model", "--print", "--separate-dirs"),
        action="store_true",
        dest="always",
        help="always done; taken so that published command lines work",
    )


def _objects(text: str) -> Objects:
    if text in ("all", "largest"):
        return text
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is neither all nor largest nor a number above 0")


def _gpu(text: str) -> str:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no number of one GPU")
    return f"cuda:{text}"


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
