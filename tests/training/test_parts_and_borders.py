"""Samples of parts of an outline, and labels that were not drawn up to the border of the image."""

import numpy as np
import pytest
from PIL import Image

from napari_clickseg.data.packs import Pack
from napari_clickseg.geometry import bounding_box
from napari_clickseg.training.augment import part_box, to_border
from napari_clickseg.training.pool import Pool
from napari_clickseg.training.recipe import load_recipe
from napari_clickseg.training.samples import PackOptions, SampleSource


@pytest.fixture
def pack(tmp_path):
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[:120, :160]
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for i in range(6):
        labels = ((rows - 60) ** 2 + (cols - 80) ** 2 < 45**2).astype(np.uint8)
        labels[3:30, 120:157] = 2
        image = rng.integers(0, 80, (120, 160, 3)).astype(np.uint8)
        image[labels > 0] += 100
        Image.fromarray(image).save(tmp_path / "images" / f"{i}.png")
        Image.fromarray(labels).save(tmp_path / "masks" / f"{i}.png")
    return Pack(tmp_path)


def test_a_part_is_smaller_than_the_object_and_holds_some_of_its_outline():
    rows, cols = np.mgrid[:200, :300]
    target = (rows - 90) ** 2 + (cols - 160) ** 2 < 80**2
    box, sides = bounding_box(target), []
    for seed in range(60):
        part = part_box(np.random.default_rng(seed), target, box)
        inside = target[part.slices]
        assert part.height == part.width and inside.shape == (part.height, part.width)
        assert inside.any() and not inside.all()
        sides.append(part.height)
    assert 0.2 * 158 <= min(sides) < 50 and 100 < max(sides) <= 0.8 * 160
    assert part_box(np.random.default_rng(0), target[75:105], bounding_box(target[75:105])) is None


def test_labels_are_continued_to_the_border_and_nothing_else_changes():
    labels = np.zeros((60, 80), np.int32)
    labels[3:20, 2:30] = 5  # left out at two borders
    labels[40:50, 70:75] = 7  # ends there
    labels[56:, 40] = -1
    wide = to_border(labels, 4)
    assert (wide[:20, :30] == 5).all() and (wide[20:40] == 0).all()
    assert (wide[40:50] == labels[40:50]).all() and (wide[56:, 40] == -1).all()
    assert labels[0, 10] == 0
    np.testing.assert_array_equal(to_border(labels, 0), labels)
    np.testing.assert_array_equal(to_border(labels[:16], 4), labels[:16])


def test_a_source_draws_parts_and_continues_labels(pack):
    def touching(source):
        samples = [source[i] for i in range(60)]
        return sum(sample.part for sample in samples), sum(
            (s.target[:, -1] == 1).any() for s in samples if not s.part
        )

    parts, at_border = touching(SampleSource({pack: PackOptions()}, 40, 0))
    assert parts == 0
    more, wider = touching(SampleSource({pack: PackOptions(border=4)}, 40, 0, parts=0.5))
    assert 15 < more < 45
    same, wider = touching(SampleSource({pack: PackOptions(border=4)}, 40, 0))
    assert same == 0 and wider > at_border


def test_a_part_begins_with_a_mask_to_correct(pack):
    source = SampleSource({pack: PackOptions()}, 40, 0, parts=1.0)
    samples = [source[i] for i in range(8)]
    pool = Pool(8, 40, 3.0, 0.5, 4, None)
    pool.fill(list(range(8)), samples, np.random.default_rng(0))
    begun = pool.tensors["prev_mask"].flatten(1).sum(dim=1) > 0
    assert begun.tolist() == [sample.part for sample in samples]
    assert sum(sample.part for sample in samples) > 4


def test_what_is_no_number_of_pixels_is_an_error(tmp_path):
    for value in (-1, 0.5, "4"):
        with pytest.raises(ValueError, match="Give a number of pixels"):
            PackOptions(border=value)
    assert load_recipe("compact", ["parts=0.1"]).parts == 0.1


def test_a_contour_is_drawn_into_the_mask_for_a_network_that_takes_none(pack):
    source = SampleSource({pack: PackOptions()}, 40, 0)
    pool = Pool(4, 40, 3.0, 0.5, 4, None, {"click": 0.0, "contour": 1.0}, takes=("click",))
    pool.fill([0, 1, 2, 3], [source[i] for i in range(4)], np.random.default_rng(0))
    begun, maps = pool.tensors["prev_mask"], pool.tensors["maps"]
    assert (begun.flatten(1).sum(dim=1) > 20).all() and set(begun.unique().tolist()) == {0.0, 1.0}
    assert maps[:, 0].flatten(1).any(dim=1).all() and not maps[:, 1:].any()
