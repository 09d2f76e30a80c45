"""Strokes and contours: the pixels of OpenCV, and properties."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import load_case

from napari_clickseg.models.drawing import draw_contour, draw_stroke

REFERENCE = Path(__file__).parents[1] / "data" / "drawing.npz"

points = st.lists(st.tuples(st.integers(-40, 60), st.integers(-40, 60)), min_size=3, max_size=7)


def stroke(shape, places, thickness) -> np.ndarray:
    canvas = np.zeros(shape, np.float32)
    draw_stroke(canvas, places, thickness)
    return canvas


def contour(shape, places) -> np.ndarray:
    canvas = np.zeros(shape, np.float32)
    draw_contour(canvas, places)
    return canvas


@pytest.mark.parametrize(
    "name",
    [
        "saicis_segformer_b1_accum",
        "saicis_segformer_b4_last",
        "saicis_hrnet18_accum",
        "saicis_hrnet18_last",
    ],
)
def test_published_maps_come_out_pixel_for_pixel(name: str) -> None:
    case, meta = load_case(name)
    interactions = meta["interactions"]
    for kind in ("contour", "stroke"):
        expected = case[f"{kind}_maps"]
        maps = np.zeros(expected.shape, np.float32)
        for positive, places in interactions[kind]:
            canvas = maps[0 if positive else 1]
            if kind == "stroke":
                draw_stroke(canvas, places, interactions["thickness"])
            else:
                draw_contour(canvas, places)
        assert np.array_equal(maps, expected)


def test_opencv_draws_the_same_pixels() -> None:
    reference = np.load(REFERENCE)
    bits = reference["bits"]
    wrong = []
    for item in json.loads(bytes(reference["shapes"]))["shapes"]:
        height, width = item["shape"]
        used = -(-2 * height * width // 8)
        expected = np.unpackbits(bits[:used])[: 2 * height * width].reshape(2, height, width)
        bits = bits[used:]
        drawn = [
            stroke((height, width), item["points"], item["thickness"]),
            contour((height, width), item["points"]),
        ]
        wrong += [
            item for ours, theirs in zip(drawn, expected, strict=True) if (ours != theirs).any()
        ]
    assert wrong == []


def test_a_stroke_of_two_points_is_drawn() -> None:
    drawn = stroke((30, 30), [(10, 5), (10, 20)], 10)
    assert drawn[5:16, 5:21].all()
    assert drawn.sum(axis=0).max() == 11


def test_a_stroke_of_equal_points_is_a_disk() -> None:
    drawn = stroke((21, 21), [(10, 10), (10, 10)], 9)
    row, col = np.mgrid[-10:11, -10:11]
    assert (drawn[np.hypot(row, col) <= 4.5] == 1).all()
    assert (drawn[np.hypot(row, col) >= 6] == 0).all()


@given(points, st.sampled_from([1, 2, 5, 10]))
def test_fractions_are_cut_off_towards_zero(places, thickness) -> None:
    moved = [tuple(x + (0.9 if x > 0 else -0.9 if x < 0 else 0.4) for x in p) for p in places]
    assert np.array_equal(stroke((20, 24), places, thickness), stroke((20, 24), moved, thickness))
    assert np.array_equal(contour((20, 24), places), contour((20, 24), moved))


@given(points)
def test_a_contour_holds_its_line_wherever_it_begins(places) -> None:
    around = [(r + 40, c + 40) for r, c in places]
    filled = contour((101, 101), around)
    assert (filled >= stroke((101, 101), [*around, around[0]], 1)).all()
    assert np.array_equal(filled, contour((101, 101), around[1:] + around[:1]))


def test_a_self_crossing_contour_leaves_out_what_it_encloses_twice() -> None:
    outer_inner = [
        (2, 2),
        (2, 40),
        (40, 40),
        (40, 2),
        (2, 2),
        (10, 10),
        (10, 30),
        (30, 30),
        (30, 10),
    ]
    drawn = contour((44, 44), [*outer_inner, (10, 10)])
    assert drawn[20, 20] == 0
    assert drawn[5, 20] == drawn[20, 35] == 1


def test_shapes_are_added_to_what_is_there() -> None:
    canvas = np.zeros((20, 20), np.float32)
    canvas[0, 0] = 1
    draw_contour(canvas, [(5, 5), (5, 9), (9, 9), (9, 5)])
    draw_stroke(canvas, [(15, 2), (15, 4), (15, 6)], 1)
    assert canvas.sum() == 1 + 25 + 5


def test_shapes_far_outside_cost_no_memory() -> None:
    canvas = np.zeros((30, 30), np.float32)
    far = [(-1e9, -1e9), (1e9, 1e9), (1e300, -1e300)]
    tracemalloc.start()
    draw_stroke(canvas, far, 10)
    assert canvas[15, 15] == 1
    assert canvas[25, 2] == 0
    draw_contour(canvas, far)
    assert canvas[25, 2] == 1
    assert canvas[2, 25] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


def test_a_shape_beside_the_canvas_leaves_it_empty() -> None:
    beside = [(5, 40), (15, 60), (25, 45)]
    assert not stroke((30, 30), beside, 10).any()
    assert not contour((30, 30), beside).any()
