"""Training clicks that lie where people put them, not only deep inside."""

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from napari_clickseg.training.pool import Pool
from napari_clickseg.training.samples import Sample

SIDE, RADIUS = 64, 0.5
ROWS, COLS = np.mgrid[:SIDE, :SIDE]
DISK = (ROWS - 30) ** 2 + (COLS - 34) ** 2 < 20**2
INNER = distance_transform_edt(DISK) > 0.4 * distance_transform_edt(DISK).max()


def begun(count, **options):
    """A pool of samples with one click each."""
    sample = Sample(np.zeros((SIDE, SIDE, 3), np.uint8), DISK.astype(np.int8))
    pool = Pool(count, SIDE, RADIUS, 0.01, 50, None, **options)
    pool.fill(list(range(count)), [sample] * count, np.random.default_rng(0))
    return pool


def clicked(scatter, count=40, kinds=None):
    """The pixels of the first click of each of `count` samples."""
    kinds = {"click": 1.0} if kinds is None else kinds
    pool = begun(count, kinds=kinds, scatter=scatter)
    maps = pool.tensors["maps"].numpy()
    assert not maps[:, 1:].any()
    return [tuple(np.argwhere(drawn)[0]) for drawn in maps[:, 0]]


def test_without_scatter_clicks_lie_in_the_inner_half():
    assert all(INNER[at] for at in clicked({}))


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("uniform", DISK),
        ("near-boundary", DISK & ~INNER),
        ("outside", ~DISK),
        ("near-centre", INNER),
    ],
)
def test_clicks_lie_where_the_recipe_puts_them(place, where):
    places = clicked({place: 1.0})
    assert all(where[at] for at in places)
    assert len(set(places)) > 10


def test_a_share_of_clicks_is_scattered():
    outer = sum(not INNER[at] for at in clicked({"near-boundary": 0.3}, 200))
    assert 40 <= outer <= 80  # 60 expected, 6.5 the standard deviation


def test_other_interactions_stay_inside():
    places = clicked({"outside": 1.0}, kinds={"click": 0.0, "stroke": 1.0})
    assert all(DISK[at] for at in places)


@pytest.mark.parametrize(("cascade", "fewest", "most"), [(0.0, 2, 2), (1.0, 1, 1), (0.3, 1, 2)])
def test_a_cascade_looks_again_without_a_click(cascade, fewest, most):
    pool = begun(100, cascade=cascade)
    answer = torch.zeros(100, 1, SIDE, SIDE)
    answer[:, :, 20:40, 30:50] = 0.9
    assert pool.advance(torch.arange(100), answer, np.random.default_rng(1)) == []
    torch.testing.assert_close(pool.tensors["prev_mask"], answer)
    counts = pool.tensors["maps"].flatten(1).sum(dim=1)
    assert (counts.min(), counts.max()) == (fewest, most)
    if fewest < most:
        assert 15 <= (counts == 1).sum() <= 45  # 30 expected, 4.6 the standard deviation
