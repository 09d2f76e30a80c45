"""Procedural samples: a drawn scene and one of its objects as the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from .drawing import Drawing
from .fields import cells, islands, metaballs, plumes
from .noise import blurred
from .painting import Photograph, paint
from .stamps import blobs, plants, polygons, rings
from .tubes import filaments, tubes

__all__ = ["KINDS", "Procedural", "scene"]

KINDS = MappingProxyType(
    {
        "blobs": blobs,
        "metaballs": metaballs,
        "islands": islands,
        "cells": cells,
        "rings": rings,
        "polygons": polygons,
        "plants": plants,
        "tubes": tubes,
        "filaments": filaments,
        "plumes": plumes,
    }
)
PART = 0.25  # of the targets, where objects have parts, are a part
LEAST_CONTRAST = 5.0  # grey values across the target's edge
TRIES = 20


@dataclass(frozen=True)
class Procedural:
    """How many samples are drawn by the computer, and what they show.

    Attributes
    ----------
    share : float
        Of all samples, 0 to 1.
    kinds : mapping of str to float
        Relative shares of `KINDS`; all the same by default.
    photographs : float
        Share of the scenes that take textures from training images.
    """

    share: float = 0.15
    kinds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    photographs: float = 0.7

    def __post_init__(self) -> None:
        for name in ("share", "photographs"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= 1):
                raise ValueError(f"'procedural.{name}' is {value!r}. Give a number from 0 to 1.")
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise ValueError(
                f"'procedural.kinds' names {unknown[0]!r}, which is no kind of scene; there are "
                f"{', '.join(KINDS)}."
            )
        shares = list(self.kinds.values())
        if not all(isinstance(s, int | float) and s >= 0 for s in shares) or not sum(shares) > 0:
            raise ValueError(
                "'procedural.kinds' has to give relative shares of at least 0 that are not all 0."
            )


def scene(
    rng: np.random.Generator, size: int, options: Procedural, photograph: Photograph
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a scene and choose its target.

    Parameters
    ----------
    rng : numpy Generator
    size : int
        Side in pixels.
    options : Procedural
    photograph : callable
        ``photograph(rng, size)`` gives a random (size, size, 3) uint8 part of a real image.

    Returns
    -------
    image : (size, size, 3) uint8 array
    target : (size, size) bool array
    """
    shares = np.array(list(options.kinds.values()), float)
    found = None
    for attempt in range(TRIES):
        if attempt % 5 == 0:
            kind = KINDS[str(rng.choice(list(options.kinds), p=shares / shares.sum()))]
        drawing = kind(rng, size)
        target = choose(rng, drawing)
        if target is None:
            continue
        source = photograph if rng.random() < options.photographs else None
        found = paint(rng, drawing, source), target
        if contrast(*found, drawing.labels) >= LEAST_CONTRAST:
            break
    if found is None:
        raise ValueError(
            f"No scene of {size} px held an object in {TRIES} tries. Use larger crops."
        )
    return found


def choose(rng: np.random.Generator, drawing: Drawing) -> np.ndarray | None:
    """One object of a drawing, or the part in it, (S, S) bool; None if all are too small."""
    labels = drawing.labels
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    fits = (areas >= 0.004 * labels.size) & (areas <= 0.8 * labels.size)
    if not fits.any():
        return None
    share = np.sqrt(areas) * fits
    target = labels == rng.choice(len(areas), p=share / share.sum())
    if drawing.parts is not None and rng.random() < PART:
        part = target & drawing.parts
        if part.sum() >= 0.004 * labels.size:
            return part
    return target


def contrast(image: np.ndarray, target: np.ndarray, labels: np.ndarray) -> float:
    """How far a target stands out from what is around it, in grey values.

    The largest difference in any channel between the means of a band inside of the edge, the edge
    itself and a band outside; where the target touches other objects, the smaller one of that to
    the background and that to the objects.
    """
    near = blurred(target, len(target) / 80)
    inside, edge = (near > 0.75) & (near < 0.99), (near > 0.35) & (near < 0.65)
    outside = (near > 0.01) & (near < 0.25)
    others = outside & (labels > 0)
    found = []
    for band in (others, outside & ~others):
        if band.sum() > 0.1 * outside.sum():
            side = edge & (blurred(band, len(target) / 80) > 0.1) if band is others else edge
            means = [image[part].mean(axis=0) for part in (inside, side, band) if part.any()]
            found.append(float(np.ptp(means, axis=0).max()))
    return min(found, default=0.0)
