"""Strokes, contours and boxes in the viewer; auto-run, queueing and the keys around them."""

import numpy as np
import pytest
from widgets.disks import DiskModel

from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke
from napari_clickseg.widgets.dock.keys import KEYS, ON_SHAPES
from napari_clickseg.widgets.layers.own import bare
from napari_clickseg.widgets.work.tools import TOOLS

LINE = [(40, 40), (50, 60), (60, 80), (60, 100)]
DRAWN = Box(30, 30, 70, 110)
AROUND = [(40, 40), (40, 90), (80, 90), (80, 40)]


def drag(layer, places, button=1):
    """The mouse pressed, moved along places and let go, as the canvas hands it to a layer."""
    from napari.utils.interactions import (
        mouse_move_callbacks,
        mouse_press_callbacks,
        mouse_release_callbacks,
    )

    class Event:
        modifiers, view_direction, dims_displayed = (), None, [0, 1]

        def now(self, kind, position):
            self.type, self.button, self.position = kind, button, position
            self.pos, self.handled = np.array(position) * 20.0, False
            self.is_dragging, self.dims_point = kind == "mouse_move", position
            return self

    event = Event()
    mouse_press_callbacks(layer, event.now("mouse_press", places[0]))
    for place in places[1:]:
        mouse_move_callbacks(layer, event.now("mouse_move", place))
    mouse_release_callbacks(layer, event.now("mouse_release", places[-1]))


@pytest.fixture
def started(dock_of, settle, image):
    viewer, dock = dock_of()
    viewer.add_image(image)
    dock.start()
    settle(dock)
    return viewer, dock


def preview(dock):
    return dock.clicking.layers.preview.data != 0


def pressed(dock, target, key):
    from napari.utils.key_bindings import coerce_keybinding

    return target.keymap[coerce_keybinding(key)](target)


def test_tools_draw_what_the_model_is_told(started, settle):
    viewer, dock = started
    dock.tools.panel.tools["stroke"].click()
    shapes = dock.clicking.layers.shapes
    assert bare(viewer.layers.selection.active) is shapes and shapes.mode == "add_path"
    drag(shapes, LINE)
    settle(dock)
    (stroke,) = dock.controller.clicks
    assert isinstance(stroke, Stroke) and stroke.positive and len(stroke.points) >= 3
    assert preview(dock)[50, 60] and preview(dock)[60, 85]
    dock.tools.choose("box")
    drag(shapes, [(30, 30), (70, 110)])
    settle(dock)
    box = dock.controller.clicks[1].box
    assert dock.controller.clicks[1] == BoxPrompt(box) and box.intersect(DRAWN).area > 0.95 * 3200
    outside = preview(dock).copy()
    outside[box.slices] = False
    assert preview(dock).any() and not outside.any()
    assert list(shapes.shape_type) == ["path", "rectangle"]
    dock.undo()
    assert list(shapes.shape_type) == ["path"] and len(dock.controller.clicks) == 1


def test_the_right_button_and_the_key_draw_background(started, settle):
    _, dock = started
    dock.click(60, 60)
    settle(dock)
    before = preview(dock)
    dock.tools.choose("contour")
    shapes = dock.clicking.layers.shapes
    drag(shapes, [*AROUND, AROUND[0]], button=2)
    settle(dock)
    contour = dock.controller.clicks[1]
    assert isinstance(contour, Contour) and not contour.positive
    assert preview(dock).sum() < before.sum()
    pressed(dock, shapes, ON_SHAPES["swap"])
    assert not dock.clicking.positive and dock.controls.negative.isChecked()
    assert dock.clicking.tools.tool.name == "contour"
    drag(shapes, [(100, 20), (100, 50), (115, 50), (115, 20), (100, 20)])
    settle(dock)
    assert not dock.controller.clicks[2].positive
    dock.tools.choose("points")
    assert not dock.clicking.positive


