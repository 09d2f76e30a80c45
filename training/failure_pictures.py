"""Pictures of failures for the model card: the worst objects after five clicks, side by side.

    CLICKSEG_DATA=data/dev python training/failure_pictures.py

Only images that may be shown are looked at: those of SciMix whose sources allow it, named below.
Each picture has the mask (blue), the object's outline (white) and the clicks to the left, and what
is missed (red) or wrongly added (orange) to the right, cut to the object's surroundings. The model
card, which the dock shows, holds the picture; run this again when the weights are replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

import napari_clickseg
from napari_clickseg.commands.cli import Parser, UsageError, run
from napari_clickseg.data.datasets import open_dataset
from napari_clickseg.engine.segmenter import Segmenter
from napari_clickseg.evaluation.protocol import ObjectResult, click_scene
from napari_clickseg.evaluation.shown import picture
from napari_clickseg.evaluation.sizes import Sized
from napari_clickseg.evaluation.terms import Terms
from napari_clickseg.geometry import bounding_box
from napari_clickseg.models.zoo import DEFAULT

MAY_BE_SHOWN = {
    "dsb_": "Data Science Bowl 2018, BBBC038, CC0",
    "usii_": "Usiigaci, OIST, MIT licence",
    "bio_Glomeruli_": "AIDPATH, CC BY 4.0",
    "earth_Sichuan-Landslide_": "Sichuan landslides, CC BY 4.0",
}
"""By the beginning of an image's name in SciMix: source and terms."""
OBJECTS, CLICKS, PER_SOURCE = 5, 5, 2
HEIGHT, LINE = 168, 14  # pixels of a picture and of the words below it
WEIGHTS = Path(napari_clickseg.__file__).parent / "models" / "weights"


class Failure(NamedTuple):
    """One object after its last click."""

    source: str
    image: str
    iou: float
    drawn: np.ndarray


def failures(segmenter: Any, dataset: Any, clicks: int) -> list[Failure]:
    """Every object that may be shown, worst first."""
    found: list[Failure] = []
    for index, name in enumerate(dataset.ids):
        source = next((key for key in MAY_BE_SHOWN if name.startswith(key)), None)
        if source is None:
            continue
        last: dict[int, tuple[Sized, np.ndarray, ObjectResult]] = {}

        def watch(
            image: str,
            label: int,
            user: str,
            shown: Sized,
            mask: np.ndarray,
            result: ObjectResult,
            last: dict = last,
        ) -> None:
            last[label] = shown, mask, result

        terms = Terms(clicks, 1.01)
        for _ in click_scene(segmenter, dataset[index], terms, objects=OBJECTS, watch=watch):
            pass
        for shown, mask, result in last.values():
            drawn = surroundings(shown, mask, picture(shown, mask, result.interactions))
            found.append(Failure(source, name, result.ious[-1], drawn))
    return sorted(found, key=lambda failure: failure.iou)


def surroundings(shown: Sized, mask: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Both halves of a picture, cut to what object and mask cover and a margin."""
    box = bounding_box((shown.target == 1) | mask)
    assert box is not None
    margin, width = max(box.shape) // 3 + 4, mask.shape[1]
    rows = slice(max(0, box.top - margin), box.bottom + margin)
    left, right = max(0, box.left - margin), min(width, box.right + margin)
    return np.hstack([drawn[rows, left:right], drawn[rows, width + left : width + right]])


def sheet(chosen: list[Failure], columns: int = 2) -> Image.Image:
    """Pictures in rows, their sources and IoU in words below them."""
    tiles = []
    for failure in chosen:
        tile = Image.fromarray(failure.drawn)
        scale = min(HEIGHT / tile.height, 2 * HEIGHT / tile.width)
        tiles.append(tile.resize((round(tile.width * scale), round(tile.height * scale))))
    wide, high = 2 * HEIGHT + 8, HEIGHT + LINE + 6
    whole = Image.new("RGB", (columns * wide, -(-len(tiles) // columns) * high), "white")
    pen = ImageDraw.Draw(whole)
    for number, (failure, tile) in enumerate(zip(chosen, tiles, strict=True)):
        left, top = number % columns * wide, number // columns * high
        whole.paste(tile, (left, top))
        words = f"IoU {failure.iou:.2f}; {MAY_BE_SHOWN[failure.source]}"
        pen.text((left, top + HEIGHT + 2), words, "black")
    return whole


def draw(argv: list[str]) -> None:
    """Click, choose and write."""
    parser = Parser("failure_pictures.py", "Draw the worst objects after some clicks.")
    parser.add_argument("--model", default=DEFAULT, help="name or file (%(default)s)")
    parser.add_argument("--data", default="SciMix", help="where the images are (%(default)s)")
    parser.add_argument("--clicks", type=int, default=CLICKS)
    parser.add_argument("--count", type=int, default=6, help="how many objects (%(default)s)")
    parser.add_argument("-o", "--out", type=Path, default=WEIGHTS / f"{DEFAULT}-failures.jpg")
    args = parser.parse_args(argv)
    if args.clicks < 1 or args.count < 1:
        raise UsageError("Without clicks and objects there is nothing to draw. Give 1 or more.")
    found = failures(Segmenter(args.model), open_dataset(args.data), args.clicks)
    if not found:
        known = ", ".join(MAY_BE_SHOWN)
        raise UsageError(f"No image of {args.data} may be shown; names begin with {known}.")
    chosen: list[Failure] = []
    for failure in found:
        if sum(each.source == failure.source for each in chosen) < PER_SOURCE:
            chosen.append(failure)
    sheet(chosen[: args.count]).save(args.out, quality=82)
    for failure in chosen[: args.count]:
        print(f"{failure.image}: IoU {failure.iou:.3f} after {args.clicks} clicks")
    print(f"Wrote {args.out}")


if __name__ == "__main__":
    sys.exit(run("failure_pictures.py", draw))
