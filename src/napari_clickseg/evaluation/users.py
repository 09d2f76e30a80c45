"""The simulated users by name, each in one or several variants."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..interactions import Interaction
from .clicker import CentreClicker
from .mixed import PRODUCTS, MixedUser
from .random_clicks import PLACES, RandomClicker

__all__ = ["USERS", "SimulatedUser", "UserVariant", "hand", "user_variants"]


class SimulatedUser(Protocol):
    """Someone who sees the mask so far and the object wanted, and says something about it."""

    def next(
        self,
        prediction: np.ndarray,
        target: np.ndarray,
        said: Sequence[Interaction],
        rng: np.random.Generator,
    ) -> Interaction:
        """The next interaction; all chance comes from `rng`."""


@dataclass(frozen=True)
class UserVariant:
    """One seed, or one sequence of kinds, of a simulated user.

    Attributes
    ----------
    name : str
        Of the user.
    variant : str
        Tells it from the user's other variants; empty if there is one only.
    user : SimulatedUser
    seed : int
    """

    name: str
    variant: str
    user: SimulatedUser
    seed: int = 0


USERS = ("centre", *PLACES, "saic-is", "product")
"""``centre`` is the published clicker; ``saic-is`` and ``product`` draw strokes and contours."""


def user_variants(
    name: str, seeds: int = 3, seed: int = 0, stops_at_specks: bool = False
) -> tuple[UserVariant, ...]:
    """The variants of a user: one for each seed, or one for each of the 27 sequences of `product`.

    Parameters
    ----------
    name : str
        One of `USERS`, or kinds of interaction joined by ``-``, such as ``contour-click``.
    seeds : int
        How often a user with a random hand does it all.
    seed : int
        The first seed.
    stops_at_specks : bool
        See `CentreClicker`.

    Raises
    ------
    ValueError
        If there is no such user or no seed.
    """
    if seeds < 1:
        raise ValueError(f"With {seeds} seeds nothing is clicked. Give 1 or more.")
    if name == "centre":
        return (UserVariant(name, "", CentreClicker(stops_at_specks)),)
    if name == "product":
        return tuple(
            UserVariant(name, "-".join(kinds), MixedUser(kinds), seed) for kinds in PRODUCTS
        )
    try:
        user: SimulatedUser = (
            RandomClicker(name)
            if name in PLACES
            else MixedUser(() if name == "saic-is" else tuple(name.split("-")))
        )
    except ValueError as error:
        raise ValueError(
            f"There is no simulated user {name!r}. Choose one of {', '.join(USERS)}, or kinds of "
            "interaction such as contour-stroke-click."
        ) from error
    return tuple(
        UserVariant(name, f"seed {k}" if seeds > 1 else "", user, k)
        for k in range(seed, seed + seeds)
    )


def hand(seed: int, *of: object) -> np.random.Generator:
    """The chance of a user with one object: the same for the same object, whatever came before."""
    return np.random.default_rng([seed, zlib.crc32("\n".join(map(str, of)).encode())])
