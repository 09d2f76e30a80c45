"""Backpropagating refinement: its energy, its gradient, and what it does to sessions."""

import numpy as np
import pytest
import torch

from napari_clickseg import Segmenter
from napari_clickseg.cancel import Cancelled
from napari_clickseg.engine import brs
from napari_clickseg.engine.brs import KINDS, Copy, _Changed, _Energy, click_squares, refine
from napari_clickseg.engine.profiles import BRS, NO_BRS, PROFILES
from napari_clickseg.interactions import Click
from napari_clickseg.models.base import Inputs

MODES = [mode for mode in BRS if mode != NO_BRS]
CLICKS = (Click(10, 12), Click(25, 30, positive=False), Click(2, 35))


@pytest.fixture
def copies(tiny_model):
    """A view and its mirrored copy, shown to a small network with random weights."""
    rng = torch.Generator().manual_seed(3)
    image = torch.rand(1, 3, 32, 40, generator=rng)
    prev = torch.rand(1, 1, 32, 40, generator=rng)
    maps = tiny_model.encode(CLICKS, (32, 40))
    straight = Inputs(image, maps, prev)
    mirrored = Inputs(image.flip(-1), maps.flip(-1), prev.flip(-1))
    return [Copy(straight, False), Copy(mirrored, True)]


def energy_of(model, mode, copies, **profile):
    split = model.splits[model.spec.brs[mode]]
    tensors = [model.before(split.name, copy.inputs) for copy in copies]
    changed = _Changed(model, split, KINDS[mode].added, copies, tensors)
    size = copies[0].inputs.image.shape[-2:]
    squares = torch.stack([click_squares(CLICKS, size, mirrored=c.mirrored) for c in copies], 1)
    numbers = PROFILES["fbrs"].override(brs_min_change=0.0, **profile)
    return _Energy(changed, squares, numbers, None)


def refined(model, mode, copies, clicks=CLICKS, start=None, place="here", **profile):
    split = model.spec.brs[mode]
    tensors = [model.before(split, copy.inputs) for copy in copies]
    numbers = PROFILES["fbrs"].override(**profile)
    return refine(model, mode, copies, tensors, clicks, start, place, numbers)


def test_every_kind_of_the_profiles_is_known():
    assert set(KINDS) == set(MODES)


def test_squares_are_cut_at_the_border_and_clicks_outside_draw_nothing():
    squares = click_squares([Click(0, 0), Click(4, 4, positive=False), Click(-3, 2)], (6, 6))
    assert squares[0].sum() == 4
    assert squares[1].sum() == 9
    assert squares[1, 3:6, 3:6].all()


def test_published_squares_are_lost_at_the_border_and_wrap_outside():
    squares = click_squares([Click(0, 3), Click(3, 0), Click(2, 3, positive=False)], (6, 6), True)
    assert squares[0].sum() == 0
    assert squares[1, 1:4, 2:5].all() and squares[1].sum() == 9
    assert click_squares([Click(-3, 3)], (6, 6), True)[0, 2:5, 2:5].all()


@pytest.mark.parametrize("col", [0, 5, 2.5, 9, -3])
def test_squares_of_the_mirrored_copy_are_drawn_in_it_and_turned_back(col):
    mirrored = click_squares([Click(5, col)], (20, 10), True, mirrored=True)
    assert torch.equal(mirrored, click_squares([Click(5, 9 - col)], (20, 10), True).flip(-1))


def test_a_click_at_the_left_border_is_lost_in_one_copy_only(tiny_model, copies, monkeypatch):
    """As published: its square begins before the first column there, but not mirrored."""
    seen = []

    class Seen(_Energy):
        def __call__(self, vector):
            seen.append(self.squares)
            return super().__call__(vector)

    monkeypatch.setattr(brs, "_Energy", Seen)
    refined(tiny_model, "f-BRS-B", copies, (Click(5, 0), Click(20, 39, positive=False)))
    assert seen[0].sum(dim=(2, 3)).tolist() == [[0, 6], [6, 0]]
    refined(tiny_model, "f-BRS-B", copies, (Click(5, 0), Click(9, 39)), brs_wraps=False)
    assert seen[-1].sum(dim=(2, 3)).tolist() == [[12, 12], [0, 0]]


@pytest.mark.parametrize("late", range(1, 6))
@pytest.mark.parametrize("mode", ["RGB-BRS", "f-BRS-B"])
def test_the_first_call_that_ends_too_late_is_the_last(tiny_model, copies, mode, late, monkeypatch):
    now, values = [0.0], []

    class Counted(_Energy):
        def __call__(self, vector):
            now[0] = 100.0 if len(values) + 1 >= late else 0.0
            values.append(vector.copy())
            return super().__call__(vector)

    monkeypatch.setattr(brs, "_Energy", Counted)
    monkeypatch.setattr(brs.time, "monotonic", lambda: now[0])
    logits, found = refined(tiny_model, mode, copies, brs_min_change=0.0, brs_seconds=1.0)
    assert len(values) == late
    assert any(np.array_equal(found.vector, value) for value in values)
    energy = energy_of(tiny_model, mode, copies)
    energies = [_Energy.__call__(energy, value)[0] for value in (*values, found.vector)]
    assert energies[-1] == min(energies)
    again = energy.changed.logits(torch.from_numpy(found.vector).float())
    torch.testing.assert_close(logits[0], again[0])


