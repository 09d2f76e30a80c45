"""Random use of everything that changes objects: the table, the layer and undo always agree."""

import numpy as np
import pytest
from widgets.disks import DiskModel

ACTIONS = 60


def agree(dock):
    """Areas in the table are those in the layer; what is open is not in the layer."""
    objects, layer = dock.clicking.objects, dock.clicking.layers.objects
    data = np.asarray(layer.data)
    opened = {item.key for item in objects.all_opened}
    for key, item in objects.items.items():
        label, plane = key
        here = data[plane.steps[0]] == label
        assert item.area == (0 if key in opened else here.sum()) or key in opened
        assert key not in opened or not here.any()
        if key not in opened:
            assert not here.any() or here[item.box.slices].sum() == here.sum()
    known = {(label, plane.steps[0]) for label, plane in objects.items}
    for index, page in enumerate(data):
        assert {(int(n), index) for n in np.unique(page) if n} <= known


def state(dock):
    objects = dock.clicking.objects
    items = {k: (i.area, i.interactions, i.name) for k, i in objects.items.items()}
    opened = {item.key for item in objects.all_opened}
    planes = {p: c for p, c in dock.controller.planes.items() if c}
    return np.array(dock.clicking.layers.objects.data), items, opened, planes


def same(a, b):
    return np.array_equal(a[0], b[0]) and a[1:] == b[1:]


@pytest.mark.parametrize("seed", [1, 2])
def test_random_use(dock_of, settle, image, seed):
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(np.stack([image[::2, ::2, 0]] * 3))
    dock.start()
    settle(dock)
    rng = np.random.default_rng(seed)
    objects = dock.clicking.objects
    height, width = image[::2, ::2].shape[:2]

    def some(count=1):
        keys = list(objects.items)
        picked = rng.permutation(len(keys))[:count]
        return [keys[i] for i in picked]

    def click():
        dock.click(rng.integers(height), rng.integers(width), bool(rng.random() < 0.8))

    def paint():
        row, col = rng.integers(height - 5), rng.integers(width - 5)
        z = viewer.dims.current_step[0]
        grid = np.mgrid[z : z + 1, row : row + 5, col : col + 5]
        where = tuple(axis.ravel() for axis in grid)
        dock.clicking.layers.preview.data_setitem(where, int(rng.integers(2)))

    def accept():
        dock.controls.policy.setCurrentIndex(int(rng.integers(2)))
        dock.actions.accept(part=bool(rng.random() < 0.2))

    actions = {
        click: 6,
        paint: 1,
        accept: 5,
        dock.undo: 5,
        dock.redo: 3,
        lambda: [dock.actions.open_again(key) for key in some()]: 2,
        dock.actions.give_back: 1,
        lambda: objects.delete(some(int(rng.integers(1, 3)))): 1,
        lambda: objects.merge(some(2)) if len(objects.items) > 1 else None: 1,
        lambda: objects.set_class(some(), str(rng.integers(3))): 1,
        lambda: viewer.dims.set_current_step(0, int(rng.integers(3))): 2,
        dock.controller.reset: 1,
    }
    weights = np.array(list(actions.values()), float)
    for _ in range(ACTIONS):
        list(actions)[rng.choice(len(actions), p=weights / weights.sum())]()
        settle(dock)
        agree(dock)
    end, count = state(dock), 0
    while objects.can_undo and count < 300:
        dock.undo()
        settle(dock)
        agree(dock)
        count += 1
    back = 0
    while objects.can_redo and back < 300:
        dock.redo()
        settle(dock)
        agree(dock)
        back += 1
    assert same(state(dock)[:3], end[:3])
