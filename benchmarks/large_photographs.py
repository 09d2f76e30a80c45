"""Clicks in large photographs, with boundaries brought to full resolution and without.

Reads ``large/images`` and ``large/masks`` below a folder. Where there is a mask of one object, the
simulated user of the published protocol clicks on it up to five times; in the other photographs
objects are clicked on once each, or what is in the middle. Prints time, IoU and boundary IoU after
each click, and writes a picture for each photograph: all of it, and a crop with the boundary before
and after, there where it came to the clearest edges.

    python benchmarks/large_photographs.py FOLDER [--clicks 5] [--pictures OUT]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click_latency import chosen_model, finished
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from napari_clickseg.commands.cli import Parser, run
from napari_clickseg.data.readers import as_reader, read_image
from napari_clickseg.engine.predictor import Predictor
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.evaluation.clicker import next_click
from napari_clickseg.evaluation.machine import describe, machine_facts
from napari_clickseg.evaluation.metrics import boundary_iou, iou
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import Click
from napari_clickseg.models.zoo import DEFAULT

PLACES = {"snow_slope_fiskrt": ((2330, 860), (1150, 500))}  # (row, column) of single clicks
WIDTH = 3  # pixels, of the boundaries that are compared
CROP, SHOWN = 200, 400  # side of the crop in image pixels, and of each part of the picture
COLOUR = np.array([255, 210, 0], np.uint8)  # of boundaries and of the crop's frame


@dataclass(frozen=True)
class Step:
    """One click: seconds to the first mask and to the refined one, and both masks."""

    first: float
    refined: float
    coarse: np.ndarray
    sharp: np.ndarray


def clicks_on(
    predictor: Predictor,
    image: np.ndarray,
    target: np.ndarray | None,
    number: int,
    places: Sequence[tuple[int, int]] | None = None,
) -> Iterator[Step]:
    """Click and refine, as the simulated user does, or once at each of some places."""
    reader, device = as_reader(image), predictor.model.device
    places = places or [(image.shape[0] // 2, image.shape[1] // 2)]
    session = predictor.start(reader)
    mask = np.zeros(image.shape[:2], bool)
    for step in range(number if target is not None else len(places)):
        if target is not None:
            click = next_click(mask, target, session.interactions)
        else:
            session, click = predictor.start(reader), Click(*places[step])
        start = finished(device)
        session = predictor.run(session.add(click))
        first = finished(device) - start
        coarse = session.mask(predictor.profile.threshold)
        start = time.perf_counter()
        for finer in predictor.follow_edges(session):
            session = finer
        refined = time.perf_counter() - start
        mask = session.mask(predictor.profile.threshold)
        yield Step(first, refined, coarse, mask)


def outlined(image: np.ndarray, mask: np.ndarray, width: int) -> np.ndarray:
    """An image with the boundary of a mask drawn just outside of it."""
    drawn = image.copy()
    drawn[binary_dilation(mask, iterations=width) & ~mask] = COLOUR
    return drawn


def boundary(mask: np.ndarray) -> np.ndarray:
    """Pixels of a mask at its boundary."""
    return mask & ~binary_erosion(mask, border_value=1)


def clearest(image: np.ndarray, step: Step) -> Box:
    """The crop in which following the edges gained most contrast along the boundary."""
    gain = np.hypot(*np.gradient(image.mean(axis=2, dtype=np.float32)))
    gain *= boundary(step.sharp).astype(np.float32) - boundary(step.coarse)
    height, width = (side // CROP * CROP for side in gain.shape)
    blocks = gain[:height, :width].reshape(height // CROP, CROP, width // CROP, CROP)
    sums = blocks.sum(axis=(1, 3))
    row, col = np.unravel_index(int(sums.argmax()), sums.shape)
    return Box(row * CROP, col * CROP, (row + 1) * CROP, (col + 1) * CROP)


def enlarged(crop: np.ndarray) -> np.ndarray:
    """A crop at the size that is shown, every pixel a square."""
    times = SHOWN // CROP
    return np.repeat(np.repeat(crop, times, axis=0), times, axis=1)


def picture(image: np.ndarray, step: Step) -> Image.Image:
    """The whole image with its mask, and a crop with the boundary before and after."""
    box = clearest(image, step)
    ratio = max(1, round(image.shape[0] / SHOWN))
    whole = image[: image.shape[0] // ratio * ratio, : image.shape[1] // ratio * ratio]
    small = (
        whole.reshape(whole.shape[0] // ratio, ratio, whole.shape[1] // ratio, ratio, 3)
        .mean(axis=(1, 3))
        .astype(np.uint8)
    )
    small = outlined(small, step.sharp[: len(whole) : ratio, : whole.shape[1] : ratio], 1)
    top, left, bottom, right = (s // ratio for s in (box.top, box.left, box.bottom, box.right))
    small[[top, bottom - 1], left:right] = small[top:bottom, [left, right - 1]] = 255
    parts = [small]
    for mask in (step.coarse, step.sharp):
        crop, inside = enlarged(image[box.slices]), enlarged(mask[box.slices])
        parts.append(outlined(crop, inside, 2))
    height = max(len(part) for part in parts)
    gap = np.full((height, 8, 3), 255, np.uint8)
    padded = [np.pad(p, ((0, height - len(p)), (0, 0), (0, 0)), constant_values=255) for p in parts]
    return Image.fromarray(np.hstack([padded[0], gap, padded[1], gap, padded[2]]))


def scores(mask: np.ndarray, target: np.ndarray | None) -> str:
    """IoU and boundary IoU as a part of a line."""
    if target is None:
        return f"{'-':>9}{'-':>9}"
    return f"{iou(mask, target):>9.4f}{boundary_iou(mask, target, WIDTH):>9.4f}"


def one_object(path: Path) -> np.ndarray | None:
    """The mask in a file, if there is one and it is of a single object."""
    if not path.is_file():
        return None
    values = np.asarray(Image.open(path))
    return values.astype(np.int8) if values.ndim == 2 and set(np.unique(values)) == {0, 1} else None


def benchmark(argv: Sequence[str]) -> None:
    """Measure, print and draw."""
    parser = Parser("large_photographs.py", "Clicks in large photographs.")
    parser.add_argument("folder", type=Path, help="holds large/images and large/masks")
    parser.add_argument("--model", default=DEFAULT, help="name or file (%(default)s)")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda:0 or mps (%(default)s)")
    parser.add_argument("--clicks", type=int, default=5, help="per photograph (%(default)s)")
    parser.add_argument("--pictures", type=Path, help="folder to draw into; nothing otherwise")
    args = parser.parse_args(argv)
    if args.clicks < 1:
        raise ValueError(f"{args.clicks} clicks measure nothing. Give 1 or more.")
    files = sorted((args.folder / "large" / "images").glob("*.jpg"))
    if not files:
        raise ValueError(f"There are no photographs in {args.folder / 'large' / 'images'}.")
    model = chosen_model(args.model, args.device)
    predictor = Predictor(model, get_profile("clickseg"))
    print(f"{args.model} on {describe(machine_facts(str(model.device)))}")
    print(f"load: {os.getloadavg()[0]:.1f}")
    print(
        f"{'':<28}{'click':>6}{'first':>8}{'refined':>9}{'IoU':>9}{'boundary':>9}"
        f"{'IoU':>9}{'boundary':>9}\n{'':<28}{'':>6}{'s':>8}{'s':>9}{'first':>18}{'refined':>18}"
    )
    for path in files:
        image = np.asarray(read_image(path))[..., :3]
        target = one_object(args.folder / "large" / "masks" / f"{path.stem}.png")
        steps = clicks_on(predictor, image, target, args.clicks, PLACES.get(path.stem))
        for number, step in enumerate(steps, start=1):
            print(
                f"{path.stem[:27]:<28}{number:>6}{step.first:>8.2f}{step.refined:>9.2f}"
                f"{scores(step.coarse, target)}{scores(step.sharp, target)}",
                flush=True,
            )
            if args.pictures is not None:
                args.pictures.mkdir(parents=True, exist_ok=True)
                picture(image, step).save(args.pictures / f"{path.stem}_{number}.jpg", quality=90)


if __name__ == "__main__":
    sys.exit(run("large_photographs.py", benchmark))
