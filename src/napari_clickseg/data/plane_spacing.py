"""How far the planes of a stack are from each other, in depth and in time."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from .pixel_size import PixelSize

__all__ = ["axis_spacing", "axis_step", "plane_spacing"]

WRITTEN = (
    "PhysicalSizeZ",
    "PhysicalSizeZUnit",
    "TimeIncrement",
    "TimeIncrementUnit",
)
SECONDS = {"us": "microsecond", "µs": "microsecond", "ms": "millisecond", "s": "second"}
TIMES = {**SECONDS, "min": "minute", "h": "hour", "d": "day"}
"""Units of time: in OME-XML, and in OME-Zarr and napari."""


def plane_spacing(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Attributes of OME for the axes ``z`` and ``t``, from OME-XML or ImageJ's metadata.

    Those that a file does not tell are left out; damaged metadata count as none.

    Parameters
    ----------
    path : str or path
        A TIFF file; any other tells nothing.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            if file.ome_metadata:
                return _of_ome(file.ome_metadata)
            told = file.imagej_metadata or {}
            found: dict[str, Any] = {}
            if float(told.get("spacing", 0)) > 0:
                found["PhysicalSizeZ"] = float(told["spacing"])
                found["PhysicalSizeZUnit"] = _unit(str(told.get("unit", "pixel")))
            if float(told.get("finterval", 0)) > 0:
                found["TimeIncrement"] = float(told["finterval"])
                found["TimeIncrementUnit"] = str(told.get("tunit", "s"))
            return found
    except Exception:  # tifffile raises many kinds; the pixels may be fine all the same
        return {}


def axis_spacing(axis: str, step: float, unit: str) -> dict[str, Any]:
    """What `plane_spacing` would tell of one axis.

    Parameters
    ----------
    axis : str
        Only ``z`` and ``t`` have a spacing, and ``t`` only in a unit of time.
    step : float
        From plane to plane.
    unit : str
    """
    if axis == "z":
        return {"PhysicalSizeZ": step, "PhysicalSizeZUnit": _unit(unit)}
    short = next((short for short, long in TIMES.items() if unit in (short, long)), None)
    if axis != "t" or short is None:
        return {}
    return {"TimeIncrement": step, "TimeIncrementUnit": short}


def axis_step(spacing: Mapping[str, Any], axis: str) -> tuple[float, str | None]:
    """Step and unit of an axis as OME-Zarr names it; 1 without a unit where nothing is told."""
    if axis == "z" and "PhysicalSizeZ" in spacing:
        unit = PixelSize(1, 1, str(spacing.get("PhysicalSizeZUnit", "µm"))).ngff_unit
        return float(spacing["PhysicalSizeZ"]), unit
    if axis == "t" and "TimeIncrement" in spacing:
        return float(spacing["TimeIncrement"]), TIMES.get(spacing.get("TimeIncrementUnit", "s"))
    return 1.0, None


def _of_ome(xml: str) -> dict[str, Any]:
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    told = dict(re.findall(r'(\w+)="([^"]*)"', pixels.group(0) if pixels else ""))
    return {
        name: float(told[name]) if name in WRITTEN[::2] else told[name]
        for name in WRITTEN
        if name in told
    }


def _unit(name: str) -> str:
    return PixelSize(1, 1, name).unit or "pixel"
