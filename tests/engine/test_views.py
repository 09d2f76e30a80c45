import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine import views
from napari_clickseg.engine.resampling import reduction
from napari_clickseg.engine.tiles import TileMap
from napari_clickseg.engine.views import CentreView, CornerView
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Stroke

sides, starts = st.integers(1, 3000), st.integers(0, 3000)
boxes = st.tuples(starts, starts, sides, sides).map(
    lambda s: Box(s[0], s[1], s[0] + s[2], s[1] + s[3])
)
sizes = st.tuples(st.integers(1, 700), st.integers(1, 700))
places = st.floats(-100, 7000)
BOTH = pytest.mark.parametrize("kind", [CentreView, CornerView])


@BOTH
@given(box=boxes, size=sizes, row=places, col=places)
def test_a_click_is_placed_where_the_view_shows_it(kind, box, size, row, col):
    view = kind(box, size)
    there = view.to_view(row, col)
    one_on = view.to_view(row + 1, col + 1)
    assert np.subtract(one_on, there) == pytest.approx(view.scale, abs=1e-6)
    placed = view.place(Click(row, col, False))
    assert (placed.row, placed.col, placed.positive) == (*there, False)


@given(boxes, sizes)
def test_pixel_centres_and_borders_correspond(box, size):
    view = CentreView(box, size)
    assert view.to_view(box.top - 0.5, box.left - 0.5) == pytest.approx((-0.5, -0.5), abs=1e-6)
    end = (size[0] - 0.5, size[1] - 0.5)
    assert view.to_view(box.bottom - 0.5, box.right - 0.5) == pytest.approx(end, abs=1e-6)
    published = CornerView(box, size)
    assert published.to_view(box.top, box.left) == (0, 0)
    assert published.to_view(box.bottom, box.right) == pytest.approx(size, abs=1e-6)


def test_the_image_lies_where_the_clicks_are():
    """A bright pixel's centre of mass in the view is where a click on it is mapped."""
    image = np.zeros((90, 120), np.uint8)
    image[40:43, 60:63] = 255
    for box, size in ((Box(0, 0, 90, 120), (45, 60)), (Box(20, 30, 70, 95), (100, 130))):
        view = CentreView(box, size)
        seen = view.read_image(as_reader(image), (0.0, 255.0))[0, 0].numpy()
        mass = [float((seen * grid).sum() / seen.sum()) for grid in np.indices(seen.shape)]
        assert mass == pytest.approx(view.to_view(41, 61), abs=0.02)


def test_lines_and_boxes_are_mapped_too():
    view = CentreView(Box(10, 20, 110, 220), (50, 100))
    line = view.place(Stroke(((10, 20), (109, 219)), False))
    assert line == Stroke(((0, 0), (49, 99)), False)  # whole pixels, as they are drawn
    published = CornerView(Box(10, 20, 110, 220), (50, 100)).place(Stroke(((11, 23), (107, 212))))
    assert published == Stroke(((0, 1), (48, 96)))  # truncated
    assert view.place(BoxPrompt(Box(10, 20, 110, 220))).box == Box(0, 0, 50, 100)


def test_views_are_multiples_of_the_stride():
    box = Box(0, 0, 333, 500)
    assert CentreView.sized(box, (213, 320), 32).size == (224, 320)
    assert CentreView.sized(box, (3, 3), 8).size == (8, 8)
    assert CornerView.sized(box, (213, 320), 1).size == (213, 320)
    assert CornerView.sized(box, (400, 448), 224).size == (448, 448)


@BOTH
def test_what_is_pasted_is_a_probability_in_its_box(kind):
    view = kind(Box(3, 5, 43, 65), (20, 30))
    old = TileMap((50, 80)).paste(Box(0, 0, 50, 80), np.full((50, 80), 0.25))
    new = np.asarray(view.paste(old, torch.linspace(-9, 9, 600).view(1, 1, 20, 30)))
    inside = new[view.box.slices]
    assert inside.min() >= 0 and inside.max() <= 1 and inside[0, 0] < 0.01 < 0.99 < inside[-1, -1]
    outside = np.ones((50, 80), bool)
    outside[view.box.slices] = False
    assert (new[outside] == 0.25).all()


@BOTH
def test_pasting_by_tiles_equals_pasting_at_once(kind, monkeypatch):
    """Large boxes go tile by tile; where the answer is not negligible it is the same."""
    shape = (700, 900)
    view = kind(Box(13, 40, 690, 890), (60, 80))
    logits = torch.full((1, 1, 60, 80), -12.0)
    logits[..., 20:40, 30:60] = 6 * torch.randn(20, 30, generator=torch.Generator().manual_seed(1))
    old = TileMap(shape).paste(Box.of_shape(shape), np.full(shape, 0.5))
    at_once = np.asarray(view.paste(old, logits))
    monkeypatch.setattr(views, "DENSE_PIXELS", 1000)
    by_tiles = view.paste(old, logits)
    assert np.abs(np.asarray(by_tiles) - at_once).max() < views.NEGLIGIBLE
    near = np.s_[250:450, 350:650]
    np.testing.assert_allclose(by_tiles[near], at_once[near], atol=1e-4)


