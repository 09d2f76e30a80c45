"""No training image is in a test set: by name, and by perceptual hash, mirrored copies too.

    CLICKSEG_DATA=data python training/check_overlap.py
    python training/check_overlap.py --train packs/a packs/b --test GrabCut --pictures pairs

Without folders it takes all of `$CLICKSEG_DATA/train` and `$CLICKSEG_DATA/dev`. Two images are the
same if their 256-bit difference hashes (17 x 16 grey pixels, each compared with its neighbour)
differ in at most 40 bits and their pictures at 32 x 32 correlate by at least 0.85, or if these
correlate by at least 0.97, which finds copies of images whose bare ground is noise to the hash.
Both are compared with the mirrored copy as well. Equal names are told too; they count if all of a
name is a number (an id of BSDS) or ends in the twelve digits of COCO, or if the pictures correlate
by 0.5. Crops of one larger picture are not found. `--pictures` writes the pairs, and the closest of
the others, side by side for a person to look at. Exit code 1: there are pairs.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from napari_clickseg.commands.cli import FAILED, Parser, UsageError, run
from napari_clickseg.data.packs import IMAGE_SUFFIXES

ROWS, SIDE = 16, 32
BITS, ALIKE, SAME, SAME_NAME = 40, 0.85, 0.97, 0.5
ID = re.compile(r"(?:.*_)?(\d{12})|(\d{4,})")  # of COCO, after any prefix; of BSDS and the like


@dataclass(frozen=True, eq=False)
class Pictures:
    """Image files in numbers.

    Attributes
    ----------
    paths : list of Path
    bits, mirrored_bits : (N, 256) bool array
        Difference hashes of the images and of their mirrored copies.
    small, mirrored : (N, 1024) float32 array
        The grey images at 32 x 32, mean 0 and length 1, so that products are correlations.
    """

    paths: list[Path]
    bits: np.ndarray
    mirrored_bits: np.ndarray
    small: np.ndarray
    mirrored: np.ndarray


@dataclass(frozen=True)
class Pair:
    """A training image beside a test image: bits that differ, correlation, and why it counts."""

    test: Path
    train: Path
    bits: int
    correlation: float
    why: str = ""

    def __str__(self) -> str:
        places = (f"{path.parent.parent.name}/{path.name}" for path in (self.test, self.train))
        what = f"{self.bits:3d} bits, correlation {self.correlation:.2f}"
        return "  ".join(filter(None, [*places, what, self.why]))


def read(folders: Sequence[Path]) -> Pictures:
    """Every image of packs; ValueError if there is none, or one cannot be read."""
    paths = [
        path
        for folder in folders
        for path in sorted((folder / "images").glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    if not paths:
        where = ", ".join(map(str, folders)) or "no folder"
        raise UsageError(f"There are no images/ in {where}. Give folders that hold images/.")
    rows = [numbers_of(path) for path in paths]
    return Pictures(paths, *(np.array(column) for column in zip(*rows, strict=True)))


def numbers_of(path: Path) -> tuple[np.ndarray, ...]:
    """The four arrays of one image, see `Pictures`."""
    try:
        grey = Image.open(path).convert("L")
    except (OSError, UnidentifiedImageError) as error:
        raise UsageError(f"{path} cannot be read: {error}. Replace or remove the file.") from error
    coarse = np.asarray(grey.resize((ROWS + 1, ROWS), Image.Resampling.BOX), np.int16)
    small = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    small = (small - small.mean()) / (small.std() * SIDE + 1e-6)
    hashes = [(each[:, 1:] > each[:, :-1]).ravel() for each in (coarse, coarse[:, ::-1])]
    return (*hashes, small.ravel(), small[:, ::-1].ravel())


def names_of(path: Path) -> set[str]:
    """What an image may be called elsewhere: its name, or that without a prefix before ``_``."""
    return {path.stem, path.stem.partition("_")[2]} - {""}


def id_of(path: Path) -> str | None:
    """The number that names a published image; None if its name is no such number."""
    found = ID.fullmatch(path.stem)
    return str(int(found[1] or found[2])) if found else None


def compare(train: Pictures, test: Pictures) -> tuple[list[Pair], list[Pair]]:
    """The pairs that are the same image, and the closest one of every other test image."""
    by_name: dict[str, list[int]] = {}
    for number, path in enumerate(train.paths):
        for name in names_of(path) | {f"id {id_of(path)}"} - {"id None"}:
            by_name.setdefault(name, []).append(number)
    same, closest = [], []
    for k, path in enumerate(test.paths):
        bits = np.minimum(
            *((own[k] != train.bits).sum(axis=1) for own in (test.bits, test.mirrored_bits))
        )
        alike = np.maximum(*(train.small @ own[k] for own in (test.small, test.mirrored)))
        why = {}
        for name in names_of(path):
            for j in by_name.get(name, ()):
                if alike[j] >= SAME_NAME:
                    why[j] = f"both are named {name}"
        why |= {j: f"both have the id {id_of(path)}" for j in by_name.get(f"id {id_of(path)}", ())}
        for j in np.flatnonzero(((bits <= BITS) & (alike >= ALIKE)) | (alike >= SAME)):
            why[int(j)] = "the pictures are the same"
        pairs = [
            Pair(path, train.paths[j], int(bits[j]), float(alike[j]), why[j]) for j in sorted(why)
        ]
        same += pairs
        if not pairs:
            j = int(np.argmax(alike))
            closest.append(Pair(path, train.paths[j], int(bits[j]), float(alike[j])))
    return same, sorted(closest, key=lambda pair: -pair.correlation)


def write_pictures(folder: Path, pairs: Sequence[Pair]) -> None:
    """A picture of each pair, 256 pixels high, the test image to the left."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pair in enumerate(pairs):
        sides = [Image.open(path).convert("RGB") for path in (pair.test, pair.train)]
        sides = [side.resize((max(1, side.width * 256 // side.height), 256)) for side in sides]
        both = Image.new("RGB", (sides[0].width + sides[1].width + 4, 256), "white")
        both.paste(sides[0], (0, 0))
        both.paste(sides[1], (sides[0].width + 4, 0))
        both.save(folder / f"{number:03d}_{pair.test.stem}_{pair.train.stem}.jpg")


def check(argv: list[str]) -> int:
    """Print what is in both; 1 if anything is."""
    parser = Parser("check_overlap.py", "Find training images that are in a test set.")
    parser.add_argument("--train", type=Path, nargs="+", help="packs; $CLICKSEG_DATA/train/*")
    parser.add_argument("--test", type=Path, nargs="+", help="packs; $CLICKSEG_DATA/dev/*")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write pairs side by side")
    parser.add_argument("--closest", type=int, default=5, help="shown of the rest (%(default)s)")
    args = parser.parse_args(argv)
    root = os.environ.get("CLICKSEG_DATA")
    if root is None and None in (args.train, args.test):
        raise UsageError("Which images? Give --train and --test, or set CLICKSEG_DATA.")
    train, test = (
        read(given or sorted(path for path in Path(root or ".", part).iterdir() if path.is_dir()))
        for given, part in ((args.train, "train"), (args.test, "dev"))
    )
    same, others = compare(train, test)
    print(f"{len(train.paths)} training images, {len(test.paths)} test images")
    print(f"{len(same)} pairs to leave out of training:")
    for pair in same:
        print(f"  {pair}")
    print("the most alike of the other test images, which are not the same:")
    for pair in others[: args.closest]:
        print(f"  {pair}")
    if args.pictures is not None:
        write_pictures(args.pictures, [*same, *others[: args.closest]])
    return FAILED if same else 0


if __name__ == "__main__":
    sys.exit(run("check_overlap.py", check))
