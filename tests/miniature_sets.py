"""Published data sets in miniature: their layouts, with photographed coins as images and objects.

``write_set("SBD", folder)`` makes a folder that ``open_dataset("SBD", folder)`` reads.
"""

from __future__ import annotations

import json
import pickle
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

NAMES = ("coin_a", "coin_b", "coin_c")


@cache
def coins() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Three photographs (76, 96, 3) uint8 and their coins (76, 96) int32, 1..N."""
    from skimage import data, measure, segmentation

    photograph = data.coins()
    found = ndimage.binary_fill_holes(photograph > 110)
    labels = segmentation.clear_border(measure.label(ndimage.binary_opening(found, iterations=4)))
    pieces = []
    for top, left in ((0, 0), (0, 190), (150, 190)):
        box = np.s_[top : top + 152 : 2, left : left + 192 : 2]
        colours = photograph[box][..., None] * np.array([1.0, 0.9, 0.7])
        piece = measure.label(labels[box], connectivity=1)
        assert piece.max() >= 4
        pieces.append((colours.astype(np.uint8), piece.astype(np.int32)))
    return tuple(pieces)


def save(array: np.ndarray, path: Path, **options: object) -> Path:
    """Write a picture; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def dump(value: object, path: Path) -> Path:
    """Write a pickle as the published scripts do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value))
    return path


def named() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Name, photograph and coins of each image."""
    return [(name, *pair) for name, pair in zip(NAMES, coins(), strict=True)]


def coin(labels: np.ndarray) -> np.ndarray:
    """The first coin as an 8-bit mask."""
    return (labels == 1).astype(np.uint8) * 255


def voc_colours() -> np.ndarray:
    """PascalVOC's palette, ``(256, 3)`` uint8: bits of the index spread over the colours."""
    index = np.arange(256)
    palette = np.zeros((256, 3), int)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= ((index >> (3 * bit + channel)) & 1) << (7 - bit)
    return palette.astype(np.uint8)


def write_pairs(folder: Path, images: str, masks: str, image: str = ".jpg") -> None:
    """One coin of each photograph as a black and white mask."""
    for name, photograph, labels in named():
        save(photograph, folder / images / f"{name}{image}", quality=95)
        save(coin(labels), folder / masks / f"{name}.png")


def write_trimaps(folder: Path, images: str, masks: str) -> None:
    """One coin with an unknown rim, as GrabCut has it."""
    for name, photograph, labels in named():
        mask = coin(labels)
        mask[ndimage.binary_dilation(mask > 0, iterations=2) & (mask == 0)] = 128
        mask[:3] = 64
        save(photograph, folder / images / f"{name}.jpg")
        save(mask, folder / masks / f"{name}.bmp")


def write_pack(folder: Path) -> None:
    """All coins numbered, and a corner to ignore."""
    for name, photograph, labels in named():
        mask = labels.astype(np.uint8)
        mask[:4, :4] = 255
        save(photograph, folder / "images" / f"{name}.jpg")
        save(mask, folder / "masks" / f"{name}.png")


def write_numbered(folder: Path, images: str, masks: str, image: str) -> None:
    """All coins by grey values."""
    for name, photograph, labels in named():
        save(photograph, folder / images / f"{name}{image}")
        save(labels.astype(np.uint8), folder / masks / f"{name}.png")


def write_sstem(folder: Path) -> None:
    """All coins white: they do not touch."""
    for name, photograph, labels in named():
        save(photograph[..., 0], folder / "raw" / f"{name}.tif")
        save((labels > 0).astype(np.uint8) * 255, folder / "mitochondria" / f"{name}.png")


def write_images_dir(folder: Path) -> None:
    """Two masks for each image; the second overlaps the first."""
    for name, photograph, labels in named():
        save(photograph, folder / "images" / f"{name}.jpg")
        both = np.isin(labels, (1, 2)).astype(np.uint8) * 255
        both[:2] = 128
        save(coin(labels), folder / "masks" / f"{name}_0.png")
        save(both, folder / "masks" / f"{name}_1.png")


