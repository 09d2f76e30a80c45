"""What an example is made of: targets, points, drawn interactions, augmentations, pasting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_clickseg.data.scenes import Scene, SceneObject
from napari_clickseg.training import examples
from napari_clickseg.training.drawn import sample_drawn
from napari_clickseg.training.examples import ExampleOptions, ExampleSource, Share, collate
from napari_clickseg.training.pasting import mix_images, paste_object
from napari_clickseg.training.points import PointOptions, sample_points
from napari_clickseg.training.targets import Choice, ObjectOptions, choose_object, click_pools, keep
from napari_clickseg.training.transforms import (
    BrightnessContrast,
    Crop,
    Flip,
    Resize,
    ShiftScaleRotate,
    Turn,
    ZoomIn,
    augment,
    make_transforms,
)

H, W = 60, 80


def scene(name="scene", seed=0) -> Scene:
    """A large object (1) with a part (2) that has a small part (3), another (4), ignored rows."""
    layers = np.zeros((H, W, 3), np.int32)
    layers[10:50, 5:45, 0] = 1
    layers[15:35, 10:30, 1] = 1
    layers[16:20, 11:15, 2] = 1
    layers[20:40, 55:75, 0] = 2
    layers[:2] = -1
    image = np.random.default_rng(seed).integers(0, 200, (H, W, 3)).astype(np.uint8)
    image[layers[..., 0] == 1] += 50
    objects = (
        SceneObject(1, 0, 1, None, (2,)),
        SceneObject(2, 1, 1, 1, (3,)),
        SceneObject(3, 2, 1, 2, ()),
        SceneObject(4, 0, 2, None, ()),
    )
    return Scene(name, image, layers, objects)


class Scenes:
    """A data set of them."""

    name = "scenes"

    def __init__(self, count=6, broken=()):
        self.ids = [f"s{i}" for i in range(count)]
        self.broken = broken

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        return self.scene(index)

    def scene(self, index, rng=None):
        if index in self.broken:
            raise ValueError(f"{self.ids[index]} is damaged")
        return scene(self.ids[index], index)


# ------------------------------------------------------------------ targets and points
def test_objects_are_merged_or_not():
    rng = np.random.default_rng(0)
    one = {int(choose_object(scene(), ObjectOptions(), rng).mask.sum()) for _ in range(30)}
    assert one == {1600, 400}
    both = choose_object(scene(), ObjectOptions(merge=1.0), rng)
    assert both.mask.sum() == 2000
    assert len(both.positive) == 2


def test_the_hierarchy_gives_parts_and_what_they_are_not():
    rng = np.random.default_rng(0)
    options = ObjectOptions(hierarchy=True)
    found = [choose_object(scene(), options, rng) for _ in range(300)]
    sizes = {int(c.mask.sum()) for c in found}
    assert {1600, 1200, 400, 384, 16} <= sizes  # whole, without the part, part, without its, its
    for choice in found:
        for region in choice.required:
            assert not (region & choice.mask).any()
        if choice.mask.sum() == 1200:  # the part that was taken away is told
            assert any(region.sum() == 400 for region in choice.required)


def test_removed_objects_leave_their_parts_to_those_above():
    left = keep(scene(), [1, 3, 4])
    assert left.object(3).parent == 1
    assert left.object(1).children == (3,)
    assert [o.id for o in keep(scene(), [3]).roots] == [3]


@given(seed=st.integers(0, 10_000), one_strategy=st.booleans(), hierarchy=st.booleans())
def test_points_lie_where_they_should(seed, one_strategy, hierarchy):
    rng = np.random.default_rng(seed)
    objects = ObjectOptions(merge=0.3, hierarchy=hierarchy)
    choice = choose_object(scene(), objects, rng)
    options = PointOptions(most=7, one_strategy=one_strategy)
    points = sample_points(click_pools(choice, objects, rng), options, rng)
    assert points.shape == (14, 3)
    assert points.dtype == np.float32
    for half, inside in ((points[:7], True), (points[7:], False)):
        placed = half[half[:, 0] >= 0]
        assert (half[len(placed) :] == -1).all()
        rows, cols = placed[:, :2].astype(int).T
        assert (choice.mask[rows, cols] == inside).all()
        assert not choice.ignore[rows, cols].any()
    assert points[0, 0] >= 0


def test_counts_and_strategies_follow_their_probabilities():
    rng = np.random.default_rng(0)
    choice = Choice(mask := scene().mask(4), (mask,), (), scene().mask(1) | mask, scene().ignore)
    pools = click_pools(choice, ObjectOptions(), rng)
    ring = pools.elsewhere["border"]
    assert ring.sum() == 24 * 24 - 20 * 20  # 0.1 * sqrt(400) = 2 pixels
    assert (pools.elsewhere["other"] == scene().mask(1)).all()
    only = PointOptions(most=5, gamma=0.5, negatives={"border": 1.0})
    drawn = [sample_points(pools, only, rng) for _ in range(400)]
    counts = np.array([(p[:5, 0] >= 0).sum() for p in drawn])
    shares = 0.5 ** np.arange(5) / (0.5 ** np.arange(5)).sum()
    assert counts.mean() == pytest.approx(1 + (np.arange(5) * shares).sum(), abs=0.15)
    negatives = np.concatenate([p[5:][p[5:, 0] >= 0] for p in drawn]).astype(int)
    assert ring[negatives[:, 0], negatives[:, 1]].all()
    none = PointOptions(no_negatives=1.0)
    assert (sample_points(pools, none, rng)[24:] == -1).all()


@pytest.mark.parametrize(("first", "order"), [("centre", 0), ("near_centre", 100)])
def test_first_points_near_the_centre(first, order):
    rng = np.random.default_rng(0)
    mask = scene().mask(1)
    pools = click_pools(Choice(mask, (mask,), (), mask, ~mask & False), ObjectOptions(erode=0), rng)
    options = PointOptions(first=first, sigma_ratio=3.0)
    points = np.array([sample_points(pools, options, rng)[0] for _ in range(60)])
    middle = np.abs(points[:, :2] - (29.5, 24.5)).max(axis=1)
    assert (points[:, 2] == order).all()
    assert np.median(middle) < 9
    if first == "centre":
        assert middle.max() <= 20 - 20 / 1.7 + 1


def test_depths_that_are_no_depth_are_drawn_again():
    """With a standard deviation as wide as the range, few points lie at the very rim."""
    rng = np.random.default_rng(0)
    mask = scene().mask(1)
    pools = click_pools(Choice(mask, (mask,), (), mask, ~mask & False), ObjectOptions(erode=0), rng)
    options = PointOptions(most=1, first="near_centre", sigma_ratio=1.0)
    points = np.array([sample_points(pools, options, rng)[0, :2] for _ in range(300)])
    rim = np.minimum(points - (10, 5), (49, 44) - points).min(axis=1) == 0
    assert rim.mean() < 0.1


@pytest.mark.parametrize("kind", ["contour", "stroke"])
def test_drawn_interactions_lie_mostly_on_their_side(kind):
    rng = np.random.default_rng(0)
    mask = scene().mask(1)
    choice = Choice(mask, (mask,), (), mask | scene().mask(4), scene().ignore)
    wide = ObjectOptions(ring=0.3, ring_of_image=True)
    inside, covered, empty = [], [], 0
    for _ in range(20):
        maps = sample_drawn(kind, click_pools(choice, wide, rng), mask, 0.0, rng)
        assert maps.shape == (2, H, W)
        inside.append((maps[0] & mask).sum() / max(1, maps[0].sum()))
        covered.append((maps[1] & mask).sum())
        empty += not maps[1].any()
    assert np.mean(inside) > 0.6
    assert max(covered) < 0.05 * mask.sum()
    assert empty < 20
    assert not sample_drawn(kind, click_pools(choice, wide, rng), mask, 1.0, rng)[1].any()


# ------------------------------------------------------------------ augmentations
@pytest.mark.parametrize(
    "transform",
    [Resize(), Flip(1.0), Turn(1.0), ShiftScaleRotate(p=1.0), Crop(40, 90), ZoomIn(48, 32, p=1.0)],
)
def test_image_and_objects_move_together(transform):
    layers = np.zeros((H, W, 1), np.int32)
    layers[12:50, 20:60, 0] = 1
    plain = Scene(
        "plain", np.repeat((layers > 0).astype(np.uint8) * 255, 3, axis=2), layers,
        (SceneObject(1),),
    )  # fmt: skip
    moved = transform(plain, np.random.default_rng(4))
    assert moved.image.shape[:2] == moved.layers.shape[:2]
    assert ((moved.image[..., 0] > 127) != moved.mask(1)).mean() < 0.03
    assert moved.mask(1).any()
    again = transform(plain, np.random.default_rng(4))
    np.testing.assert_array_equal(moved.image, again.image)


def test_flips_are_to_the_side_or_any_way():
    original, rng = scene().image, np.random.default_rng(0)
    ways = [original[:, ::-1], original[::-1], original[::-1, ::-1]]

    def drawn(flip):
        found = [flip(scene(), rng).image for _ in range(40)]
        return {i for i, way in enumerate(ways) for f in found if np.array_equal(f, way)}

    assert drawn(Flip(1.0)) == {0}
    assert drawn(Flip(1.0, any_way=True)) == {0, 1, 2}


def test_crops_pad_with_background_and_are_of_one_size():
    small = augment(scene(), make_transforms([{"kind": "resize", "high": 1.0}], (70, 50)),
                    np.random.default_rng(0))  # fmt: skip
    assert small.image.shape == (70, 50, 3)
    assert (small.image[0] == 0).all()
    assert small.layers[0].max() == 0


def test_colours_leave_objects_alone_and_are_the_published_range():
    change = BrightnessContrast(brightness=(0.1, 0.1), contrast=(0.0, 0.0), p=1.0)
    brighter = change(scene(), np.random.default_rng(0))
    expected = np.clip(scene().image.astype(float) + 25.5, 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(brighter.image, expected)
    assert brighter.layers is not None
    np.testing.assert_array_equal(brighter.layers, scene().layers)


@pytest.mark.parametrize(
    ("item", "words"),
    [({"kind": "swirl"}, "no augmentation 'swirl'"), ({"kind": "flip", "q": 1}, "'flip' is wrong")],
)
def test_unknown_augmentations_are_refused(item, words):
    with pytest.raises(ValueError, match=words):
        make_transforms([item], (32, 32))


# ------------------------------------------------------------------ pasting and mixing
@given(seed=st.integers(0, 500))
def test_pasted_objects_keep_the_target_true(seed):
    rng = np.random.default_rng(seed)
    a, b = scene(seed=1), scene(seed=2)
    choice = choose_object(a, ObjectOptions(), rng)
    other = choose_object(b, ObjectOptions(), rng)
    image, pasted = paste_object(a.image, choice, b.image, other, rng)
    assert pasted.mask.sum() >= 0.25 * choice.mask.sum()
    assert not (pasted.mask & ~choice.mask).any()
    for region in pasted.positive:
        assert not (region & ~pasted.mask).any()
    assert image.shape == a.image.shape
    mixed = mix_images(np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 200, np.uint8), rng)
    assert 0 <= mixed.max() <= 100


# ------------------------------------------------------------------ examples
def source(dataset=None, options=None, **more) -> ExampleSource:
    dataset = Scenes() if dataset is None else dataset
    return ExampleSource(
        [Share(dataset, range(len(dataset)))],
        make_transforms([{"kind": "flip"}], (40, 48)),
        options or ExampleOptions(min_area=30),
        ObjectOptions(merge=0.2),
        PointOptions(most=6),
        seed=5,
        **more,
    )


def test_examples_are_a_function_of_their_number():
    a, b = (
        source(kinds=("click", "contour", "stroke")),
        source(kinds=("click", "contour", "stroke")),
    )
    for number in (3, 0, 11):
        one, two = a[number], b[number]
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.target, two.target)
        np.testing.assert_array_equal(one.points, two.points)
        for kind in ("contour", "stroke"):
            np.testing.assert_array_equal(one.drawn[kind], two.drawn[kind])
        assert (one.target == 1).sum() >= 30
    batch = collate([a[0], a[1]])
    assert batch.image.shape == (2, 3, 40, 48)
    assert batch.points.shape == (2, 12, 3)
    assert 0 <= batch.image.min() <= batch.image.max() <= 1
    assert batch.target.unique().tolist() in ([0, 1], [-1, 0, 1])


def test_images_in_turn_come_once_each():
    turn = source(in_turn=True, options=ExampleOptions())
    first, second = ([turn[i + 6 * k].name for i in range(6)] for k in (0, 1))
    assert sorted(first) == sorted(second) == [f"scenes/s{i}" for i in range(6)]
    assert first != second


def test_shares_and_scores_decide_how_often_images_come():
    chances = np.array([0, 0, 1, 0, 0, 0.0])
    shares = [
        Share(Scenes(), range(6), weight=3.0, chances=chances),
        Share(Scenes(), range(6), weight=0.0),
    ]
    drawn = ExampleSource(
        shares, make_transforms([], (40, 48)), ExampleOptions(), ObjectOptions(), PointOptions(), 1
    )
    assert {drawn[i].name for i in range(6)} == {"scenes/s2"}


def test_broken_images_are_named_and_another_one_is_taken():
    some = source(Scenes(broken=(1, 4)), in_turn=True)
    found = [some[i] for i in range(6)]
    told = {words for example in found for words in example.broken}
    assert {w.split(":")[0] for w in told} >= {"scenes/s1", "scenes/s4"}
    assert all((e.target == 1).any() for e in found)
    with pytest.raises(ValueError, match="in a row cannot be read"):
        source(Scenes(broken=range(6)))[0]


def test_no_object_of_the_asked_size_is_an_error_that_says_so(monkeypatch):
    monkeypatch.setattr(examples, "MOST_DRAWS", 20)
    with pytest.raises(ValueError, match=r"min_area \(9999 pixels\)"):
        source(options=ExampleOptions(min_area=9999))[0]
    kept = source(options=ExampleOptions(min_area=9999, keep_background=1.0))[0]
    assert not (kept.target == 1).any()
    assert (kept.points[:6] == -1).all()


def test_pasting_and_mixing_take_part_in_examples():
    plain, mixed = source(), source(options=ExampleOptions(copy_paste=1.0, image_mix=1.0))
    assert not np.array_equal(plain[0].image, mixed[0].image)
    assert (mixed[0].target == 1).any()
