"""Large images: masks that become sharp by and by, and layers that cover what is needed."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import ColourModel
from napari.layers import Image, Labels

from napari_clickseg import Box, Segmenter
from napari_clickseg.engine.predictor import Predictor
from napari_clickseg.widgets.image.plane import Plane, visible_box
from napari_clickseg.widgets.layers import window
from napari_clickseg.widgets.layers import zeros as sparse
from napari_clickseg.widgets.layers.own import ClickLayers
from napari_clickseg.widgets.layers.window import Window
from napari_clickseg.widgets.work import jobs

FLAT = Plane((0, 1), (None, None))


@pytest.fixture(scope="module")
def scene():
    """A red disk and a small purple one on greenish ground, (1000, 1300, 3) uint8.

    One click finds one of them, a click on each finds both.
    """
    rows, cols = np.ogrid[:1000, :1300]
    mask = (rows - 480) ** 2 + (cols - 420) ** 2 <= 330**2
    small = (rows - 760) ** 2 + (cols - 1100) ** 2 <= 130**2
    noise = np.random.default_rng(1).normal(0, 4, (1000, 1300, 3))
    colours = np.where(mask[..., None], (180, 90, 70), (80, 110, 90))
    colours = np.where(small[..., None], (180, 90, 125), colours)
    return (colours + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture
def small_limit(monkeypatch):
    """Images count as large from 1000 pixels on, and there is little room around objects."""
    monkeypatch.setattr(window, "WHOLE_PIXELS", 1000)
    monkeypatch.setattr(window, "STEP", 16)
    monkeypatch.setattr(window, "MOST_ROOM", 32)


@pytest.fixture
def held(monkeypatch):
    """The refinement of edges stops after two parts until `go_on` is set."""
    gate = SimpleNamespace(entered=threading.Event(), go_on=threading.Event(), first=[])
    follow_edges = Predictor.follow_edges

    def halting(self, session, cancelled=None, first=()):
        gate.first.append(list(first))
        for count, finer in enumerate(follow_edges(self, session, cancelled, first)):
            yield finer
            if count == 1 and not gate.go_on.is_set():
                gate.entered.set()
                assert gate.go_on.wait(20)

    monkeypatch.setattr(Predictor, "follow_edges", halting)
    monkeypatch.setattr(jobs, "TELL_EVERY", 0.0)
    return gate


@pytest.fixture
def dock_on(dock_of, settle):
    """``dock_on(image, **kwargs)``: a dock that clicks on an image with a model of colours."""

    def make(image, **kwargs):
        viewer, dock = dock_of(ColourModel())
        layer = viewer.add_image(image, **kwargs)
        dock.start()
        settle(dock)
        return viewer, dock, layer

    return make


def api_masks(image, *clicks):
    seg = Segmenter(ColourModel())
    seg.set_image(image)
    masks = []
    for row, col, positive in clicks:
        seg.click(row, col, positive)
        masks.append(seg.mask)
    return masks


def preview(dock, shape, plane=FLAT):
    """What the preview shows, in an array of the image's size."""
    found = np.zeros(shape, bool)
    made = dock.clicking.layers
    found[made.window.box(plane).slices] = made.preview.data[plane.index(Box(*[0] * 2, *shape))]
    return found


def wait_refining(qtbot, dock, gate):
    qtbot.waitUntil(gate.entered.is_set, timeout=20_000)
    qtbot.waitUntil(lambda: dock.pill.text() == "refining")


# ---------------------------------------------------------------- masks that become sharp
def test_the_mask_ends_as_that_of_the_api_and_is_shown_before(dock_on, settle, scene):
    _, dock, _ = dock_on(scene)
    seen, sharp = [], []
    dock.controller.changed.connect(lambda: seen.append(dock.pill.text()))
    dock.controller.shown.connect(lambda plane: sharp.append(not dock.controller.coarse(plane)))
    dock.click(480, 420)
    settle(dock)
    assert sharp[0] is False and sharp[-1] is True
    assert "refining" in seen and dock.pill.text() == "clicking"
    (mask,) = api_masks(scene, (480, 420, True))
    assert np.array_equal(preview(dock, mask.shape), mask)
    dock.controller.undo()
    assert not preview(dock, mask.shape).any() and not dock.controller.can_undo
    dock.controller.redo()
    assert np.array_equal(preview(dock, mask.shape), mask) and not dock.controller.can_redo


def test_cancel_keeps_the_mask_so_far_and_a_click_goes_on(dock_on, settle, scene, held, qtbot):
    _, dock, _ = dock_on(scene)
    dock.click(480, 420)
    wait_refining(qtbot, dock, held)
    dock.controls.cancel.click()
    waiting = set(dock.controller.session.coarse)
    shown = preview(dock, scene.shape[:2])
    assert waiting and shown[480, 420] and dock.pill.text() == "clicking"
    assert "stay coarse" in dock.status.text()
    held.go_on.set()
    settle(dock)
    assert set(dock.controller.session.coarse) == waiting
    assert np.array_equal(preview(dock, scene.shape[:2]), shown)
    dock.click(30, 1250, positive=False)
    settle(dock)
    assert not dock.controller.session.coarse
    dock.controller.undo()
    assert set(dock.controller.session.coarse) == waiting and dock.controller.busy == "refining"
    settle(dock)
    assert not dock.controller.session.coarse
    (mask,) = api_masks(scene, (480, 420, True))
    agree = preview(dock, mask.shape) == mask
    assert agree.mean() > 0.9999