@BOTH
def test_large_boxes_are_read_from_a_coarser_level(kind, monkeypatch):
    monkeypatch.setattr(views, "DENSE_PIXELS", 1000)
    row, col = np.mgrid[:512, :640]
    full = (row / 4 + col / 8).astype(np.float32)
    pyramid = [full, full[::2, ::2], full[::4, ::4], full[::8, ::8]]

    class Pyramid:
        shape, dtype = full.shape, full.dtype
        levels = tuple(level.shape for level in pyramid)
        asked = []

        def read(self, box, level=0):
            assert box == box.clip(self.levels[level])
            self.asked.append(level)
            return pyramid[level][box.slices]

    reader = Pyramid()
    limits = (0.0, 220.0)
    for box, size, level in (
        (Box(0, 0, 512, 640), (64, 80), 2),
        (Box(101, 67, 509, 501), (90, 100), 1),
        (Box(101, 67, 509, 501), (300, 300), 0),
    ):
        view = kind(box, size)
        seen = view.read_image(reader, limits)
        assert reader.asked[-1] == level
        exact = view.resize(torch.from_numpy(full[box.slices])[None, None] / 220, size)
        assert torch.abs(seen[:, :1] - exact).max() < 0.02


class Recording:
    """Has no coarser levels, and remembers the sizes of what was read."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.levels = (array.shape[:2],)
        self.read_pixels = []

    def read(self, box, level=0):
        assert not box.empty and box == box.clip(self.shape)
        self.read_pixels.append(box.area)
        return self.array[box.slices]


@BOTH
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
@pytest.mark.parametrize(
    ("box", "size"),
    [
        (Box(0, 0, 150, 200), (30, 40)),
        (Box(7, 3, 141, 198), (17, 90)),
        (Box(7, 3, 141, 198), (300, 20)),
        (Box(7, 3, 141, 198), (1, 1)),
        (Box(0, 0, 150, 200), (150, 200)),
        (Box(0, 0, 150, 200), (150, 100)),
        (Box(40, 0, 47, 200), (3, 211)),
    ],
)
def test_large_boxes_without_levels_are_read_in_blocks(kind, channels, box, size, monkeypatch):
    image = np.random.default_rng(0).integers(0, 255, (150, 200, *channels), dtype=np.uint8)
    view, limits = kind(box, size), (0.0, 255.0)
    at_once = view.read_image(as_reader(image), limits)
    monkeypatch.setattr(views, "DENSE_PIXELS", 1000)
    reader = Recording(image)
    seen = view.read_image(reader, limits)
    assert max(reader.read_pixels) <= 1000 and sum(reader.read_pixels) == box.area
    assert seen.shape == (1, 3, *size)
    torch.testing.assert_close(seen, at_once, rtol=0, atol=1e-4)


def test_a_large_plane_is_never_read_at_once():
    row, col = np.ogrid[:9000, :7000]
    image = np.broadcast_to(((row // 1000 + col // 1000) % 2 * 255).astype(np.uint8), (9000, 7000))
    reader = Recording(image)
    seen = CentreView(Box(0, 0, 9000, 7000), (90, 70)).read_image(reader, (0.0, 255.0))
    assert max(reader.read_pixels) <= views.DENSE_PIXELS
    expected = np.indices((9, 7)).sum(axis=0) % 2
    np.testing.assert_allclose(seen[0, 0, 5::10, 5::10], expected, atol=1e-3)


def test_the_mask_so_far_is_read_coarser_in_large_boxes(monkeypatch):
    mask = TileMap((800, 800)).paste(Box(100, 200, 500, 600), np.ones((400, 400)))
    view = CentreView(Box(0, 0, 800, 800), (80, 80))
    exact = view.read_mask(mask)
    monkeypatch.setattr(views, "DENSE_PIXELS", 1000)
    steps = []
    read = TileMap.read
    monkeypatch.setattr(TileMap, "read", lambda s, b, step: steps.append(step) or read(s, b, step))
    coarse = view.read_mask(mask)
    assert steps == [4]
    assert (coarse - exact).abs().mean() < 0.02


def test_lean_reading_takes_the_level_of_the_views_own_resolution():
    """Of levels that were halved and rounded up, pixel for pixel; nothing is resized."""
    rng = np.random.default_rng(0)
    levels = [rng.random((501, 703), np.float32)]
    while len(levels) < 4:
        height, width = levels[-1].shape
        levels.append(rng.random((-(-height // 2), -(-width // 2)), np.float32))
    reader = as_reader(levels)
    for number, level in enumerate(levels):
        step = 2**number
        part = Box(8, 16, 40, 48)
        native = Box(8 * step, 16 * step, 40 * step, 48 * step).clip(levels[0].shape)
        view = CentreView(native, part.shape)
        seen = view.read_image(reader, (0, 1), lean=True)[0, 0].numpy()
        np.testing.assert_allclose(seen, level[part.slices], atol=1e-6)
    plain = CentreView(Box(0, 0, 256, 256), (32, 32)).read_image(reader, (0, 1))[0, 0].numpy()
    assert np.abs(plain - levels[3][:32, :32]).mean() > 0.1  # from the full resolution


@pytest.mark.parametrize(
    ("full", "side", "ratio"),
    [(9999, 5000, 2), (9999, 4999, 2), (1000, 63, 16), (1000, 600, 5 / 3)],
)
def test_sides_of_levels_are_rounded(full, side, ratio):
    assert reduction(full, side) == ratio
