"""Energies and gradients of backpropagating refinement, compared with the published ones."""

import numpy as np
import pytest
from parity import load_case, published_state

from napari_clickseg import Segmenter, model_from_state_dict
from napari_clickseg.engine import brs
from napari_clickseg.engine.profiles import get_profile

MODES = {"RGB-BRS": "rgbbrs", "DistMap-BRS": "distmapbrs"} | {
    f"f-BRS-{x}": f"fbrs{x.lower()}" for x in "ABC"
}


@pytest.fixture(scope="module", params=["brs_ritm_hrnet18s", "brs_ritm_r34"])
def case(request):
    arrays, meta = load_case(request.param)
    model = model_from_state_dict(published_state(meta), meta["config"]).requires_grad_(False)
    return arrays, meta, model


Energy = brs._Energy  # the class itself, also while a recording one stands in for it


def recorder(monkeypatch):
    """Every energy that is set up from now on, with the values that it was asked for."""
    energies = []

    class Recording(Energy):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.values = []
            energies.append(self)

        def __call__(self, vector):
            value, gradient = super().__call__(vector)
            self.values.append(value)
            return value, gradient

    monkeypatch.setattr(brs, "_Energy", Recording)
    return energies


def at(energy, vector):
    """Energy and gradient as at the first call of a click."""
    energy._mask = None
    return Energy.__call__(energy, vector)


def agree(gradient, expected, scale):
    if scale == 0:
        assert not gradient.any()
        return
    assert np.abs(gradient).max() == pytest.approx(scale, rel=0.01)
    if gradient.size > 5000:  # stored in units of its largest element
        gradient = gradient / scale
    np.testing.assert_allclose(gradient, expected, atol=0.01 * np.abs(expected).max())


@pytest.mark.parametrize("mode", MODES)
def test_energies_gradients_and_masks(case, mode, monkeypatch):
    arrays, meta, model = case
    (run,) = [run for run in meta["runs"] if run["mode"] == mode]
    energies = recorder(monkeypatch)
    profile = get_profile("ritm").override(brs=mode, zoom_in=None, flip=run["with_flip"])
    seg, plain = Segmenter(model, profile=profile), Segmenter(model, profile, brs="NoBRS")
    seg.set_image(arrays["image"])
    plain.set_image(arrays["image"])
    probabilities = arrays[f"{MODES[mode]}_probs"].astype(np.float32)
    for k, click in enumerate(meta["clicks"]):
        seg.click(*click[:2], bool(click[2]))
        plain.click(*click[:2], bool(click[2]))
        recorded, own = probabilities[k], seg.probabilities
        if k < 2:
            assert np.abs(own - recorded).max() <= (1e-2, 0.05)[k]
        a, b = own > 0.49, recorded > 0.49
        assert (a & b).sum() >= 0.95 * (a | b).sum()
        other = np.abs(plain.probabilities - recorded).max()
        if k and other > 0.05:
            assert np.abs(own - recorded).max() < other
    assert [e["click"] for e in run["optimised_clicks"]] == [2, 3]
    for k, (energy, expected) in enumerate(zip(energies, run["optimised_clicks"], strict=True)):
        tolerance = {"rel": 1e-3} if k == 0 else {"rel": 0.05}
        zero = np.zeros(energy.changed.length)
        z1 = 0.05 * np.random.default_rng(5).standard_normal(zero.size)
        for vector, name, which in ((zero, "energy_at_zero", 0), (z1, "energy_at_z1", 1)):
            value, gradient = at(energy, vector)
            assert value == pytest.approx(expected[name], **tolerance), name
            if k == 0:
                stored = arrays[f"{MODES[mode]}_click2_grad{which}"].astype(np.float32)
                agree(gradient, stored, expected["grad_scale"][which])
        assert min(energy.values) == pytest.approx(expected["energy_final"], rel=0.05, abs=2e-3)
        if k == 0:
            assert len(energy.values) == expected["function_calls"]
