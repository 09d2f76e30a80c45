import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.engine.tiles import TILE, MaskView, TileMap, cells
from napari_clickseg.geometry import Box, bounding_box

SHAPE = (2 * TILE + 37, TILE + 90)
rows, cols = st.integers(0, SHAPE[0]), st.integers(0, SHAPE[1])
spans = st.tuples(rows, rows).map(sorted), st.tuples(cols, cols).map(sorted)
boxes = st.tuples(*spans).map(lambda s: Box(s[0][0], s[1][0], s[0][1], s[1][1]))
contents = st.sampled_from([0.0, 1.0, 0.25, None])
pastes = st.lists(st.tuples(boxes, contents, st.integers(0, 9)), min_size=1, max_size=5)


def _content(box, value, seed):
    if value is None:
        return np.random.default_rng(seed).random(box.shape, np.float32)
    return np.full(box.shape, value, np.float32)


def _both(steps):
    """A tile map and the dense array it should equal."""
    tiles, dense = TileMap(SHAPE), np.zeros(SHAPE, np.float32)
    for box, value, seed in steps:
        tiles = tiles.paste(box, _content(box, value, seed))
        dense[box.slices] = _content(box, value, seed)
    return tiles, dense


steps_of = st.sampled_from([None, 1, 2, 7, 300, -1, -3, -260])
slices = st.builds(
    slice, st.none() | st.integers(-700, 700), st.none() | st.integers(-700, 700), steps_of
)


@given(pastes, slices | st.integers(-SHAPE[0], SHAPE[0] - 1), slices)
def test_it_reads_like_a_dense_array(steps, row, col):
    tiles, dense = _both(steps)
    np.testing.assert_array_equal(np.asarray(tiles), dense)
    np.testing.assert_array_equal(tiles[row, col], dense[row, col])
    np.testing.assert_array_equal(tiles[row], dense[row])
    np.testing.assert_array_equal(tiles[..., col], dense[..., col])
    np.testing.assert_array_equal(MaskView(tiles, 0.3)[row, col], dense[row, col] > 0.3)


@given(pastes, boxes, st.integers(1, 5))
def test_a_box_reads_like_a_dense_array(steps, box, step):
    tiles, dense = _both(steps)
    np.testing.assert_array_equal(tiles.read(box, step), dense[box.slices][::step, ::step])


@given(pastes, pastes)
def test_changed_box_is_tight(first, more):
    (a, dense_a), (b, dense_b) = _both(first), _both([*first, *more])
    assert b.changed_box(a) == a.changed_box(b) == bounding_box(dense_a != dense_b)
    assert a.changed_box(a) is None


@given(pastes, st.sampled_from([0.0, 0.3, 0.9]))
def test_bounding_box_is_tight(steps, threshold):
    tiles, dense = _both(steps)
    assert tiles.bounding_box(threshold) == bounding_box(dense > threshold)
    assert MaskView(tiles, threshold).bounding_box() == bounding_box(dense > threshold)


@given(pastes, boxes)
def test_clear_is_pasting_zeros(steps, box):
    tiles, dense = _both(steps)
    cleared = tiles.clear(box)
    dense[box.slices] = 0
    np.testing.assert_array_equal(np.asarray(cleared), dense)


@given(
    pastes, st.dictionaries(st.tuples(st.integers(0, 548), st.integers(0, 345)), st.floats(0, 1))
)
def test_set_pixels(steps, pixels):
    tiles, dense = _both(steps)
    for (row, col), value in pixels.items():
        dense[row, col] = value
    np.testing.assert_array_equal(np.asarray(tiles.set_pixels(pixels)), dense)


@given(boxes)
def test_cells_cover_a_box_once(box):
    count = np.zeros(SHAPE, int)
    for (i, j), cell in cells(box):
        count[cell.slices] += 1
        assert cell.top // TILE == (cell.bottom - 1) // TILE == i
        assert cell.left // TILE == (cell.right - 1) // TILE == j
    expected = np.zeros(SHAPE, int)
    expected[box.slices] = 1
    np.testing.assert_array_equal(count, expected)


def test_pasting_changes_neither_the_old_map_nor_follows_the_array():
    array = np.full((10, 10), 0.5, np.float32)
    old = TileMap((300, 300)).paste(Box(0, 0, 10, 10), array)
    new = old.paste(Box(5, 5, 15, 15), array)
    array[:] = 9
    assert old[9, 9] == 0.5 and old[14, 14] == 0 and new[14, 14] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        next(iter(new._tiles.values()))[0, 0] = 1


def test_equal_tiles_are_shared_and_constant_ones_take_no_memory():
    noise = np.random.default_rng(0).random((2 * TILE, 2 * TILE), np.float32)
    whole = Box(0, 0, 2 * TILE, 2 * TILE)
    old = TileMap(noise.shape).paste(whole, noise)
    changed = noise.copy()
    changed[3, 3] = 2
    new = old.paste(whole, changed)
    assert [new._tiles[key] is old._tiles[key] for key in sorted(old._tiles)] == [
        False,
        True,
        True,
        True,
    ]
    assert TileMap(noise.shape).paste(whole, np.ones(noise.shape))._tiles == dict.fromkeys(
        [(0, 0), (0, 1), (1, 0), (1, 1)], 1.0
    )
    assert new.paste(whole, np.zeros(noise.shape))._tiles == {}


def test_a_huge_map_costs_what_was_written():
    tiles = TileMap((10**6, 10**6)).paste(Box(999, 5000, 1300, 5300), np.ones((301, 300)))
    assert tiles[10**5 :: 10**5, :: 10**5].sum() == 0
    assert tiles[1000, 5000:5003].tolist() == [1, 1, 1]
    assert tiles.bounding_box(0.5) == Box(999, 5000, 1300, 5300)
    assert len(tiles._tiles) <= 9


def test_what_does_not_fit_is_refused():
    tiles = TileMap((20, 20))
    with pytest.raises(ValueError, match="does not fit"):
        tiles.paste(Box(15, 0, 25, 10), np.zeros((10, 10)))
    with pytest.raises(ValueError, match="does not fit"):
        tiles.paste(Box(0, 0, 10, 10), np.zeros((10, 11)))
    with pytest.raises(ValueError, match="cannot be compared"):
        tiles.changed_box(TileMap((21, 20)))
    for index in (np.zeros((20, 20), bool), [1, 2], True, None):
        with pytest.raises(IndexError, match="integers and slices"):
            tiles[index]
    for index in (20, (0, -21), (0, 0, 0)):
        with pytest.raises(IndexError):
            tiles[index]


def test_it_has_the_face_of_an_array():
    tiles = TileMap((20, 30))
    mask = MaskView(tiles, 0.5)
    for face, dtype in ((tiles, np.float32), (mask, bool)):
        assert (face.shape, face.ndim, face.size, len(face)) == ((20, 30), 2, 600, 20)
        assert face.dtype == np.asarray(face).dtype == dtype
    assert np.asarray(mask, dtype=np.uint8).dtype == np.uint8
