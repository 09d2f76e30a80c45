"""COCO and LVIS joined: what is the same object, what is part of what, what is stuff."""

import numpy as np

from napari_clickseg.data.conversion.combined_objects import combine


def box(top, left, bottom, right):
    mask = np.zeros((60, 80), bool)
    mask[top:bottom, left:right] = True
    return mask


def masks_of(found):
    return [found.layers[..., layer] == value for layer, value in found.places]


def test_a_thing_that_lvis_has_too_is_there_once():
    lvis = [box(0, 0, 20, 20)]
    found = combine(lvis, [box(0, 0, 20, 18), box(30, 30, 50, 50)], [])
    assert found.instances == 2
    first, second = masks_of(found)
    np.testing.assert_array_equal(first, box(30, 30, 50, 50))
    np.testing.assert_array_equal(second, lvis[0])


def test_of_equal_objects_of_lvis_the_last_is_kept():
    found = combine([box(0, 0, 20, 20), box(0, 0, 20, 19), box(0, 0, 20, 12)], [], [])
    areas = sorted(int(mask.sum()) for mask in masks_of(found))
    assert areas == [240, 380]


def test_a_part_belongs_to_the_deepest_of_its_wholes():
    whole, half, eye, other = (
        box(0, 0, 40, 40),
        box(0, 0, 40, 20),
        box(4, 4, 14, 14),
        box(45, 45, 58, 70),
    )
    found = combine([eye, other, whole, half], [], [])
    assert found.hierarchy == {
        0: {"children": [], "parent": 3, "node_level": 2},
        1: None,
        2: {"children": [3], "parent": None, "node_level": 0},
        3: {"children": [0], "parent": 2, "node_level": 1},
    }
    assert found.layers.shape[2] == 3


def test_less_than_four_fifths_inside_is_no_part():
    found = combine([box(0, 0, 40, 40), box(0, 33, 10, 43)], [], [])
    assert set(found.hierarchy.values()) == {None}


def test_small_objects_are_left_out_and_stuff_is_what_objects_leave_free():
    ground = box(0, 0, 60, 80)
    found = combine([box(0, 0, 8, 9), box(10, 10, 30, 30)], [], [ground, box(0, 0, 20, 25)])
    assert (found.instances, len(found.places)) == (1, 2)
    np.testing.assert_array_equal(masks_of(found)[1], ground & ~box(10, 10, 30, 30))
    assert combine([box(0, 0, 8, 9)], [], [box(0, 0, 20, 25)]) is None
