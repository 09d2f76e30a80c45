"""Every number that a published system, or ours, fixes about prediction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .fields import check_fields, is_flag, is_size, make_whole, whole_sides
from .fitted_zoom_in import FittedZoomIn
from .tiling import Tiling
from .zoom_in import TypedZoomIn, ZoomIn

__all__ = [
    "BRS",
    "KEPT_PARTS",
    "MOST_SMOOTH",
    "NO_BRS",
    "PROFILES",
    "Profile",
    "Tiling",
    "ZoomIn",
    "get_profile",
]

NO_BRS = "NoBRS"
BRS = (NO_BRS, "RGB-BRS", "DistMap-BRS", "f-BRS-A", "f-BRS-B", "f-BRS-C")
"""Kinds of backpropagating refinement."""
KEPT_PARTS = ("all", "clicked", "largest")
"""Which parts of a mask are kept; those that were clicked always are."""
MOST_SMOOTH = 50  # pixels


@dataclass(frozen=True)
class Profile:
    """How one system goes from clicks to a mask.

    Parameters
    ----------
    name : str
        For display.
    threshold : float
        A pixel is in the mask if its probability is larger; between 0 and 1.
    flip : bool
        Average the logits of the view and of its mirrored copy.
    zoom_in : ZoomIn or None
        The rule that chooses where to look; None always looks at the whole image.
    network_size : int or None
        Longest side, in network pixels, to which the whole image is reduced, and regions by the
        published rules of ZoomIn, too; None leaves it.
    fixed_size : (int, int) or None
        Height and width in network pixels at which everything is shown, whatever its proportions.
    max_enlargement : float
        Largest factor by which a whole image smaller than `network_size` is enlarged.
    max_clicks : int or None
        The network is shown this many clicks at most, the oldest. None shows all of them, or as
        many as the kind of refinement was published with. Strokes and contours are always shown.
    accumulate : bool
        The network is shown every stroke and contour; otherwise only the latest interaction and
        all clicks.
    mask_feedback : bool
        The network is shown its own last mask; otherwise the mask that the object was started
        from, if there is one, all along (as the published demos do).
    sampling : {"corners", "centres"}
        How pixels of image and view correspond. ``"corners"``, as published: bilinear between
        corner pixels, clicks scaled by the sides' ratio, probabilities resized back. ``"centres"``:
        antialiased, clicks mapped exactly, logits resized back.
    honour_clicks : bool
        Clicked pixels get exactly the label of the click, the latest where two share a pixel, and
        negative clicks alone leave an empty mask empty.
    brs : str
        Kind of backpropagating refinement, one of `BRS`; ``"NoBRS"`` is none.
    brs_evaluations : int
        Calls of the network at most for each click's refinement.
    brs_min_change : float
        Refinement ends once the mask changes by less than this (1 - IoU) between two calls.
    brs_seconds : float or None
        Refinement ends with the first call of the network that is over later than this.
    brs_wraps : bool
        As published, clicks in the first row or column are not refined, and those a little
        outside the view may act at its other side.
    cascade_steps : int
        How often the network looks again at its own answer, without a new click.
    cascade_clicks : int
        The cascade follows this many first clicks only.
    cascade_adaptive : bool
        The cascade ends once hardly a pixel of the mask changes.
    follow_edges : bool
        Bring boundaries that were answered at a small scale to full resolution, and keep what has
        that resolution where a later answer agrees with it.
    correct_locally : bool
        A click that contradicts the mask an object was started from changes only what is connected
        with it; other clicks may change all of the mask.
    tiling : Tiling or None
        Answer the whole image tile by tile at its own resolution; `zoom_in`, `network_size` and
        `fixed_size` do not matter then, and there is no refinement (`brs`).
    fill_holes : bool
        Background that the mask surrounds is mask, unless a negative click is in it.
    keep_parts : {"all", "clicked", "largest"}
        Which connected parts the mask keeps, besides those that were clicked or painted.
    min_size : int
        Pixels of the smallest part that is kept though it was neither clicked nor painted.
    smooth : float
        How far the outline is smoothed: standard deviation in pixels; 0 leaves it.
    bfloat16 : bool
        Run the network in bfloat16 where the processor has it; refinement stays in float32.
    """

    name: str
    threshold: float = 0.49
    flip: bool = True
    zoom_in: ZoomIn | None = ZoomIn()
    network_size: int | None = None
    fixed_size: tuple[int, int] | None = None
    max_enlargement: float = 1.0
    max_clicks: int | None = None
    accumulate: bool = True
    mask_feedback: bool = True
    sampling: str = "corners"
    honour_clicks: bool = False
    brs: str = NO_BRS
    brs_evaluations: int = 20
    brs_min_change: float = 0.01
    brs_seconds: float | None = None
    brs_wraps: bool = True
    cascade_steps: int = 0
    cascade_clicks: int = 1
    cascade_adaptive: bool = False
    follow_edges: bool = False
    correct_locally: bool = False
    tiling: Tiling | None = None
    fill_holes: bool = False
    keep_parts: str = "all"
    min_size: int = 0
    smooth: float = 0.0
    bfloat16: bool = False

    def __post_init__(self) -> None:
        make_whole(self, "network_size", "max_clicks", "brs_evaluations")
        make_whole(self, "cascade_steps", "cascade_clicks", "min_size")
        if self.fixed_size is not None:
            object.__setattr__(self, "fixed_size", whole_sides(self.fixed_size))
        flags = [f.name for f in dataclasses.fields(self) if f.type == "bool"]
        check_fields(
            f"Profile {self.name!r:.40}",
            (
                (self.name, lambda x: isinstance(x, str), "name (a text)"),
                *((getattr(self, name), is_flag, f"{name} (True or False)") for name in flags),
                (self.threshold, lambda x: 0 < x < 1, "threshold (between 0 and 1)"),
                (
                    self.network_size,
                    lambda x: x is None or isinstance(x, int) and x >= 1,
                    "network_size (1 or more pixels, or None)",
                ),
                (self.max_enlargement, lambda x: x >= 1, "max_enlargement (1 or more)"),
                (
                    self.max_clicks,
                    lambda x: x is None or isinstance(x, int) and x >= 1,
                    "max_clicks (1 or more, or None)",
                ),
                (self.brs, lambda x: x in BRS, f"brs (one of {', '.join(BRS)})"),
                (
                    self.brs_evaluations,
                    lambda x: isinstance(x, int) and x >= 1,
                    "brs_evaluations (1 or more)",
                ),
                (self.brs_min_change, lambda x: x >= 0, "brs_min_change (0 or more)"),
                (
                    self.brs_seconds,
                    lambda x: x is None or x > 0,
                    "brs_seconds (more than 0, or None)",
                ),
                (
                    self.fixed_size,
                    lambda x: x is None or isinstance(x, tuple) and is_size(x),
                    "fixed_size (height and width in pixels, or None)",
                ),
                (
                    self.cascade_steps,
                    lambda x: isinstance(x, int) and x >= 0,
                    "cascade_steps (0 or more)",
                ),
                (
                    self.cascade_clicks,
                    lambda x: isinstance(x, int) and x >= 1,
                    "cascade_clicks (1 or more)",
                ),
                (
                    self.keep_parts,
                    lambda x: x in KEPT_PARTS,
                    f"keep_parts (one of {', '.join(KEPT_PARTS)})",
                ),
                (
                    self.min_size,
                    lambda x: isinstance(x, int) and x >= 0,
                    "min_size (0 or more pixels)",
                ),
                (
                    self.smooth,
                    lambda x: 0 <= x <= MOST_SMOOTH,
                    f"smooth (0 to {MOST_SMOOTH} pixels)",
                ),
                (self.sampling, lambda x: x in ("corners", "centres"), "sampling"),
                (self.zoom_in, lambda x: x is None or isinstance(x, ZoomIn), "zoom_in"),
                (
                    self.tiling,
                    lambda x: x is None or isinstance(x, Tiling),
                    "tiling (Tiling(size, overlap), or None)",
                ),
            ),
        )
        if self.tiling is not None and self.brs != NO_BRS:
            raise ValueError(
                f"Profile {self.name!r:.40} asks for the refinement {self.brs}, which learns for "
                f"one view, and for tiling, which has many. Use brs={NO_BRS!r} or tiling=None."
            )

    def override(self, **overrides: Any) -> Profile:
        """The same profile with single fields replaced.

        Parameters
        ----------
        **overrides
            Fields by name. ``zoom_in`` may also be True (on, with the profile's own numbers or the
            published defaults) or a mapping of single `ZoomIn` fields.

        Raises
        ------
        ValueError
            If a name is unknown or a value impossible.
        """
        if "zoom_in" in overrides:
            overrides["zoom_in"] = self._zoom_in(overrides["zoom_in"])
        return _replace(self, overrides)

    def _zoom_in(self, wanted: ZoomIn | Mapping[str, Any] | bool | None) -> ZoomIn | None:
        own = self.zoom_in or ZoomIn()
        if wanted is True:
            return own
        if isinstance(wanted, Mapping):
            return _replace(own, dict(wanted))
        if wanted is None or wanted is False:
            return None
        return wanted


def _replace(value: Any, fields: dict[str, Any]) -> Any:
    """`dataclasses.replace` that says which names there are."""
    known = [field.name for field in dataclasses.fields(value)]
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise ValueError(
            f"{type(value).__name__} has no option {', '.join(map(repr, unknown))}. "
            f"It has {', '.join(known)}."
        )
    return dataclasses.replace(value, **fields)


_DEMO: dict[str, Any] = {"threshold": 0.5, "network_size": 800, "brs_min_change": 1e-3}
"""What all published demos begin with."""
_FIXED_448 = ZoomIn(skip_clicks=-1, target_size=(448, 448))

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "clickseg",
            threshold=0.5,
            flip=True,
            zoom_in=FittedZoomIn(),
            network_size=256,
            max_enlargement=2.0,
            sampling="centres",
            honour_clicks=True,
            brs_wraps=False,
            follow_edges=True,
            correct_locally=True,
            bfloat16=True,
        ),
        Profile("fbrs", brs="f-BRS-B"),
        Profile("fbrs_demo", brs="f-BRS-B", zoom_in=ZoomIn(target_size=480), **_DEMO),
        Profile("ritm"),
        Profile(
            "ritm_demo",
            zoom_in=ZoomIn(skip_clicks=-1, target_size=(400, 400)),
            mask_feedback=False,
            **_DEMO,
        ),
        Profile("saic_is", zoom_in=TypedZoomIn(), accumulate=False),
        Profile("saic_is_demo", zoom_in=TypedZoomIn(skip_clicks=-1, target_size=0), **_DEMO),
        Profile("avalanche", threshold=0.5, zoom_in=None, max_clicks=20),
        Profile("avalanche_demo", zoom_in=None, max_clicks=20, **_DEMO),
        Profile("simpleclick", zoom_in=_FIXED_448),
        Profile("cfr_icl", zoom_in=_FIXED_448, cascade_steps=4, cascade_adaptive=True),
        Profile("cfr_icl_demo", zoom_in=_FIXED_448, cascade_steps=1, **_DEMO),
    )
}


def get_profile(name: str) -> Profile:
    """A profile by name.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if not isinstance(name, str) or name not in PROFILES:
        raise ValueError(f"There is no profile {name!r}. Choose one of {', '.join(PROFILES)}.")
    return PROFILES[name]
