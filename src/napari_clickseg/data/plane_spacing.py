"""How far the planes of a TIFF stack are from each other, in depth and in time."""

from __future__ import annotations

import os
import re
from typing import Any

from .pixel_size import PixelSize

__all__ = ["plane_spacing"]

WRITTEN = (
    "PhysicalSizeZ",
    "PhysicalSizeZUnit",
    "TimeIncrement",
    "TimeIncrementUnit",
)


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
