"""``clickseg-demo``: napari with a real photograph, the dock open and three clicks placed."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..commands.cli import Parser, UsageError, run
from ..data.readers import as_reader, read_image
from ..geometry import Box
from ..interactions import Click
from . import messages
from .samples import photograph

if TYPE_CHECKING:
    import napari

    from .dock.click_dock import ClickDock

__all__ = ["main"]

PROG = "clickseg-demo"
PHOTOGRAPH = "astronaut"
CLICKS = (Click(300, 150), Click(110, 220), Click(450, 430, positive=False))
"""Suit, face, helmet."""

WINDOW = (1280, 840)
"""Width and height in screen pixels."""

VIRTUAL_SCREEN = ("xvfb-run", "-a", "-s", "-screen 0 1400x1000x24 +extension GLX")
"""A command that runs another one with a screen that nobody sees."""

ANSWER = 60.0
"""Seconds after which a display that does not answer counts as none."""

PATIENCE = 300.0
"""Seconds after which a model that does not answer is given up."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code: 0, 2 for bad input, 1 for a failure."""
    return run(PROG, _demo, argv)


def _parser() -> Parser:
    parser = Parser(PROG, "Open napari with the click dock on a photograph, clicks placed.")
    parser.add_argument(
        "--image", metavar="PATH", help="PNG, JPEG, TIFF or .npy instead of the photograph"
    )
    parser.add_argument(
        "--click",
        metavar="R,C+",
        nargs="+",
        default=None,
        help="clicks as row,column and the sign: 120,200+ on the object, 10,30- on background",
    )
    parser.add_argument(
        "--headless",
        metavar="OUT.png",
        help="save a screenshot of the window, print the time per click and leave; without a "
        "display on a virtual one (Linux, with xvfb)",
    )
    return parser


def _demo(argv: list[str]) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.image is None:
        name, image = PHOTOGRAPH, photograph(PHOTOGRAPH)
        clicks = CLICKS
    else:
        name, image = Path(arguments.image).stem, read_image(arguments.image)
        clicks = ()
    shape = as_reader(image).shape
    if arguments.click is not None:
        clicks = tuple(_click(text) for text in arguments.click)
    for click in clicks:
        if not Box.of_shape(shape).contains(click.row, click.col):
            raise UsageError(
                f"The click {click.row:g},{click.col:g} is outside the image of {shape[0]} x "
                f"{shape[1]} pixels. Give row,column inside it."
            )
    if arguments.headless is not None:
        _check_target(Path(arguments.headless))
        if not _has_screen() and shutil.which(VIRTUAL_SCREEN[0]):
            return _on_virtual_screen(argv)
    _check_display()
    return _show(name, image, clicks, arguments.headless)


def _click(text: str) -> Click:
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*([+-])\s*", text)
    if found is None:
        raise UsageError(
            f"'{text}' is not a click. Write row,column and a sign, such as 120,200+ or 10,30-."
        )
    return Click(float(found[1]), float(found[2]), found[3] == "+")


def _check_target(path: Path) -> None:
    if path.suffix.lower() != ".png":
        raise UsageError(f"The screenshot '{path}' must end in .png. Give another name.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder '{path.parent}'. Make it or choose another one.")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"The folder '{path.parent}' cannot be written to. Choose another one.")


def _check_display() -> None:
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform.split(":")[0] in ("offscreen", "minimal"):
        raise UsageError(
            f"QT_QPA_PLATFORM={platform} cannot draw the image canvas. {messages.NO_DISPLAY}"
        )
    if not _has_screen() or (sys.platform == "linux" and not _screen_answers()):
        raise UsageError(messages.NO_DISPLAY)


def _has_screen() -> bool:
    """Whether a screen is named; only Linux knows machines without one."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform != "linux" or bool(named)


def _on_virtual_screen(argv: Sequence[str]) -> int:
    """Run the same command once more with a screen that nobody sees; returns its exit code."""
    again = f"import sys; from {__name__} import main; sys.exit(main())"
    command = [*VIRTUAL_SCREEN, sys.executable, "-c", again, *argv]
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb"}
    return subprocess.run(command, env=environment, check=False).returncode


def _screen_answers() -> bool:
    """Whether Qt can start here, tried in another process because Qt aborts where it cannot."""
    import qtpy.QtGui  # noqa: F401  (without a Qt binding this says so)

    command = [sys.executable, "-c", "from qtpy.QtGui import QGuiApplication; QGuiApplication([])"]
    try:
        return not subprocess.run(command, capture_output=True, timeout=ANSWER).returncode
    except subprocess.TimeoutExpired:
        return False


def _show(name: str, image: np.ndarray, clicks: Sequence[Click], target: str | None) -> int:
    import napari

    from .dock.click_dock import ClickDock

    viewer = napari.Viewer(title="napari-clickseg")
    layer = viewer.add_image(image, name=name, rgb=image.ndim == 3)
    dock = ClickDock(viewer)
    dock.autosave.on &= target is None  # nobody's work: the next demo would offer to recover it
    viewer.window.add_dock_widget(dock, name="Click segmentation", area="right")
    dock.source.choose_image(layer)
    viewer.window.resize(*WINDOW)
    _let_live(10)
    viewer.reset_view()
    try:
        seconds = _place(dock, clicks)
        if target is None:
            napari.run()
            return 0
        _report(clicks, seconds)
        _save(viewer, Path(target))
    finally:
        dock.shut_down()
        if target is not None:
            viewer.close()
    return 0


def _place(dock: ClickDock, clicks: Sequence[Click]) -> list[float]:
    """Start clicking and place clicks one after the other; seconds that each took in all."""
    dock.start()
    _wait(dock)
    seconds = []
    for click in clicks:
        start = time.perf_counter()
        dock.click(click.row, click.col, click.positive)
        _wait(dock)
        seconds.append(time.perf_counter() - start)
    return seconds


def _wait(dock: ClickDock) -> None:
    """Let the window live until the worker has answered."""
    end = time.monotonic() + PATIENCE
    while dock.controller.busy is not None or dock.runner.busy:
        _let_live(1)
        time.sleep(0.001)
        if time.monotonic() > end:
            raise RuntimeError(f"The model did not answer within {PATIENCE:.0f} seconds.")
    if dock.controller.error is not None:
        raise RuntimeError(dock.controller.error)
    if not dock.clicking.active:
        raise RuntimeError(dock.status.text() or dock.hint.text())


def _let_live(rounds: int) -> None:
    """Let the window draw and answer."""
    from qtpy.QtWidgets import QApplication

    for _ in range(rounds):
        QApplication.processEvents()


def _report(clicks: Sequence[Click], seconds: Sequence[float]) -> None:
    for number, (click, taken) in enumerate(zip(clicks, seconds, strict=True), start=1):
        sign = "+" if click.positive else "-"
        print(f"click {number} at {click.row:g},{click.col:g}{sign}: {taken * 1000:.0f} ms")
    if seconds:
        print(
            f"time per click, median of {len(seconds)}: {statistics.median(seconds) * 1000:.0f} ms"
        )


def _save(viewer: napari.Viewer, path: Path) -> None:
    from PIL import Image

    _let_live(10)
    picture = viewer.screenshot(canvas_only=False, flash=False)
    Image.fromarray(np.asarray(picture)[..., :3]).save(path)
    print(f"saved {path}")


if __name__ == "__main__":
    sys.exit(main())
