"""Training clicks that lie where people put them, not only deep inside."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from napari_clickseg.training.pool import Pool
from napari_clickseg.training.samples import Sample

SIDE, RADIUS = 64, 0.5
ROWS, COLS = np.mgrid[:SIDE, :SIDE]
DISK = (ROWS - 30) ** 2 + (COLS - 34) ** 2 < 20**2
INNER = distance_transform_edt(DISK) > 0.4 * distance_transform_edt(DISK).max()


def clicked(scatter, count=40, kinds=None):
    """The pixels of the first click of each of `count` samples."""
    sample = Sample(np.zeros((SIDE, SIDE, 3), np.uint8), DISK.astype(np.int8))
    kinds = {"click": 1.0} if kinds is None else kinds
    pool = Pool(count, SIDE, RADIUS, 0.5, 4, None, kinds, scatter=scatter)
    pool.fill(list(range(count)), [sample] * count, np.random.default_rng(0))
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
