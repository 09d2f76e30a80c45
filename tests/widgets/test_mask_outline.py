"""The preview as an outline: as wide on the screen at any zoom, in a layer that comes and goes."""

import numpy as np
import pytest

from napari_clickseg.widgets.layers import window
from napari_clickseg.widgets.layers.edge_cells import edge_cells
from napari_clickseg.widgets.layers.own import bare, is_preview


# ------------------------------------------------------------------ the cells
@pytest.mark.parametrize(("down", "up"), [(1, 1), (3, 1), (7, 1), (1, 4)])
@pytest.mark.parametrize("where", [20, 21, 22, 23])
def test_a_line_is_two_cells_wide(down, up, where):
    mask = np.zeros((50, 60), np.uint8)
    mask[:, where:] = 1
    for turned in (False, True):
        cells = edge_cells(mask.T if turned else mask, (down, down), (up, up))
        cells = cells.T if turned else cells
        assert cells.shape == (50 // down * up, 60 // down * up)
        marked = np.flatnonzero(cells[0])
        assert marked.tolist() == [marked[0], marked[0] + 1] and (cells == cells[0]).all()
        assert marked[0] <= where / down * up <= marked[0] + 2


@pytest.mark.parametrize("value", [0, 1])
def test_what_is_narrower_than_a_cell_is_marked(value):
    mask = np.full((40, 40), 1 - value, np.uint8)
    mask[13, 27] = value
    assert edge_cells(mask, (8, 8), (1, 1))[1, 3]


def test_rows_and_columns_may_have_cells_of_other_sizes():
    mask = np.zeros((10, 90), np.uint8)
    mask[4:, 30:] = 1
    cells = edge_cells(mask, (1, 10), (2, 1))
    assert cells.shape == (20, 9)
    assert np.flatnonzero(cells[0]).size == 0
    assert np.flatnonzero(cells[:, 8]).tolist() == [7, 8]
    assert np.flatnonzero(cells[19]).tolist() == [2, 3]


def test_without_an_edge_there_is_no_line():
    for value in (0, 1):
        assert not edge_cells(np.full((9, 9), value, np.uint8), (2, 2), (1, 1)).any()
    assert edge_cells(np.ones((3, 9), np.uint8), (5, 5), (1, 1)).shape == (0, 1)


# ------------------------------------------------------------------ in the viewer
@pytest.fixture
def outlined(qtbot):
    """``outlined(dock)``: outline only, with all of the image seen at full size."""

    def switch(dock):
        dock.tools.view.outline.setChecked(True)
        look(dock)
        return dock.clicking.layers.outline

    return switch


def look(dock, pixels=1.0, corners=None):
    """Let a pixel of the screen be so many units of the world, as if it were drawn like that.

    What is seen of the preview goes from one corner to the other; None: all of it.
    """
    preview = dock.clicking.layers.preview
    last = [side - 1 for side in preview.data.shape]
    preview.corner_pixels = np.array([[0] * preview.ndim, last] if corners is None else corners)
    preview.scale_factor = pixels
    dock.tools.outline.update()


def assert_on_the_edge(dock, cell):
    """The cells marked lie where the mask of the plane begins, seen through both transforms."""
    layers, plane = dock.clicking.layers, dock.controller.plane
    outline, preview = layers.outline, layers.preview
    mask = preview.data[layers.window.index(plane, layers.window.box(plane))] != 0
    marked = np.argwhere(np.asarray(outline.data))
    assert len(marked) > 20
    near = int(np.ceil(1.5 * cell))
    for point in marked[:: max(1, len(marked) // 40)]:
        place = np.asarray(preview.world_to_data(outline.data_to_world(point)))
        other = [axis for axis in range(len(place)) if axis not in plane.axes]
        assert np.allclose(place[other], [plane.steps[axis] for axis in other])
        row, col = np.rint(place[list(plane.axes)]).astype(int)
        around = mask[max(0, row - near) : row + near + 1, max(0, col - near) : col + near + 1]
        assert around.any() and not around.all()


def test_the_layer_comes_and_goes_and_the_fill_is_as_before(clicked, outlined):
    viewer, dock, image = clicked()
    dock.tools.view.opacity.setValue(0.3)
    preview, before = dock.clicking.layers.preview, list(viewer.layers)
    active, mask = bare(viewer.layers.selection.active), preview.data.copy()
    layer = outlined(dock)
    assert [bare(known) for known in viewer.layers if known not in before] == [layer]
    assert bare(viewer.layers.selection.active) is active
    assert preview.opacity == 0 and preview.visible and layer.data.any()
    assert_on_the_edge(dock, 1)
    dock.tools.view.outline.setChecked(False)
    assert list(viewer.layers) == before and dock.clicking.layers.outline is None
    assert preview.opacity == pytest.approx(0.3) and preview.contour == 0
    assert np.array_equal(preview.data, mask)


@pytest.mark.parametrize("pixels", [5.0, 0.25])
def test_cells_are_as_large_as_pixels_of_the_screen(clicked, outlined, pixels):
    _, dock, image = clicked()
    layer = outlined(dock)
    look(dock, pixels)
    assert np.allclose(layer.scale, pixels)
    assert_on_the_edge(dock, pixels)
    low, high = dock.clicking.layers.preview.extent.world  # middles of the outermost pixels
    first, last = layer.extent.world
    assert (first - pixels / 2 >= low - 0.501).all() and (last + pixels / 2 <= high + 0.501).all()


def test_only_what_is_seen_is_computed(clicked, outlined):
    _, dock, _ = clicked()
    layer = outlined(dock)
    whole = layer.data.shape
    look(dock, 0.5, [(40, 60), (59, 99)])
    rows, cols = layer.data.shape
    assert 40 <= rows <= 60 and 80 <= cols <= 120 and rows < whole[0]
    assert np.allclose(layer.data_to_world((0, 0)), (36.75, 54.75), atol=1.01)


def test_it_follows_the_mask_and_what_is_painted(clicked, outlined, qtbot, settle):
    _, dock, _ = clicked()
    layer = outlined(dock)
    before = layer.data.copy()
    dock.click(20, 20)
    settle(dock)
    qtbot.waitUntil(lambda: not np.array_equal(layer.data, before))
    assert_on_the_edge(dock, 1)
    dock.undo()
    qtbot.waitUntil(lambda: np.array_equal(layer.data, before))
    preview = dock.clicking.layers.preview
    preview.brush_size = 9
    preview.paint((100, 20), 1)
    qtbot.waitUntil(lambda: bool(layer.data[90:110, 10:30].any()))
    assert_on_the_edge(dock, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
def test_planes_of_stacks_along_any_axis_and_stretched(
    dock_of, settle, image, outlined, qtbot, order
):
    viewer, dock = dock_of()
    stack = np.stack([image[..., 0]] * 60)
    viewer.add_image(stack, scale=(3, 0.5, 0.5), translate=(7, 8, 9))
    viewer.dims.order = order
    viewer.reset_view()
    dock.start()
    settle(dock)
    viewer.dims.set_point(order[0], 40.0)
    plane = dock.controller.plane
    dock.click(30, 30)
    settle(dock)
    layer = outlined(dock)
    assert dock.controller.plane == plane
    look(dock, 1.0)
    assert_on_the_edge(dock, 2)
    viewer.dims.set_point(order[0], 50.0)
    qtbot.waitUntil(lambda: not layer.data.any())
    viewer.dims.set_point(order[0], 40.0)
    qtbot.waitUntil(lambda: bool(layer.data.any()))


def test_the_preview_of_a_large_image_covers_a_part_of_it(
    dock_of, settle, image, outlined, qtbot, monkeypatch
):
    monkeypatch.setattr(window, "WHOLE_PIXELS", 1000)
    monkeypatch.setattr(window, "STEP", 16)
    monkeypatch.setattr(window, "MOST_ROOM", 32)
    viewer, dock = dock_of()
    viewer.add_image(image)
    dock.start()
    settle(dock)
    layer = outlined(dock)
    assert not layer.data.any()
    dock.click(100, 120)
    settle(dock)
    look(dock)
    assert dock.clicking.layers.window.start != (0, 0)
    assert_on_the_edge(dock, 1)
    look(dock, 3.0)
    assert_on_the_edge(dock, 3)


def test_in_3d_the_preview_is_filled(dock_of, settle, image, outlined, qtbot):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([image[..., 0]] * 3))
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    outlined(dock)
    layers = dock.clicking.layers
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: layers.outline is None)
    assert layers.preview.opacity == pytest.approx(0.5)
    viewer.dims.ndisplay = 2
    qtbot.waitUntil(lambda: layers.outline is not None)
    assert layers.preview.opacity == 0


def test_it_is_hidden_with_the_preview(clicked, outlined, qtbot):
    _, dock, _ = clicked()
    layer = outlined(dock)
    dock.tools.view.hide_preview.pressed.emit()
    qtbot.waitUntil(lambda: not layer.visible)
    dock.tools.view.hide_preview.released.emit()
    qtbot.waitUntil(lambda: layer.visible)


def test_it_is_not_offered_as_labels(clicked, outlined):
    _, dock, _ = clicked()
    layer = outlined(dock)
    assert is_preview(layer) and not layer.editable
    offered = dock.actions.layer_choice.box
    assert layer.name not in [offered.itemText(i) for i in range(offered.count())]
    assert layer is not dock.clicking.layers.objects


def test_deleting_it_is_to_switch_it_off(clicked, outlined):
    viewer, dock, _ = clicked()
    viewer.layers.remove(outlined(dock))
    assert not dock.tools.view.outline.isChecked()
    assert dock.clicking.layers.preview.opacity == pytest.approx(0.5)


@pytest.mark.parametrize("how", ["image", "preview", "dock"])
def test_it_goes_with_the_image_the_preview_and_the_dock(clicked, outlined, qtbot, how):
    viewer, dock, image = clicked()
    name = outlined(dock).name
    if how == "dock":
        dock.shut_down()
    else:
        viewer.layers.remove(image if how == "image" else dock.clicking.layers.preview)
    qtbot.waitUntil(lambda: name not in viewer.layers)
    qtbot.wait(150)
    assert name not in viewer.layers


def test_the_next_image_is_outlined_as_well(clicked, outlined, settle, image, qtbot):
    viewer, dock, _ = clicked()
    outlined(dock)
    dock.accept()
    dock.stop()
    dock.source.choose_image(viewer.add_image(image[::-1], name="other"))
    dock.start()
    settle(dock)
    dock.click(60, 80)
    settle(dock)
    layers = dock.clicking.layers
    look(dock)
    qtbot.waitUntil(lambda: layers.outline is not None and bool(layers.outline.data.any()))
    assert layers.preview.opacity == 0
    assert sum(is_preview(layer) for layer in viewer.layers) == 2
