"""Random use of the dock in a real viewer: 2000 actions, and what they leave behind.

Clicks, strokes, undo, layers deleted, slices and images changed, docks closed while the model runs.
Run with a display, or under xvfb-run:

    python benchmarks/random_use.py [--actions 2000] [--seed 0]

Objects stay when their image goes, so their layers add up; napari takes some 10 MB for each of any
size. What is gained in the end is told with and without them.
A seed that fails names the last actions; the same seed does the same again.
"""

from __future__ import annotations

import argparse
import collections
import ctypes
import gc
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def main() -> int:
    """Run and print one table; the exit status is 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLICKSEG_JOURNALS"] = folder
        return _use(options.actions, options.seed)


def _use(actions: int, seed: int) -> int:
    import napari
    import numpy as np
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication
    from widgets.disks import DiskModel
    from widgets.leaks import callbacks
    from widgets.random_use import RandomUser

    from napari_clickseg.engine.session import Session
    from napari_clickseg.widgets.dock.click_dock import ClickDock
    from napari_clickseg.widgets.samples import photograph
    from napari_clickseg.widgets.work.controller import Controller
    from napari_clickseg.widgets.work.worker import Runner

    class Slower(DiskModel):
        """Takes up to 30 ms, so that things happen while it runs."""

        random = np.random.default_rng(seed)

        def after(self, *args):
            time.sleep(float(self.random.uniform(0, 0.03)))
            return super().after(*args)

    raised: list[BaseException] = []
    sys.excepthook = lambda kind, error, trace: raised.append(error.with_traceback(trace))
    threading.excepthook = lambda args: raised.append(args.exc_value)
    viewer = napari.Viewer(show=False)
    model = Slower()
    small = np.ascontiguousarray(photograph("cat")[::3, ::3][:100, :110])
    images = [small, small[..., 0], np.moveaxis(small, -1, 0).copy()]
    user = RandomUser(
        viewer, lambda: ClickDock(viewer, load=lambda name, device: model), images, seed
    )
    threads = threading.active_count()
    gc.collect()
    _give_back()
    before, begun = _megabytes(), time.perf_counter()
    for number in range(actions):
        try:
            user.step()
        except Exception as error:
            raised.append(error)
        if raised:
            import traceback

            print(f"seed {seed}, action {number}: {', '.join(user.done[-6:])}", file=sys.stderr)
            traceback.print_exception(raised[0])
            break
        if number % 100 == 99:
            gc.collect()
    user.finish()
    taken = time.perf_counter() - begun
    left = callbacks(viewer)
    _give_back()
    layers, with_layers = len(viewer.layers), _megabytes() - before
    user.dock = None
    viewer.layers.clear()
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    _give_back()
    kinds = (ClickDock, Controller, Runner, Session)
    alive = [thing for thing in gc.get_objects() if issubclass(type(thing), kinds)]
    counts = collections.Counter(user.done)
    rows = {
        "actions": len(user.done),
        "kinds of actions": len(counts),
        "seconds": f"{taken:.0f}",
        "checks while clicking": user.worked,
        "exceptions": len(raised),
        "callbacks left": len(left),
        "docks and sessions left": len(alive),
        "threads more than before": max(0, threading.active_count() - threads),
        "layers at the end": layers,
        "memory gained with them, MB": f"{with_layers:.0f}",
        "without them, MB": f"{_megabytes() - before:.0f}",
    }
    for name, value in rows.items():
        print(f"{name:28s} {value}")
    viewer.close()
    return 1 if raised or left or alive else 0


def _give_back() -> None:
    """Let the C library give the memory back that nothing uses (glibc holds back much of it)."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _megabytes() -> float:
    """Memory of this process now (Linux), or at most so far."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    sys.exit(main())