def write_sbd(folder: Path) -> None:
    """Instances in MATLAB files; a thin diagonal is among them."""
    from scipy.io import savemat

    for name, photograph, labels in named():
        labels = labels.astype(np.uint8)
        labels[np.arange(70), np.arange(70)] = 99
        save(photograph, folder / "img" / f"{name}.jpg")
        (folder / "inst").mkdir(exist_ok=True)
        kinds = {"Segmentation": labels, "Boundaries": np.zeros(3), "Categories": np.arange(4)}
        savemat(folder / "inst" / f"{name}.mat", {"GTinst": kinds})
    (folder / "val.txt").write_text("coin_b\ncoin_a\n")
    (folder / "train.txt").write_text("coin_c\n\n")
    (folder / "sbd_val_bad_lst.txt").write_text("coin_b 1\n")
    scores = [(0, "coin_b.jpg", np.float32(0.25)), (1, "coin_a", np.float32(0.75))]
    dump(scores, folder / "sbd_samples_weights.pkl")


def write_voc(folder: Path) -> None:
    """Coins in the colours of the palette, with a border."""
    palette = voc_colours()
    values = {}
    for name, photograph, labels in named():
        mask = labels.astype(np.uint8)
        mask[ndimage.binary_dilation(labels > 0) & (labels == 0)] = 255
        picture = Image.fromarray(mask)
        picture.putpalette(palette.tobytes())
        (folder / "SegmentationObject").mkdir(parents=True, exist_ok=True)
        picture.save(folder / "SegmentationObject" / f"{name}.png")
        save(photograph, folder / "JPEGImages" / f"{name}.jpg")
        luma = palette[1:3] @ np.array([0.299, 0.587, 0.114])
        values[name] = [round(float(value)) for value in luma]
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("coin_a\ncoin_b\n")
    (lists / "train.txt").write_text("coin_c\n")
    pairs = [(name, value) for name in ("coin_c", "coin_a") for value in values[name]]
    dump(([name for name, _ in pairs], [value for _, value in pairs]), lists / "test.pickle")


def write_coco(folder: Path, split: str = "val2017") -> None:
    """Panoptic: a coin that is a crowd, other coins things, the ground stuff."""
    annotations = []
    for number, (_, photograph, labels) in enumerate(named(), start=7):
        ids = np.where(labels > 0, 70000 + labels * 300, 5)
        packed = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=2).astype(np.uint8)
        file = f"{number:012}.png"
        save(packed, folder / "annotations" / f"panoptic_{split}" / file)
        save(photograph, folder / split / file.replace(".png", ".jpg"))
        segments = [{"id": 5, "category_id": 100, "iscrowd": 0}]
        segments += [
            {"id": 70000 + value * 300, "category_id": 1, "iscrowd": int(value == 1)}
            for value in range(1, labels.max() + 1)
        ]
        row = {"image_id": number, "file_name": file, "segments_info": segments}
        annotations.append(row)
    kinds = [{"id": 1, "isthing": 1}, {"id": 100, "isthing": 0}]
    content = {"images": [], "annotations": annotations, "categories": kinds}
    (folder / "annotations" / f"panoptic_{split}.json").write_text(json.dumps(content))


def box_polygon(mask: np.ndarray) -> list[float]:
    """The bounding box of a mask as a COCO polygon."""
    rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, cols[0], cols[-1] + 1
    return [float(x) for x in (left, top, right, top, right, bottom, left, bottom)]


def write_lvis(folder: Path, split: str = "val") -> None:
    """Boxes around coins, and one box over the first two of them."""
    images, annotations = [], []
    for number, (_, photograph, labels) in enumerate(named(), start=7):
        year = "train2017" if number == 8 else "val2017"
        file = f"{number:012}.jpg"
        save(photograph, folder / year.removesuffix("2017") / "images" / file)
        height, width = labels.shape
        address = f"http://images.cocodataset.org/{year}/{file}"
        images.append({"id": number, "height": height, "width": width, "coco_url": address})
        masks = [labels == value for value in range(1, labels.max() + 1)]
        for mask in [*masks, masks[0] | masks[1]]:
            annotation = {"image_id": number, "segmentation": [box_polygon(mask)]}
            annotations.append({"id": len(annotations), "category_id": 1, **annotation})
    (folder / split).mkdir(exist_ok=True)
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1}]}
    (folder / split / f"lvis_{split}.json").write_text(json.dumps(content))


def png(layer: np.ndarray) -> np.ndarray:
    """A layer as the bytes of a PNG, as OpenCV's imencode gives them."""
    import io

    file = io.BytesIO()
    Image.fromarray(layer.astype(np.uint8)).save(file, "PNG")
    return np.frombuffer(file.getvalue(), np.uint8)


