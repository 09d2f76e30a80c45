"""From a coarse answer to a boundary at full resolution."""

import numpy as np
import pytest
import torch
from fakes import FakeModel
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_clickseg import Box, Segmenter
from napari_clickseg.cancel import Cancelled
from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.changes import changed_region
from napari_clickseg.engine.descent import Descent, _levels
from napari_clickseg.engine.edges import RADIUS, follow_edges
from napari_clickseg.engine.tiles import TILE, TileMap
from napari_clickseg.engine.views import CentreView
from napari_clickseg.interactions import Click


def picture(height, width, mask, noise=0.04):
    """A reddish object on greenish ground, (H, W, 3) uint8."""
    rng = np.random.default_rng(1)
    colours = np.where(mask[..., None], (180, 90, 70), (80, 110, 90))
    values = colours + rng.normal(0, 255 * noise, (height, width, 3))
    return values.clip(0, 255).astype(np.uint8)


def disk(height, width, row, col, radius):
    rows, cols = np.ogrid[:height, :width]
    return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


class DiskAt(FakeModel):
    """Answers one disk of the image, shifted by some pixels of the view; the clicks do not matter.

    `centre` and `radius` are in image pixels; the model looks at the whole image.
    """

    centre, size, shift = (500.0, 500.0), 300.0, (0.0, 0.0)
    shape = (1000, 1000)

    def answer(self, inputs):
        h, w = inputs.image.shape[-2:]
        step = self.shape[0] / h
        rows = (torch.arange(h)[:, None] + 0.5 - self.shift[0]) * step
        cols = (torch.arange(w)[None] + 0.5 - self.shift[1]) * step
        distance = ((rows - self.centre[0]) ** 2 + (cols - self.centre[1]) ** 2).sqrt()
        return ((self.size - distance) / step)[None, None]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shift", [-2, 0, 3])
def test_a_boundary_moves_to_the_edge_beside_it(channels, shift):
    mask = disk(120, 140, 60, 70, 35)
    image = picture(120, 140, mask)[..., :channels].astype(np.float32) / 255
    coarse = disk(120, 140, 60, 70, 35 + shift).astype(np.float32)
    found = follow_edges(image, coarse)
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1
    assert iou(found > 0.5, mask) > 0.99
    assert iou(coarse > 0.5, mask) < 0.99 or shift == 0


def test_where_the_image_is_flat_the_boundary_stays():
    coarse = disk(90, 90, 45, 45, 20).astype(np.float32)
    found = follow_edges(np.full((90, 90, 3), 0.5, np.float32), coarse)
    assert iou(found > 0.5, coarse > 0.5) > 0.97


def test_nothing_moves_farther_than_the_radius():
    rng = np.random.default_rng(0)
    coarse = disk(100, 100, 50, 50, 25).astype(np.float32)
    found = follow_edges(rng.random((100, 100, 3), np.float32), coarse)
    far = ~disk(100, 100, 50, 50, 25 + 1.5 * RADIUS) | disk(100, 100, 50, 50, 25 - 1.5 * RADIUS)
    np.testing.assert_array_equal(found[far], coarse[far])
    full = np.ones((40, 40), np.float32)
    np.testing.assert_array_equal(follow_edges(np.zeros((40, 40, 1), np.float32), full), full)


@pytest.mark.parametrize(("scale", "levels"), [(0.9, 0), (0.5, 0), (0.49, 1), (0.25, 1), (0.1, 3)])
def test_the_first_filter_works_at_up_to_twice_the_scale_of_the_answer(scale, levels):
    assert _levels(scale) == levels
    assert scale < 2.0**-levels <= 1 and (levels == 0 or 2.0**-levels <= 2 * scale)


def descent(mask, coarse, scale, **more):
    image = picture(*mask.shape, mask)
    tiles = TileMap(mask.shape).paste(Box.of_shape(mask.shape), coarse.astype(np.float32))
    waiting = dict.fromkeys(tiles.changed_tiles(TileMap(mask.shape)), scale)
    return Descent(as_reader(image), (0, 255), tiles, waiting, more.pop("clicks", ()), **more)