def test_a_click_goes_before_the_refinement(dock_on, settle, scene, held, qtbot):
    _, dock, _ = dock_on(scene)
    dock.click(480, 420)
    wait_refining(qtbot, dock, held)
    dock.click(760, 1100)
    assert dock.controller.busy == "running" and len(dock.controller.clicks) == 2
    held.go_on.set()
    settle(dock)
    session = dock.controller.session
    assert session.predicted == 2 and not session.coarse
    assert np.array_equal(preview(dock, scene.shape[:2]), session.mask(0.5))


def test_accept_waits_for_the_edges(dock_on, settle, scene, held, qtbot):
    _, dock, _ = dock_on(scene)
    dock.click(480, 420)
    wait_refining(qtbot, dock, held)
    dock.accept()
    objects = dock.clicking.layers.objects
    assert "as soon as its edges" in dock.status.text() and not objects.data.any()
    held.go_on.set()
    qtbot.waitUntil(lambda: objects.data.any(), timeout=20_000)
    (mask,) = api_masks(scene, (480, 420, True))
    assert np.array_equal(objects.data == 1, mask) and not dock.controller.clicks
    assert dock.controls.label.value() == 2


def test_accept_after_cancel_takes_the_mask_as_it_is_and_says_so(dock_on, scene, held, qtbot):
    _, dock, _ = dock_on(scene)
    dock.click(480, 420)
    wait_refining(qtbot, dock, held)
    dock.accept()
    dock.controls.cancel.click()
    objects, shown = dock.clicking.layers.objects, preview(dock, scene.shape[:2])
    assert not objects.data.any()
    dock.accept()
    assert np.array_equal(objects.data == 1, shown) and "not refined" in dock.status.text()
    held.go_on.set()


def test_what_is_painted_while_edges_are_refined_is_kept(dock_on, settle, scene, held, qtbot):
    _, dock, _ = dock_on(scene)
    dock.click(480, 420)
    wait_refining(qtbot, dock, held)
    layer = dock.clicking.layers.preview
    layer.data_setitem(tuple(axis.ravel() for axis in np.mgrid[900:950, 20:90]), 1)
    painted = layer.data != 0
    held.go_on.set()
    settle(dock)
    assert np.array_equal(layer.data != 0, painted) and not dock.controller.session.coarse


# ---------------------------------------------------------------- what the user sees
def test_the_visible_part_is_known_in_pixels_of_full_size():
    levels = [np.zeros((3, 800, 1000), np.uint8), np.zeros((3, 200, 250), np.uint8)]
    image = Image(levels, multiscale=True)
    plane = Plane((1, 2), (1, None, None))
    image.data_level, image.corner_pixels = 1, np.array([[0, 10, 20], [0, 99, 119]])
    assert visible_box(image, plane) == Box(40, 80, 400, 480)
    image.corner_pixels = np.array([[0, 0, 0], [0, 199, 249]])
    assert visible_box(image, plane) is None
    labels = Labels(np.zeros((800, 1000), np.uint8))
    assert visible_box(labels, FLAT) is None  # never drawn
    labels.corner_pixels = np.array([[30, 40], [99, 999]])
    assert visible_box(labels, FLAT) == Box(30, 40, 100, 1000)


def test_the_view_is_where_the_object_is_looked_for(dock_on, settle, scene, held):
    held.go_on.set()
    _, dock, _ = dock_on(scene)
    seen = Box(600, 900, 950, 1290)
    dock.clicking.layers.objects.corner_pixels = np.array([[600, 900], [949, 1289]])
    dock.click(760, 1100)
    settle(dock)
    assert dock.controller.session.viewport == seen and held.first == [[seen]]
    dock.accept()
    dock.clicking.layers.objects.corner_pixels = np.array([[0, 0], [999, 1299]])
    dock.click(480, 420)
    settle(dock)
    assert dock.controller.session.viewport is None and held.first[-1] == []


