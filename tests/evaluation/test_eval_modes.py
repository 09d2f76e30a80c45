"""What sizes the network sees in which evaluation mode."""

import pytest
from fakes import ColourModel

from napari_clickseg.engine.profiles import PROFILES
from napari_clickseg.evaluation.eval_modes import profile_for


def size(profile, mode="cvpr", data="GrabCut", **overrides):
    zoom_in = profile_for(ColourModel(), profile, overrides, mode, data).zoom_in
    return zoom_in and (zoom_in.skip_clicks, zoom_in.target_size)


@pytest.mark.parametrize(
    ("profile", "mode", "data", "wanted"),
    [
        ("ritm", "cvpr", "GrabCut", (1, 400)),
        ("ritm", "cvpr", "DAVIS", (1, 600)),
        ("fbrs", "cvpr", "DAVIS", (1, 600)),
        ("saic_is", "cvpr", "DAVIS", (1, 600)),
        ("simpleclick", "cvpr", "SBD", (-1, (448, 448))),
        ("simpleclick", "cvpr", "DAVIS", (-1, (672, 672))),
        ("simpleclick", "ritm", "SBD", (1, 400)),
        ("simpleclick", "ritm", "DAVIS", (1, 600)),
        ("ritm", "fixed256", "DAVIS", (-1, (256, 256))),
        ("cfr_icl", "fixed384,512", "SBD", (-1, (384, 512))),
        ("avalanche", "cvpr", "DAVIS", None),
    ],
)
def test_published_sizes(profile, mode, data, wanted):
    assert size(profile, mode, data) == wanted


def test_our_own_profile_knows_no_names_of_data_sets():
    own = profile_for(ColourModel(), None, {}, "cvpr", "DAVIS")
    assert own == PROFILES["clickseg"]


def test_what_is_asked_for_comes_last():
    assert size("ritm", "cvpr", "DAVIS", zoom_in={"target_size": 500}) == (1, 500)
    assert size("ritm", "cvpr", "DAVIS", zoom_in={"skip_clicks": 0}) == (0, 600)
    assert size("ritm", "cvpr", "DAVIS", zoom_in=None) is None
    assert profile_for(ColourModel(), "ritm", {"flip": False}).flip is False


@pytest.mark.parametrize("mode", ["fixed", "large", "fixed3,"])
def test_unknown_modes(mode):
    with pytest.raises(ValueError, match="evaluation mode"):
        profile_for(ColourModel(), "ritm", {}, mode)
