"""How much better masks get by `clickseg-refine`: IoU before and after, for known damage.

    CLICKSEG_DATA=data python benchmarks/refine_masks.py GrabCut COCO_MVal SciMix

Masks are eroded or dilated by 5 pixels, or reduced 8 times and enlarged again (nearest pixel), or
both; the refined ones are compared with the masks as they were.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from napari_clickseg.data.packs import Pack
from napari_clickseg.engine.refine import MaskRefiner
from napari_clickseg.geometry import bounding_box
from napari_clickseg.models.zoo import DEFAULT, load_model

PIXELS, TIMES = 5, 8


def eroded(mask: np.ndarray) -> np.ndarray:
    """Without what is nearer than 5 pixels to the background."""
    return distance_transform_edt(mask) > PIXELS


def dilated(mask: np.ndarray) -> np.ndarray:
    """With what is nearer than 5 pixels."""
    return distance_transform_edt(~mask) <= PIXELS


def coarse(mask: np.ndarray) -> np.ndarray:
    """Reduced 8 times and enlarged again."""
    height, width = mask.shape
    rows, cols = (
        np.minimum((np.arange(n) // TIMES) * TIMES + TIMES // 2, n - 1) for n in (height, width)
    )
    return mask[np.ix_(rows, cols)]


DAMAGE = {
    "eroded": eroded,
    "dilated": dilated,
    "coarse": coarse,
    "eroded, coarse": lambda mask: coarse(eroded(mask)),
    "dilated, coarse": lambda mask: coarse(dilated(mask)),
}


def iou(mask: np.ndarray, truth: np.ndarray, counted: np.ndarray) -> float:
    """Intersection over union of the pixels that count."""
    return float((mask & truth & counted).sum() / max(1, ((mask | truth) & counted).sum()))


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packs", nargs="+")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--most", type=int, default=6, help="objects of an image, the largest")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th image")
    parser.add_argument("--damage", nargs="+", default=list(DAMAGE), choices=list(DAMAGE))
    args = parser.parse_args()
    refiner = MaskRefiner(load_model(args.model, device="cpu"))
    root = Path(os.environ.get("CLICKSEG_DATA", ".")) / "dev"
    print("| set | damage | masks | IoU before | after | rise | worse | doubt of the worse half |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for name in args.packs:
        found: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in args.damage}
        pack = Pack(root / name)
        for index in range(0, len(pack), args.every):
            item = pack[index]
            refiner.set_image(item.image)
            labels, sizes = np.unique(item.labels[item.labels > 0], return_counts=True)
            for label in labels[np.argsort(-sizes)][: args.most]:
                truth, counted = item.labels == label, item.labels >= 0
                for kind in args.damage:
                    mask = DAMAGE[kind](truth)
                    if bounding_box(mask) is None:
                        continue
                    refined = refiner.refine(mask)
                    after = np.zeros(mask.shape, bool)
                    after[refined.box.slices] = refined.mask
                    scores = iou(mask, truth, counted), iou(after, truth, counted)
                    found[kind].append((*scores, refined.doubt))
        for kind, rows in found.items():
            before, after, doubt = np.array(rows).T
            halves = doubt[after <= np.median(after)].mean(), doubt[after > np.median(after)].mean()
            print(
                f"| {name} | {kind} | {len(rows)} | {before.mean():.4f} | {after.mean():.4f} | "
                f"{(after - before).mean():+.4f} | {(after < before - 1e-9).mean():.1%} | "
                f"{halves[0]:.3f}, of the better half {halves[1]:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
