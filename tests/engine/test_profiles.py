import numpy as np
import pytest

from napari_clickseg.engine.fitted_zoom_in import FittedZoomIn
from napari_clickseg.engine.profiles import PROFILES, Profile, ZoomIn, get_profile
from napari_clickseg.engine.zoom_in import TypedZoomIn


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_know_their_names(name):
    assert get_profile(name).name == name


def test_published_numbers():
    for name, zoom in (("fbrs", ZoomIn()), ("ritm", ZoomIn()), ("saic_is", TypedZoomIn())):
        profile = get_profile(name)
        assert (profile.threshold, profile.flip, profile.zoom_in) == (0.49, True, zoom)
        assert profile.brs_wraps
    assert get_profile("fbrs").brs == "f-BRS-B"
    assert not get_profile("saic_is").accumulate
    cfr = get_profile("cfr_icl")
    assert (cfr.cascade_steps, cfr.cascade_clicks, cfr.cascade_adaptive) == (4, 1, True)
    typed = TypedZoomIn()
    assert (typed.skip_clicks, typed.skip_contours, typed.skip_strokes) == (1, -1, -1)
    assert ZoomIn() == ZoomIn(1, 400, 1.4, 200, 0.5, 0.5)
    for name in ("simpleclick", "cfr_icl"):
        zoom = get_profile(name).zoom_in
        assert (zoom.skip_clicks, zoom.target_size) == (-1, (448, 448))
    assert get_profile("avalanche").zoom_in is None
    assert get_profile("avalanche").max_clicks == 20


def test_unknown_names_are_refused_with_those_that_exist():
    with pytest.raises(ValueError, match="Choose one of clickseg"):
        get_profile("nothing")
    with pytest.raises(ValueError, match="'zoom'.*It has .*zoom_in"):
        get_profile("ritm").override(zoom=True)
    with pytest.raises(ValueError, match="'target'.*It has .*target_size"):
        get_profile("ritm").override(zoom_in={"target": 300})


def test_zoom_in_may_be_off_on_or_changed():
    ritm, ours, none = get_profile("ritm"), get_profile("clickseg"), get_profile("avalanche")
    assert ritm.override(zoom_in=None).zoom_in is ritm.override(zoom_in=False).zoom_in is None
    assert ritm.override(zoom_in=True) == ritm
    assert none.override(zoom_in=True).zoom_in == ZoomIn()
    changed = ours.override(zoom_in={"target_size": [100, 200]}).zoom_in
    assert isinstance(changed, FittedZoomIn) and changed.target_size == (100, 200)
    assert ritm.override(zoom_in=FittedZoomIn()).zoom_in == FittedZoomIn()
    assert ritm.override(threshold=0.3, flip=False).threshold == 0.3


def test_integral_numbers_of_any_kind_are_taken_as_int():
    profile = Profile("mine", network_size=320.0, max_clicks=np.int64(3), brs_evaluations=9.0)
    numbers = (profile.network_size, profile.max_clicks, profile.brs_evaluations)
    assert numbers == (320, 3, 9) and {type(number) for number in numbers} == {int}


@pytest.mark.parametrize(
    "bad",
    [
        {"threshold": 0},
        {"threshold": 1},
        {"network_size": 0},
        {"max_clicks": 0},
        {"max_enlargement": 0.5},
        {"sampling": "nearest"},
        {"zoom_in": 5},
        {"threshold": "a"},
        {"threshold": None},
        {"network_size": 320.5},
        {"network_size": "large"},
        {"max_clicks": [3]},
        {"max_enlargement": None},
        {"brs_evaluations": 2.5},
        {"brs_min_change": "a"},
        {"brs": ["f-BRS-B"]},
        {"sampling": 3},
        {"flip": "no"},
        {"flip": None},
        {"accumulate": 1},
        {"bfloat16": "maybe"},
        {"mask_feedback": None},
        {"name": 5},
        {"name": [1]},
    ],
)
def test_impossible_values_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Profile("mine").override(**bad)
