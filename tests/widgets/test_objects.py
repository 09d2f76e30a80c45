"""Accepted objects: the table, opening again, deleting, merging, classes, overlap."""

import numpy as np
import pytest
from widgets.disks import DiskModel
from widgets.three import PLACES, key, labels, objects, preview

from napari_clickseg.widgets.objects.masks import INSIDE, KEEP, OVERWRITE


def test_the_table_shows_what_was_accepted(three):
    _, dock, data = three
    table = dock.objects.table
    assert dock.objects.text() == "Objects (3)"
    rows = [[table.model().index(r, c).data() for c in range(5)] for r in range(3)]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [row[2] for row in rows] == ["1"] * 3
    areas = [int(row[3].replace("\u2009", "")) for row in rows]
    assert areas == [int((data == label).sum()) for label in (1, 2, 3)] and min(areas) > 100


def test_an_object_opens_with_its_clicks_and_goes_back_unchanged(three):
    viewer, dock, data = three
    dock.objects.wanted.emit(key(dock, 2))
    assert [(c.row, c.col) for c in dock.controller.clicks] == [PLACES[2]]
    assert np.array_equal(dock.clicking.layers.positive.data, [PLACES[2]])
    assert np.array_equal(preview(dock), data == 2)
    assert not (labels(dock) == 2).any() and dock.controls.label.value() == 2
    dock.actions.give_back()
    assert np.array_equal(labels(dock), data) and not preview(dock).any()
    assert not dock.controller.clicks and dock.controls.label.value() == 4


def test_an_opened_object_is_accepted_under_its_id(three, settle):
    _, dock, data = three
    dock.actions.open_again(key(dock, 2))
    dock.click(75, 200)
    settle(dock)
    mask = preview(dock)
    dock.accept()
    assert dock.controls.label.value() == 4
    assert np.array_equal(labels(dock) == 2, mask & (data != 1) & (data != 3))
    item = objects(dock).items[key(dock, 2)]
    assert len(item.interactions) == 2 and item.area == (labels(dock) == 2).sum()
    assert len(objects(dock).items) == 3


def test_clicks_say_in_their_layers_which_is_which(three, settle):
    _, dock, _ = three
    dock.actions.open_again(key(dock, 2))
    dock.click(75, 200)
    dock.click(76, 201, positive=False)
    dock.click(77, 202)
    settle(dock)
    found = [layer.features.to_dict("list") for layer in dock.clicking.layers.points]
    assert {"order": [0, 1, 3], "object_id": [2, 2, 2]} in found
    assert {"order": [2], "object_id": [2]} in found
    dock.accept()
    dock.click(20, 20)
    assert dock.clicking.layers.positive.features.to_dict("list") == {
        "order": [0],
        "object_id": [0],
    }


def test_what_was_in_work_waits_while_another_object_is_open(three, settle):
    _, dock, _ = three
    dock.click(20, 200)
    settle(dock)
    mask = preview(dock)
    dock.actions.open_again(key(dock, 1))
    assert [(c.row, c.col) for c in dock.controller.clicks] == [PLACES[1]]
    dock.accept()
    assert [(c.row, c.col) for c in dock.controller.clicks] == [(20, 200)]
    assert np.array_equal(preview(dock), mask) and dock.controls.label.value() == 4


def test_removing_a_click_of_an_opened_object_makes_it_again(three, settle):
    _, dock, data = three
    dock.actions.open_again(key(dock, 3))
    dock.click(100, 60, positive=True)
    settle(dock)
    layer = dock.clicking.layers.positive
    layer.selected_data = {1}
    layer.remove_selected()
    settle(dock)
    assert np.array_equal(preview(dock), data == 3)


def test_deleting_and_merging_in_the_table(three):
    _, dock, data = three
    table = dock.objects.table
    table.select((key(dock, 1), key(dock, 3)))
    dock.objects.refresh()
    dock.objects.merge.click()
    assert np.array_equal(labels(dock), np.where(data == 3, 1, data))
    assert len(objects(dock).items[key(dock, 1)].interactions) == 2
    table.select((key(dock, 2),))
    dock.objects.refresh()
    dock.objects.delete.click()
    assert set(objects(dock).labels) == {1} and not (labels(dock) == 2).any()
    with pytest.raises(ValueError, match="two objects or more"):
        objects(dock).merge([key(dock, 1)])


def test_classes_have_colours_and_colour_the_layer(three):
    _, dock, _ = three
    dock.objects.table.named.emit(key(dock, 1), "leaf")
    dock.objects.next_class.setCurrentText("stem")
    dock.click(20, 200)
    layer = dock.clicking.layers.objects
    before = layer.colormap
    objects(dock).set_colour("leaf", "#102030")
    dock.objects.by_class.setChecked(True)
    assert np.allclose(layer.get_color(1)[:3], np.array([0x10, 0x20, 0x30]) / 255, atol=0.01)
    assert np.allclose(layer.get_color(2), layer.get_color(3))
    dock.objects.by_class.setChecked(False)
    assert layer.colormap is before


def test_the_class_of_the_next_object(three, settle):
    _, dock, _ = three
    dock.objects.next_class.setCurrentText(" dead   leaf ")
    dock.click(20, 200)
    settle(dock)
    dock.accept()
    assert objects(dock).items[key(dock, 4)].name == "dead leaf"
    assert list(objects(dock).classes) == ["dead leaf"]


