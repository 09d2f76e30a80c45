"""Objects saved in a session file from the dock, and opened again in another one."""

import numpy as np
import pytest
from widgets.disks import DiskModel, SlowModel, wait_inside
from widgets.three import key, labels, objects

from napari_clickseg.data.session_file import read_session, write_session


@pytest.fixture
def saved(three, tmp_path):
    """A session file of three objects, one of them painted by hand, and their labels."""
    viewer, dock, _ = three
    layer = dock.clicking.layers.objects
    layer.data_setitem(tuple(axis.ravel() for axis in np.mgrid[5:9, 5:12]), 9)
    plane = key(dock, 1)[1]
    objects(dock).at((plane, 6, 6))
    objects(dock).set_class([key(dock, 2)], "leaf")
    objects(dock).set_colour("leaf", "#123456")
    dock.sessions.save(tmp_path / "cat")
    return viewer, dock, tmp_path / "cat.clickseg.json", labels(dock)


def empty(viewer, dock, image):
    """Another layer of the same image, with nothing on it."""
    dock.stop()
    viewer.layers.clear()
    dock.source.choose_image(viewer.add_image(image, name="again"))


def test_a_session_comes_back_with_masks_clicks_and_classes(saved, settle, image):
    viewer, dock, path, before = saved
    assert f"4 objects are in {path}, with clicks." in dock.status.text()
    clicks = {k[0]: i.interactions for k, i in objects(dock).items.items()}
    empty(viewer, dock, image)
    dock.sessions.open(path)
    settle(dock)
    assert np.array_equal(labels(dock), before)
    assert {k[0]: i.interactions for k, i in objects(dock).items.items()} == clicks
    assert objects(dock).items[key(dock, 2)].name == "leaf"
    assert objects(dock).classes == {"leaf": "#123456"}
    assert "4 objects are back from cat.clickseg.json, with clicks." in dock.status.text()
    dock.actions.open_again(key(dock, 3))
    assert np.array_equal(np.asarray(dock.clicking.layers.preview.data) != 0, before == 3)


def test_an_object_opened_again_keeps_its_place_among_those_that_overlap(
    three, settle, image, tmp_path
):
    """Else the replay would give the pixels that two masks share to the other one."""
    viewer, dock, _ = three
    dock.click(60, 80)  # a disk half over that of object 1, which keeps its pixels
    settle(dock)
    dock.accept()
    dock.actions.open_again(key(dock, 1))
    settle(dock)
    dock.accept()
    before = labels(dock)
    dock.sessions.save(tmp_path / "cat")
    assert [o.id for o in read_session(tmp_path / "cat.clickseg.json").objects] == [1, 2, 3, 4]
    empty(viewer, dock, image)
    dock.sessions.open(tmp_path / "cat.clickseg.json")
    settle(dock)
    assert np.array_equal(labels(dock), before)


def test_an_object_of_several_parts_comes_back_as_it_was(three, settle, image, tmp_path):
    """Each part was predicted by itself: the clicks of both together give another mask."""
    viewer, dock, _ = three
    for place, button in (((20, 200), "accept_part"), ((130, 20), "accept")):
        dock.click(*place)
        settle(dock)
        dock.click(place[0], place[1] + 8, positive=False)
        settle(dock)
        getattr(dock.controls, button).click()
    before = labels(dock)
    dock.sessions.save(tmp_path / "cat")
    empty(viewer, dock, image)
    dock.sessions.open(tmp_path / "cat.clickseg.json")
    settle(dock)
    assert np.array_equal(labels(dock), before)
    assert dock.controls.label.value() == 5


def test_objects_that_a_session_brought_back_are_not_offered_again(saved, dock_of, settle, image):
    viewer, dock, path, _ = saved
    dock.shut_down()
    viewer.layers.clear()
    _, dock = dock_of(DiskModel(), viewer)
    viewer.add_image(image, name="again")
    assert "Recover 4 objects" in dock.recovery.text.text()
    assert dock.recovery.isVisibleTo(dock)
    dock.sessions.open(path)
    settle(dock)
    assert len(objects(dock).items) == 4 and not dock.recovery.isVisibleTo(dock)


def test_objects_that_are_there_stay(saved, settle):
    _, dock, path, before = saved
    dock.sessions.open(path)
    settle(dock)
    assert np.array_equal(labels(dock), before)  # every pixel is taken already
    assert "4 came out empty and are left out" in dock.status.text()


def test_a_session_of_another_image_or_no_session_is_refused(saved, image, tmp_path):
    viewer, dock, path, _ = saved
    empty(viewer, dock, 255 - image)
    dock.sessions.open(path)
    assert "cat.clickseg.json was made on the image" in dock.status.text()
    assert not dock.clicking.active
    (tmp_path / "other.json").write_text("{}")
    dock.sessions.open(tmp_path / "other.json")
    assert "This is no session of clicks" in dock.status.text()


def test_planes_that_the_image_does_not_have_are_refused(saved, tmp_path, image):
    from dataclasses import replace

    viewer, dock, path, _ = saved
    session = read_session(path)
    items = tuple(replace(item, plane=(3, None, None)) for item in session.objects)
    write_session(path, replace(session, objects=items))
    dock.sessions.open(path)
    assert "has objects on planes that this image does not have" in dock.status.text()


def test_a_click_meanwhile_stops_the_opening_and_nothing_is_half_there(saved, settle, image, qtbot):
    viewer, dock, path, _ = saved
    empty(viewer, dock, image)
    dock.start()
    settle(dock)
    model = SlowModel()
    dock.controller.cache._load = lambda name, device: model
    dock.controller.cache._choice = None
    dock.sessions.open(path)
    wait_inside(qtbot, model)
    dock.click(60, 80)
    model.go_on.set()
    settle(dock)
    assert not objects(dock).items and not labels(dock).any()
    assert len(dock.controller.clicks) == 1


def test_a_session_waits_while_the_model_is_at_work(running, tmp_path, settle):
    from napari_clickseg.data.saved_session import SavedModel
    from napari_clickseg.widgets.objects.session_files import SUFFIX

    _, dock, model = running
    path = tmp_path / f"a{SUFFIX}"
    write_session(path, dock.autosave.session(SavedModel("disks")))
    dock.sessions.open(path)
    assert "The model is still at work." in dock.status.text()
    model.go_on.set()
    settle(dock)
    assert dock.controller.session.predicted == 1


def test_the_model_of_a_session_is_named_if_it_is_another(saved, settle, image):
    from dataclasses import replace

    from napari_clickseg.data.saved_session import SavedModel

    viewer, dock, path, before = saved
    write_session(path, replace(read_session(path), model=SavedModel("elsewhere")))
    empty(viewer, dock, image)
    dock.sessions.open(path)
    settle(dock)
    assert "made with the model 'elsewhere': masks may differ" in dock.status.text()
    assert isinstance(dock.controller.cache._predictor.model, DiskModel)
