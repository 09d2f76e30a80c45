"""The journal of a dock: what was accepted can be recovered, whatever ended the session."""

import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox
from widgets.disks import DiskModel

from napari_clickseg.data.journal import Journal, find_journals, journal_folder, read_journal
from napari_clickseg.interactions import Click

PLACES = ((40, 60), (60, 170), (110, 110))


def accept_three(dock, settle):
    dock.start()
    settle(dock)
    for place in PLACES:
        dock.click(*place)
        settle(dock)
        dock.accept()
    return np.array(dock.clicking.layers.objects.data)


@pytest.fixture
def left(dock_of, settle, image):
    """Objects and labels that a closed dock has left, and a new dock on the same image."""
    viewer, dock = dock_of(DiskModel())
    layer = viewer.add_image(image)
    data = accept_three(dock, settle)
    dock.clicking.objects.set_class([next(iter(dock.clicking.objects.items))], "leaf")
    dock.clicking.objects.set_colour("leaf", "#123456")
    dock.actions.open_again(list(dock.clicking.objects.items)[1])  # never accepted again
    items = dict(dock.clicking.objects.items)
    dock.shut_down()
    viewer.layers.clear()
    viewer, dock = dock_of(DiskModel(), viewer)
    layer = viewer.add_image(image, name="again")
    return viewer, dock, layer, data, items


def test_objects_come_back_with_clicks_classes_and_pixels(left, settle):
    _, dock, _, data, items = left
    assert dock.recovery.isVisibleTo(dock) and "Recover 3 objects" in dock.recovery.text.text()
    dock.recovery.recover.click()
    settle(dock)
    objects = dock.clicking.objects
    assert np.array_equal(dock.clicking.layers.objects.data, data)
    assert {k: (i.interactions, i.area, i.name) for k, i in objects.items.items()} == {
        k: (i.interactions, i.area, i.name) for k, i in items.items()
    }
    assert objects.classes == {"leaf": "#123456"} and not dock.recovery.isVisibleTo(dock)
    dock.actions.open_again(next(key for key in objects.items if key[0] == 1))
    assert np.array_equal(np.asarray(dock.clicking.layers.preview.data) != 0, data == 1)


def test_what_is_clicked_after_a_recovery_is_an_object_of_its_own(left, settle):
    _, dock, _, data, _ = left
    dock.recovery.recover.click()
    settle(dock)
    dock.cancel()  # give the object that had been opened again back
    dock.click(130, 200)
    settle(dock)
    dock.accept()
    assert dock.clicking.objects.labels == {1, 2, 3, 4}
    now = np.asarray(dock.clicking.layers.objects.data)
    assert np.array_equal(np.where(now == 4, 0, now), data)


def test_recovered_objects_are_in_one_journal_only(left, settle):
    _, dock, _, _, _ = left
    dock.recovery.recover.click()
    settle(dock)
    dock.shut_down()
    (found,) = find_journals()
    assert len(read_journal(found.path).objects) == 3


def test_recovered_ids_that_are_taken_become_others(left, settle):
    _, dock, layer, data, _ = left
    dock.recovery.later.click()
    assert not dock.recovery.isVisibleTo(dock)
    dock.start()
    settle(dock)
    dock.click(130, 200)
    settle(dock)
    dock.accept()
    dock.recovery._later.clear()
    dock.recovery.look(layer)
    dock.recovery.recover.click()
    now = np.asarray(dock.clicking.layers.objects.data)
    assert dock.clicking.objects.labels == {1, 2, 3, 4}
    assert np.array_equal((now > 0) & (now != 1), data > 0)


def test_objects_of_another_image_are_not_offered(left, image):
    viewer, dock, _, _, _ = left
    other = viewer.add_image(image[::-1].copy())
    dock.source.choose_image(other)
    assert not dock.recovery.isVisibleTo(dock)


def test_discarding_asks_and_deletes(left, monkeypatch):
    _, dock, _, _, _ = left
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *args: answers.pop(0))
    dock.recovery.discard.click()
    assert dock.recovery.isVisibleTo(dock) and find_journals()
    dock.recovery.discard.click()
    assert not dock.recovery.isVisibleTo(dock) and not find_journals()


