"""Small islands and holes that come with a refined boundary are taken away again."""

import numpy as np
import pytest
from fakes import FakeModel

from napari_clickseg import Box, Segmenter
from napari_clickseg.cancel import Cancelled
from napari_clickseg.engine import descent
from napari_clickseg.engine.edges import follow_edges
from napari_clickseg.engine.specks import without_specks
from napari_clickseg.engine.tiles import TILE, TileMap
from napari_clickseg.interactions import Click

SHAPE = (2 * TILE + 40, 2 * TILE + 40)
SCALE = 0.2  # specks fit into 10 pixels
CELLS = [(i, j) for i in range(3) for j in range(3)]


def disk(row=270, col=270, radius=150):
    rows, cols = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2


def tiles(mask):
    return TileMap(SHAPE).paste(Box.of_shape(SHAPE), mask.astype(np.float32))


def cleaned(refined, answer=None, clicks=(), cells=CELLS):
    answer = tiles(disk() if answer is None else answer)
    parts = without_specks(tiles(refined), answer, cells, dict.fromkeys(CELLS, SCALE), clicks)
    return np.asarray(tiles(refined).paste_parts(parts)) > 0.5


def with_specks():
    mask = disk()
    mask[100:104, 250:260] = True  # an island across two tiles
    mask[126:130, 254:258] = False  # a hole across two tiles
    mask[300:308, 50:58] = True
    mask[302:305, 52:55] = False  # a hole in an island
    mask[0:4, 0:4] = True  # in the image's corner
    return mask


def test_specks_go_and_nothing_else_changes():
    np.testing.assert_array_equal(cleaned(with_specks()), disk())
    np.testing.assert_array_equal(cleaned(disk()), disk())


def test_the_tile_that_a_speck_lies_in_does_not_matter():
    """Each tile alone gives its part of what all of them give."""
    wanted = cleaned(with_specks())
    for cell in CELLS:
        rows, cols = (slice(k * TILE, (k + 1) * TILE) for k in cell)
        alone = cleaned(with_specks(), cells=[cell])
        np.testing.assert_array_equal(alone[rows, cols], wanted[rows, cols])


def test_what_is_larger_than_two_pixels_of_the_answer_stays():
    mask = disk()
    mask[20:31, 20:24] = True
    mask[200:204, 200:211] = False
    np.testing.assert_array_equal(cleaned(mask), mask)


def test_what_the_answer_had_stays():
    coarse = disk()
    coarse[40:48, 400:408] = True
    coarse[270:276, 270:276] = False
    refined = coarse.copy()
    refined[48, 400:408] = True  # as its boundary was moved
    np.testing.assert_array_equal(cleaned(refined, coarse), refined)


@pytest.mark.parametrize("place", [(102, 257), (128, 255), (303, 53)])
def test_clicked_specks_stay(place):
    mask = with_specks()
    found = cleaned(mask, clicks=[Click(*place, positive=bool(mask[place]))])
    assert found[place] == mask[place]
    assert found.sum() != disk().sum()


def test_it_can_be_cancelled():
    with pytest.raises(Cancelled):
        without_specks(tiles(disk()), tiles(disk()), CELLS, {}, [], lambda: True)


class HalfModel(FakeModel):
    """Object is the left half of the image."""

    def answer(self, inputs):
        logits = inputs.maps[:, :1] * 0 - 9
        logits[..., : logits.shape[-1] // 2] = 9
        return logits


def test_a_segmenter_leaves_none(monkeypatch):
    def with_a_speck(image, probabilities):
        after = follow_edges(image, probabilities)
        after[60:63, 60:64] = after[60, 60] < 0.5
        return after

    monkeypatch.setattr(descent, "follow_edges", with_a_speck)
    image = np.zeros((1000, 1000), np.uint8)
    image[:, 506:] = 200
    seg = Segmenter(HalfModel(), zoom_in=None, flip=False)
    seg.set_image(image)
    seg.click(500, 100)
    np.testing.assert_array_equal(seg.mask, image == 0)
