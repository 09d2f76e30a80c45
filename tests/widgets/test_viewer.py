"""The viewer around the clicks: transforms, planes, lazy and multiscale images, 3D."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.components import Dims
from napari.layers import Image
from widgets.disks import DiskModel, press

from napari_clickseg import Segmenter
from napari_clickseg.widgets.image.plane import PlaneError, PlaneMap, displayed_plane, plane_reader

CLICKS = [(20, 30, True), (24, 60, True), (22, 45, False)]
ANGLES = st.floats(-170, 170)
FACTORS = st.floats(0.05, 8).flatmap(lambda f: st.sampled_from([f, -f]))
SHIFTS = st.floats(-500, 500)


def api_mask(image, limits=None):
    seg = Segmenter(DiskModel())
    seg.set_image(image, limits)
    for click in CLICKS:
        seg.click(*click)
    return seg.mask


def click_all(dock, settle, world=lambda row, col: (row, col)):
    for row, col, positive in CLICKS:
        press(dock.clicking.layers.positive, world(row, col), 1 if positive else 2)
        settle(dock)


@pytest.fixture
def gray():
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (60, 90), dtype=np.uint8)


@pytest.mark.parametrize(
    "transform",
    [
        {"scale": (0.5, 0.1), "translate": (12, -7), "rotate": 30},
        {"scale": (-2, 3), "shear": [0.4]},
        {"affine": [[0.9, -0.6, 5], [0.2, 1.4, -8], [0, 0, 1]], "scale": (0.2, 0.2)},
        {"scale": (0.65, 0.65), "units": ("um", "um"), "axis_labels": ("y", "x")},
    ],
)
def test_any_transform_gives_the_mask_of_the_untransformed_image(dock_of, settle, gray, transform):
    viewer, dock = dock_of()
    layer = viewer.add_image(gray, contrast_limits=(0, 255), **transform)
    dock.start()
    click_all(dock, settle, lambda row, col: layer.data_to_world((row, col)))
    made = dock.clicking.layers
    assert np.array_equal(made.preview.data != 0, api_mask(gray))
    for ours in made.own:
        assert np.allclose(ours.data_to_world((7, 11)), layer.data_to_world((7, 11)))
        assert ours.units == layer.units
        assert ours.axis_labels == layer.axis_labels


def test_our_layers_follow_when_the_image_is_moved(dock_of, settle, gray):
    viewer, dock = dock_of()
    layer = viewer.add_image(gray, contrast_limits=(0, 255))
    dock.start()
    layer.scale = (0.5, 2)
    layer.translate = (3, 4)
    layer.rotate = 20
    click_all(dock, settle, lambda row, col: layer.data_to_world((row, col)))
    assert np.array_equal(dock.clicking.layers.preview.data != 0, api_mask(gray))
    for ours in dock.clicking.layers.own:
        assert np.allclose(ours.data_to_world((7, 11)), layer.data_to_world((7, 11)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scale=st.tuples(FACTORS, FACTORS, FACTORS),
    translate=st.tuples(SHIFTS, SHIFTS, SHIFTS),
    angle=ANGLES,
    shear=st.floats(-1.5, 1.5),
    order=st.permutations([1, 2]),
    where=st.tuples(st.integers(0, 6), st.floats(0, 9), st.floats(0, 19)),
)
def test_world_points_find_their_pixel_under_any_transform(
    scale, translate, angle, shear, order, where
):
    turn = np.eye(3)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn[1:, 1:] = [[cos, -sin], [sin, cos]]
    skew = np.eye(3)
    skew[1, 2] = shear
    layer = Image(
        np.zeros((7, 10, 20), np.uint8), scale=scale, translate=translate, rotate=turn, shear=skew
    )
    world = layer.data_to_world(where)
    dims = Dims(ndim=3, ndisplay=2, order=(0, *order))
    dims.range = [(-1e5, 1e5, 1e-6)] * 3
    dims.point = world
    plane = displayed_plane(layer, dims)
    assert plane.axes == (1, 2) and plane.steps == (where[0], None, None)
    assert np.allclose(PlaneMap(layer, plane).pixel(world), where[1:], atol=1e-5)


def test_complex_images_are_refused():
    class Layer:
        data, multiscale, ndim, rgb = np.ones((4, 4), np.complex64), False, 2, False

    plane = displayed_plane(Image(np.zeros((4, 4))), Dims(ndim=2, ndisplay=2))
    with pytest.raises(ValueError, match="complex"):
        plane_reader(Layer(), plane)


def test_a_stack_keeps_one_object_per_slice(dock_of, settle, gray):
    stack = np.stack([gray, gray[::-1], gray[:, ::-1]])
    viewer, dock = dock_of()
    layer = viewer.add_image(stack, contrast_limits=(0, 255), scale=(4, 0.5, 0.5))
    dock.start()
    viewer.dims.set_current_step(0, 1)
    click_all(dock, settle, lambda row, col: layer.data_to_world((1, row, col)))
    preview = dock.clicking.layers.preview
    assert np.array_equal(preview.data[1] != 0, api_mask(stack[1]))
    assert not preview.data[[0, 2]].any()
    viewer.dims.set_current_step(0, 2)
    assert not dock.controller.clicks and not dock.controls.undo.isEnabled()
    press(dock.clicking.layers.positive, layer.data_to_world((2, 50, 10)))
    settle(dock)
    assert dock.controller.clicks[0].pixel == (50, 10) and preview.data[2].any()
    assert set(dock.clicking.layers.positive.data[:, 0]) == {1, 2}
    viewer.dims.set_current_step(0, 1)
    assert len(dock.controller.clicks) == 3
    dock.controller.undo()
    assert np.array_equal(preview.data[1] != 0, np.asarray(dock.controller.session.mask(0.5)))
    dock.controller.redo()
    dock.accept()
    objects = dock.clicking.layers.objects.data
    assert np.array_equal(objects[1] != 0, api_mask(stack[1]))
    assert not objects[[0, 2]].any()


def test_a_point_added_to_another_slice_is_refused(dock_of, settle, gray):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([gray] * 3), contrast_limits=(0, 255), scale=(4, 0.5, 0.5))
    dock.start()
    viewer.dims.set_current_step(0, 0)
    positive = dock.clicking.layers.positive
    positive.add([2, 20, 30])
    assert "another slice" in dock.status.text()
    assert not any(dock.controller.planes.values()) and not len(positive.data)
    viewer.dims.set_current_step(0, 2)
    positive.add([2, 20, 30])
    settle(dock)
    assert [c.pixel for c in dock.controller.clicks] == [(20, 30)]
    assert dock.clicking.layers.preview.data[2].any()


def test_the_displayed_axes_make_the_plane(dock_of, settle, gray):
    volume = np.repeat(gray[:, None, :], 4, axis=1)  # (60, 4, 90): rows along axis 0
    viewer, dock = dock_of()
    viewer.add_image(volume, contrast_limits=(0, 255))
    viewer.dims.order = (1, 2, 0)
    viewer.dims.set_current_step(1, 2)
    dock.start()
    click_all(dock, settle, lambda row, col: (row, 2, col))
    preview = dock.clicking.layers.preview.data
    assert np.array_equal(preview[:, 2] != 0, api_mask(gray))
    assert not preview[:, [0, 1, 3]].any()


def test_multiscale_and_dask_images_give_the_same_mask(dock_of, settle, gray):
    viewer, dock = dock_of()
    lazy = da.from_array(gray, chunks=(16, 16))
    for data, kind in (([gray, gray[::2, ::2]], {"multiscale": True}), (lazy, {})):
        layer = viewer.add_image(data, contrast_limits=(0, 255), **kind)
        dock.source.choose_image(layer)
        dock.start()
        click_all(dock, settle)
        assert dock.clicking.layers.preview.data.shape == gray.shape
        assert np.array_equal(dock.clicking.layers.preview.data != 0, api_mask(gray))
        dock.accept()
        dock.stop()


def test_a_lazy_stack_reads_only_the_plane_that_is_clicked(dock_of, settle, gray):
    read = []

    def slice_of(block_info=None):
        read.append(block_info[None]["array-location"][0][0])
        return gray[None]

    lazy = da.map_blocks(slice_of, chunks=((1,) * 5, (60,), (90,)), dtype=np.uint8, meta=gray[None])
    viewer, dock = dock_of()
    viewer.add_image(lazy, contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 3)
    dock.autosave.on = False  # a journal signs a few blocks of the image, once
    dock.start()
    read.clear()
    click_all(dock, settle, lambda row, col: (3, row, col))
    assert set(read) == {3}
    assert np.array_equal(dock.clicking.layers.preview.data[3] != 0, api_mask(gray))


def test_clicking_pauses_in_3d(dock_of, settle, gray):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([gray] * 3))
    dock.start()
    settle(dock)
    viewer.dims.ndisplay = 3
    assert "Switch the viewer to 2D" in dock.hint.text() and dock.pill.text() == "paused"
    dock.clicking.layers.positive.add((1, 20, 30))
    assert not len(dock.clicking.layers.positive.data) and not dock.controller.clicks
    viewer.dims.ndisplay = 2
    assert dock.pill.text() == "clicking"
    press(dock.clicking.layers.positive, (dock.controller.plane.steps[0], 20, 30))
    settle(dock)
    assert len(dock.controller.clicks) == 1


def test_a_slice_outside_a_smaller_image_pauses():
    layer = Image(np.zeros((3, 8, 8)))
    dims = Dims(ndim=3, ndisplay=2, range=[(0, 9, 1)] * 3, point=(7, 0, 0))
    with pytest.raises(PlaneError, match="no data at this slice"):
        displayed_plane(layer, dims)
    with pytest.raises(PlaneError, match="displayed plane"):
        displayed_plane(Image(np.zeros((8, 8))), Dims(ndim=3, ndisplay=2, order=(1, 0, 2)))


def test_two_viewers_do_not_know_of_each_other(dock_of, make_napari_viewer_proxy, settle, gray):
    first_viewer, first = dock_of()
    second_viewer, second = dock_of(viewer=make_napari_viewer_proxy())
    for viewer, dock in ((first_viewer, first), (second_viewer, second)):
        viewer.add_image(gray)
        dock.start()
    first.click(20, 30)
    settle(first)
    settle(second)
    assert first.controller.clicks and not second.controller.clicks
    assert first.clicking.layers.preview.data.any()
    assert not second.clicking.layers.preview.data.any()
    first.shut_down()
    second.click(20, 30)
    settle(second)
    assert second.clicking.layers.preview.data.any()
