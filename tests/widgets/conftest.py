"""A dock in a viewer."""

import numpy as np
import pytest

pytest.importorskip("napari")

from widgets.disks import DiskModel, SlowModel, wait_inside  # noqa: E402


@pytest.fixture
def image():
    """RGB photograph of scikit-image, reduced."""
    from napari_clickseg.widgets.samples import photograph

    return np.ascontiguousarray(photograph("cat")[::2, ::2])


@pytest.fixture
def dock_of(make_napari_viewer_proxy, monkeypatch, qtbot, tmp_path):
    """``dock_of(model, viewer)``: a dock whose only model is this one."""
    from napari_clickseg.models.zoo import ModelCard
    from napari_clickseg.widgets import source
    from napari_clickseg.widgets.dock import ClickDock

    card = ModelCard("disks", tmp_path / "disks.safetensors", "disks", "none", ("nothing",), 1000)
    monkeypatch.setattr(source, "list_models", lambda: [card])
    docks = []

    def make(model=None, viewer=None):
        viewer = make_napari_viewer_proxy() if viewer is None else viewer
        model = DiskModel() if model is None else model
        dock = ClickDock(viewer, load=lambda name, device: model)
        qtbot.addWidget(dock)
        docks.append(dock)
        return viewer, dock

    yield make
    for dock in docks:
        dock.shut_down()


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