@settings(max_examples=8)
@given(st.integers(300, 700), st.integers(300, 700), st.sampled_from([0.45, 0.2, 0.12]))
def test_every_part_of_the_boundary_is_brought_to_full_resolution(height, width, scale):
    mask = disk(height, width, height / 2, width / 3, 0.3 * min(height, width))
    moved = disk(height, width, height / 2 + 1 / scale, width / 3, 0.3 * min(height, width))
    way = descent(mask, moved, scale)
    found = moved.astype(np.float32)
    for box, values in way.run():
        found[box.slices] = values
    assert iou(found > 0.5, mask) > max(0.985, iou(moved, mask))


def test_cells_join_without_a_seam():
    """What comes out cell by cell is what the filter gives at once."""
    mask = disk(600, 600, 300, 300, 200)
    coarse = disk(600, 600, 303, 298, 200).astype(np.float32)
    way = descent(mask, coarse, 0.6)
    at_once = follow_edges(picture(600, 600, mask).astype(np.float32) / 255, coarse)
    boxes = []
    for box, values in way.run():
        boxes.append(box)
        np.testing.assert_allclose(values, at_once[box.slices], atol=1e-5)
    assert len(boxes) >= 4 and {box.top % TILE for box in boxes} == {0}


def test_what_is_in_view_comes_first_then_what_is_near_the_click():
    mask = disk(1500, 1500, 750, 750, 700)
    view = Box(1200, 200, 1400, 500)
    way = descent(mask, mask, 0.4, clicks=[Click(60, 750)], first=[view])
    boxes = [box for box, _ in way.run()]
    seen = [not box.intersect(view).empty for box in boxes]
    assert seen == sorted(seen, reverse=True) and any(seen)
    rest = [box for box, s in zip(boxes, seen, strict=True) if not s]
    distances = [abs(box.top + 128 - 60) for box in (rest[0], rest[-1])]
    assert distances[0] < distances[1]


