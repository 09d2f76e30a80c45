"""Lazy images are recognised in a thread: nothing waits for them, and nothing is lost."""

import threading

import dask.array as da
import numpy as np
import pytest
from widgets.disks import DiskModel

from napari_clickseg.data.journal import find_journals, read_journal
from napari_clickseg.data.saved_session import ImageSignature


@pytest.fixture
def gate(monkeypatch):
    """Images cannot be recognised before it is set; it knows in which threads that was tried."""
    gate, known = threading.Event(), ImageSignature.of
    gate.threads = []

    def held(array, name):
        gate.threads.append(threading.current_thread())
        assert gate.wait(20)
        return known(array, name)

    monkeypatch.setattr(ImageSignature, "of", held)
    yield gate
    gate.set()


@pytest.fixture
def accepted(dock_of, settle, image, gate):
    """A dock with an object accepted on a lazy image that is not recognised yet."""
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(da.from_array(image, chunks=(64, 64, 3)), rgb=True)
    dock.start()
    settle(dock)
    dock.click(40, 60)
    settle(dock)
    dock.accept()
    assert dock.clicking.objects.labels == {1} and not find_journals()
    return viewer, dock


def the_only_journal():
    (found,) = find_journals()
    return read_journal(found.path)


def test_accepting_does_not_wait_and_the_journal_follows(accepted, gate, qtbot):
    _, dock = accepted
    data = np.array(dock.clicking.layers.objects.data)
    dock.undo()
    dock.redo()
    gate.set()
    qtbot.waitUntil(lambda: dock.autosave._recordings[0].waiting is None)
    assert len(gate.threads) == 1 and gate.threads[0] is not threading.main_thread()
    dock.shut_down()
    (known,) = the_only_journal().objects
    found = np.zeros(data.shape, bool)
    for box, mask in known.pieces:
        found[box.slices] |= mask
    assert np.array_equal(found, data == 1) and known.saved.interactions


def test_what_waits_is_written_when_the_dock_is_closed(accepted, gate):
    _, dock = accepted
    threading.Timer(0.05, gate.set).start()
    dock.shut_down()
    assert len(the_only_journal().objects) == 1


def test_objects_of_a_lazy_image_are_offered_when_it_is_recognised(
    accepted, gate, dock_of, image, qtbot
):
    viewer, dock = accepted
    gate.set()
    dock.shut_down()
    viewer.layers.clear()
    gate.clear()
    _, dock = dock_of(DiskModel(), viewer)
    viewer.add_image(da.from_array(image, chunks=(64, 64, 3)), rgb=True, name="again")
    assert not dock.recovery.isVisibleTo(dock)
    gate.set()
    qtbot.waitUntil(lambda: dock.recovery.isVisibleTo(dock))
    assert "Recover 1 object" in dock.recovery.text.text()


def test_an_image_that_cannot_be_recognised_is_told_once(dock_of, settle, image, monkeypatch):
    def refuse(array, name):
        raise OSError("the disk is gone")

    monkeypatch.setattr(ImageSignature, "of", refuse)
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(image)
    said = []
    dock.autosave._say = lambda text, level: said.append(text)
    dock.start()
    settle(dock)
    for place in ((40, 60), (60, 170)):
        dock.click(*place)
        settle(dock)
        dock.accept()
    assert dock.clicking.objects.labels == {1, 2} and not find_journals()
    assert len(said) == 1 and "the disk is gone" in said[0]
