"""Of large layers only what has changed is sent, and the worker makes the masks to be shown."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Labels

from napari_clickseg.engine.deferred import Deferred
from napari_clickseg.engine.mask_rule import MaskRule
from napari_clickseg.engine.session import Session
from napari_clickseg.engine.tiles import TILE, TileMap
from napari_clickseg.geometry import Box
from napari_clickseg.widgets.image.plane import Plane
from napari_clickseg.widgets.layers.patches import Patch
from napari_clickseg.widgets.layers.redraw import redraw
from napari_clickseg.widgets.work.ready_masks import ReadyMasks

FLAT = Plane((0, 1), (None, None))


@pytest.fixture
def drawn():
    """``drawn(layer)``: the canvas as the layer's events paint it."""

    def watch(layer):
        canvas, whole = np.array(layer._slice.image.view), []

        def paint(event):
            top, left = event.offset
            height, width = event.data.shape
            canvas[top : top + height, left : left + width] = event.data

        layer.events.labels_update.connect(paint)
        layer.events.set_data.connect(lambda event: whole.append(event))
        return canvas, whole

    return watch


@pytest.mark.parametrize("contour", [0, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_parts_are_drawn_as_the_whole_would_be(drawn, dtype, contour):
    layer = Labels(np.zeros((60, 90), dtype))
    layer.contour = contour
    canvas, whole = drawn(layer)
    rng = np.random.default_rng(0)
    for _ in range(5):
        top, left = rng.integers(0, 40, 2)
        index = slice(top, top + 20), slice(left, left + 20)
        layer.data[index] = rng.integers(1, 4)
        redraw(layer, [index])
    assert not whole
    layer.refresh()
    assert np.array_equal(canvas, layer._slice.image.view)


def test_far_parts_are_sent_one_by_one_and_near_ones_together(drawn):
    layer = Labels(np.zeros((3000, 3000), np.uint8))
    sizes = []
    layer.events.labels_update.connect(lambda event: sizes.append(event.data.shape))
    redraw(layer, [(slice(0, 10), slice(0, 10)), (slice(2990, 3000), slice(2990, 3000))])
    redraw(layer, [(slice(0, 10), slice(0, 10)), (slice(20, 30), slice(20, 30))])
    assert sizes == [(10, 10), (10, 10), (30, 30)]


def test_a_layer_that_is_hidden_or_shown_in_3d_is_right_afterwards():
    layer = Labels(np.zeros((20, 20), np.uint8), visible=False)
    layer.data[2:5, 2:5] = 1
    redraw(layer, [(slice(2, 5), slice(2, 5))])
    layer.visible = True
    assert np.array_equal(layer._slice.image.raw, layer.data)


def test_patches_of_many_strips_and_labels_are_applied_and_taken_back(monkeypatch):
    monkeypatch.setattr("napari_clickseg.widgets.layers.patches.WRITTEN_PIXELS", 100)
    rng = np.random.default_rng(1)
    before = rng.integers(0, 4, (40, 37)).astype(np.uint16)
    after = np.where(rng.random((40, 37)) < 0.5, 7, before).astype(np.uint16)
    layer = Labels(before.copy())
    patch = Patch(FLAT).add(Box(0, 0, 40, 37), before, after)
    patch.apply(layer)
    assert np.array_equal(layer.data, after)
    layer.data[3, :] = 9  # painted meanwhile: stays
    patch.reversed.apply(layer)
    wanted = before.copy()
    wanted[3] = 9
    assert np.array_equal(layer.data, wanted)


def test_pixels_given_one_label_are_taken_back_to_many_or_one():
    rng = np.random.default_rng(3)
    many = rng.integers(0, 4, (40, 37)).astype(np.uint16)
    where = rng.random((40, 37)) < 0.5
    for before in (many, np.full_like(many, 2)):
        layer = Labels(before.copy())
        patch = Patch(FLAT).put(Box(0, 0, 40, 37), where, before, 3)
        patch.apply(layer)
        wanted = np.where(where, 3, before)
        assert np.array_equal(layer.data, wanted)
        assert patch.counts()[3] == (wanted == 3).sum() - (before == 3).sum()
        patch.reversed.apply(layer)
        assert np.array_equal(layer.data, before)
        assert Patch(FLAT).put(Box(0, 0, 40, 37), where, wanted, 3).box is None


def test_masks_made_in_the_worker_are_those_of_the_session():
    rng = np.random.default_rng(2)
    pixels = rng.random((TILE, TILE)).astype(np.float32)
    made = []

    def make(rows=slice(None), cols=slice(None)):
        made.append(1)
        return pixels

    shape = (2 * TILE, 2 * TILE + 30)
    blank = Session(None, (0.0, 1.0), TileMap(shape))  # no pixel of the image is wanted
    with_tile = blank.probabilities.paste_parts(
        [
            (Box(0, 0, TILE, TILE), Deferred(0, 1, make)),
            (Box(TILE, 0, *shape), np.ones((TILE, shape[1]))),
        ]
    )
    session = replace(blank, probabilities=with_tile)
    ready = ReadyMasks(blank.probabilities, MaskRule(0.5)).of(session, lambda: False)
    known = len(made)
    part = Box(10, 20, 200, TILE)
    assert np.array_equal(ready.read(part), pixels[part.slices] > 0.5)
    assert len(made) == known
    assert ready.read(Box(TILE, TILE, *shape)).all()
    assert [key for key, tile in ready.tiles.items() if tile.strides != (0, 0)] == [(0, 0)]


def test_the_worker_is_told_where_a_mask_will_be_shown():
    blank = Session(None, (0.0, 1.0), TileMap((50, 60)))
    mask = blank.probabilities.paste(Box(10, 20, 30, 40), np.ones((20, 20)))
    boxes = []
    masks = ReadyMasks(blank.probabilities, MaskRule(0.5), boxes.append)
    masks.of(replace(blank, probabilities=mask), lambda: False)
    masks.of(blank, lambda: False)  # there is no mask any more
    assert boxes == [Box(10, 20, 30, 40)]