# ---------------------------------------------------------------- layers that cover what is needed
@pytest.mark.parametrize(
    "transform",
    [
        {"scale": (0.5, 0.1), "translate": (12, -7), "rotate": 30},
        {"affine": [[0.9, -0.6, 5], [0.2, 1.4, -8], [0, 0, 1]], "scale": (-0.2, 3), "shear": [0.4]},
    ],
)
def test_the_preview_lies_on_the_object(dock_on, settle, scene, small_limit, transform):
    _, dock, layer = dock_on(scene, **transform)
    first, second = api_masks(scene, (760, 1100, True), (480, 420, True))
    made = dock.clicking.layers

    def in_place():
        start = made.window.start
        for corner in ((0, 0), (7, 31)):
            there = layer.data_to_world(np.add(start, corner))
            if not np.allclose(made.preview.data_to_world(corner), there):
                return False
        return made.preview.data.shape == made.window.shape

    dock.click(760, 1100)
    settle(dock)
    assert first.any() and np.array_equal(preview(dock, first.shape), first) and in_place()
    assert made.preview.data.size < first.size / 2 and min(made.window.start) > 0
    layer.translate = (3, 4)
    layer.rotate = 20
    assert in_place()
    dock.click(480, 420)
    settle(dock)
    assert np.array_equal(preview(dock, first.shape), second) and in_place()
    dock.controller.undo()
    assert np.array_equal(preview(dock, first.shape), first)
    dock.accept()
    assert np.array_equal(made.objects.data == 1, first)
    assert made.preview.data.size == 1 and in_place()


def test_a_stack_keeps_the_objects_of_its_slices(dock_on, settle, scene, small_limit):
    gray = scene[::2, ::2, 0]
    stack = np.stack([gray, gray[::-1]])
    viewer, dock, layer = dock_on(stack, contrast_limits=(0, 255), scale=(4, 0.5, 0.5))
    masks = {}
    for step, (row, col) in ((0, (240, 210)), (1, (120, 550))):
        viewer.dims.set_current_step(0, step)
        dock.click(row, col)
        settle(dock)
        masks[step] = dock.controller.session.mask(0.5)
        assert masks[step][row, col]
    for step, mask in masks.items():
        plane = Plane((1, 2), (step, None, None))
        assert np.array_equal(preview(dock, mask.shape, plane), mask)
    viewer.dims.set_current_step(0, 0)
    dock.accept()
    assert np.array_equal(dock.clicking.layers.objects.data[0] != 0, masks[0])
    assert not dock.clicking.layers.objects.data[1].any()
    plane = Plane((1, 2), (1, None, None))
    assert np.array_equal(preview(dock, gray.shape, plane), masks[1])


def test_the_worker_has_the_memory_of_a_larger_preview_ready(
    dock_on, settle, scene, small_limit, monkeypatch
):
    provided, provide = [], ClickLayers.provide

    def watched(self, window, plane):
        provide(self, window, plane)
        provided.append((self._spare, threading.current_thread()))

    monkeypatch.setattr(ClickLayers, "provide", watched)
    _, dock, _ = dock_on(scene)
    made = dock.clicking.layers
    for at in ((480, 420), (760, 1100)):  # the second one makes it grow
        dock.click(*at)
        settle(dock)
        assert any(made.preview.data is array for array, _ in provided)
    assert threading.main_thread() not in [thread for _, thread in provided]
    masks = api_masks(scene, (480, 420, True), (760, 1100, True))
    assert np.array_equal(preview(dock, masks[-1].shape), masks[-1])


def test_painting_in_a_preview_that_covers_a_part_is_a_step(dock_on, settle, scene, small_limit):
    _, dock, _ = dock_on(scene[:600, 900:][::2, ::2])
    dock.click(20, 30)
    settle(dock)
    made = dock.clicking.layers
    before = preview(dock, (300, 200))
    made.preview.data_setitem((np.array([3, 4]), np.array([5, 6])), 1 - made.preview.data[3, 5])
    painted = preview(dock, (300, 200))
    dock.controller.undo()
    assert np.array_equal(preview(dock, (300, 200)), before)
    dock.controller.redo()
    assert np.array_equal(preview(dock, (300, 200)), painted)


def test_windows_share_what_both_cover():
    shape = (5000, 9000)
    one = Window((0, 0), (1, 1)).around(FLAT, Box(2000, 3000, 2100, 3100), shape, old=False)
    assert one.box(FLAT) == Box(1536, 2560, 2560, 3584)
    both = one.around(FLAT, Box(4900, 8900, 5000, 9000), shape, old=True)
    assert both.box(FLAT).union(one.box(FLAT)) == both.box(FLAT) and both.stop == shape
    mine, theirs = both.common(one)
    assert np.zeros(both.shape, bool)[mine].shape == np.zeros(one.shape, bool)[theirs].shape
    assert np.zeros(one.shape, bool)[theirs].shape == one.shape


def test_objects_lie_on_disk_where_memory_refuses_them(dock_on, settle, scene, monkeypatch):
    def refuse(shape, dtype):
        raise MemoryError

    few = SimpleNamespace(zeros=refuse, memmap=np.memmap)
    with monkeypatch.context() as patched:
        patched.setattr(sparse, "np", few)
        zeros = sparse.zeros((50, 60), np.uint16)
    assert isinstance(zeros, np.memmap) and not zeros.any()
    zeros[3:5, 7] = 9
    labels = Labels(zeros)
    labels.paint((20, 20), 4)
    assert (labels.data[3:5, 7] == 9).all() and labels.data[20, 20] == 4
