"""A Labels layer of the user holds the objects; an outline of what the model saw."""

import numpy as np
import pytest

from napari_clickseg.engine.predictor import Predictor


@pytest.fixture
def labelled(dock_of, settle, image):
    viewer, dock = dock_of()
    viewer.add_image(image)
    labels = np.zeros(image.shape[:2], np.uint16)
    labels[5:20, 5:20] = 7
    layer = viewer.add_labels(labels, name="mine")
    dock.start()
    settle(dock)
    return viewer, dock, layer


def test_objects_go_into_the_layer_chosen_and_its_own_are_listed(labelled, settle):
    _, dock, layer = labelled
    dock.actions.layer_choice.use(layer)
    assert {label for label, _ in dock.clicking.objects.items} == {7}
    dock.click(60, 80)
    settle(dock)
    dock.accept()
    mine = np.asarray(layer.data)
    assert (mine[5:20, 5:20] == 7).all() and len(np.unique(mine)) == 3
    dock.undo()
    assert set(np.unique(layer.data)) == {0, 7}


def test_ids_go_on_above_those_of_the_layer(labelled, settle, image):
    """A new object is never added to one that the layer held before."""
    viewer, dock, layer = labelled
    label = dock.controls.label
    dock.actions.layer_choice.use(layer)
    assert label.value() == 8
    dock.actions.layer_choice.use(None)
    assert label.value() == 1
    dock.click(60, 80)
    settle(dock)
    dock.accept()
    assert label.value() == 2
    dock.stop()
    dock.source.choose_image(viewer.add_image(image[:, ::-1], name="other"))
    dock.start()
    settle(dock)
    assert dock.clicking.image.name == "other" and label.value() == 1


def test_it_is_used_again_after_another_image(labelled, settle, image):
    viewer, dock, layer = labelled
    dock.actions.layer_choice.use(layer)
    first, second = dock.source.image, viewer.add_image(image[:, ::-1], name="other")
    for picture in (second, first):
        dock.stop()
        dock.source.choose_image(picture)
        dock.start()
        settle(dock)
    assert dock.clicking.layers.objects.name == "mine"
    assert dock.actions.layer_choice.box.currentText() == "mine"


def test_a_new_layer_can_be_had_again(labelled):
    viewer, dock, layer = labelled
    before = dock.clicking.layers.objects
    dock.actions.layer_choice.use(layer)
    dock.actions.layer_choice.use(None)
    now = dock.clicking.layers.objects
    assert now.name not in ("mine", before.name) and not np.asarray(now.data).any()
    assert not dock.clicking.objects.items


@pytest.mark.parametrize("wrong", ["shape", "place", "file"])
def test_what_cannot_hold_objects_is_told(labelled, wrong):
    viewer, dock, layer = labelled
    data = np.zeros_like(layer.data)
    if wrong == "file":
        data.setflags(write=False)
    made = viewer.add_labels(data[5:] if wrong == "shape" else data, name="not this")
    if wrong == "place":
        made.translate = (3, 3)
    before = dock.clicking.layers.objects
    box = dock.actions.layer_choice.box
    box.setCurrentText("not this")
    box.activated.emit(box.currentIndex())
    assert "'not this'" in dock.status.text()
    assert dock.clicking.layers.objects is before and box.layer is before


def test_what_the_model_saw_is_made_only_where_it_is_shown(clicked, settle, monkeypatch):
    made = []
    picture = Predictor.picture
    monkeypatch.setattr(
        Predictor, "picture", lambda self, session: made.append(session) or picture(self, session)
    )
    _, dock, _ = clicked()
    assert not made
    view = dock.tools.view
    view.region.setChecked(True)
    settle(dock)
    assert made == [dock.controller.session] and not view.picture.isHidden()
    dock.click(70, 90)
    settle(dock)
    assert len(made) == 2 and not view.picture.isHidden()
    view.region.setChecked(False)
    dock.click(72, 95)
    settle(dock)
    assert len(made) == 2


def test_the_region_is_outlined_on_demand(clicked, settle):
    viewer, dock, _ = clicked()
    active = viewer.layers.selection.active
    assert dock.clicking.layers.roi is None
    dock.tools.view.region.setChecked(True)
    roi, layer = dock.controller.session.roi, dock.clicking.layers.roi
    assert roi is not None and viewer.layers.selection.active == active
    corners = np.asarray(layer.data[0])
    assert corners.min(axis=0).tolist() == [roi.top, roi.left]
    assert corners.max(axis=0).tolist() == [roi.bottom - 1, roi.right - 1]
    picture = dock.tools.view.picture
    settle(dock)
    assert (
        not picture.isHidden() and max(picture.pixmap().width(), picture.pixmap().height()) <= 192
    )
    dock.tools.view.region.setChecked(False)
    assert picture.isHidden()
    dock.tools.view.region.setChecked(True)
    assert not picture.isHidden()
    dock.accept()
    assert len(layer.data) == 0 and picture.isHidden()
    viewer.layers.remove("clickseg roi")
    assert not dock.tools.view.region.isChecked()
