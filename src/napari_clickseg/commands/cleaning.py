"""Options of the console scripts that say how masks are cleaned."""

from __future__ import annotations

import argparse
from typing import Any

from ..engine.profiles import KEPT_PARTS, get_profile

__all__ = ["add_cleaning", "cleaning_of"]

FIELDS = ("fill_holes", "keep_parts", "min_size", "smooth")


def add_cleaning(parser: argparse.ArgumentParser) -> None:
    """Offer the fields of `Profile` that clean a mask."""
    group = parser.add_argument_group(
        "cleaning", "The last step; what was clicked is never cleaned away."
    )
    add = group.add_argument
    add("--fill-holes", action="store_true", default=None, help="fill what the object surrounds")
    add("--keep-parts", choices=KEPT_PARTS, help="connected parts that are kept (all)")
    add("--min-size", type=int, metavar="PIXELS", help="leave out smaller parts")
    add("--smooth", type=float, metavar="PIXELS", help="round the outline over about this many")


def cleaning_of(args: argparse.Namespace) -> dict[str, Any]:
    """What was asked for, by fields of `Profile`; empty for nothing.

    Raises
    ------
    ValueError
        If a number is impossible.
    """
    wanted = {name: getattr(args, name) for name in FIELDS if getattr(args, name) is not None}
    get_profile("clickseg").override(**wanted)
    return wanted
