"""Memory of the real viewer while an object is clicked in mosaics of 1 to 400 megapixels.

A fresh process per size opens napari with a lazy mosaic, clicks one shape, the same in all, with
some 1000 pixels of the image in view, waits until its boundary is at full resolution, and accepts
it. Prints resident memory above that of the same viewer with the model loaded and no image, after
the click and after accepting, and the time of the click with a second of waiting. The objects layer
is a Labels layer of the image's size: its pages take memory where they are written only.

    xvfb-run -a python benchmarks/viewer_memory.py [--megapixels 1 100 400]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import psutil

from napari_clickseg.commands.cli import Parser, run
from napari_clickseg.evaluation.machine import describe, machine_facts

MEGABYTE = 2**20
SHAPE, IN_VIEW = (156, 368), 1000  # a shape of the mosaic's first tile; image pixels in view


def measure(megapixels: int) -> list[float]:
    """Megabytes after the click and after accepting, and the seconds of the click."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_clickseg.widgets import samples
    from napari_clickseg.widgets.dock.click_dock import ClickDock

    viewer = napari.Viewer(show=True)
    dock = ClickDock(viewer)
    viewer.window.add_dock_widget(dock, name="Click segmentation")

    def wait() -> None:
        end = time.perf_counter() + 1
        while time.perf_counter() < end or dock.controller.busy is not None or dock.runner.busy:
            QApplication.processEvents()
            time.sleep(0.002)

    warm = viewer.add_image(samples.photograph("coffee"), name="warm")
    dock.source.choose_image(warm)
    dock.start()
    dock.click(200, 300)
    wait()
    dock.stop()
    viewer.layers.clear()
    wait()
    process = psutil.Process()
    empty = process.memory_info().rss
    side = round((megapixels * 1e6) ** 0.5)
    levels = [samples.mosaic(side, step) for step in (1, 4, 16, 64)]
    image = viewer.add_image(levels, rgb=True, multiscale=True, name="mosaic")
    dock.source.choose_image(image)
    wait()
    viewer.camera.center = SHAPE
    viewer.camera.zoom = 600 / IN_VIEW
    wait()
    dock.start()
    start = time.perf_counter()
    dock.click(*SHAPE)
    wait()
    seconds = time.perf_counter() - start
    clicked = process.memory_info().rss
    dock.accept()
    wait()
    accepted = process.memory_info().rss
    dock.shut_down()
    viewer.close()
    return [(clicked - empty) / MEGABYTE, (accepted - empty) / MEGABYTE, seconds]


def benchmark(argv: list[str]) -> None:
    """Measure and print."""
    parser = Parser("viewer_memory.py", "Memory of the viewer while clicking in large images.")
    parser.add_argument("--megapixels", type=int, nargs="+", default=[1, 100, 400])
    parser.add_argument("--one", type=int, help="measure this size in this process")
    options = parser.parse_args(argv)
    if options.one is not None:
        print(*measure(options.one))
        return
    print(f"on {describe(machine_facts())}")
    print(f"{'megapixels':>10}{'clicked MB':>12}{'accepted MB':>13}{'seconds':>9}")
    with tempfile.TemporaryDirectory() as folder:
        known = {**os.environ, "CLICKSEG_JOURNALS": folder}
        for size in options.megapixels:
            command = [sys.executable, __file__, "--one", str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=known)
            clicked, accepted, seconds = map(float, done.stdout.split()[-3:])
            print(f"{size:>10}{clicked:>12.0f}{accepted:>13.0f}{seconds:>9.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(run("viewer_memory.py", benchmark))
