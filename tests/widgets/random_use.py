"""Someone who does everything at random in a viewer with a dock, and what must hold then."""

from __future__ import annotations

import time
from contextlib import contextmanager

import numpy as np
from napari.utils.notifications import NotificationSeverity, notification_manager
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication
from widgets.leaks import callbacks

from napari_clickseg.interactions import BoxPrompt, Contour, Stroke
from napari_clickseg.widgets.layers.own import bare
from napari_clickseg.widgets.objects.masks import POLICIES
from napari_clickseg.widgets.work.tools import TOOLS

OWN = ("positive", "negative", "preview", "objects", "shapes")


@contextmanager
def refused():
    """What is done here may be refused, with a sentence."""
    try:
        yield
    except ValueError as error:
        assert str(error).endswith("."), error


class RandomUser:
    """Clicks, draws, paints, accepts, undoes, deletes layers, moves on and closes docks.

    Half of the time nothing is waited for, so that all this happens while the model runs.

    Parameters
    ----------
    viewer : napari Viewer
    make_dock : callable
        ``make_dock() -> ClickDock``, in the viewer.
    images : sequence of arrays
        Opened and closed at random.
    seed : int
    """

    def __init__(self, viewer, make_dock, images, seed):
        self.viewer, self._make_dock, self.images = viewer, make_dock, images
        self.rng = np.random.default_rng(seed)
        self.done = []
        self.layers = self.worked = 0
        self._known = len(notification_manager.records)
        self.open_image()
        self.mine = viewer.add_points([(1, 2)], name="mine")
        self.dock = make_dock()
        self.dock.leaving.ask = lambda: self.rng.choice(["accept", "keep", "discard", None])
        self.actions = {
            self.click: 10,
            self.draw: 3,
            self.paint: 2,
            self.move_point: 1,
            self.delete_point: 1,
            self.accept: 6,
            self.undo: 5,
            self.redo: 4,
            self.open_again: 3,
            self.give_back: 1,
            self.delete: 1,
            self.merge: 1,
            self.name: 1,
            self.reset: 1,
            self.cancel: 2,
            self.run: 1,
            self.auto_run: 1,
            self.threshold: 1,
            self.tool: 2,
            self.next_slice: 1,
            self.move_slider: 3,
            self.roll_axes: 1,
            self.show_3d: 1,
            self.toggle: 2,
            self.remove_layer: 2,
            self.remove_image: 1,
            self.swap_image: 2,
            self.other_pixels: 1,
            self.rename: 1,
            self.close_dock: 1,
        }
        weights = np.array(list(self.actions.values()), float)
        self._weights = weights / weights.sum()

    # ------------------------------------------------------------------ one step
    def step(self):
        """Do something; returns its name."""
        action = list(self.actions)[self.rng.choice(len(self.actions), p=self._weights)]
        self.done.append(action.__name__)
        action()
        QApplication.processEvents()
        if not self.dock.clicking.active and self.rng.random() < 0.3:
            self.dock.start()
        if self.rng.random() < 0.5:
            self.check()
        return action.__name__

    def settle(self, seconds=20.0):
        """Wait until the model has nothing to do."""
        end = time.monotonic() + seconds
        while self.dock.controller.busy is not None or self.dock.runner.busy:
            assert time.monotonic() < end, f"still busy after {self.done[-5:]}"
            QApplication.processEvents()
            time.sleep(0.001)

    def check(self):
        """What is shown is what is known, and the user's own layer is as it was."""
        self.settle()
        dock, clicking = self.dock, self.dock.clicking
        assert dock.controller.error is None, dock.controller.error
        errors = [
            note.message
            for note in notification_manager.records[self._known :]
            if note.severity == NotificationSeverity.ERROR
        ]
        assert all(text.endswith(".") for text in errors), errors  # sentences of ours
        assert np.array_equal(self.mine.data, [(1, 2)])
        if not clicking.active:
            return
        self.worked += 1
        layers = clicking.layers
        assert all(layer in self.viewer.layers for layer in layers.own)
        shown = [len(layer.data) for layer in layers.points]
        planes = dock.controller.planes.values()
        signs = [item.positive for items in planes for item in items if item.kind == "click"]
        if len(shown) == 2:
            assert shown == [sum(signs), len(signs) - sum(signs)]
        if layers.objects is None:
            return
        data = np.asarray(layers.objects.data)
        opened = {item.key for item in clicking.objects.all_opened}
        for (label, plane), item in clicking.objects.items.items():
            here = data[tuple(slice(None) if s is None else s for s in plane.steps)]
            assert (item.label, item.plane) == (label, plane)
            if (label, plane) not in opened:
                assert item.area == int((here == label).sum()), (label, self.done[-3:])

    def finish(self):
        """Close the dock; nothing of it may be left but accepted objects."""
        self.close(wait=False)
        assert QThreadPool.globalInstance().waitForDone(20_000)
        QApplication.processEvents()
        assert callbacks(self.viewer) == []

    # ------------------------------------------------------------------ what can be done
    def place(self):
        """A row and column, sometimes outside the image."""
        return self.rng.integers(-5, 120), self.rng.integers(-5, 120)

    def one(self, things):
        things = list(things)
        return things[self.rng.integers(len(things))] if things else None

    def open_image(self):
        number = int(self.rng.integers(len(self.images)))
        self.layers += 1
        self.viewer.add_image(self.images[number], name=f"image {self.layers}")

    @property
    def open_images(self):
        return [bare(layer) for layer in self.viewer.layers if layer.name.startswith("image")]

    def click(self):
        with refused():
            self.dock.click(*self.place(), bool(self.rng.random() < 0.8))

    def draw(self):
        clicking, plane = self.dock.clicking, self.dock.controller.plane
        if not clicking.active or clicking.pause or plane is None:
            return
        corner = self.rng.integers(0, 60, 2)
        points = [tuple(corner + self.rng.integers(0, 40, 2) + [20 * i, 5 * i]) for i in range(4)]
        kind = self.rng.integers(3)
        with refused():
            if kind == 2:
                from napari_clickseg.geometry import Box

                top, left = (int(v) for v in corner)
                item = BoxPrompt(Box(top, left, top + 40, left + 50))
            else:
                item = (Stroke, Contour)[kind](points, bool(self.rng.random() < 0.8))
            clicking._place(plane, item)

    def paint(self):
        layer = self.dock.clicking.layers.preview
        if layer is None or self.viewer.dims.ndisplay != 2:
            return
        row, col = self.rng.integers(0, 60, 2)
        axes = [np.array([step]) for step in self.viewer.dims.current_step[-layer.ndim :]]
        rows, cols = self.viewer.dims.displayed[-2:]
        offset = self.viewer.dims.ndim - layer.ndim
        for axis, first in ((rows - offset, row), (cols - offset, col)):
            if axis < 0 or axis >= layer.ndim:
                return
            side = layer.data.shape[axis]
            axes[axis] = np.arange(first, first + 5).clip(0, side - 1)
        grid = np.meshgrid(*axes, indexing="ij")
        inside = all((g < n).all() for g, n in zip(grid, layer.data.shape, strict=True))
        if inside:
            layer.data_setitem(tuple(g.ravel() for g in grid), int(self.rng.integers(2)))

    def move_point(self):
        layer = self.one(self.dock.clicking.layers.points)
        if layer is not None and len(layer.data):
            data = np.array(layer.data)
            data[self.rng.integers(len(data)), -2:] += self.rng.integers(-9, 9, 2)
            layer.data = data

    def delete_point(self):
        layer = self.one(self.dock.clicking.layers.points)
        if layer is not None and len(layer.data):
            layer.selected_data = {int(self.rng.integers(len(layer.data)))}
            layer.remove_selected()

    def accept(self):
        self.dock.controls.policy.setCurrentIndex(int(self.rng.integers(len(POLICIES))))
        self.dock.actions.accept(part=bool(self.rng.random() < 0.2))

    def undo(self):
        self.dock.undo()

    def redo(self):
        self.dock.redo()

    def open_again(self):
        key = self.one(self.dock.clicking.objects.items)
        if key is not None:
            self.dock.actions.open_again(key)

    def give_back(self):
        self.dock.actions.give_back()

    def delete(self):
        key = self.one(self.dock.clicking.objects.items)
        if key is not None and self.dock.clicking.image is not None:
            self.dock.objects.table.select((key,))
            self.dock.objects.delete.click()

    def merge(self):
        keys = list(self.dock.clicking.objects.items)
        if len(keys) > 1 and self.dock.clicking.image is not None:
            self.rng.shuffle(keys)
            self.dock.objects.table.select(tuple(map(tuple, keys[:2])))
            self.dock.objects.merge.click()

    def name(self):
        key = self.one(self.dock.clicking.objects.items)
        if key is not None:
            self.dock.clicking.objects.set_class((key,), str(self.rng.integers(3)))

    def reset(self):
        self.dock.controller.reset()

    def cancel(self):
        self.dock.cancel()

    def run(self):
        self.dock.tools.run()

    def auto_run(self):
        self.dock.tools.panel.auto_run.toggle()

    def threshold(self):
        self.dock.controls.threshold.setValue(float(self.rng.uniform(0.1, 0.9)))

    def tool(self):
        self.dock.tools.choose(self.one(tool.name for tool in TOOLS))

    def next_slice(self):
        self.dock.starting.next_slice()

    def move_slider(self):
        if self.viewer.dims.ndim > 2:
            self.viewer.dims.set_current_step(0, int(self.rng.integers(3)))

    def roll_axes(self):
        if self.rng.random() < 0.5:
            self.viewer.dims.transpose()
        else:
            self.viewer.dims.roll()

    def show_3d(self):
        self.viewer.dims.ndisplay = 2 if self.viewer.dims.ndisplay == 3 else 3

    def toggle(self):
        self.dock.toggle()

    def remove_layer(self):
        layer = getattr(self.dock.clicking.layers, self.one(OWN))
        if layer is not None:
            self.viewer.layers.remove(layer)

    def remove_image(self):
        image = self.one(self.open_images)
        self.viewer.layers.remove(image)
        if not self.open_images:
            self.open_image()

    def swap_image(self):
        self.dock.stop()
        if len(self.open_images) < 3:
            self.open_image()
        self.dock.source.choose_image(self.one(self.open_images))
        self.dock.start()

    def other_pixels(self):
        image = self.one(self.open_images)
        image.data = image.data[..., ::-1].copy() if image.rgb is False else image.data.copy()

    def rename(self):
        own = self.one(self.dock.clicking.layers.own)
        if own is not None:
            own.name = f"renamed {self.rng.integers(9)}"

    def close_dock(self):
        self.close(wait=bool(self.rng.random() < 0.5))
        self.dock = self._make_dock()
        self.dock.leaving.ask = lambda: self.rng.choice(["accept", "keep", "discard", None])
        self.dock.start()

    def close(self, wait):
        if wait:
            self.settle()
        self.dock.shut_down()
        self.dock.deleteLater()
        assert not callbacks(self.viewer), self.done[-5:]
