"""The evaluation loop with a segmenter whose masks are known by hand."""

import numpy as np
import pytest
from evaluation.colour_segmenter import ColourSegmenter, Scenes, striped
from fakes import ColourModel

from napari_clickseg.cancel import Cancelled
from napari_clickseg.data.scenes import Scene, SceneObject
from napari_clickseg.engine.segmenter import Segmenter
from napari_clickseg.evaluation.clicker import CentreClicker
from napari_clickseg.evaluation.dataset import evaluate_dataset
from napari_clickseg.evaluation.protocol import chosen_objects, evaluate_object
from napari_clickseg.evaluation.report import table
from napari_clickseg.evaluation.sizes import at_size
from napari_clickseg.evaluation.summary import summarise
from napari_clickseg.evaluation.terms import Terms


def start(widths):
    image, labels = striped(widths)
    segmenter = ColourSegmenter()
    segmenter.set_image(image)
    return segmenter, labels.astype(np.int8)


def clicked(widths, **terms):
    return evaluate_object(*start(widths), Terms(**terms)).ious


def test_ious_are_those_of_the_stripes_found_so_far():
    result = evaluate_object(*start((10, 6, 4)))
    np.testing.assert_allclose(result.ious, [0.5, 0.8, 1.0], rtol=1e-6)
    assert result.area == result.mask_area == 20 * 8
    assert len(result.interactions) == 3
    for seconds in (result.seconds, result.user_seconds, result.metric_seconds):
        assert len(seconds) == 3
        assert min(seconds) >= 0
    assert result.boundary_ious == ()


def test_boundary_iou_is_measured_on_demand():
    result = evaluate_object(*start((10, 6, 4)), Terms(boundary=1))
    assert len(result.boundary_ious) == 3
    assert result.boundary_ious[-1] == 1.0
    assert result.boundary_ious[0] < 1.0


def test_stops_at_the_target():
    np.testing.assert_allclose(clicked((10, 6, 4), target_iou=0.8), [0.5, 0.8], rtol=1e-6)


def test_least_number_of_clicks_goes_beyond_the_target():
    assert len(clicked((10, 6, 4), target_iou=0.5, min_clicks=2)) == 2


def test_most_clicks_end_an_object_that_never_gets_there():
    assert len(clicked((10, 6, 4), n_clicks=2)) == 2


def test_a_perfect_mask_ends_an_object_whatever_the_terms():
    assert clicked((10,), target_iou=1.01, min_clicks=20) == (1.0,)


def test_ignored_pixels_neither_count_nor_get_clicks():
    segmenter, target = start((10, 6, 4))
    target[:, 14:20] = -1  # the second stripe
    result = evaluate_object(segmenter, target, Terms(target_iou=1.01))
    np.testing.assert_allclose(result.ious, [10 / 14, 1.0], rtol=1e-6)


def test_specks_end_an_object_one_click_later_where_that_is_the_rule():
    image, labels = striped((10,), height=30)
    target = labels.astype(np.int8)

    class Specks(ColourSegmenter):
        def click(self, row, col, positive=True):
            self.mask = target == 1
            self.mask[5, 6] = False
            self.mask[0, 0] = True

    for user, wanted in ((CentreClicker(True), 2), (CentreClicker(), 5)):
        segmenter = Specks()
        segmenter.set_image(image)
        terms = Terms(n_clicks=5, target_iou=1.01)
        assert len(evaluate_object(segmenter, target, terms, user).ious) == wanted


def test_negative_clicks_are_given_as_such():
    given = []

    class Filled(ColourSegmenter):
        def click(self, row, col, positive=True):
            given.append((row, col, positive))
            self.mask = np.ones_like(self.mask)

    image, labels = striped((3,), height=30)
    segmenter = Filled()
    segmenter.set_image(image)
    evaluate_object(segmenter, labels.astype(np.int8), Terms(n_clicks=2))
    assert [positive for *_, positive in given] == [True, False]


def test_cancelling_leaves_between_clicks():
    answers = iter([False, True])
    with pytest.raises(Cancelled):
        evaluate_object(*start((10, 6, 4)), cancelled=lambda: next(answers))


@pytest.mark.parametrize(
    "terms",
    [
        {"n_clicks": 0},
        {"min_clicks": 0},
        {"n_clicks": 3, "min_clicks": 4},
        {"target_iou": 0},
        {"boundary": 0},
        {"max_size": 3, "resize": (3, 4)},
        {"max_size": 0},
    ],
)
def test_terms_that_make_no_sense(terms):
    with pytest.raises(ValueError, match=r"clicks|target IoU|boundary|Images|pixels long"):
        Terms(**terms)


def test_a_target_without_object():
    segmenter, target = start((10,))
    with pytest.raises(ValueError, match="no object"):
        evaluate_object(segmenter, target * 0)


def labels_of_three():
    labels = np.zeros((8, 12), np.int32)
    labels[:2, :2] = 7
    labels[4:8, :4] = 2
    labels[4:6, 8:10] = 5
    labels[:, 11] = -1
    return labels


@pytest.mark.parametrize(
    ("objects", "wanted"), [("all", (2, 5, 7)), ("largest", (2,)), (2, (2, 5)), (9, (2, 5, 7))]
)
def test_choice_of_objects(objects, wanted):
    scene = Scene.flat("three", np.zeros((8, 12, 3), np.uint8), labels_of_three())
    assert chosen_objects(scene, objects) == wanted


