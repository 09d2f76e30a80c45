"""Make the pictures of the documentation from the real viewer, into ``docs/images``.

``python docs/make_pictures.py [demo] [objects] [tools] [batch] [avalanche]``; without a screen
behind ``xvfb-run -a -s "-screen 0 1400x1000x24 +extension GLX"``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("CLICKSEG_JOURNALS", tempfile.mkdtemp())  # accepted objects are not ours

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "images"
WINDOW = (1280, 900)
"""Width and height in screen pixels."""

BYTES = 400_000
"""A picture is no larger than this."""

PATIENCE = 300.0
"""Seconds after which a model that does not answer is given up."""

NUCLEI = ((66, 412), (57, 463), (136, 297), (190, 409), (260, 293), (278, 376), (327, 191))
PAIR = (((222, 180, True), (222, 208, False)), ((222, 208, True),))
DEBRIS = [(500, 440), (500, 2020), (1320, 2020), (1320, 440)]
ON_DEBRIS = ((900, 1150, True),)
TOUCHING = ((285, 187, True), (287, 163, False))

SPOON = ((238, 385), (250, 400), (290, 412), (325, 395), (338, 360), (315, 325), (275, 320))


def live(seconds: float = 0.3) -> None:
    """Let the window draw and answer."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def wait(busy: Callable[[], bool]) -> None:
    """Let the window live until work is done."""
    end = time.monotonic() + PATIENCE
    while busy():
        live(0.02)
        if time.monotonic() > end:
            raise RuntimeError("The model did not answer.")


class Window:
    """A viewer with one image and one dock.

    Parameters
    ----------
    layer : tuple
        Data, attributes and kind of the image, as sample data have them.
    make : callable
        ``make(viewer)`` gives the dock.
    name : str
        Title of the dock.
    """

    def __init__(self, layer: tuple[Any, dict[str, Any], str], make: Any, name: str) -> None:
        import napari

        self.viewer = napari.Viewer(title="napari-clickseg")
        self.image = self.viewer.add_image(layer[0], **layer[1])
        self.dock = make(self.viewer)
        self.viewer.window.add_dock_widget(self.dock, name=name, area="right")
        self.viewer.window.resize(*WINDOW)
        live()
        self.viewer.reset_view()

    def settle(self) -> None:
        """Wait until the dock has answered."""
        controller = getattr(self.dock, "controller", None)
        wait(lambda: self.dock.runner.busy or getattr(controller, "busy", None) is not None)
        if getattr(controller, "error", None) is not None:
            raise RuntimeError(controller.error)

    def start(self) -> None:
        """Start clicking."""
        self.dock.start()
        self.settle()

    def click(self, clicks: Iterable[tuple[float, float, bool]]) -> None:
        """Click at rows and columns, on the object or beside it."""
        for click in clicks:
            self.dock.click(*click)
            self.settle()

    def accept(self) -> None:
        """Accept the object."""
        self.dock.accept()
        self.settle()

    def draw(self, tool: str, places: np.ndarray | list[tuple[float, float]]) -> None:
        """Draw with a tool, as the mouse does."""
        self.dock.tools.choose(tool)
        shapes = self.dock.clicking.layers.shapes
        kind = {"stroke": "path", "contour": "polygon", "box": "rectangle"}[tool]
        shapes.add(np.asarray(places, float), shape_type=kind)
        live()
        self.settle()

    def scroll(self, part: float) -> None:
        """Scroll the dock."""
        bar = self.dock._column.verticalScrollBar()
        bar.setValue(round(part * bar.maximum()))

    def save(self, name: str) -> None:
        """Write the picture of the window and close it."""
        live(1.0)
        picture = Image.fromarray(self.viewer.screenshot(canvas_only=False, flash=False)[..., :3])
        picture = picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2)
        path = FOLDER / f"{name}.png"
        picture.save(path, optimize=True)
        size = path.stat().st_size
        print(f"{path}: {picture.width} x {picture.height}, {size // 1000} kB")
        if size > BYTES:
            raise RuntimeError(f"{path} is larger than {BYTES // 1000} kB.")
        self.dock.shut_down()
        self.viewer.close()


def demo() -> None:
    """A photograph, three clicks and the mask they give."""
    from napari_clickseg.widgets.demo import CLICKS
    from napari_clickseg.widgets.dock.click_dock import ClickDock
    from napari_clickseg.widgets.samples import sample_astronaut

    window = Window(sample_astronaut()[0], ClickDock, "Click segmentation")
    window.start()
    window.click((click.row, click.col, click.positive) for click in CLICKS)
    window.save("demo")


