"""Scenes: objects in layers, what is ignored, and what cannot be a scene."""

import numpy as np
import pytest

from napari_clickseg.data.scenes import DatasetError, Scene, SceneObject


def image(height=4, width=5):
    return np.zeros((height, width, 3), np.uint8)


def family():
    """A parent over columns 0-3, its child over columns 0-1 in a second layer."""
    layers = np.zeros((4, 5, 2), np.int32)
    layers[:, :4, 0], layers[:, :2, 1] = 7, 7
    layers[0, 0, 1] = -1
    objects = (SceneObject(1, 0, 7, None, (2,)), SceneObject(2, 1, 7, 1))
    return Scene("family", image(), layers, objects)


def test_a_flat_scene_is_its_labels():
    labels = np.array([[0, 0, 3, 3, 9], [-1, 5, 5, 0, 0]])
    scene = Scene.flat("a", image(2, 5), labels)
    assert [item.id for item in scene.objects] == [3, 5, 9]
    np.testing.assert_array_equal(scene.labels, labels)
    np.testing.assert_array_equal(scene.mask(5), labels == 5)
    np.testing.assert_array_equal(scene.ignore, labels == -1)


def test_values_that_are_no_objects_are_background():
    scene = Scene.flat("a", image(1, 4), np.array([[5, 2, 9, -1]]), values=[9, 5])
    assert [item.id for item in scene.objects] == [9, 5]
    assert scene.labels.tolist() == [[5, 0, 9, -1]]


def test_what_one_layer_ignores_is_ignored_for_all_objects():
    scene = family()
    assert scene.mask(1).sum() == 15 and scene.mask(2).sum() == 7
    target = scene.target(1)
    assert target.dtype == np.int8 and target[0].tolist() == [-1, 1, 1, 1, 0]


def test_parts_and_wholes():
    scene = family()
    assert scene.roots == (scene.object(1),)
    assert scene.object(2).parent == 1 and scene.object(1).children == (2,)
    with pytest.raises(DatasetError, match="overlap"):
        _ = scene.labels


def test_layers_that_do_not_overlap_have_labels():
    layers = np.zeros((1, 4, 2), np.int32)
    layers[0, 0, 0], layers[0, 1, 1], layers[0, 2, 1] = 1, 1, 2
    objects = (SceneObject(4, 0, 1), SceneObject(2, 1, 1), SceneObject(3, 1, 2))
    scene = Scene("a", image(1, 4), layers, objects)
    assert scene.labels.tolist() == [[4, 2, 3, 0]]


def test_no_objects_are_a_scene_too():
    scene = Scene.flat("a", image(), np.zeros((4, 5), int))
    assert scene.objects == () and not scene.labels.any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": np.zeros((4, 5), np.uint8)}, "uint8"),
        ({"image": image(5, 5)}, "4 x 5 pixels but its image is 5 x 5"),
        ({"objects": (SceneObject(1), SceneObject(1))}, "different ids"),
        ({"objects": (SceneObject(0),)}, "different ids"),
        ({"objects": (SceneObject(1, layer=2),)}, "there are 2 layers"),
        ({"objects": (SceneObject(1, value=0),)}, "above 0"),
    ],
)
def test_what_cannot_be_a_scene(change, words):
    scene = family()
    parts = {"image": scene.image, "layers": scene.layers, "objects": scene.objects, **change}
    with pytest.raises(DatasetError, match=words):
        Scene("x", **parts)


def test_values_may_be_very_large():
    labels = np.array([[0, 2**31 - 1, 70_000, -1]], np.int32)
    assert Scene.flat("a", image(1, 4), labels).labels.tolist() == labels.tolist()
    with pytest.raises(DatasetError, match="beyond 2147483647"):
        Scene.flat("a", image(1, 1), np.array([[2**32 - 1]], np.uint32))