def test_a_removed_objects_layer_is_offered_again(dock_of, settle, image):
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(image)
    data = accept_three(dock, settle)
    viewer.layers.remove(dock.clicking.layers.objects)
    assert dock.recovery.isVisibleTo(dock)
    dock.recovery.recover.click()
    assert np.array_equal(dock.clicking.layers.objects.data, data)


def test_deleted_merged_and_overwritten_objects_are_recovered_as_they_were(
    dock_of, settle, image, qtbot
):
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(image)
    accept_three(dock, settle)
    keys = list(dock.clicking.objects.items)
    dock.clicking.objects.merge(keys[:2])
    dock.controls.policy.setCurrentText("overwrite")
    dock.click(50, 70)
    settle(dock)
    dock.accept()
    dock.clicking.objects.delete([keys[2]])
    dock.controls.undo.click()
    data = np.array(dock.clicking.layers.objects.data)
    dock.shut_down()
    viewer.layers.clear()
    _, dock = dock_of(DiskModel(), viewer)
    viewer.add_image(image)
    dock.recovery.recover.click()
    assert np.array_equal(dock.clicking.layers.objects.data, data)


def test_a_disk_that_cannot_be_written_is_told_once_and_clicking_goes_on(
    dock_of, settle, image, monkeypatch
):
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(image)

    def refuse(self, *args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "put", refuse)
    said = []
    dock.autosave._say = lambda text, level: said.append(text)
    data = accept_three(dock, settle)
    assert set(np.unique(data)) == {0, 1, 2, 3}
    assert len(said) == 1 and "No space left" in said[0] and "save that layer" in said[0]


