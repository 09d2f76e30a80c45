"""What the fields of the Advanced section mean for a profile, and which of them have an effect."""

import pytest

pytest.importorskip("qtpy")

from napari_clickseg.engine.profiles import BRS, PROFILES  # noqa: E402
from napari_clickseg.models.base import ModelSpec  # noqa: E402
from napari_clickseg.widgets.model.options import (
    base_profile,
    idle_fields,
    overrides,
    profile_values,
    refinements_lacking,
)

ALL = dict.fromkeys(BRS[1:], "somewhere")


def spec(profile="ritm", prev=True, brs=ALL, **more):
    return ModelSpec("net", profile, prev, brs=brs, **more)


def idle(profile, facts=None, **values):
    base = PROFILES[profile]
    return set(idle_fields({**profile_values(base), **values}, base, facts))


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_what_the_fields_show_is_what_the_profile_does(name):
    base = PROFILES[name]
    shown = profile_values(base)
    assert shown["refinement"] == base.brs and shown["cascade_steps"] == base.cascade_steps
    zoom = ("zoom_expansion", "zoom_target", "zoom_fixed", "zoom_skip", "zoom_in")
    off = () if base.zoom_in else zoom
    touched = {field: value for field, value in shown.items() if field not in off}
    assert base.override(**overrides(touched, base)) == base


def test_fields_override_what_they_name():
    base = PROFILES["cfr_icl"]
    touched = {
        "zoom_target": 224,
        "cascade_steps": 7,
        "cascade_adaptive": False,
        "brs_evaluations": 5,
        "brs_seconds": 2.5,
        "refinement": "RGB-BRS",
        "max_clicks": 3,
    }
    made = base.override(**overrides(touched, base, spec()))
    assert made.zoom_in.target_size == (224, 224)  # a fixed crop, as published
    assert (made.cascade_steps, made.cascade_adaptive, made.brs_evaluations) == (7, False, 5)
    assert (made.brs, made.max_clicks, made.brs_seconds) == ("RGB-BRS", 3, 2.5)
    for name in ("max_clicks", "brs_seconds"):
        assert getattr(made.override(**overrides({name: 0}, base)), name) is None


def test_crops_are_fixed_or_keep_their_proportions():
    base = PROFILES["ritm_demo"]
    assert base.override(**overrides({"zoom_target": 320}, base)).zoom_in.target_size == (320, 320)
    loose = base.override(**overrides({"zoom_fixed": False}, base))
    assert loose.zoom_in.target_size == 400
    square = PROFILES["fbrs"].override(**overrides({"zoom_fixed": True}, PROFILES["fbrs"]))
    assert square.zoom_in.target_size == (400, 400)
    assert base.override(**overrides({"zoom_target": 0}, base)).zoom_in.target_size == 0
    assert base.override(**overrides({"longest_side": 640}, base)).network_size == 640
    assert base.override(**overrides({"longest_side": 0}, base)).network_size is None


@pytest.mark.parametrize(
    ("system", "numbers"),
    [
        (
            "fbrs",
            {"zoom_skip": 1, "zoom_target": 480, "zoom_fixed": False, "refinement": "f-BRS-B"},
        ),
        ("ritm", {"zoom_skip": -1, "zoom_target": 400, "zoom_fixed": True, "refinement": "NoBRS"}),
        ("saic_is", {"zoom_skip": -1, "zoom_target": 0, "refinement": "NoBRS"}),
        ("avalanche", {"zoom_in": False, "refinement": "NoBRS"}),
        (
            "cfr_icl",
            {
                "zoom_skip": -1,
                "zoom_target": 448,
                "zoom_fixed": True,
                "cascade_steps": 1,
                "cascade_adaptive": False,
            },
        ),
    ],
)
def test_the_fields_begin_with_the_numbers_of_the_published_demo(system, numbers):
    base = base_profile(spec(system), {})
    shown = profile_values(base)
    assert {name: shown[name] for name in numbers} == numbers
    assert base.threshold == 0.5 and shown["longest_side"] == 800
    if shown["zoom_in"]:
        assert shown["zoom_expansion"] == 1.4
    assert base.accumulate and shown["brs_evaluations"] == 20
    evaluated = PROFILES[system]  # as in the published evaluation
    assert evaluated.network_size is None and evaluated.threshold == (
        0.5 if system == "avalanche" else 0.49
    )


def test_a_chosen_profile_replaces_that_of_the_model():
    assert base_profile(None, {}).name == "clickseg"
    assert base_profile(spec("ritm"), {}).name == "ritm_demo"  # as in the published demo
    assert base_profile(spec("ritm"), {"profile": "ritm"}).name == "ritm"
    assert base_profile(spec("simpleclick"), {}).name == "simpleclick"  # it has no demo of its own
    assert base_profile(spec("simpleclick"), {"profile": "cfr_icl"}).cascade_steps == 4


def test_refinement_that_a_model_lacks_is_said_and_left_out():
    few = spec("fbrs", brs={"RGB-BRS": "image", "f-BRS-A": "features"})
    assert set(refinements_lacking(few)) == {"DistMap-BRS", "f-BRS-B", "f-BRS-C"}
    assert set(refinements_lacking(spec(brs={}))) == set(BRS[1:])
    assert not refinements_lacking(spec()) and not refinements_lacking(None)
    base = base_profile(few, {})
    assert base.brs == "NoBRS"
    assert "brs" not in overrides({"refinement": "f-BRS-C"}, base, few)


def test_fields_without_effect():
    assert idle("ritm") == {"brs_evaluations", "brs_seconds", "cascade_adaptive"}
    assert idle("fbrs", spec("fbrs", prev=False)) == {"cascade_steps", "cascade_adaptive"}
    assert idle("cfr_icl") == {"brs_evaluations", "brs_seconds"}
    zoom = {"zoom_expansion", "zoom_target", "zoom_fixed", "zoom_skip"}
    assert idle("avalanche") >= zoom and not idle("avalanche", zoom_in=True) & zoom
    assert "cascade_steps" in idle("ritm_demo")
    assert "zoom_target" in idle("simpleclick", spec(fixed_size=(448, 448)))
