"""Models whose masks are known, and clicks of the mouse."""

import threading

import numpy as np
import torch

from napari_clickseg.models.base import ClickModel, ModelSpec, Split


class DiskModel(ClickModel):
    """Object: nearer to a positive click than to a negative one, and within 30 view pixels of it.

    The brightness of the image and the previous mask shift the border, so that a wrong image, a
    wrong contrast or a wrong order of clicks shows in the mask.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spec = ModelSpec("disks", "clickseg", takes_prev_mask=True)
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.calls = 0

    @property
    def splits(self):
        return {
            "image": Split("image", frozenset({"image"})),
            "maps": Split("maps", frozenset({"maps"})),
        }

    def encode(self, interactions, shape, offset=0):
        rows, cols = torch.meshgrid(
            torch.arange(shape[0]).float(), torch.arange(shape[1]).float(), indexing="ij"
        )
        maps = torch.full((1, 2, *shape), 1e4)
        for item in interactions:
            (row, col), sign = item.points[0], 0 if item.positive else 1
            distance = torch.hypot(rows - row, cols - col)
            maps[0, sign] = torch.minimum(maps[0, sign], distance)
        return maps

    def maps_from_points(self, points, shape):
        raise NotImplementedError

    def before(self, split, inputs):
        return {split: inputs.image if split == "image" else inputs.maps}

    def after(self, split, tensors, inputs):
        self.calls += 1
        image = tensors["image"] if split == "image" else inputs.image
        maps = tensors["maps"] if split == "maps" else inputs.maps
        positive, negative = maps[:, :1], maps[:, 1:]
        reach = 30 + 10 * image.mean(dim=1, keepdim=True) + 4 * inputs.prev_mask
        return self.weight * torch.minimum(negative - positive, reach - positive) / 3


class SlowModel(DiskModel):
    """Stops inside the network until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go_on = threading.Event(), threading.Event()

    def after(self, split, tensors, inputs):
        self.entered.set()
        assert self.go_on.wait(20)
        return super().after(split, tensors, inputs)


def wait_inside(qtbot, model):
    """Wait until a `SlowModel` is asked."""
    qtbot.waitUntil(model.entered.is_set, timeout=10_000)


def press(layer, position, button=1):
    """A click of the mouse at a world position, as the canvas hands it to the active layer."""
    from napari.utils.interactions import mouse_press_callbacks, mouse_release_callbacks

    class Event:
        def __init__(self, kind):
            self.type, self.button, self.position = kind, button, position
            self.pos, self.modifiers, self.handled = np.zeros(2), (), False
            self.is_dragging, self.view_direction = False, None
            self.dims_displayed = [0, 1]

    mouse_press_callbacks(layer, Event("mouse_press"))
    mouse_release_callbacks(layer, Event("mouse_release"))
