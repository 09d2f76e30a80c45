"""Brush edits in the preview: nothing that rewrites the preview loses them."""

import numpy as np
import pytest


def paint(dock, rows=slice(0, 20), cols=slice(0, 20), value=1):
    """Paint a box, as a stroke of the brush does, and return the mask that is seen then."""
    layer = dock.clicking.layers.preview
    grid = np.mgrid[rows, cols]
    layer.data_setitem(tuple(axis.ravel() for axis in grid), value)
    return layer.data != 0


def shown(dock):
    return dock.clicking.layers.preview.data != 0


@pytest.mark.parametrize("value", [0, 1])
def test_a_threshold_keeps_what_was_painted(clicked, qtbot, value):
    _, dock, _ = clicked()
    painted = paint(dock, slice(50, 70), slice(70, 140), value)
    dock.controls.threshold.setValue(0.8)
    qtbot.waitUntil(lambda: dock.controller.threshold == 0.8)
    assert np.array_equal(shown(dock), painted)


def test_painting_is_a_step_that_is_undone_and_redone(clicked):
    _, dock, _ = clicked()
    before = shown(dock)
    painted = paint(dock)
    dock.controller.undo()
    assert np.array_equal(shown(dock), before) and len(dock.controller.clicks) == 1
    dock.controller.redo()
    assert np.array_equal(shown(dock), painted) and len(dock.controller.clicks) == 1


def test_redo_does_not_mix_in_what_was_painted_since_and_undo_gives_it_back(clicked):
    _, dock, _ = clicked()
    before = shown(dock)
    dock.controller.undo()
    painted = paint(dock)
    dock.controller.redo()
    assert np.array_equal(shown(dock), before) and len(dock.controller.clicks) == 1
    dock.controller.undo()
    assert np.array_equal(shown(dock), painted) and painted.any()
    dock.controller.undo()
    assert not shown(dock).any()


def test_reset_and_deletion_can_give_back_what_was_painted(clicked, settle):
    _, dock, _ = clicked()
    dock.click(62, 95)
    settle(dock)
    painted = paint(dock)
    dock.controls.reset.click()
    dock.controller.undo()
    assert np.array_equal(shown(dock), painted)
    painted = paint(dock, value=0)
    positive = dock.clicking.layers.positive
    positive.selected_data = {1}
    positive.remove_selected()
    settle(dock)
    assert len(positive.data) == len(dock.controller.clicks) == 1
    dock.controller.undo()
    assert np.array_equal(shown(dock), painted) and len(positive.data) == 2


def test_a_mask_that_was_waited_for_begins_from_what_was_painted(running, settle):
    _, dock, model = running
    painted = paint(dock)
    model.go_on.set()
    settle(dock)
    session = dock.controller.session
    assert session.predicted == 1 and np.array_equal(session.start_mask[:, :] > 0, painted)
    assert shown(dock).any() and np.array_equal(shown(dock), session.mask(0.5))


def test_painting_does_not_count_waiting_clicks_as_predicted(running, settle, qtbot):
    _, dock, model = running
    dock.controls.cancel.click()
    paint(dock)
    model.go_on.set()
    dock.controls.threshold.setValue(0.8)
    qtbot.waitUntil(lambda: dock.controller.threshold == 0.8)
    settle(dock)
    assert dock.controller.session.predicted == 1
    assert dock.controller.session.mask(0.8)[60, 80]


def test_our_writing_leaves_no_copies_in_the_history_of_the_layer(clicked, settle):
    _, dock, _ = clicked()
    strokes = []
    dock.clicking.layers.preview.events.paint.connect(strokes.append)
    dock.click(62, 95)
    settle(dock)
    mask = shown(dock)
    dock.clicking.layers.preview.undo()
    assert np.array_equal(shown(dock), mask) and not strokes