def write_coco_lvis(folder: Path, split: str = "train") -> None:
    """Coins; the upper halves of the first two are their parts; the ground is stuff."""
    annotations = {}
    for name, photograph, labels in named():
        count = int(labels.max())
        save(photograph, folder / split / "images" / f"{name}.jpg")
        rows = np.arange(labels.shape[0])[:, None]
        parts = np.zeros_like(labels)
        hierarchy: dict[int, dict[str, object] | None] = dict.fromkeys(range(count))
        for value in (1, 2):
            mask = labels == value
            parts[mask & (rows <= np.median(np.nonzero(mask)[0]))] = value
            child = count + value - 1
            hierarchy[value - 1] = {"children": [child], "parent": None, "node_level": 0}
            hierarchy[child] = {"children": [], "parent": value - 1, "node_level": 1}
        parts[labels == 0] = 9
        places = [(0, value + 1) for value in range(count)] + [(1, 1), (1, 2), (1, 9)]
        dump(([png(labels), png(parts)], places), folder / split / "masks" / f"{name}.pickle")
        annotations[name] = {"num_instance_masks": count + 2, "hierarchy": hierarchy}
    dump(annotations, folder / split / "hannotation.pickle")


def write_open_images(folder: Path, split: str = "train") -> None:
    """Masks of several coins for each image, smaller than the image."""
    masks = {}
    for name, photograph, labels in named():
        save(photograph, folder / split / "images" / f"{name}.jpg")
        masks[name] = [f"{name}_m0{value}.png" for value in (1, 2)]
        for value, file in zip((1, 2), masks[name], strict=True):
            mask = (labels == value)[::2, ::2]
            save(mask.astype(np.uint8) * 255, folder / split / "masks" / file)
    content = {"image_id_to_masks": masks, "dataset_samples": list(masks)}
    dump(content, folder / split / f"{split}-annotations-object-segmentation_clean.pkl")


def write_ade20k(folder: Path, split: str = "train") -> None:
    """Coins and ground in blue of the first layer; a part in that of the second."""
    annotations = {}
    below = f"images/{split}ing/c/coins"
    for name, photograph, labels in named():
        save(photograph, folder / below / f"{name}.jpg")
        blue = np.where(labels > 0, labels, 20)
        part = labels == 1
        part[labels.shape[0] // 4 :] = False
        layers = []
        for file, values, stuff in (("seg", blue, [20]), ("parts_1", part * 3, [])):
            picture = np.zeros((*labels.shape, 3), np.uint8)
            picture[..., 2] = values
            picture[..., 0] = 10
            save(picture, folder / below / f"{name}_{file}.png")
            present = set(np.unique(values).tolist()) - {0}
            kinds = {value: "ground" if value in stuff else "coin" for value in present}
            layers.append(
                {
                    "mask_name": f"{name}_{file}.png",
                    "instance_to_class": kinds,
                    "object_instances": sorted(present - set(stuff)),
                    "stuff_instances": stuff,
                }
            )
        annotations[name] = {"folder": below, "layers": layers}
    dump(annotations, folder / f"{split}-annotations-object-segmentation.pkl")


WRITERS = {
    "pack": write_pack,
    "folder": write_pack,
    "images_dir": write_images_dir,
    "GrabCut": lambda folder: write_trimaps(folder, "data_GT", "boundary_GT"),
    "Berkeley": lambda folder: write_trimaps(folder, "images", "masks"),
    "DAVIS": lambda folder: write_pairs(folder, "img", "gt"),
    "COCO_MVal": lambda folder: write_pairs(folder, "img", "gt"),
    "HARD": lambda folder: write_pairs(folder, "img", "gt"),
    "SAIC_IS": lambda folder: write_numbered(folder, "imgs", "masks", ".jpg"),
    "BraTS": lambda folder: write_pairs(folder, "image", "annotation", ".png"),
    "ssTEM": write_sstem,
    "OAIZIB": lambda folder: write_numbered(folder / "test", "image", "annotations", ".png"),
    "SBD": write_sbd,
    "PascalVOC": write_voc,
    "COCO": write_coco,
    "LVIS": write_lvis,
    "COCO_LVIS": write_coco_lvis,
    "ADE20k": write_ade20k,
    "OpenImages": write_open_images,
    "Avalanche": lambda folder: write_pairs(folder, "images", "masks"),
}


def write_set(name: str, folder: Path) -> Path:
    """Make a miniature of a data set in a folder, which is made too."""
    folder.mkdir(parents=True, exist_ok=True)
    WRITERS[name](folder)
    return folder
