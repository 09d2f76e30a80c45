import numpy as np
import pytest

from napari_clickseg.data.readers import as_reader
from napari_clickseg.engine.contrast import black_and_white, to_rgb

RNG = np.random.default_rng(0)


def _seen(image, limits=None):
    image = np.asarray(image)
    return to_rgb(image, black_and_white(as_reader(image), limits))


def test_eight_bits_are_seen_as_they_are():
    image = RNG.integers(0, 255, (8, 9, 3), dtype=np.uint8)
    np.testing.assert_allclose(_seen(image), image / 255, atol=1e-6)


def test_sixteen_bits_with_limits_equal_the_eight_bit_image():
    image = RNG.integers(0, 255, (8, 9), dtype=np.uint8)
    wide = image.astype(np.uint16) * 20 + 1000
    np.testing.assert_allclose(_seen(wide, (1000, 1000 + 255 * 20)), _seen(image), atol=1e-6)
    assert _seen(wide, (1100, 1200)).min() == 0 and _seen(wide, (1100, 1200)).max() == 1


@pytest.mark.parametrize(
    "dtype", [np.uint16, np.int16, np.uint32, np.int64, np.float32, np.float64]
)
def test_without_limits_percentiles_fill_the_range(dtype):
    image = (RNG.random((100, 100)) * 1000 + 500).astype(dtype)
    image[0, 0] = 30000
    seen = _seen(image)
    assert seen.dtype == np.float32 and 0 <= seen.min() < 0.01 and seen.max() == 1
    assert seen.mean() == pytest.approx(0.5, abs=0.05)


def test_colours_keep_their_white():
    half = np.full((4, 4, 3), 0.5)
    np.testing.assert_allclose(_seen(half), 0.5)
    np.testing.assert_allclose(_seen((half * 65535).astype(np.uint16)), 0.5, atol=1e-4)


def test_bool_is_black_and_white():
    assert _seen(np.eye(3, dtype=bool))[..., 0].tolist() == np.eye(3).tolist()


def test_nan_and_infinity_are_black_and_do_not_spread():
    image = np.linspace(0, 10, 10000).reshape(100, 100)
    clean = _seen(image)
    image[5, 5], image[6, 6], image[7, 7] = np.nan, np.inf, -np.inf
    seen = _seen(image)
    assert (seen[[5, 6, 7], [5, 6, 7]] == 0).all()
    assert np.abs(seen - clean)[20:].max() < 0.01
    assert (_seen(np.full((4, 4), np.nan)) == 0).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "value", [0, 1, -5, 3e4, 1e20, -1e20, 9.97e36, 3e38, 1e300, -1.7e308, 1e-310, 5e-324]
)
def test_a_constant_image_is_seen_without_warnings(value, dtype):
    if abs(value) > float(np.finfo(dtype).max):
        value = np.finfo(dtype).max
    seen = _seen(np.full((5, 5), value, dtype))
    assert np.isfinite(seen).all() and seen.min() == seen.max()


def test_alpha_is_ignored():
    image = RNG.integers(0, 255, (8, 9, 4), dtype=np.uint8)
    np.testing.assert_array_equal(_seen(image), _seen(image[..., :3]))


def test_a_large_image_is_sampled_all_over():
    image = np.zeros((3000, 2000), np.uint16)
    image[1500:] = 1000

    class Counting:
        shape, dtype = image.shape, image.dtype
        pixels = 0

        def __getitem__(self, index):
            self.pixels += image[index].size
            return image[index]

    lazy = Counting()
    assert black_and_white(as_reader(lazy)) == (0, 1000)
    assert lazy.pixels < image.size / 4


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((0, 1e-310), (0, 0, 1)),
        ((0, 1e-40), (0, 0, 1)),
        ((1e-310, 2e-310), (0, 0, 1)),
        ((100, 100 + 1e-13), (0, 0, 0)),
        ((50, 50 + 1e-13), (0, 0, 1)),
        ((-1e300, 1e300), (0.5, 0.5, 0.5)),
        ((0, 1e39), (0, 0, 0)),
        ((-3e38, 3e38), (0.5, 0.5, 0.5)),
        ((1e39, 2e39), (0, 0, 0)),
    ],
)
def test_any_rising_limits_give_numbers(limits, expected, dtype):
    image = np.array([[-5, 0, 100]]).clip(np.iinfo(dtype).min if dtype(1.5) == 1 else -5)
    np.testing.assert_allclose(_seen(image.astype(dtype), limits)[0, :, 0], expected, atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_the_widest_range_of_floats_is_seen():
    most = np.finfo(np.float64).max
    image = np.linspace(-1, 1, 10001).reshape(73, 137) * most
    seen = _seen(image)
    assert np.isfinite(seen).all() and seen[0, 0] == 0 and seen[-1, -1] == 1


@pytest.mark.parametrize(
    "limits",
    [
        (5, 5),
        (6, 5),
        (0, np.nan),
        (-np.inf, 1),
        (1, 2, 3),
        (1,),
        (-1.7e308, 1.7e308),
        255,
        "ab",
        (None, 1),
        (0, 10**400),
        ((0, 1), (0, 1)),
        np.array([[0, 1], [0, 1]]),
    ],
)
def test_impossible_limits_are_refused(limits):
    with pytest.raises(ValueError, match="smaller one first"):
        black_and_white(as_reader(np.zeros((4, 4))), limits)
