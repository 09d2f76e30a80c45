"""At what size the network sees an image, as the published evaluations name it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..engine.fitted_zoom_in import FittedZoomIn
from ..engine.profiles import Profile, ZoomIn, get_profile
from ..models.base import ClickModel

__all__ = ["profile_for"]

FIXED = re.compile(r"fixed(\d+)(?:,(\d+))?")


def profile_for(
    model: ClickModel,
    profile: str | None,
    overrides: Mapping[str, Any],
    eval_mode: str = "cvpr",
    data: str = "",
) -> Profile:
    """The profile that a model is evaluated with on a data set.

    Parameters
    ----------
    model : ClickModel
    profile : str or None
        The model's own if None.
    overrides : mapping
        Fields of the profile; they come last.
    eval_mode : str
        ``"cvpr"``: the profile's own sizes, and half as much again for the data set DAVIS where
        the profile is a published one; ``"ritm"``: the same with RITM's sizes; ``"fixedN"`` or
        ``"fixedH,W"``: from the first click on, whatever is looked at is brought to N x N or H x W
        network pixels.
    data : str
        Name of the data set.

    Raises
    ------
    ValueError
        If the mode, the profile or an override is unknown.
    """
    chosen = get_profile(model.spec.profile if profile is None else profile)
    given = overrides.get("zoom_in")
    sized = isinstance(given, Mapping) and "target_size" in given
    if eval_mode == "ritm":
        chosen, eval_mode = replace(chosen, zoom_in=ZoomIn()), "cvpr"
    fixed = FIXED.fullmatch(eval_mode)
    if fixed:
        height, width = int(fixed[1]), int(fixed[2] or fixed[1])
        zoom_in = chosen.zoom_in
        if zoom_in is None or isinstance(zoom_in, FittedZoomIn):
            zoom_in = ZoomIn()
        chosen = replace(
            chosen, zoom_in=replace(zoom_in, skip_clicks=-1, target_size=(height, width))
        )
    elif eval_mode != "cvpr":
        raise ValueError(
            f"There is no evaluation mode {eval_mode!r}. Choose cvpr, ritm, or a fixed size such "
            "as fixed448 or fixed384,512."
        )
    elif data.upper().startswith("DAVIS") and not sized:
        zoom_in = chosen.zoom_in
        if zoom_in is not None and not isinstance(zoom_in, FittedZoomIn):
            size = zoom_in.target_size
            larger = (
                tuple(side * 3 // 2 for side in size) if isinstance(size, tuple) else size * 3 // 2
            )
            chosen = replace(chosen, zoom_in=replace(zoom_in, target_size=larger))
    return chosen.override(**overrides)
