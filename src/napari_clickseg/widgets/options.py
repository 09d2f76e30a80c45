"""Between the fields of the Advanced section and the fields of a profile. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.profiles import BRS, PROFILES, Profile, ZoomIn

__all__ = ["DEFAULT_PROFILE", "REFINEMENTS", "overrides", "profile_values"]

DEFAULT_PROFILE = "clickseg"
"""Whose numbers the fields show until a model is loaded."""

REFINEMENTS = BRS
"""Kinds of refinement to choose from."""

ZOOM_FIELDS = {
    "zoom_expansion": "expansion_ratio",
    "zoom_target": "target_size",
    "zoom_skip": "skip_clicks",
}


def profile_values(profile: Profile) -> dict[str, Any]:
    """What the fields show for a profile, by field name."""
    zoom = profile.zoom_in or ZoomIn()
    target = zoom.target_size if isinstance(zoom.target_size, int) else max(zoom.target_size)
    return {
        "zoom_in": profile.zoom_in is not None,
        "zoom_expansion": zoom.expansion_ratio,
        "zoom_target": target,
        "zoom_skip": zoom.skip_clicks,
        "flip": profile.flip,
        "refinement": profile.brs,
    }


def overrides(touched: Mapping[str, Any], profile: Profile | None = None) -> dict[str, Any]:
    """What `Profile.override` takes for the fields that the user set.

    Parameters
    ----------
    touched : mapping
        Field name to value; only fields that the user changed.
    profile : Profile, optional
        Of the loaded model; it says whether ZoomIn is on where the user did not.
    """
    found: dict[str, Any] = {}
    zoom = {field: touched[name] for name, field in ZOOM_FIELDS.items() if name in touched}
    base = PROFILES[DEFAULT_PROFILE] if profile is None else profile
    on = touched.get("zoom_in", base.zoom_in is not None)
    if on and zoom:
        found["zoom_in"] = zoom
    elif "zoom_in" in touched:
        found["zoom_in"] = on
    if "flip" in touched:
        found["flip"] = touched["flip"]
    if "refinement" in touched:
        found["brs"] = touched["refinement"]
    return found