def objects() -> None:
    """Nuclei, accepted and named, and one in work."""
    from napari_clickseg.widgets.dock.click_dock import ClickDock
    from napari_clickseg.widgets.samples import sample_cells

    window = Window(sample_cells()[0], ClickDock, "Click segmentation")
    window.start()
    groups = ("nucleus", [((row, col, True),) for row, col in NUCLEI]), ("dividing", PAIR)
    for name, group in groups:
        window.dock.objects.next_class.setCurrentText(name)
        for clicks in group:
            window.click(clicks)
            window.accept()
    window.dock.objects.next_class.setCurrentText("nucleus")
    window.click(TOUCHING)
    window.scroll(1.0)
    window.save("objects")


def tools() -> None:
    """A stroke, a contour and a box."""
    from napari_clickseg.widgets.dock.click_dock import ClickDock
    from napari_clickseg.widgets.samples import sample_coffee

    window = Window(sample_coffee()[0], ClickDock, "Click segmentation")
    window.start()
    window.draw("box", [(8, 60), (8, 490), (398, 490), (398, 60)])
    window.draw("stroke", [(230, 110), (310, 160), (360, 240), (370, 320), (320, 410), (240, 450)])
    window.draw("stroke", [(60, 200), (110, 230), (160, 300), (110, 390)])
    window.dock.clicking.set_positive(False)
    window.draw("contour", SPOON)
    window.save("tools")


def batch() -> None:
    """Coarse masks of coins, refined."""
    from scipy import ndimage
    from skimage import data
    from skimage.segmentation import clear_border

    from napari_clickseg.widgets.batch.dock import BatchDock

    coins = data.coins()
    small = ndimage.uniform_filter(coins.astype(float), 8)[4::8, 4::8]
    coarse = clear_border(ndimage.label(ndimage.binary_fill_holes(small > 112))[0])
    labels = np.kron(coarse, np.ones((8, 8), np.uint8)).astype(np.uint8)
    labels = np.pad(labels, ((0, 8), (0, 8)))[: coins.shape[0], : coins.shape[1]]
    window = Window((coins, {"name": "coins"}, "image"), BatchDock, "Batch refine")
    before = window.viewer.add_labels(labels, name="coarse")
    window.dock.start()
    window.settle()
    before.contour = 2
    window.viewer.layers[-1].contour = 2
    before.opacity = 0.5
    window.viewer.layers[-1].opacity = 1
    window.save("batch")


def avalanche() -> None:
    """A folder of photographs of a slope, the first one with its mask, the second one in work.

    The photograph is that of a ski tour from github.com/fiskrt/avalanche-segmentation (MIT
    licence), in the folder that CLICKSEG_DATA names.
    """
    from napari_clickseg.widgets.dock.click_dock import ClickDock

    source = Path(os.environ["CLICKSEG_DATA"]) / "large" / "images" / "snow_slope_fiskrt.jpg"
    slope = np.asarray(Image.open(source))[1000:2600]
    folder = Path(tempfile.mkdtemp()) / "webcam"
    folder.mkdir()
    for number, hour in enumerate(("08", "09", "10", "11")):
        darker = (slope * (1 - 0.06 * number)).astype(np.uint8)
        Image.fromarray(darker).save(folder / f"slope_2026-02-14_{hour}00.jpg", quality=92)
    window = Window((slope, {"name": "slope"}, "image"), ClickDock, "Click segmentation")
    window.viewer.layers.clear()
    window.dock.folder.open(folder)
    for last in (False, True):
        wait(lambda: window.dock.folder.busy)
        window.settle()
        window.viewer.reset_view()
        window.draw("box", DEBRIS)
        window.click(ON_DEBRIS)
        if not last:
            window.accept()
            window.dock.folder.step(1)
    window.save("avalanche")


PICTURES = {each.__name__: each for each in (demo, objects, tools, batch, avalanche)}


def main(names: list[str]) -> int:
    """Make the pictures of these names; all without any."""
    unknown = set(names) - set(PICTURES)
    if unknown:
        print(f"There are no pictures {unknown}, only {', '.join(PICTURES)}.", file=sys.stderr)
        return 2
    for name in names or PICTURES:
        PICTURES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