def test_only_waiting_tiles_and_their_neighbours_are_touched():
    mask = disk(1400, 1400, 700, 700, 600)
    way = descent(mask, mask, 0.4)
    way.coarse = {(0, 2): 0.4}
    touched = {(box.top // TILE, box.left // TILE) for box, _ in way.run()}
    assert touched and touched <= {(i, j) for i in (0, 1) for j in (1, 2, 3)}


def test_clicked_pixels_keep_their_label():
    mask = disk(400, 400, 200, 200, 100)
    clicks = [Click(200, 299), Click(200, 298, positive=False)]
    found = np.zeros((400, 400), np.float32)
    for box, values in descent(mask, mask, 0.45, clicks=clicks).run():
        found[box.slices] = values
    assert (found[200, 299], found[200, 298]) == (1, 0)


def test_a_segmenter_gives_sharp_boundaries_and_can_be_cancelled():
    mask = disk(1000, 1000, 500, 500, 300)
    model = DiskAt()
    model.shift = (0.6, -0.5)
    image = picture(1000, 1000, mask)
    plain = Segmenter(model, follow_edges=False, honour_clicks=False, zoom_in=None)
    sharp = Segmenter(model, honour_clicks=False, zoom_in=None)
    for seg in (plain, sharp):
        seg.set_image(image)
        seg.click(500, 500)
    assert iou(plain.mask, mask) < 0.995
    assert iou(sharp.mask, mask) > 0.999
    assert not sharp.history.present.coarse
    before = sharp.probabilities.copy()
    asked = iter([False] * 4 + [True] * 99)
    model.size = 200.0
    with pytest.raises(Cancelled):
        sharp.click(20, 500, positive=False, cancelled=lambda: next(asked))
    np.testing.assert_array_equal(sharp.probabilities, before)


def test_stopping_midway_keeps_what_is_done_and_knows_what_waits():
    mask = disk(1000, 1000, 500, 500, 300)
    predictor = Segmenter(DiskAt(), zoom_in=None).predictor
    session = predictor.run(
        predictor.start(as_reader(picture(1000, 1000, mask))).add(Click(500, 500))
    )
    steps = predictor.follow_edges(session)
    first, second = next(steps), next(steps)
    assert len(session.coarse) > len(first.coarse) > len(second.coarse) > 0
    whole = list(predictor.follow_edges(second))[-1]
    assert not whole.coarse
    assert iou(whole.mask(0.5), mask) > 0.998


def test_a_later_click_changes_its_own_part_only():
    """The trembling of a coarse answer elsewhere does not undo what is sharp there."""
    mask = disk(1000, 1000, 500, 500, 300)
    model = DiskAt()
    seg = Segmenter(model, zoom_in=None, flip=False)
    seg.set_image(picture(1000, 1000, mask | disk(1000, 1000, 500, 850, 100)))
    seg.click(500, 500)
    sharp = seg.mask

    def with_a_second_disk(inputs):
        model.shift = (0.7, 0.7)
        first = DiskAt.answer(model, inputs)
        model.centre, model.size = (500.0, 850.0), 100.0
        return torch.maximum(first, DiskAt.answer(model, inputs))

    model.answer = with_a_second_disk
    seg.click(500, 850)
    np.testing.assert_array_equal(seg.mask[:, :500], sharp[:, :500])
    assert iou(seg.mask, mask | disk(1000, 1000, 500, 850, 100)) > 0.98
    seg.undo()
    np.testing.assert_array_equal(seg.mask, sharp)


def test_changes_are_what_the_latest_interaction_touches():
    view = CentreView(Box(0, 0, 400, 400), (100, 100))
    before = TileMap((400, 400)).paste(Box(80, 80, 320, 320), np.ones((240, 240)))
    new = -np.ones((100, 100), np.float32)
    new[20:80, 20:81] = 1  # one column more: trembling
    new[2:12, 2:12] = 1  # far away
    new[80:95, 40:60] = 1  # where the click is
    new[30:45, 30:45] = -1  # a hole, which a positive click does not ask for
    logits = torch.from_numpy(new)[None, None]
    region = changed_region(view, before, logits, Click(350, 200))
    assert region[82:93, 42:58].all()
    assert region[:14, :14].any() and not region[20:70, 20:79].any()
    removing = changed_region(view, before, logits, Click(390, 390, positive=False))
    assert removing[32:43, 32:43].all() and not removing[:14, :14].any()


def test_deferred_pixels_are_exact_and_computed_only_where_they_matter():
    view = CentreView(Box(0, 0, 4000, 4000), (100, 100))
    rows = torch.arange(100)[:, None].expand(100, 100).float()
    logits = (rows - 50)[None, None]
    tiles = view.paste(TileMap((4000, 4000)), logits)
    part = Box(1900, 300, 2300, 900)
    wanted = torch.sigmoid(torch.nn.functional.interpolate(logits, (4000, 4000), mode="bilinear"))
    np.testing.assert_allclose(tiles.read(part), wanted[0, 0][part.slices].numpy(), atol=1e-3)
    box = tiles.bounding_box(0.5)
    assert box.bottom == 4000 and abs(box.top - 2020) <= 21 and (box.left, box.right) == (0, 4000)
    again = tiles.paste(Box(0, 0, 5, 5), np.ones((5, 5)))
    assert again.changed_tiles(tiles) == {(0, 0)}
    assert again.changed_box(tiles) == Box(0, 0, 5, 5)
    rows, cols = np.array([3, 2100, 3999]), np.array([0, 255, 256, 3000])
    np.testing.assert_array_equal(tiles.sample(rows, cols), np.asarray(tiles)[np.ix_(rows, cols)])
