"""Drawn scenes, regions and pasted objects among the training samples."""

import dataclasses
import zlib

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import label

from napari_clickseg.data.packs import Pack
from napari_clickseg.geometry import bounding_box
from napari_clickseg.training.augment import recolour
from napari_clickseg.training.procedural.drawing import Drawing
from napari_clickseg.training.procedural.scenes import KINDS, Procedural, choose, contrast, scene
from napari_clickseg.training.recipe import RecipeError, load_recipe
from napari_clickseg.training.regions import find_regions
from napari_clickseg.training.resume import check_recipe, plain
from napari_clickseg.training.samples import PackOptions, SampleSource

STAGES = "[[stages]]\nsize = 32\nsteps = 1\nlr = 1e-3\nlr_final = 1e-4\n"
TARGETS = [1246060711, 1441477483, 288216920, 229816737]  # drawn before there were such entries
RECIPE = 'name = "x"\n' + STAGES + "[model]\nencoder_scale = 1.0\n[packs]\n"


@pytest.fixture
def pack(tmp_path):
    """Pictures of two discs on noise, and beside them a bright square without a mask."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / "discs" / part).mkdir(parents=True)
    rows, cols = np.mgrid[:64, :80]
    for i in range(12):
        labels = np.zeros((64, 80), np.uint8)
        labels[(rows - 20) ** 2 + (cols - 20) ** 2 < 100] = 1
        labels[(rows - 46) ** 2 + (cols - 24) ** 2 < 80] = 2
        image = rng.integers(0, 40, (64, 80, 3)).astype(np.uint8)
        image[labels > 0] += 60
        image[16:48, 46:74] += 200
        Image.fromarray(image).save(tmp_path / "discs" / "images" / f"{i}.png")
        Image.fromarray(labels).save(tmp_path / "discs" / "masks" / f"{i}.png")
    return Pack(tmp_path / "discs")


def photograph(rng, size):
    return rng.integers(0, 256, (size, size, 3), dtype=np.uint8)


def same(a, b) -> bool:
    return np.array_equal(a.image, b.image) and np.array_equal(a.target, b.target)


def test_samples_without_the_new_entries_are_those_that_older_runs_drew(pack):
    source = SampleSource({pack: PackOptions(union=0.3, free=True)}, 40, 1)
    assert [zlib.crc32(source[i].target.tobytes()) for i in range(4)] == TARGETS


def test_drawn_scenes_leave_the_other_samples_as_they_are(pack):
    packs = {pack: PackOptions()}
    plain_source = SampleSource(packs, 48, 1)
    mixed = SampleSource(packs, 48, 1, procedural=Procedural(share=0.4))
    again = SampleSource(packs, 48, 1, procedural=Procedural(share=0.4))
    kept = [same(plain_source[i], mixed[i]) for i in range(50)]
    assert 20 <= sum(kept) <= 40
    assert all(same(mixed[i], again[i]) for i in reversed(range(50)))
    assert not same(mixed[kept.index(False)], mixed[kept.index(False, kept.index(False) + 1)])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_scene_shows_its_target(kind):
    options = Procedural(kinds={kind: 1.0})
    stand_out = []
    for number in range(12):
        image, target = scene(np.random.default_rng(number), 96, options, photograph)
        assert image.shape == (96, 96, 3)
        assert image.dtype == np.uint8
        assert target.dtype == bool
        assert 0.004 <= target.mean() <= 0.8
        stand_out.append(contrast(image, target, np.zeros(target.shape, int)) >= 2)
    assert sum(stand_out) >= 11


@pytest.mark.parametrize("size", [32, 64, 161])
def test_scenes_of_any_size_can_be_drawn(size):
    for number in range(10):
        image, target = scene(np.random.default_rng(number), size, Procedural(), photograph)
        assert image.shape == (size, size, 3)
        assert target.any()


def test_the_target_is_one_object_or_the_part_in_it():
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 5:15], labels[20:38, 20:38], labels[0, 0] = 1, 2, 3
    parts = np.zeros(labels.shape, bool)
    parts[24:32, 24:32] = True
    drawing = Drawing(labels, parts)
    areas = {int(choose(np.random.default_rng(i), drawing).sum()) for i in range(60)}
    assert areas == {100, 18 * 18, 64}
    assert choose(np.random.default_rng(0), Drawing(np.zeros((40, 40), np.int32))) is None


def test_contrast_is_that_to_the_neighbour_that_is_most_alike():
    labels = np.zeros((80, 80), np.int32)
    labels[20:60, 20:40], labels[20:60, 40:60] = 1, 2
    image = np.where(labels > 0, 200, 50).astype(np.uint8)[..., None].repeat(3, 2)
    assert contrast(image, labels > 0, labels) > 100
    assert contrast(image, labels == 1, labels) < 5
    image[20:60, 39:41] = 0  # a membrane
    assert contrast(image, labels == 1, labels) > 50


def test_regions_are_what_stands_out_of_the_image(pack):
    scene = pack[0]
    regions = find_regions(scene.image)
    square = np.zeros((64, 80), bool)
    square[16:48, 46:74] = True
    rng = np.random.default_rng(0)
    overlaps = []
    for _ in range(30):
        mask, box = regions.draw(rng)
        found = bounding_box(mask)
        assert np.abs(np.subtract(dataclasses.astuple(found), dataclasses.astuple(box))).max() <= 4
        assert label(mask)[1] == 1
        overlaps.append((mask & square).sum() / (mask | square).sum())
    assert max(overlaps) > 0.9
    assert len(find_regions(np.full((50, 60, 3), 90, np.uint8)).members) == 0


def test_a_share_of_targets_are_regions_without_a_mask(pack):
    source = SampleSource({pack: PackOptions(regions=1.0)}, 40, 0)
    none = SampleSource({pack: PackOptions()}, 40, 0)
    bright = [
        s.image[s.target == 1].mean() > s.image[s.target == 0].mean() + 60
        for s in (source[i] for i in range(20))
    ]
    assert sum(bright) >= 5
    assert not same(source[0], none[0])
    assert same(source[3], SampleSource({pack: PackOptions(regions=1.0)}, 40, 0)[3])


def test_pasted_objects_keep_their_shape_and_nothing_of_their_surroundings(pack):
    source = SampleSource({pack: PackOptions(paste=1.0)}, 40, 0)
    none = SampleSource({pack: PackOptions()}, 40, 0)
    for i in range(8):
        np.testing.assert_array_equal(source[i].target == 1, none[i].target == 1)
        assert set(np.unique(source[i].target)) <= {0, 1}
        assert not np.array_equal(source[i].image, none[i].image)


def test_recolouring_gives_grey_exchanged_and_inverted_pictures():
    ramp = np.stack(np.broadcast_arrays(np.arange(0, 200, 5)[:, None], 20, np.arange(40)), axis=-1)
    ramp = ramp.astype(np.uint8)
    grey = falling = 0
    for i in range(300):
        image = recolour(np.random.default_rng(i), ramp)
        assert image.shape == ramp.shape
        assert image.dtype == np.uint8
        assert image.flags.writeable
        spread = np.abs(np.diff(image.astype(int), axis=2)).mean()
        grey += spread < 1
        top, bottom = image[:5].mean(), image[-5:].mean()
        falling += top > bottom
    assert 0.2 * 300 < grey < 0.4 * 300
    assert 0.05 * 300 < falling < 0.2 * 300


def test_a_recipe_says_how_often(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(
        RECIPE + "a = { weight = 2, regions = 0.2, paste = 0.1, recolour = 0.5 }\n"
        "[procedural]\nshare = 0.2\nkinds = { blobs = 2, plumes = 1 }\n"
    )
    recipe = load_recipe(path)
    assert recipe.packs["a"] == PackOptions(2, regions=0.2, paste=0.1, recolour=0.5)
    assert recipe.procedural == Procedural(0.2, {"blobs": 2.0, "plumes": 1.0})
    path.write_text(RECIPE + "a = {}\n")
    assert load_recipe(path).procedural is None
    assert load_recipe("compact", ["procedural.share=0.3"]).procedural.share == 0.3


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("a = { regions = 2.0 }", "'regions' is 2.0"),
        ("a = {}\n[procedural]\nshare = -1.0", "'procedural.share' is -1.0"),
        ("a = {}\n[procedural]\nkinds = { ufos = 1 }", "'ufos', which is no kind of scene"),
        ("a = {}\n[procedural]\nkinds = { blobs = 0 }", "not all 0"),
        ("a = {}\n[procedural]\nfrequency = 1", "'procedural.frequency' is an entry"),
    ],
)
def test_wrong_entries_are_named(tmp_path, lines, words):
    path = tmp_path / "x.toml"
    path.write_text(RECIPE + lines)
    with pytest.raises(RecipeError, match=words):
        load_recipe(path)


def test_a_checkpoint_from_before_these_entries_still_goes_on(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(RECIPE + "a = { union = 0.5 }\n")
    recipe = load_recipe(path)
    before = plain(recipe.as_dict())
    del before["procedural"]
    for options in before["packs"].values():
        for name in ("regions", "paste", "recolour"):
            del options[name]
    check_recipe(tmp_path / "last.pt", before, recipe, free=(), advice="")
    other = dataclasses.replace(recipe, procedural=Procedural())
    with pytest.raises(ValueError, match="procedural"):
        check_recipe(tmp_path / "last.pt", before, other, free=(), advice="")
