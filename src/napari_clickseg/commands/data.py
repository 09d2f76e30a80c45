"""``clickseg-data``: look at data sets, and make annotations that they need."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ..data.conversion.coco_lvis import build_coco_lvis
from ..data.conversion.listings import STUFF, list_ade20k, list_open_images
from ..data.conversion.mask_files import (
    crop_to_objects,
    masks_of_coco,
    resize_all,
    split_values,
)
from ..data.datasets import dataset_readers, open_dataset
from ..data.datasets.survey import survey
from .cli import FAILED, Commands, run

__all__ = ["main"]

PROG = "clickseg-data"
SECONDS_BETWEEN_LINES = 2.0
OPEN_IMAGES = ("train", "val", "test")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code."""
    return run(PROG, lambda arguments: _parser().call(arguments), argv)


def _parser() -> Commands:
    commands = Commands(PROG, "Look at data sets, and convert annotations.")
    commands.add("readers", _readers, "list the readers of data sets and the layouts they take")
    add = commands.add(
        "check", _check, "read all images and masks of a data set and count its objects"
    )
    add(
        "dataset",
        metavar="DATASET",
        help="READER[:SPLIT][,OPTION=VALUE...]@PATH such as SBD:val@/data/SBD, or a folder with "
        "images/ and masks/",
    )
    add("--limit", type=_number, metavar="N", help="only N images, spread over the data set")

    add = commands.add("coco-lvis", _coco_lvis, "build COCO+LVIS with its hierarchy of parts")
    add("lvis", type=Path, metavar="LVIS", help="folder of LVIS v1")
    add("coco", type=Path, metavar="COCO", help="folder of COCO with panoptic annotations")
    add("out", type=Path, metavar="OUT")
    add("--split", nargs="+", default=["train", "val"], metavar="SPLIT")
    add("--images", choices=("copy", "link", "none"), default="copy", help="(%(default)s)")
    add("--jobs", type=_number, default=1, metavar="N", help="processes (%(default)s)")

    add = commands.add("openimages", _open_images, "list the masks of OpenImages that are there")
    add("folder", type=Path, metavar="FOLDER")
    add("--split", nargs="+", metavar="SPLIT", help="(those of train, val and test that are there)")

    add = commands.add("ade20k", _ade20k, "list objects, parts and stuff of ADE20k")
    add("folder", type=Path, metavar="FOLDER", help="the release of July 2016")
    add("--split", nargs="+", default=["train", "val"], metavar="SPLIT")
    add("--stuff", type=Path, metavar="FILE", help="one kind per line that is no object")

    add = commands.add("masks", _masks, "write the masks of a COCO file as PNG files")
    add("annotations", type=Path, metavar="FILE.json")
    add("out", type=Path, metavar="OUT")
    add(
        "--kind",
        choices=("union", "each", "labels"),
        default="union",
        help="all objects of an image in one mask, a file for each, or numbered (%(default)s)",
    )
    add("--category", nargs="+", default=[], metavar="NAME", help="only objects of these")

    add = commands.add("split", _split, "write each value of label masks as a file of its own")
    add("masks", type=Path, metavar="MASKS")
    add("out", type=Path, metavar="OUT")

    add = commands.add("crop", _crop, "cut images and masks to their objects")
    add("folder", type=Path, metavar="FOLDER", help="holds images/ and masks/")
    add("out", type=Path, metavar="OUT")
    add(
        "--factor", type=float, default=1.1, help="sides in those of the objects' box (%(default)s)"
    )
    add("--least", type=_number, default=1000, help="shortest side in pixels (%(default)s)")
    add("--longest", type=_number, default=1000, help="shrink longer sides to this (%(default)s)")

    add = commands.add("resize", _resize, "bring images and masks to one size")
    add("folder", type=Path, metavar="FOLDER", help="holds images/ and masks/")
    add("out", type=Path, metavar="OUT")
    add("--size", type=_size, default=(600, 400), metavar="WxH", help="(600x400)")
    return commands


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number above 0")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no size such as 600x400")
    return int(found[1]), int(found[2])


class _Lines:
    """Progress on stderr, a line every other second."""

    def __init__(self) -> None:
        self.count, self.last = 0, time.monotonic()

    def name(self, name: str) -> None:
        """One more is done, of unknown many."""
        self.count += 1
        self._tell(f"{self.count} done, now {name}")

    def part(self, done: int, total: int) -> None:
        """So many of all are done."""
        self._tell(f"{done} of {total}")

    def _tell(self, text: str) -> None:
        if time.monotonic() - self.last > SECONDS_BETWEEN_LINES:
            print(text, file=sys.stderr, flush=True)
            self.last = time.monotonic()


def _readers(args: argparse.Namespace) -> None:
    for card in dataset_readers().values():
        print(f"{card.name}: {card.layout}")
        if card.options:
            print(f"    options: {', '.join(card.options)}")


def _check(args: argparse.Namespace) -> int:
    found = survey(open_dataset(args.dataset), args.limit, _Lines().part)
    print(found)
    return FAILED if found.broken else 0


def _coco_lvis(args: argparse.Namespace) -> None:
    for split in args.split:
        lines = _Lines()
        count = build_coco_lvis(
            args.lvis, args.coco, args.out, split, args.images, args.jobs, lines.part
        )
        print(f"Wrote {count} images with objects to {args.out / split}")


def _open_images(args: argparse.Namespace) -> None:
    there = [split for split in OPEN_IMAGES if (args.folder / split).is_dir()]
    for split in args.split or there or OPEN_IMAGES[:1]:
        print(f"{split}: {list_open_images(args.folder, split)} images with masks")


def _ade20k(args: argparse.Namespace) -> None:
    stuff = STUFF
    if args.stuff is not None:
        lines = args.stuff.read_text(encoding="utf-8").splitlines()
        stuff = frozenset(line.strip().lower() for line in lines if line.strip())
    for split in args.split:
        print(f"{split}: {list_ade20k(args.folder, split, stuff)} images")


def _masks(args: argparse.Namespace) -> None:
    count = masks_of_coco(args.annotations, args.out, args.kind, args.category, _Lines().name)
    print(f"Wrote {count} masks to {args.out}")


def _split(args: argparse.Namespace) -> None:
    print(f"Wrote {split_values(args.masks, args.out, _Lines().name)} masks to {args.out}")


def _crop(args: argparse.Namespace) -> None:
    options = (args.factor, args.least, args.longest, _Lines().name)
    print(f"Wrote {crop_to_objects(args.folder, args.out, *options)} images to {args.out}")


def _resize(args: argparse.Namespace) -> None:
    print(
        f"Wrote {resize_all(args.folder, args.out, args.size, _Lines().name)} images to {args.out}"
    )


if __name__ == "__main__":
    sys.exit(main())