def test_drawn_shapes_are_moved_and_deleted_as_steps(started, settle):
    _, dock = started
    dock.tools.choose("box")
    shapes = dock.clicking.layers.shapes
    drag(shapes, [(30, 30), (70, 110)])
    settle(dock)
    first = dock.controller.clicks[0].box
    mask = preview(dock)
    shapes.data = [shapes.data[0] + 10]
    settle(dock)
    assert dock.controller.clicks[0].box == first.shift(10, 10)
    shapes.selected_data = {0}
    shapes.remove_selected()
    settle(dock)
    assert dock.controller.clicks == () and not preview(dock).any() and not len(shapes.data)
    dock.undo()
    dock.undo()
    assert dock.controller.clicks[0].box == first and len(shapes.data) == 1
    assert np.array_equal(preview(dock), mask)


def test_a_new_box_replaces_the_old_and_clicks_outside_are_refused(started, settle, qtbot):
    _, dock = started
    dock.tools.choose("box")
    shapes = dock.clicking.layers.shapes
    drag(shapes, [(30, 30), (70, 110)])
    settle(dock)
    drag(shapes, [(20, 20), (60, 100)])
    settle(dock)
    qtbot.waitUntil(lambda: len(shapes.data) == 1)
    assert len(dock.controller.clicks) == 1
    dock.click(110, 110)
    assert "outside the box" in dock.status.text() and len(dock.controller.clicks) == 1
    assert not len(dock.clicking.layers.positive.data)


def test_the_shapes_layer_may_be_deleted_and_comes_back(started, settle):
    viewer, dock = started
    dock.tools.choose("stroke")
    drag(dock.clicking.layers.shapes, LINE)
    settle(dock)
    viewer.layers.remove(dock.clicking.layers.shapes)
    assert "shapes layer was removed" in dock.status.text() and dock.clicking.active
    dock.tools.choose("box")
    assert list(dock.clicking.layers.shapes.shape_type) == ["path"]
    dock.stop()
    dock.start()
    assert len(dock.clicking.layers.shapes.data) == 1


def test_a_shape_outside_the_image_is_refused(started, qtbot):
    _, dock = started
    dock.tools.choose("stroke")
    drag(dock.clicking.layers.shapes, [(-30, -30), (-40, -30), (-50, -40), (-50, -50)])
    assert "outside the image" in dock.status.text()
    assert not dock.controller.clicks
    qtbot.waitUntil(lambda: not len(dock.clicking.layers.shapes.data))


def test_without_auto_run_clicks_wait_for_run(started, settle):
    viewer, dock = started
    pressed(dock, viewer, KEYS["auto_run"])
    assert not dock.tools.panel.auto_run.isChecked()
    dock.click(60, 60)
    dock.click(20, 20, False)
    settle(dock)
    assert not preview(dock).any() and dock.tools.panel.run.text() == "Run 2 (G)"
    dock.accept()
    assert "not in the mask yet" in dock.status.text()
    calls = dock.controller._cache._model.calls
    pressed(dock, viewer, KEYS["run"])
    settle(dock)
    assert preview(dock).any() and dock.controller.session.predicted == 2
    together = dock.controller._cache._model.calls - calls
    dock.tools.panel.run.click()  # nothing waits: all of it again, click by click
    settle(dock)
    assert preview(dock).any() and dock.controller._cache._model.calls - calls > 2 * together - 1


def test_clicks_wait_while_ctrl_is_held(started, settle, qtbot):
    from qtpy.QtCore import Qt

    _, dock = started
    dock.show()
    qtbot.keyPress(dock, Qt.Key.Key_Control)
    dock.click(60, 60)
    dock.click(62, 90)
    settle(dock)
    assert dock.controller.session.predicted == 0
    qtbot.keyRelease(dock, Qt.Key.Key_Control)
    settle(dock)
    assert dock.controller.session.predicted == 2 and preview(dock).any()


def test_options_apply_to_the_object_in_work_when_it_is_run_again(started, settle):
    _, dock = started
    dock.click(60, 60)
    settle(dock)
    dock.advanced.flip.setChecked(False)
    calls = dock.controller._cache._model.calls
    dock.tools.run()
    settle(dock)
    assert not dock.controller._cache._predictor.profile.flip
    assert dock.controller._cache._model.calls > calls and len(dock.controller.clicks) == 1


