"""Time of one click at 480 x 640: reading, view, network, paste and mask included.

Prints one table: the first click on an image and the later ones, beside the bare time of the very
network calls that those clicks made, measured in the same run. Run it on an idle machine:

    python benchmarks/click_latency.py [--model NAME] [--device cpu] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from skimage import data
from skimage.color import gray2rgb
from skimage.transform import resize

from napari_clickseg.commands.cli import Parser, run
from napari_clickseg.engine.segmenter import Segmenter
from napari_clickseg.evaluation.machine import describe, machine_facts
from napari_clickseg.models.base import ClickModel
from napari_clickseg.models.zoo import DEFAULT, list_models, load_model

SHAPE = (480, 640)
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "immunohistochemistry", "rocket")
# Row and column as parts of the image, and the sign: near the middle, then around it.
CLICKS = (
    (0.50, 0.50, True),
    (0.35, 0.45, True),
    (0.10, 0.10, False),
    (0.62, 0.58, True),
    (0.90, 0.80, False),
    (0.45, 0.66, True),
)
Call = Callable[[], Any]


def photograph(name: str) -> np.ndarray:
    """One of scikit-image's own photographs as (480, 640, 3) uint8."""
    image = getattr(data, name)()
    image = gray2rgb(image) if image.ndim == 2 else image[..., :3]
    return np.round(resize(image, SHAPE, anti_aliasing=True) * 255).astype(np.uint8)


@contextmanager
def recorded_calls(model: ClickModel) -> Iterator[list[Call]]:
    """The network calls made inside, ready to be made again with the same tensors."""
    calls: list[Call] = []

    def recording(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            mixed = torch.is_autocast_enabled(model.device.type)
            dtype = torch.get_autocast_dtype(model.device.type)

            def again() -> None:
                with torch.inference_mode(), torch.autocast(model.device.type, dtype, mixed):
                    method(*args)

            calls.append(again)
            return method(*args)

        return call

    originals = {name: getattr(model, name) for name in ("before", "after")}
    for name, method in originals.items():
        setattr(model, name, recording(method))
    try:
        yield calls
    finally:
        for name in originals:
            delattr(model, name)


def finished(device: torch.device) -> float:
    """The time, once the device has nothing left to do."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()


def measure(
    segmenter: Segmenter, model: ClickModel, image: np.ndarray
) -> list[tuple[float, float]]:
    """Seconds of each click on a fresh image, whole and of its network calls alone.

    A click ends with the whole mask as an array. Its network calls are made again right after it,
    so that both times were taken under the same load.
    """
    segmenter.set_image(image)
    times = []
    for row, col, positive in CLICKS:
        with recorded_calls(model) as calls:
            start = finished(model.device)
            segmenter.click(round(row * SHAPE[0]), round(col * SHAPE[1]), positive=positive)
            np.asarray(segmenter.mask)
            click = finished(model.device) - start
        start = finished(model.device)
        for call in calls:
            call()
        times.append((click, finished(model.device) - start))
    return times


def row(name: str, pairs: list[tuple[float, float]]) -> str:
    """One line of the table, times in milliseconds."""
    clicks = [1e3 * click for click, _ in pairs]
    network = statistics.median(1e3 * bare for _, bare in pairs)
    median, worst = statistics.median(clicks), float(np.quantile(clicks, 0.95))
    ratio = f"{median / network:.2f}" if network > 0 else "-"
    return f"{name:<13}{len(pairs):>7}{median:>12.1f}{worst:>12.1f}{network:>13.1f}{ratio:>8}"


def chosen_model(name: str, device: str) -> ClickModel:
    """The model asked for; without the default one's weights, its network with random weights."""
    if name == DEFAULT and DEFAULT not in {card.name for card in list_models()}:
        from napari_clickseg.models.compact import CompactModel
        from napari_clickseg.models.device import choose_device
        from napari_clickseg.models.inference import for_inference

        print(f"{DEFAULT} is not in this installation: timing its network with random weights.")
        torch.manual_seed(0)
        return for_inference(CompactModel().eval()).to(choose_device(device))
    return load_model(name, device=device)


def benchmark(argv: list[str]) -> None:
    """Measure and print."""
    parser = Parser("click_latency.py", "Median time of one click at 480 x 640.")
    parser.add_argument("--model", default=DEFAULT, help="name or file (%(default)s)")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda:0 or mps (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="sessions per image (%(default)s)")
    parser.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        help="compute in bfloat16 or not; else as the model's profile says",
    )
    args = parser.parse_args(argv)
    if args.rounds < 1:
        raise ValueError(f"{args.rounds} rounds measure nothing. Give 1 or more.")
    model = chosen_model(args.model, args.device)
    options = {} if args.bfloat16 is None else {"bfloat16": args.bfloat16}
    segmenter = Segmenter(model, **options)
    images = [photograph(name) for name in PHOTOGRAPHS]
    measure(segmenter, model, images[0])  # threads, kernels and caches are warm from here on
    first: list[tuple[float, float]] = []
    later: list[tuple[float, float]] = []
    for _ in range(args.rounds):
        for image in images:
            times = measure(segmenter, model, image)
            first.append(times[0])
            later += times[1:]
    print(f"{args.model}, {len(images)} photographs of {SHAPE[0]} x {SHAPE[1]}")
    print(f"on {describe(machine_facts(str(model.device)))}")
    print(f"{'':<13}{'clicks':>7}{'median ms':>12}{'95 % ms':>12}{'network ms':>13}{'ratio':>8}")
    print(row("first click", first))
    print(row("later clicks", later))
    print(row("all", first + later))


if __name__ == "__main__":
    sys.exit(run("click_latency.py", benchmark))