def test_objects_that_overlap_are_all_clicked():
    image, labels = striped((10, 10))
    layers = np.stack([labels, labels * (np.arange(labels.shape[1]) < 14)], axis=-1)
    objects = (SceneObject(1), SceneObject(2, layer=1))
    result = evaluate_dataset(
        ColourSegmenter(), Scenes([Scene("both", image, layers.astype(np.int32), objects)])
    )
    assert [(each.label, each.ious[-1]) for each in result.objects] == [(1, 1.0), (2, 1.0)]


def scenes():
    return Scenes(
        [
            Scene.flat("one", *striped((10, 6, 4))),
            Scene.flat("none", *(array * 0 for array in striped((10,)))),
            Scene.flat("two", *striped((9, 1))),
        ]
    )


def test_a_data_set():
    seen = []
    result = evaluate_dataset(
        ColourSegmenter(), scenes(), progress=lambda *state: seen.append(state)
    )
    assert [each.image for each in result.objects] == ["one", "two"]
    np.testing.assert_allclose(result.objects[0].ious, [0.5, 0.8, 1.0], rtol=1e-6)
    assert result.objects[0].area == 20 * 8
    assert result.objects[0].reading_seconds > 0
    np.testing.assert_allclose(result.objects[1].ious, [0.9], rtol=1e-6)
    assert result.images_without_objects == ("none",)
    assert result.n_images == 2
    assert seen == [(1, 3, result.objects[0]), (3, 3, result.objects[1])]


def test_the_first_images_only():
    assert len(evaluate_dataset(ColourSegmenter(), scenes(), limit=2).objects) == 1


def test_each_object_begins_without_clicks():
    image, labels = striped((10, 10))
    labels[:, 14:][labels[:, 14:] == 1] = 2
    result = evaluate_dataset(ColourSegmenter(), Scenes([Scene.flat("both", image, labels)]))
    assert [(each.label, each.ious) for each in result.objects] == [(1, (1.0,)), (2, (1.0,))]


def test_users_with_chance_click_once_per_seed_and_the_same_whatever_came_before():
    def interactions(data, **options):
        result = evaluate_dataset(ColourSegmenter(), data, user="uniform", **options)
        return {(each.image, each.variant): each.interactions for each in result.objects}

    all_of_them = interactions(scenes(), seeds=2)
    assert sorted({variant for _, variant in all_of_them}) == ["seed 0", "seed 1"]
    assert all_of_them["one", "seed 0"] != all_of_them["one", "seed 1"]
    alone = interactions(Scenes(scenes()[2:]), seeds=2)
    assert alone["two", "seed 1"] == all_of_them["two", "seed 1"]


def test_images_without_any_object_are_named_as_the_reason():
    with pytest.raises(ValueError, match=r"None of the 1 images of 'stripes'"):
        evaluate_dataset(ColourSegmenter(), Scenes(scenes()[1:2]))


@pytest.mark.parametrize("wrong", [{"objects": 0}, {"limit": 0}])
def test_nothing_to_measure(wrong):
    with pytest.raises(ValueError, match="At least one"):
        evaluate_dataset(ColourSegmenter(), scenes(), **wrong)


def test_large_images_are_reduced_for_the_model_and_measured_as_they_are():
    image, labels = striped((30, 14), height=52)
    shown = at_size(image, labels.astype(np.int8), Terms(max_size=26))
    assert shown.image.shape == (26, 26, 3)
    assert shown.target.shape == (26, 26)
    assert shown.measured(shown.target == 1).shape == (52, 52)
    result = evaluate_dataset(
        ColourSegmenter(), Scenes([Scene.flat("a", image, labels)]), terms=Terms(max_size=26)
    )
    assert result.objects[0].area == (labels == 1).sum()
    assert result.objects[0].ious[-1] > 0.9
    assert at_size(image, labels, Terms(max_size=60)).image is image


def test_images_are_brought_to_a_width_and_height_only_if_larger():
    image, labels = striped((30, 14), height=40)
    shown = at_size(image, labels.astype(np.int8), Terms(resize=(26, 30)))
    assert shown.image.shape == (30, 26, 3)
    assert shown.original is shown.target
    assert set(np.unique(shown.target)) == {0, 1}
    assert at_size(image, labels, Terms(resize=(52, 40))).image is image


def test_all_27_sequences_with_a_model_that_takes_strokes_and_contours(scene):
    labels = (scene[..., 0] > 200).astype(np.int32)
    model = ColourModel(interactions=frozenset({"click", "stroke", "contour"}))
    segmenter = Segmenter(model, "saic_is")
    data = Scenes([Scene.flat("red", scene, labels)])
    terms = Terms(n_clicks=3, target_iou=1.01, boundary=0.005)
    result = evaluate_dataset(segmenter, data, terms=terms, user="product")
    assert len(result.variants) == 27
    for variant, (only,) in result.variants.items():
        kinds = [item.kind for item in only.interactions]
        assert kinds == variant.split("-")[: len(kinds)]
    summary = summarise(result)
    assert summary.n_objects == 1
    assert summary.mean_iou > 0.8
    assert "NoI@90" in table([summary])