def test_nothing_said_or_accepted_is_lost_when_the_program_is_killed(dock_of, settle, tmp_path):
    code = """
        import os, signal, sys
        import numpy as np
        from napari.components import ViewerModel
        from napari_clickseg.engine.contrast import black_and_white
        from napari_clickseg.widgets.objects.autosave import Autosave
        from napari_clickseg.widgets.dock.clicking import Clicking
        from napari_clickseg.widgets.work.controller import Controller
        from napari_clickseg.widgets.image.signing import Signatures

        class Runner:
            def submit(self, job): pass
            def cancel(self): pass

        viewer = ViewerModel()
        image = viewer.add_image(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64))
        controller = Controller(Runner(), lambda name, device: None)
        clicking = Clicking(viewer, controller)
        autosave = Autosave(clicking, controller, print, Signatures())
        clicking.start(image)
        for label in (1, 2):
            grid = np.mgrid[10 * label : 10 * label + 8, 5:25]
            clicking.layers.preview.data_setitem(tuple(axis.ravel() for axis in grid), 1)
            clicking.accept(label, name="leaf")
        clicking.click(40, 40)
        clicking.click(50, 45)
        clicking.click(60, 60, positive=False)
        controller.undo()
        clicking.click(61, 2, positive=False)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert len(list(journal_folder().glob("*"))) == 1
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64))
    assert "Recover 2 objects and 1 unfinished object of" in dock.recovery.text.text()
    dock.recovery.recover.click()
    settle(dock)
    assert "2 objects and 1 unfinished object are back" in dock.status.text()
    said = [Click(40, 40), Click(50, 45), Click(61, 2, False)]
    assert list(dock.controller.clicks) == said and dock.controller.session.predicted == 3
    assert np.asarray(dock.clicking.layers.preview.data)[40, 40] == 1
    dock.undo()
    settle(dock)
    assert list(dock.controller.clicks) == said[:2]
    wanted = np.zeros((64, 64), int)
    wanted[10:18, 5:25], wanted[20:28, 5:25] = 1, 2
    assert np.array_equal(dock.clicking.layers.objects.data, wanted)
    assert [item.name for item in dock.clicking.objects.items.values()] == ["leaf", "leaf"]


def again(dock_of, viewer, dock, image):
    """The next dock, on the same image."""
    dock.shut_down()
    viewer.layers.clear()
    _, dock = dock_of(DiskModel(), viewer)
    viewer.add_image(image)
    return dock


def seen(dock):
    return np.array(dock.clicking.layers.preview.data) != 0


@pytest.fixture
def begun(dock_of, settle, image):
    """A viewer and a dock with one click answered."""
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    return viewer, dock


def test_an_object_opened_again_and_the_one_before_it_come_back(begun, dock_of, settle, image):
    viewer, dock = begun
    dock.accept()
    first = np.array(dock.clicking.layers.objects.data)
    dock.click(130, 200)  # it makes room
    settle(dock)
    dock.actions.open_again(next(iter(dock.clicking.objects.items)))
    dock.click(75, 95)
    settle(dock)
    wanted = seen(dock)
    dock = again(dock_of, viewer, dock, image)
    assert "Recover 1 object and 2 unfinished objects" in dock.recovery.text.text()
    dock.recovery.recover.click()
    settle(dock)
    assert list(dock.controller.clicks) == [Click(60, 80), Click(75, 95)]
    assert dock.clicking.objects.opened(dock.controller.plane).label == 1
    assert np.array_equal(seen(dock), wanted)
    dock.actions.give_back()
    settle(dock)
    assert np.array_equal(dock.clicking.layers.objects.data, first)
    assert list(dock.controller.clicks) == [Click(130, 200)] and seen(dock)[130, 200]


def test_what_was_painted_comes_back_with_the_clicks_after_it(begun, dock_of, settle, image):
    viewer, dock = begun
    grid = np.mgrid[10:30, 150:170]
    dock.clicking.layers.preview.data_setitem(tuple(axis.ravel() for axis in grid), 1)
    dock.click(62, 90)
    settle(dock)
    wanted = seen(dock)
    start = dock.controller.session.start_mask
    dock = again(dock_of, viewer, dock, image)
    assert "Recover 1 unfinished object of" in dock.recovery.text.text()
    dock.recovery.recover.click()
    settle(dock)
    session = dock.controller.session
    assert len(session.interactions) == 2 and session.known == 1
    assert not session.start_mask.changed_tiles(start) or np.array_equal(
        session.start_mask.read(dock_box(image)), start.read(dock_box(image))
    )
    assert np.array_equal(seen(dock), wanted)


def dock_box(image):
    from napari_clickseg.geometry import Box

    return Box.of_shape(image.shape[:2])


@pytest.mark.parametrize("way", ["undo", "reset", "accept and delete", "discard"])
def test_what_was_taken_back_is_not_offered(begun, dock_of, settle, image, way):
    viewer, dock = begun
    if way == "accept and delete":
        dock.accept()
        dock.clicking.objects.delete(list(dock.clicking.objects.items))
    elif way == "discard":
        dock.leaving.ask = lambda: way
        dock.stop()
        dock.source.choose_image(viewer.add_image(image[::-1].copy()))
        dock.start()
    else:
        getattr(dock.controls, way).click()
    settle(dock)
    dock = again(dock_of, viewer, dock, image)
    assert not dock.recovery.isVisibleTo(dock) and not find_journals()


def test_what_is_kept_while_another_image_is_clicked_on_comes_back(begun, dock_of, settle, image):
    viewer, dock = begun
    dock.leaving.ask = lambda: "keep"
    dock.stop()
    dock.source.choose_image(viewer.add_image(image[::-1].copy()))
    dock.start()
    settle(dock)
    dock.click(20, 20)
    settle(dock)
    dock = again(dock_of, viewer, dock, image)
    assert "Recover 1 unfinished object of" in dock.recovery.text.text()
    dock.recovery.recover.click()
    settle(dock)
    assert list(dock.controller.clicks) == [Click(60, 80)]


def test_something_in_work_is_not_replaced_by_what_is_recovered(begun, dock_of, settle, image):
    viewer, dock = begun
    dock = again(dock_of, viewer, dock, image)
    dock.start()
    dock.click(20, 20)
    settle(dock)
    dock.recovery.recover.click()
    assert "Accept or reset it, then recover." in dock.status.text()
    assert list(dock.controller.clicks) == [Click(20, 20)] and dock.recovery.isVisibleTo(dock)
    dock.controls.reset.click()
    dock.recovery.recover.click()
    settle(dock)
    assert list(dock.controller.clicks) == [Click(60, 80)]
