"""``clickseg-segment``: masks from clicks: one object's, or those of saved sessions."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.errors import StackError
from ..data.mask_writer import save_mask
from ..data.readers import open_image
from ..geometry import Box
from ..interactions import BoxPrompt, Click, Interaction, Stroke
from .cleaning import add_cleaning, cleaning_of
from .cli import BAD_INPUT, Parser, UsageError, run, sentence
from .refine_files import RefineOptions
from .segment_sessions import Replay, match_sessions, replay_all

__all__ = ["main"]

PROG = "clickseg-segment"
NUMBER = r"-?\d+(?:\.\d+)?"
PLACE = re.compile(rf"({NUMBER}),({NUMBER})")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code."""
    return run(PROG, _segment, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Segment one object of an image by clicks and write its mask; or, with --session, all "
        "objects of sessions that were saved.",
    )
    add = parser.add_argument
    add("image", type=Path, metavar="IMAGE", help="an image; with --session also a folder")
    said: dict[str, Any] = {"dest": "said", "action": "append", "default": []}
    add(
        "--click",
        type=_click,
        metavar="R,C+",
        help="a click at a row and a column: + on the object (or nothing), - beside it; repeat it, "
        "the order counts",
        **said,
    )
    add("--stroke", type=_stroke, metavar="'R,C R,C ...+'", help="a line, signed alike", **said)
    add("--box", type=_box, metavar="T,L,B,R", help="a box around the object, in pixels", **said)
    add("-o", "--out", type=Path, required=True, metavar="MASK", help=".tif, .png, .npy, .zarr")
    add(
        "--session",
        type=Path,
        metavar="PATH",
        help="a .clickseg.json file, or a folder with those of the images' names; OUT is a folder "
        "then",
    )
    add("--plane", type=_whole, metavar="N[,N...]", help="which plane of a stack")
    add("--model", default="clickseg-compact", help="a name of the zoo, or a file (%(default)s)")
    add("--profile", help="inference settings by name; the model's own by default")
    add("--device", default="auto", help="auto, cpu, cuda:0 or mps (%(default)s)")
    add("--force", action="store_true", help="replace an older mask")
    add_cleaning(parser)
    return parser


def _segment(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    return _one_object(args) if args.session is None else _sessions(args)


def _sessions(args: argparse.Namespace) -> int:
    if args.said or args.plane is not None:
        raise UsageError(
            "--session has clicks of its own. Leave out --click, --stroke, --box and --plane."
        )
    if cleaning_of(args):
        raise UsageError(
            "A session says itself how its masks are cleaned. Leave out --fill-holes, "
            "--keep-parts, --min-size and --smooth."
        )
    failures = []

    def failed(job: Replay, error: Exception) -> None:
        failures.append(job.name)
        print(f"{PROG}: {job.name}: {sentence(error)}", file=sys.stderr, flush=True)

    jobs = match_sessions(args.image, args.session, args.out, replace=args.force)
    options = RefineOptions(args.model, args.device, args.profile)
    for job, objects in replay_all(jobs, options, failed):
        print(f"{job.out}: {objects} object{'' if objects == 1 else 's'}", flush=True)
    return BAD_INPUT if failures else 0


def _one_object(args: argparse.Namespace) -> int:
    cleaning = cleaning_of(args)
    if not any(item.positive for item in args.said):
        raise UsageError("Nothing says where the object is. Add --click ROW,COLUMN+ or --box.")
    if args.out.exists() and not args.force:
        raise UsageError(f"{args.out} exists already. Add --force to replace it, or name another.")
    if not args.out.parent.is_dir():
        raise UsageError(f"There is no folder {args.out.parent}. Make it, or name another.")
    try:
        reader = open_image(args.image, args.plane)
    except StackError as error:
        raise UsageError(f"{error.about}. Say which plane of it with --plane, from 0.") from error

    from ..engine.mask_rule import MaskRule
    from ..engine.replay import strips
    from ..engine.segmenter import Segmenter
    from ..models.zoo import load_model

    model = load_model(args.model, device=args.device)
    segmenter = Segmenter(model, profile=args.profile, **cleaning)
    segmenter.set_image(reader)
    for item in args.said:
        _say(segmenter, item)
    mask = MaskRule.of(segmenter.profile).view(segmenter.history.present)
    save_mask(args.out, mask, source=args.image)
    found = mask.bounding_box()
    if found is None:
        print(f"{args.out}: the mask is empty. Try another click.")
        return 0
    rows, cols = f"{found.top}..{found.bottom - 1}", f"{found.left}..{found.right - 1}"
    area = sum(int(np.count_nonzero(part)) for _, part in strips(mask))
    print(f"{args.out}: {area} pixels in rows {rows}, columns {cols}.")
    return 0


def _say(segmenter: Any, item: Interaction) -> None:
    if isinstance(item, Click):
        segmenter.click(item.row, item.col, item.positive)
    elif isinstance(item, Stroke):
        segmenter.stroke(item.points, item.positive)
    else:
        segmenter.box(item.box)


def _told(make: Callable[[str], Any]) -> Callable[[str], Any]:
    """The argument's own sentence in place of argparse's."""

    def parse(text: str) -> Any:
        try:
            return make(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _signed(text: str) -> tuple[str, bool]:
    text = text.strip()
    return text.rstrip("+-").strip(), not text.endswith("-")


def _place(text: str) -> tuple[float, float]:
    match = PLACE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is no ROW,COLUMN such as 120,220")
    return float(match[1]), float(match[2])


@_told
def _click(text: str) -> Click:
    place, positive = _signed(text)
    return Click(*_place(place), positive)


@_told
def _stroke(text: str) -> Stroke:
    places, positive = _signed(text)
    return Stroke([_place(place) for place in places.split()], positive)


@_told
def _box(text: str) -> BoxPrompt:
    sides = text.split(",")
    if len(sides) != 4 or not all(re.fullmatch(r"-?\d+", side.strip()) for side in sides):
        raise ValueError(f"'{text}' is no TOP,LEFT,BOTTOM,RIGHT in whole pixels")
    return BoxPrompt(Box(*map(int, sides)))


@_told
def _whole(text: str) -> tuple[int, ...]:
    if not all(re.fullmatch(r"\s*-?\d+\s*", number) for number in text.split(",")):
        raise ValueError(f"'{text}' is no number of a plane such as 3, or several such as 0,3")
    return tuple(int(number) for number in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