def test_overlap_rules(three, settle):
    _, dock, data = three

    def again(policy, label):
        dock.controls.policy.setCurrentText(policy)
        dock.controls.label.setValue(label)
        dock.click(PLACES[1][0], PLACES[1][1] + 20)
        settle(dock)
        mask = preview(dock)
        dock.accept()
        return mask

    dock.clicking.layers.objects.selected_label = 1
    mask = again(INSIDE, 7)
    assert np.array_equal(labels(dock) == 7, mask & (data == 1))
    assert objects(dock).items[key(dock, 1)].area == (labels(dock) == 1).sum()
    dock.controls.undo.click()
    dock.controller.reset()
    assert np.array_equal(labels(dock), data)
    mask = again(OVERWRITE, 7)
    assert np.array_equal(labels(dock) == 7, mask)
    dock.controls.undo.click()
    dock.controller.reset()
    mask = again(KEEP, 7)
    assert np.array_equal(labels(dock) == 7, mask & (data == 0))


def test_nothing_inside_the_selected_label_is_said(three, settle):
    _, dock, data = three
    dock.controls.policy.setCurrentText(INSIDE)
    dock.clicking.layers.objects.selected_label = 99
    dock.click(*PLACES[1])
    settle(dock)
    dock.accept()
    assert "inside label 99" in dock.status.text() and np.array_equal(labels(dock), data)


def test_an_object_of_several_parts(three, settle):
    _, dock, data = three
    masks = []
    for place, button in (((20, 200), "accept_part"), ((130, 20), "accept")):
        dock.click(*place)
        settle(dock)
        masks.append(preview(dock) & (data == 0))
        getattr(dock.controls, button).click()
    assert np.array_equal(labels(dock) == 4, masks[0] | masks[1])
    assert dock.controls.label.value() == 5
    item = objects(dock).items[key(dock, 4)]
    assert len(item.interactions) == 2 and item.area == (labels(dock) == 4).sum()
    dock.actions.open_again(item.key)
    assert np.array_equal(preview(dock), masks[0] | masks[1])


def test_an_object_that_was_only_painted_is_accepted_undone_and_opened(clicked):
    _, dock, _ = clicked()
    dock.accept()
    layer = dock.clicking.layers.preview
    grid = np.mgrid[100:120, 10:30]
    layer.data_setitem(tuple(axis.ravel() for axis in grid), 1)
    mask = preview(dock)
    dock.accept()
    assert np.array_equal(labels(dock) == 2, mask)
    dock.controls.undo.click()
    assert np.array_equal(preview(dock), mask) and not (labels(dock) == 2).any()
    dock.controls.redo.click()
    dock.actions.open_again(key(dock, 2))
    assert np.array_equal(preview(dock), mask)


def test_an_object_painted_by_hand_opens_under_the_pointer(three):
    viewer, dock, data = three
    layer = dock.clicking.layers.objects
    grid = np.mgrid[5:15, 5:15]
    layer.data_setitem(tuple(axis.ravel() for axis in grid), 8)
    viewer.cursor.position = (7.0, 7.0)
    dock.actions.pick()
    assert preview(dock).sum() == 100 and dock.controls.label.value() == 8
    dock.actions.give_back()
    assert (labels(dock) == 8).sum() == 100
    viewer.cursor.position = (0.0, 0.0)
    dock.actions.pick()
    assert "no object under the mouse pointer" in dock.status.text()


def test_painting_into_the_objects_layer_is_counted(three, qtbot):
    _, dock, data = three
    layer = dock.clicking.layers.objects
    grid = np.mgrid[0:4, 0:5]
    where = tuple(axis.ravel() for axis in grid)
    layer.data_setitem(where, 2)
    layer.data_setitem((where[0] + 10, where[1]), 30)
    qtbot.waitUntil(lambda: 30 in objects(dock).labels)
    assert objects(dock).items[key(dock, 2)].area == (data == 2).sum() + 20
    assert objects(dock).items[key(dock, 30)].area == 20
    dock.actions.open_again(key(dock, 2))
    assert preview(dock)[:4, :5].all()


def test_how_an_object_was_made_replays_to_its_mask(dock_of, settle, image):
    from napari_clickseg import Segmenter
    from napari_clickseg.data.readers import as_reader
    from napari_clickseg.widgets.objects.accepted import as_saved

    viewer, dock = dock_of(DiskModel())
    viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    dock.controller.set_auto_run(False)
    dock.click(70, 120)
    dock.click(62, 100, positive=False)
    dock.controller.run()
    settle(dock)
    dock.controller.set_auto_run(True)
    dock.click(90, 60)
    settle(dock)
    dock.accept()
    dock.actions.open_again(key(dock, 1))
    dock.accept()
    (item,) = objects(dock).items.values()
    saved = as_saved(item)
    assert saved.predicted == (1, 3, 4) and saved.settings["profile"] == "clickseg"
    seg = Segmenter(DiskModel())
    seg.set_image(image)
    session = seg.predictor.start(as_reader(image), None)
    for count in saved.predicted:
        session = seg.predictor.run(session.replace_interactions(saved.interactions[:count]))
    assert np.array_equal(session.mask(0.5), labels(dock) == 1)
