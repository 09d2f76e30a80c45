"""Between the fields of the Advanced section and the fields of a profile. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...engine.profiles import BRS, NO_BRS, PROFILES, Profile, ZoomIn, get_profile

if TYPE_CHECKING:
    from ...models.base import ModelSpec

__all__ = [
    "CLEANING",
    "DEFAULT_PROFILE",
    "PROFILE_NAMES",
    "REFINEMENTS",
    "base_profile",
    "idle_fields",
    "overrides",
    "profile_values",
    "refinements_lacking",
]

DEFAULT_PROFILE = "clickseg"
"""Whose numbers the fields show until a model is loaded."""

IN_THE_DOCK = {name: f"{name}_demo" for name in PROFILES if f"{name}_demo" in PROFILES}
"""Profiles of published demos, in place of those of their evaluation."""
PROFILE_NAMES = tuple(PROFILES)
REFINEMENTS = BRS
"""Kinds of refinement to choose from."""

ZOOM_FIELDS = {
    "zoom_expansion": "expansion_ratio",
    "zoom_skip": "skip_clicks",
}
SIZES = ("zoom_target", "zoom_fixed")
LIMITS = {
    "longest_side": "network_size",
    "max_clicks": "max_clicks",
    "brs_seconds": "brs_seconds",
}
"""Fields in which 0 stands for none."""
PLAIN_FIELDS = {
    "flip": "flip",
    "refinement": "brs",
    "brs_evaluations": "brs_evaluations",
    "cascade_steps": "cascade_steps",
    "cascade_adaptive": "cascade_adaptive",
    "bfloat16": "bfloat16",
}
CLEANING = ("fill_holes", "keep_parts", "min_size", "smooth")
"""Fields that say how the kept answer becomes the mask that is shown; the model is not asked."""


def base_profile(spec: ModelSpec | None, touched: Mapping[str, Any]) -> Profile:
    """The profile whose numbers the fields override: the model's own, or the one chosen.

    Its refinement is off where the model has none of that kind.

    Parameters
    ----------
    spec : ModelSpec or None
        Of the loaded model; None before one is loaded.
    touched : mapping
        Field name to value; only fields that the user changed.
    """
    own = DEFAULT_PROFILE if spec is None else IN_THE_DOCK.get(spec.profile, spec.profile)
    base = get_profile(touched.get("profile", own))
    return base.override(brs=NO_BRS) if base.brs in refinements_lacking(spec) else base


def profile_values(profile: Profile) -> dict[str, Any]:
    """What the fields show for a profile, by field name."""
    zoom = profile.zoom_in or ZoomIn()
    fixed = isinstance(zoom.target_size, tuple)
    return {
        "profile": profile.name,
        "zoom_in": profile.zoom_in is not None,
        "zoom_expansion": zoom.expansion_ratio,
        "zoom_target": max(zoom.target_size) if fixed else zoom.target_size,
        "zoom_fixed": fixed,
        "zoom_skip": zoom.skip_clicks,
        **{name: getattr(profile, field) or 0 for name, field in LIMITS.items()},
        **{name: getattr(profile, field) for name, field in PLAIN_FIELDS.items()},
        **{name: getattr(profile, name) for name in CLEANING},
    }


def overrides(
    touched: Mapping[str, Any], base: Profile, spec: ModelSpec | None = None
) -> dict[str, Any]:
    """What `Profile.override` takes for the fields that the user set.

    Parameters
    ----------
    touched : mapping
        Field name to value; only fields that the user changed.
    base : Profile
        See `base_profile`; it says what holds where the user set nothing.
    spec : ModelSpec, optional
        Of the loaded model; refinement that it does not have is left out.
    """
    found: dict[str, Any] = {}
    zoom = {field: touched[name] for name, field in ZOOM_FIELDS.items() if name in touched}
    if any(name in touched for name in SIZES):
        shown = profile_values(base)
        target, fixed = (touched.get(name, shown[name]) for name in SIZES)
        zoom["target_size"] = (target, target) if fixed and target else target
    on = touched.get("zoom_in", base.zoom_in is not None)
    if on and zoom:
        found["zoom_in"] = zoom
    elif "zoom_in" in touched:
        found["zoom_in"] = on
    for name, field in LIMITS.items():
        if name in touched:
            found[field] = touched[name] or None
    for name, field in PLAIN_FIELDS.items():
        if name in touched:
            found[field] = touched[name]
    if found.get("brs") in refinements_lacking(spec):
        del found["brs"]
    return found


def refinements_lacking(spec: ModelSpec | None) -> dict[str, str]:
    """Kinds of refinement that a model does not have, and why; none before one is loaded."""
    if spec is None:
        return {}
    if not spec.brs:
        reason = (
            f"The model '{spec.architecture}' is made of several networks or lets nothing inside "
            "be changed: it has no refinement."
        )
    else:
        reason = f"The network {spec.architecture} has no place where this refinement could act."
    return {kind: reason for kind in REFINEMENTS if kind != NO_BRS and kind not in spec.brs}


def idle_fields(
    values: Mapping[str, Any], base: Profile, spec: ModelSpec | None = None
) -> dict[str, str]:
    """Fields that have no effect now, and why.

    Parameters
    ----------
    values : mapping
        What all fields show.
    base, spec
        See `overrides`.
    """
    idle = {}
    if spec is not None and spec.fixed_size is not None:
        height, width = spec.fixed_size
        only = f"This network only takes views of {height} x {width} pixels."
        idle |= dict.fromkeys((*SIZES, "longest_side"), only)
    if not values["zoom_in"]:
        off = "ZoomIn is off: the whole image is looked at."
        idle |= dict.fromkeys((*ZOOM_FIELDS, *SIZES), off)
    if values["refinement"] == NO_BRS:
        iterates = "There is no refinement that could iterate."
        idle |= dict.fromkeys(("brs_evaluations", "brs_seconds"), iterates)
    if values["cascade_steps"] == 0:
        idle["cascade_adaptive"] = "There are no CFR steps that could end early."
    reason = None
    if spec is not None and not spec.takes_prev_mask:
        reason = "This network takes no previous mask: it would only repeat its answer."
    elif not base.mask_feedback:
        reason = f"The profile {base.name} does not show the network its own mask."
    if reason is not None:
        idle |= dict.fromkeys(("cascade_steps", "cascade_adaptive"), reason)
    return idle
