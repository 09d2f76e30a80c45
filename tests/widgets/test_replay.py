"""However the clicks came to be what they are, the mask is that of clicking them one by one."""

import numpy as np
from widgets.disks import DiskModel, SlowModel, wait_inside

from napari_clickseg import Segmenter

CLICKS = [(60, 80, True), (70, 120, True), (62, 100, False), (20, 30, True), (68, 90, False)]


class HeavyModel(DiskModel):
    """Adds up the masks it is shown, so that every step of the past is in the mask."""

    def after(self, split, tensors, inputs):
        logits = super().after(split, tensors, inputs)
        return logits + 3 * inputs.prev_mask - 0.5


class SlowHeavyModel(SlowModel, HeavyModel):
    pass


def of_api(image, clicks):
    """Probabilities after clicks made one after the other."""
    seg = Segmenter(HeavyModel())
    seg.set_image(image)
    for click in clicks:
        seg.click(*click)
    return seg.probabilities


def probabilities(dock):
    return np.asarray(dock.controller.session.probabilities)


def click_all(dock, settle):
    dock.start()
    settle(dock)
    for row, col, positive in CLICKS:
        dock.click(row, col, positive)
        settle(dock)


def test_after_a_deletion_the_rest_is_clicked_anew(dock_of, settle, image):
    viewer, dock = dock_of(HeavyModel())
    viewer.add_image(image)
    click_all(dock, settle)
    positive = dock.clicking.layers.positive
    positive.selected_data = {1}
    positive.remove_selected()
    settle(dock)
    assert np.array_equal(probabilities(dock), of_api(image, [CLICKS[0], *CLICKS[2:]]))


def test_after_a_move_all_is_clicked_anew(dock_of, settle, image):
    viewer, dock = dock_of(HeavyModel())
    viewer.add_image(image)
    click_all(dock, settle)
    dock.clicking.layers.positive.data = np.array([(60.0, 80.0), (74.0, 110.0), (20.0, 30.0)])
    settle(dock)
    # a wholesale replacement of the data puts what it cannot match at the end
    order = [(c.row, c.col, c.positive) for c in dock.controller.clicks]
    assert sorted(order) == sorted([CLICKS[0], (74, 110, True), *CLICKS[2:]])
    assert np.array_equal(probabilities(dock), of_api(image, order))


def test_clicks_that_waited_give_the_mask_of_slow_clicking(dock_of, settle, image, qtbot):
    model = SlowHeavyModel()
    viewer, dock = dock_of(model)
    viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(*CLICKS[0])
    wait_inside(qtbot, model)
    for click in CLICKS[1:]:
        dock.click(*click)
    model.go_on.set()
    settle(dock)
    assert np.array_equal(probabilities(dock), of_api(image, CLICKS))


def test_a_replay_is_cancelled_between_two_clicks(dock_of, settle, image, qtbot):
    model = SlowHeavyModel()
    model.go_on.set()
    viewer, dock = dock_of(model)
    viewer.add_image(image)
    click_all(dock, settle)
    model.entered.clear()
    model.go_on.clear()
    calls = model.calls
    positive = dock.clicking.layers.positive
    positive.selected_data = {0}
    positive.remove_selected()
    wait_inside(qtbot, model)
    dock.controller.cancel()
    model.go_on.set()
    settle(dock)
    assert model.calls == calls + 1 and dock.controller.session.predicted == 0
