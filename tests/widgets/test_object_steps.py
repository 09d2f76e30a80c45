"""Undo and redo across objects, slices and images; what happens when layers go away."""

import numpy as np
import pytest
from widgets.disks import DiskModel
from widgets.three import key, labels, objects, preview

from napari_clickseg.widgets.objects import steps


def test_undo_and_redo_go_through_accepting_deleting_merging_and_opening(three, settle):
    _, dock, _ = three
    dock.click(20, 200)
    settle(dock)
    dock.click(25, 210, positive=False)
    settle(dock)

    def state():
        items = {k: (i.area, i.interactions, i.name) for k, i in objects(dock).items.items()}
        return labels(dock), preview(dock), dock.controller.clicks, items

    seen = [state()]
    steps = [
        dock.accept,
        lambda: objects(dock).set_class([key(dock, 1)], "leaf"),
        lambda: objects(dock).delete([key(dock, 2)]),
        lambda: dock.actions.open_again(key(dock, 4)),
        lambda: dock.click(30, 180),
        dock.accept,
        lambda: objects(dock).merge([key(dock, 1), key(dock, 4)]),
        lambda: dock.click(130, 200),
        lambda: dock.actions.open_again(key(dock, 1)),
        dock.actions.give_back,
    ]
    for step in steps:
        step()
        settle(dock)
        seen.append(state())
    for _ in range(2):
        for wanted in seen[-2::-1]:
            dock.controls.undo.click()
            settle(dock)
            assert all(map(_same, state(), wanted))
        for wanted in seen[1:]:
            dock.controls.redo.click()
            settle(dock)
            assert all(map(_same, state(), wanted))
    assert not dock.controls.redo.isEnabled()


def _same(a, b):
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


def test_undo_all_the_way_empties_everything_and_redo_brings_it_back(three, settle):
    _, dock, data = three
    count = 0
    while dock.controls.undo.isEnabled():
        dock.controls.undo.click()
        count += 1
        assert count < 20
    assert count == 6 and not labels(dock).any() and not preview(dock).any()
    while dock.controls.redo.isEnabled():
        dock.controls.redo.click()
    assert np.array_equal(labels(dock), data) and len(objects(dock).items) == 3


def test_a_new_click_forgets_what_was_undone(three, settle):
    _, dock, _ = three
    dock.controls.undo.click()
    dock.click(20, 200)
    settle(dock)
    assert not dock.controls.redo.isEnabled()
    dock.controls.undo.click()
    dock.controls.redo.click()
    assert len(dock.controller.clicks) == 2


def test_undo_keeps_what_the_user_painted_into_the_objects(three):
    _, dock, data = three
    layer = dock.clicking.layers.objects
    layer.data_setitem((np.array([0, 0]), np.array([0, 1])), 9)
    objects(dock).delete([key(dock, 1)])
    assert not (labels(dock) == 1).any()
    dock.controls.undo.click()
    assert np.array_equal(labels(dock)[1:], data[1:]) and (labels(dock)[0, :2] == 9).all()


def test_objects_of_a_stack_know_their_slice(dock_of, settle, image):
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(np.stack([image[..., 0]] * 4))
    viewer.dims.set_current_step(0, 1)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    dock.accept()
    data = labels(dock)
    viewer.dims.set_current_step(0, 3)
    dock.controls.undo.click()
    assert viewer.dims.current_step[0] == 1 and len(dock.controller.clicks) == 1
    assert preview(dock)[1].any() and not labels(dock).any()
    dock.controls.redo.click()
    assert np.array_equal(labels(dock), data)
    viewer.dims.set_current_step(0, 0)
    dock.objects.chosen.emit(key(dock, 1))
    assert viewer.dims.current_step[0] == 1
    assert not dock.objects.table.isColumnHidden(5)


@pytest.mark.parametrize("what", ["image data", "objects layer", "image layer", "dock"])
def test_an_opened_object_is_not_lost_when_its_surroundings_go(three, image, what):
    viewer, dock, data = three
    layer, picture = dock.clicking.layers.objects, dock.clicking.image
    dock.actions.open_again(key(dock, 2))
    if what == "image data":
        picture.data = image[::-1].copy()
    elif what == "objects layer":
        viewer.layers.remove(layer)
        assert len(dock.controller.clicks) == 1 and not objects(dock).items
        return
    elif what == "image layer":
        viewer.layers.remove(picture)
    else:
        dock.shut_down()
    assert np.array_equal(layer.data, data)


def test_objects_are_kept_for_each_image(three, settle, image):
    viewer, dock, data = three
    first = dock.clicking.image
    other = viewer.add_image(image[:50, :70], name="other")
    dock.stop()
    dock.source.choose_image(other)
    dock.start()
    settle(dock)
    assert not objects(dock).items and dock.objects.text() == "Objects"
    dock.stop()
    dock.source.choose_image(first)
    dock.start()
    assert set(objects(dock).labels) == {1, 2, 3}
    dock.actions.open_again(key(dock, 1))
    assert np.array_equal(preview(dock), data == 1)


def test_old_steps_give_way_to_what_all_of_them_may_take(three, monkeypatch):
    _, dock, data = three
    past = objects(dock)._book.steps.past
    assert len(past) == 3 and all(len(step.work.history.past) == 1 for step in past)
    tile = past[0].work.history.present.probabilities.kept
    assert past[0].nbytes >= sum(tile.values()) > 0
    there = [sum(step.nbytes for step in past[first:]) for first in range(3)]

    monkeypatch.setattr(steps, "MOST_BYTES", there[1])
    objects(dock).delete([key(dock, 3)])  # takes some bytes more
    assert [step.what for step in past] == ["accepting object 3", "deleting object 3"]
    assert not past[0].work.history.past  # its clicks came back one by one, now all at once
    monkeypatch.setattr(steps, "MOST_BYTES", 0)
    objects(dock).delete([key(dock, 2)])
    dock.controls.undo.click()
    assert not dock.controls.undo.isEnabled()
    assert set(np.unique(labels(dock))) == {0, 1, 2}
