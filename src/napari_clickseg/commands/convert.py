"""``clickseg-convert``: a published checkpoint as a safetensors file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..engine.profiles import get_profile
from ..models.zoo import find_card, find_verified
from . import cli

__all__ = ["main"]

PROG = "clickseg-convert"
SUFFIX = ".safetensors"


def parser() -> cli.Parser:
    """Options of the command."""
    p = cli.Parser(
        PROG,
        "Read a checkpoint of f-BRS, RITM, SAIC-IS, SimpleClick, CFR-ICL or the avalanche work "
        "(.pth, or .params of MXNet) without running code in it, and write it as safetensors.",
    )
    p.add_argument("input", metavar="IN", help="the checkpoint's file, or its name in the zoo")
    p.add_argument(
        "output",
        type=Path,
        nargs="?",
        metavar="OUT.safetensors",
        help="file to write (default: beside IN)",
    )
    p.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a further network for the kinds of interaction that those before it do not take",
    )
    p.add_argument("--profile", help="predict with the numbers of this profile, such as cfr_icl")
    p.add_argument("--name", help="name of the model (default: the file's)")
    p.add_argument("--licence", help="terms of the weights (default: not stated)")
    p.add_argument("--force", action="store_true", help="overwrite the output file")
    return p


def convert(args: argparse.Namespace) -> int:
    """Convert as the options say; returns the exit code."""
    source, _ = find_verified(args.input)
    target = args.output or source.with_suffix(SUFFIX)
    if target.suffix != SUFFIX:
        raise ValueError(f"{target} does not end in {SUFFIX}. Give such a name.")
    if not target.parent.is_dir():
        raise ValueError(f"There is no folder {target.parent}. Create it, or name another.")
    if target.is_dir():
        raise ValueError(
            f"{target} is a folder. Name a file, such as {target / source.stem}{SUFFIX}."
        )
    if target.exists() and not args.force:
        raise ValueError(f"{target} exists already. Add --force to overwrite it, or name another.")
    if args.profile is not None:
        get_profile(args.profile)
    card = find_card(args.input)
    profile = args.profile or card.profile

    from ..models.checkpoint import read_model, write_model
    from ..models.describe import name_of
    from ..models.staged import TypedModel

    model = read_model(source, profile)
    if args.also:
        also = [find_verified(path)[0] for path in args.also]
        model = TypedModel([model, *(read_model(path, profile) for path in also)])
    what = name_of(model.spec.architecture, model.config)
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    print(f"{source}: {what}, {millions:.1f} million weights, profile {model.spec.profile}")
    about = {
        "name": args.name or card.name,
        "licence": args.licence or card.licence,
        "trained_on": list(card.trained_on),
        "converted_from": [path.name for path in (source, *args.also)],
    }
    unfinished = target.with_name(f"{target.name}.part")
    try:
        write_model(model, unfinished, about, half=False)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    print(f"Wrote {target} ({target.stat().st_size / 1e6:.1f} MB).")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Entry point of the console script."""
    return cli.run(PROG, lambda arguments: convert(parser().parse_args(arguments)), argv)


if __name__ == "__main__":
    raise SystemExit(main())