def test_refinement_ends_when_its_time_is_over(tiny_model, copies):
    calls = []
    forward = tiny_model.after
    tiny_model.after = lambda *a: calls.append(1) or forward(*a)
    refined(tiny_model, "f-BRS-B", copies, brs_min_change=0.0, brs_seconds=1e-9)
    assert len(calls) == len(copies)  # one call of the network for each copy
    refined(tiny_model, "f-BRS-B", copies, brs_min_change=0.0)
    assert len(calls) > 2 * len(copies)


@pytest.mark.parametrize("mode", MODES)
def test_gradient_equals_finite_differences(tiny_model, copies, mode):
    rng = np.random.default_rng(0)
    double = tiny_model.double()
    parts = [(c.inputs.image, c.inputs.maps, c.inputs.prev_mask) for c in copies]
    copies = [
        Copy(Inputs(*(t.double() for t in part)), mirrored)
        for part, mirrored in zip(parts, (False, True), strict=True)
    ]
    energy = energy_of(double, mode, copies)
    z = rng.normal(0, 0.05, energy.changed.length)
    direction = rng.normal(size=z.size)
    direction /= np.linalg.norm(direction)
    _, gradient = energy(z)
    energy._mask = None
    step = 1e-3
    ahead, behind = energy(z + step * direction)[0], energy(z - step * direction)[0]
    slope = (ahead - behind) / (2 * step)
    assert gradient @ direction == pytest.approx(slope, rel=0.03, abs=2e-5)


@pytest.mark.parametrize("mode", MODES)
def test_a_zero_vector_changes_nothing_and_refining_lowers_the_energy(tiny_model, copies, mode):
    changed = energy_of(tiny_model, mode, copies).changed
    zero = changed.logits(torch.zeros(changed.length))
    expected = tiny_model(copies[0].inputs)
    torch.testing.assert_close(zero[0], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(zero[1], tiny_model(copies[1].inputs).flip(-1), rtol=1e-4, atol=1e-4)
    start = energy_of(tiny_model, mode, copies)(np.zeros(changed.length))[0]
    logits, refinement = refined(tiny_model, mode, copies)
    assert logits[0].shape == expected.shape
    assert not torch.equal(logits[0], expected)
    least = energy_of(tiny_model, mode, copies)(refinement.vector)[0]
    assert least < start


def test_the_first_click_is_not_refined(tiny_model, copies):
    logits, refinement = refined(tiny_model, "f-BRS-B", copies, CLICKS[:1])
    assert not refinement.vector.any()
    torch.testing.assert_close(logits[0], tiny_model(copies[0].inputs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["RGB-BRS", "f-BRS-A"])
def test_channels_outlive_a_change_of_view_and_maps_do_not(tiny_model, copies, mode):
    _, first = refined(tiny_model, mode, copies)
    assert first.vector.any()
    _, again = refined(tiny_model, mode, copies, CLICKS[:1], first, "elsewhere")
    assert again.vector.any() == (mode == "f-BRS-A")
    _, same = refined(tiny_model, mode, copies, CLICKS[:1], first)
    np.testing.assert_array_equal(same.vector, first.vector)


@pytest.mark.parametrize("mode", MODES)
def test_a_session_with_refinement_undoes_exactly_and_repeats(tiny_model, scene, mode):
    seg, plain = Segmenter(tiny_model, brs=mode, flip=True), Segmenter(tiny_model, flip=True)
    states = []
    for s in (seg, plain):
        s.set_image(scene)
    for row, col, positive in ((40, 50, True), (5, 5, False), (30, 60, True)):
        seg.click(row, col, positive)
        plain.click(row, col, positive)
        states.append(seg.probabilities.copy())
    assert not np.array_equal(seg.probabilities, plain.probabilities)
    assert seg.mask[30, 60]
    assert not seg.mask[5, 5]
    seg.undo()
    np.testing.assert_array_equal(seg.probabilities, states[1])
    seg.click(30, 60, True)
    np.testing.assert_array_equal(seg.probabilities, states[2])


def test_cancelling_inside_the_optimiser_leaves_the_session(tiny_model, scene):
    seg = Segmenter(tiny_model, brs="f-BRS-B", zoom_in=None)
    seg.set_image(scene)
    seg.click(40, 50)
    before = seg.probabilities.copy()
    calls = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        seg.click(5, 5, False, cancelled=lambda: next(calls))
    np.testing.assert_array_equal(seg.probabilities, before)
    assert len(seg.history.present.interactions) == 1
