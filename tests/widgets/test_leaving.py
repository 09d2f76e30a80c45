"""Another image is clicked on while an object is unfinished: accept, keep or discard."""

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox
from widgets.three import labels, objects, preview

from napari_clickseg.widgets.layers.own import bare


@pytest.fixture
def leaving(clicked, settle, image, monkeypatch):
    """``leaving(answer)``: go on to another image with this answer to the question."""
    viewer, dock, first = clicked()
    first = bare(first)
    dock.accept()
    dock.click(110, 110)
    settle(dock)
    asked = []

    def go(answer):
        monkeypatch.setattr(dock.leaving, "ask", lambda: asked.append(answer) or answer)
        dock.stop()
        second = bare(viewer.add_image(255 - image, name="second"))
        dock.source.choose_image(second)
        dock.start()
        settle(dock)
        assert asked == [answer]
        return second

    return viewer, dock, first, go


def back(dock, image, settle):
    dock.stop()
    dock.source.choose_image(image)
    dock.start()
    settle(dock)


def test_an_accepted_object_is_in_the_layer_of_its_image(leaving, settle):
    viewer, dock, first, go = leaving
    layer, mask = dock.clicking.layers.objects, preview(dock)
    second = go("accept")
    assert dock.clicking.image is second and not dock.controller.clicks
    assert np.array_equal(layer.data == 2, mask & (layer.data != 1))
    back(dock, first, settle)
    assert len(objects(dock).items) == 2 and not preview(dock).any()


def test_a_kept_object_goes_on_with_its_clicks_and_steps(leaving, settle):
    viewer, dock, first, go = leaving
    mask, clicks, before = preview(dock), dock.controller.clicks, labels(dock)
    go("keep")
    assert not dock.controller.clicks and not preview(dock).any()
    back(dock, first, settle)
    assert np.array_equal(preview(dock), mask) and dock.controller.clicks == clicks
    dock.undo()
    assert not preview(dock).any()
    dock.undo()  # the object accepted before
    assert not labels(dock).any() and len(dock.controller.clicks) == 1
    dock.redo()
    dock.redo()
    assert np.array_equal(labels(dock), before) and np.array_equal(preview(dock), mask)


def test_a_discarded_object_is_gone(leaving, settle):
    _, dock, first, go = leaving
    go("discard")
    back(dock, first, settle)
    assert not dock.controller.clicks and not preview(dock).any()


def test_without_an_answer_everything_stays(leaving):
    _, dock, first, go = leaving
    clicks = dock.controller.clicks
    go(None)
    assert dock.clicking.image is first and dock.controller.clicks == clicks


def test_what_cannot_be_accepted_stays(leaving, settle):
    _, dock, first, go = leaving
    dock.tools.panel.auto_run.setChecked(False)
    dock.click(112, 110)
    go("accept")
    assert "not in the mask yet" in dock.status.text()
    assert dock.source.image is first and len(dock.controller.clicks) == 2


@pytest.mark.parametrize("how", ["removed", "other pixels", "closed"])
def test_an_object_opened_again_is_given_back_when_its_image_goes(leaving, settle, how, image):
    viewer, dock, first, go = leaving
    layer = dock.clicking.layers.objects
    dock.controller.reset()
    before = labels(dock)
    dock.actions.open_again(next(iter(objects(dock).items)))
    dock.click(62, 100)
    settle(dock)
    assert not labels(dock).any()
    go("keep")
    if how == "removed":
        viewer.layers.remove(first)
    elif how == "closed":
        dock.shut_down()
    else:
        first.data = image[::-1].copy()
        back(dock, first, settle)
        assert not dock.controller.clicks
    assert np.array_equal(layer.data, before)


@pytest.mark.parametrize("button", ["Accept", "Keep", "Discard", "Cancel"])
def test_the_question_has_these_answers(clicked, monkeypatch, button):
    _, dock, _ = clicked()

    def press(box):
        assert "1 object" in box.text() or "An object" in box.text()
        next(b for b in box.buttons() if b.text().replace("&", "") == button).click()

    monkeypatch.setattr(QMessageBox, "exec", press)
    answer = None if button == "Cancel" else button.lower()
    assert dock.leaving.ask() == answer
