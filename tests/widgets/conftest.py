"""A dock in a viewer."""

import gc

import numpy as np
import pytest

pytest.importorskip("napari")

from PIL import Image  # noqa: E402
from widgets.disks import DiskModel, SlowModel, wait_inside  # noqa: E402
from widgets.leaks import assert_nothing_left  # noqa: E402
from widgets.three import PLACES, labels  # noqa: E402


@pytest.fixture(autouse=True)
def own_journals(monkeypatch, tmp_path):
    """Journals of a test are its own."""
    monkeypatch.setenv("CLICKSEG_JOURNALS", str(tmp_path / "journals"))


@pytest.fixture
def image():
    """RGB photograph of scikit-image, reduced."""
    from napari_clickseg.widgets.samples import photograph

    return np.ascontiguousarray(photograph("cat")[::2, ::2])


@pytest.fixture(scope="session")
def one_viewer(qapp):
    """One viewer for all tests: to open and close one takes seconds."""
    from napari import Viewer
    from napari._qt.qt_viewer import QtViewer
    from napari._qt.threads.status_checker import StatusChecker
    from napari.settings import get_settings

    patch = pytest.MonkeyPatch()
    patch.setattr(StatusChecker, "start", lambda *_: None)
    get_settings().reset()
    viewer = Viewer(show=False, show_welcome_screen=False)
    QtViewer._instances.discard(viewer.window._qt_viewer)  # napari's own fixture tolerates none
    gc.collect()
    gc.freeze()  # napari collects garbage with each layer that goes, and most of this stays
    yield viewer
    patch.setattr(viewer.window._qt_window, "_save_current_window_settings", lambda *_: None)
    viewer.close()
    patch.undo()


@pytest.fixture
def shared_viewer(one_viewer):
    """The viewer that tests share, empty; afterwards it is emptied again.

    As napari's own fixture does, it is given without what plugins must not touch.
    """
    from napari.utils._proxies import PublicOnlyProxy

    keys = dict(one_viewer.keymap)
    yield PublicOnlyProxy(one_viewer)
    one_viewer.window.remove_dock_widget("all")
    one_viewer.layers.clear()
    one_viewer.dims.ndisplay = 2
    one_viewer.dims.order = tuple(range(one_viewer.dims.ndim))
    one_viewer.dims.reset()
    one_viewer.reset_view()
    one_viewer.keymap.clear()
    one_viewer.keymap.update(keys)


@pytest.fixture
def nothing_left(shared_viewer):
    """After the test, the viewer has nothing of ours."""
    yield
    assert_nothing_left(shared_viewer)


@pytest.fixture
def closing(qtbot):
    """``closing(dock)``: the dock, which is shut down after the test."""
    docks = []

    def keep(dock):
        qtbot.addWidget(dock)
        docks.append(dock)
        return dock

    yield keep
    for dock in docks:
        dock.shut_down()


@pytest.fixture
def dock_of(shared_viewer, nothing_left, closing, request, monkeypatch, tmp_path):
    """``dock_of(model, viewer)``: a dock whose only model is this one.

    The first one is in the viewer that tests share, each other one in one of its own.
    """
    from napari_clickseg.models.zoo import ModelCard
    from napari_clickseg.widgets.dock import source
    from napari_clickseg.widgets.dock.click_dock import ClickDock

    card = ModelCard("disks", tmp_path / "disks.safetensors", "disks", "none", ("nothing",), 1000)
    monkeypatch.setattr(source, "list_models", lambda: [card])
    docks = []

    def make(model=None, viewer=None):
        if viewer is None and docks:
            viewer = request.getfixturevalue("make_napari_viewer_proxy")()
        elif viewer is None:
            viewer = shared_viewer
        model = DiskModel() if model is None else model
        docks.append(closing(ClickDock(viewer, load=lambda name, device: model)))
        return viewer, docks[-1]

    return make


@pytest.fixture
def settle(qtbot):
    """Wait until a dock has no request left."""

    def wait(dock):
        qtbot.waitUntil(
            lambda: dock.controller.busy is None and not dock.runner.busy, timeout=20_000
        )

    return wait


@pytest.fixture
def clicked(dock_of, settle, image):
    """A viewer and a dock with two layers of the user and one click answered."""

    def make(model=None):
        viewer, dock = dock_of(model)
        viewer.add_points([(1, 2)], name="mine")
        layer = viewer.add_image(image, name="photograph")
        dock.start()
        settle(dock)
        dock.click(60, 80)
        settle(dock)
        return viewer, dock, layer

    return make


@pytest.fixture
def running(dock_of, settle, image, qtbot):
    """A viewer, its dock and a model that is held inside its first prediction."""
    model = SlowModel()
    viewer, dock = dock_of(model)
    viewer.add_image(image)
    dock.start()
    settle(dock)
    dock.click(60, 80)
    wait_inside(qtbot, model)
    return viewer, dock, model


@pytest.fixture
def three(dock_of, settle, image):
    """A viewer, a dock with three accepted objects and its layer of labels."""
    viewer, dock = dock_of(DiskModel())
    viewer.add_image(image)
    dock.start()
    settle(dock)
    for place in PLACES.values():
        dock.click(*place)
        settle(dock)
        dock.accept()
    return viewer, dock, labels(dock)


@pytest.fixture
def photographs(tmp_path, image):
    """Three photographs; the second is stored on its side with the EXIF tag that says so."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, pixels in (("1", image), ("10", image[:, ::-1]), ("2", image[::-1])):
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"cat{number}.png")
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(image[::-1])))
    tags = turned.getexif()
    tags[0x0112] = 6  # shown a quarter turn to the right
    turned.save(folder / "cat2.png", exif=tags)
    return folder


@pytest.fixture
def settled(qtbot, settle):
    def wait(dock):
        qtbot.waitUntil(lambda: not dock.folder.busy, timeout=20_000)
        settle(dock)

    return wait


@pytest.fixture
def opened(dock_of, photographs, settled):
    def make(model=None):
        viewer, dock = dock_of(model)
        viewer.add_points([(1, 2)], name="mine")
        dock.folder.open(photographs)
        settled(dock)
        return viewer, dock

    return make
