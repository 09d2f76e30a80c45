"""The evaluation loop with a segmenter whose masks are known by hand."""

from dataclasses import dataclass

import numpy as np
import pytest
from evaluation.colour_segmenter import ColourSegmenter, striped

from napari_clickseg.cancel import Cancelled
from napari_clickseg.evaluation.protocol import evaluate_dataset, evaluate_object, object_targets


@dataclass
class Item:
    id: str
    image: np.ndarray
    labels: np.ndarray


class Items(list):
    name = "stripes"


def start(widths):
    image, labels = striped(widths)
    segmenter = ColourSegmenter()
    segmenter.set_image(image)
    return segmenter, labels.astype(np.int8)


def test_ious_are_those_of_the_stripes_found_so_far():
    ious, seconds = evaluate_object(*start((10, 6, 4)), target_iou=0.9)
    assert ious.dtype == np.float32
    np.testing.assert_allclose(ious, [0.5, 0.8, 1.0], rtol=1e-6)
    assert seconds.shape == (3,)
    assert (seconds >= 0).all()


def test_stops_at_the_target():
    ious, _ = evaluate_object(*start((10, 6, 4)), target_iou=0.8)
    np.testing.assert_allclose(ious, [0.5, 0.8], rtol=1e-6)


def test_least_number_of_clicks_goes_beyond_the_target():
    ious, _ = evaluate_object(*start((10, 6, 4)), target_iou=0.5, min_clicks=2)
    assert len(ious) == 2


def test_most_clicks_end_an_object_that_never_gets_there():
    ious, _ = evaluate_object(*start((10, 6, 4)), n_clicks=2, target_iou=0.9)
    assert len(ious) == 2


def test_a_perfect_mask_ends_an_object_whatever_the_terms():
    ious, _ = evaluate_object(*start((10,)), target_iou=1.01, min_clicks=20)
    assert ious.tolist() == [1.0]


def test_ignored_pixels_neither_count_nor_get_clicks():
    segmenter, target = start((10, 6, 4))
    target[:, 14:20] = -1  # the second stripe
    ious, _ = evaluate_object(segmenter, target, target_iou=1.01)
    np.testing.assert_allclose(ious, [10 / 14, 1.0], rtol=1e-6)


def test_negative_clicks_are_given_as_such():
    given = []

    class Filled(ColourSegmenter):
        def click(self, row, col, positive=True):
            given.append((row, col, positive))
            self.mask = np.ones_like(self.mask)

    image, labels = striped((3,), height=30)
    segmenter = Filled()
    segmenter.set_image(image)
    evaluate_object(segmenter, labels.astype(np.int8), n_clicks=2)
    assert [positive for *_, positive in given] == [True, False]


def test_cancelling_leaves_between_clicks():
    answers = iter([False, True])
    with pytest.raises(Cancelled):
        evaluate_object(*start((10, 6, 4)), cancelled=lambda: next(answers))


@pytest.mark.parametrize(
    "terms",
    [{"n_clicks": 0}, {"min_clicks": 0}, {"n_clicks": 3, "min_clicks": 4}, {"target_iou": 0}],
)
def test_terms_that_make_no_sense(terms):
    with pytest.raises(ValueError, match=r"clicks|target IoU"):
        evaluate_object(*start((10,)), **terms)


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
    ("objects", "wanted"), [("all", [2, 5, 7]), ("largest", [2]), (2, [2, 5]), (9, [2, 5, 7])]
)
def test_choice_of_objects(objects, wanted):
    labels = labels_of_three()
    targets = dict(object_targets(labels, objects))
    assert sorted(targets) == wanted
    for label, target in targets.items():
        assert target.dtype == np.int8
        np.testing.assert_array_equal(target == 1, labels == label)
        np.testing.assert_array_equal(target == -1, labels == -1)


def data_set():
    return Items(
        [
            Item("one", *striped((10, 6, 4))),
            Item("none", *(array * 0 for array in striped((10,)))),
            Item("two", *striped((9, 1))),
        ]
    )


def test_a_data_set():
    seen = []
    result = evaluate_dataset(
        ColourSegmenter(), data_set(), progress=lambda *state: seen.append(state)
    )
    assert [each.image for each in result.objects] == ["one", "two"]
    np.testing.assert_allclose(result.objects[0].ious, [0.5, 0.8, 1.0], rtol=1e-6)
    assert result.objects[0].area == 20 * 8
    np.testing.assert_allclose(result.objects[1].ious, [0.9], rtol=1e-6)
    assert result.images_without_objects == ("none",)
    assert result.n_images == 2
    assert seen == [(1, 3, result.objects[0]), (3, 3, result.objects[1])]


def test_the_first_images_only():
    assert len(evaluate_dataset(ColourSegmenter(), data_set(), limit=2).objects) == 1


def test_each_object_begins_without_clicks():
    image, labels = striped((10, 10))
    labels[:, 14:][labels[:, 14:] == 1] = 2
    result = evaluate_dataset(ColourSegmenter(), Items([Item("both", image, labels)]))
    assert [(each.label, each.ious) for each in result.objects] == [(1, (1.0,)), (2, (1.0,))]


def test_images_without_any_object_are_named_as_the_reason():
    with pytest.raises(ValueError, match=r"None of the 1 images of 'stripes'"):
        evaluate_dataset(ColourSegmenter(), Items(data_set()[1:2]))


@pytest.mark.parametrize("wrong", [{"objects": 0}, {"limit": 0}])
def test_nothing_to_measure(wrong):
    with pytest.raises(ValueError, match="At least one"):
        evaluate_dataset(ColourSegmenter(), data_set(), **wrong)