def test_the_nearest_click_is_deleted_by_a_key(started, settle):
    viewer, dock = started
    dock.click(60, 60)
    dock.click(20, 20, False)
    settle(dock)
    viewer.cursor.position = (25, 25)
    pressed(dock, viewer, KEYS["nearest"])
    settle(dock)
    assert dock.controller.clicks == (Click(60, 60),)
    viewer.cursor.position = (-50, -50)
    pressed(dock, viewer, KEYS["nearest"])
    assert "no click near" in dock.status.text() and len(dock.controller.clicks) == 1


def test_the_preview_is_hidden_while_a_key_is_held_and_outlined(started, settle):
    viewer, dock = started
    dock.click(60, 60)
    settle(dock)
    layer = dock.clicking.layers.preview
    held = pressed(dock, viewer, KEYS["hide"])
    next(held)
    assert not layer.visible
    assert next(held, None) is None and layer.visible
    pressed(dock, viewer, KEYS["outline"])
    assert dock.clicking.layers.outline in viewer.layers and layer.opacity == 0
    dock.tools.view.outline.toggle()
    dock.tools.view.opacity.setValue(0.2)
    dock.tools.view.click_size.setValue(0)
    assert layer.opacity == pytest.approx(0.2)
    assert not dock.clicking.layers.positive.shown.any()


def test_clicks_are_as_large_on_a_screen_of_many_pixels(started, monkeypatch):
    _, dock = started
    monkeypatch.setattr(dock.tools.view, "devicePixelRatioF", lambda: 2.0)
    dock.tools.view.click_size.setValue(20)
    assert all(p.canvas_size_limits == (40.0, 40.0) for p in dock.clicking.layers.points)


def test_the_hint_is_that_of_the_tool_in_use(started):
    _, dock = started
    hints = []
    for tool in TOOLS:
        dock.keys._actions[tool.name]()
        hints.append(dock.hint.text())
    assert len(set(hints)) == len(TOOLS)


def test_every_key_is_free_or_ours_and_told(started):
    from napari.layers import Image, Points, Shapes
    from napari.utils.key_bindings import coerce_keybinding
    from napari.utils.shortcuts import default_shortcuts

    taken = {
        name: {str(key) for action, keys in default_shortcuts.items() for key in keys}
        for name in ("all",)
    }["all"]
    ours = {tool.key for tool in TOOLS} | {KEYS[k] for k in ("run", "auto_run", "outline", "hide")}
    assert not {str(coerce_keybinding(key)) for key in ours} & taken
    assert all(layer is not None for layer in (Image, Points, Shapes))
    _, dock = started
    for tool in TOOLS:
        assert tool.key in dock.tools.panel.tools[tool.name].text()


def test_a_model_that_takes_strokes_is_told_of_them(dock_of, settle, image):
    seen = []

    class Native(DiskModel):
        def __init__(self):
            super().__init__()
            kinds = frozenset({"click", "stroke"})
            self.spec = type(self.spec)("disks", "clickseg", True, interactions=kinds)

        def encode(self, interactions, shape, offset=0):
            seen.extend(item.kind for item in interactions)
            return super().encode(interactions, shape, offset)

    viewer, dock = dock_of(Native())
    viewer.add_image(image)
    dock.start()
    dock.tools.choose("stroke")
    drag(dock.clicking.layers.shapes, LINE)
    settle(dock)
    assert set(seen) == {"stroke"}


def test_what_comes_back_in_a_3d_view_is_drawn_as_soon_as_that_is_left(started, settle):
    viewer, dock = started
    dock.tools.choose("box")
    shapes = dock.clicking.layers.shapes
    drag(shapes, [(30, 30), (70, 110)])
    settle(dock)
    mask = preview(dock).copy()
    dock.accept()
    for _ in range(2):
        viewer.dims.ndisplay = 3
        dock.undo()
        viewer.dims.ndisplay = 2
        assert list(shapes.shape_type) == ["rectangle"] and np.array_equal(preview(dock), mask)
        viewer.dims.ndisplay = 3
        dock.redo()
        viewer.dims.ndisplay = 2
        assert not len(shapes.data) and not preview(dock).any()
