"""How large a pixel is, and how OME and TIFF say so."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .tiff import TIFF_HEADS

__all__ = ["PixelSize"]

METRES = {
    "km": 1e3,
    "m": 1.0,
    "dm": 0.1,
    "cm": 1e-2,
    "mm": 1e-3,
    "µm": 1e-6,
    "nm": 1e-9,
    "pm": 1e-12,
    "Å": 1e-10,
    "in": 0.0254,
    "ft": 0.3048,
    "mi": 1609.344,
    "yd": 0.9144,
}
LONG = {
    "kilometer": "km",
    "meter": "m",
    "decimeter": "dm",
    "centimeter": "cm",
    "millimeter": "mm",
    "micrometer": "µm",
    "micron": "µm",
    "um": "µm",
    "\u03bcm": "µm",
    "nanometer": "nm",
    "picometer": "pm",
    "angstrom": "Å",
    "inch": "in",
    "foot": "ft",
    "mile": "mi",
    "yard": "yd",
    "\\u00B5m": "µm",
}
NGFF = {short: long for long, short in reversed(LONG.items())}
PIXELS = ("pixel", "px", "", "pixels", "none")
MOST = 2**31 // 10**4  # pixels per centimetre that a TIFF can say with four decimals


@dataclass(frozen=True)
class PixelSize:
    """Height and width of a pixel.

    Attributes
    ----------
    row, col : float
        In `unit`; above 0.
    unit : str
        Such as ``"µm"``, as OME writes it; empty if it is not known.

    Raises
    ------
    ValueError
        If a side is no number above 0.
    """

    row: float
    col: float
    unit: str = ""

    def __post_init__(self) -> None:
        for side in (self.row, self.col):
            if not (math.isfinite(side) and side > 0):
                raise ValueError(
                    f"A pixel cannot be {side!r:.40} long. Give numbers above 0 as its size."
                )
        unit = str(self.unit).strip()
        unit = LONG.get(unit, LONG.get(unit.lower(), unit))
        object.__setattr__(self, "row", float(self.row))
        object.__setattr__(self, "col", float(self.col))
        object.__setattr__(self, "unit", "" if unit.lower() in PIXELS else unit)

    @property
    def known(self) -> bool:
        """Whether it says more than that a pixel is a pixel."""
        return bool(self.unit) or (self.row, self.col) != (1.0, 1.0)

    @property
    def metres(self) -> tuple[float, float] | None:
        """Height and width in metres; None for other units."""
        factor = METRES.get(self.unit)
        return None if factor is None else (self.row * factor, self.col * factor)

    def ome_metadata(self) -> dict[str, Any]:
        """What `tifffile` writes into OME-XML."""
        sizes = {"PhysicalSizeY": self.row, "PhysicalSizeX": self.col}
        unit = self.unit or "pixel"
        return {**sizes, "PhysicalSizeYUnit": unit, "PhysicalSizeXUnit": unit}

    def resolution_tags(self) -> dict[str, Any]:
        """What `tifffile` needs for a plain TIFF; empty if its tags cannot say it."""
        if self.metres is None or 0.01 / min(self.metres) > MOST:
            return {}
        row, col = self.metres
        return {"resolution": (0.01 / col, 0.01 / row), "resolutionunit": "CENTIMETER"}

    @property
    def ngff_unit(self) -> str | None:
        """The unit's name in OME-Zarr, None if that has none."""
        return NGFF.get(self.unit)

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> PixelSize | None:
        """What a TIFF file or an OME-Zarr folder says; None for nothing and for other files."""
        from .ome_zarr import zarr_pixel_size

        path = Path(path)
        return zarr_pixel_size(path) if path.is_dir() else cls.of_tiff(path)

    @classmethod
    def of_tiff(cls, path: str | os.PathLike[str]) -> PixelSize | None:
        """What a TIFF file says: OME-XML, ImageJ's unit, or the resolution tags; None for nothing.

        Damaged metadata count as none.
        """
        import tifffile

        try:
            with Path(path).open("rb") as file:
                if not file.read(4).startswith(TIFF_HEADS):
                    return None
            with tifffile.TiffFile(path) as file:
                if file.ome_metadata:
                    return _of_ome(file.ome_metadata)
                tags = file.pages.first.tags
                across, down, unit = (tags.valueof(code) for code in (282, 283, 296))
                scale = {2: "in", 3: "cm"}.get(int(unit or 1), "")
                if file.imagej_metadata and file.imagej_metadata.get("unit"):
                    scale = str(file.imagej_metadata["unit"])
                if across is None or down is None or not scale:
                    return None
                return cls(down[1] / down[0], across[1] / across[0], scale)
        except Exception:  # tifffile raises many kinds; the pixels may be fine all the same
            return None


def _of_ome(xml: str) -> PixelSize | None:
    """The size that the first image of OME-XML has."""
    found = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    sizes = dict(re.findall(r'(PhysicalSize\w+)="([^"]*)"', found.group(0) if found else ""))
    if not {"PhysicalSizeX", "PhysicalSizeY"} <= set(sizes):
        return None
    unit = sizes.get("PhysicalSizeXUnit", "µm")
    if sizes.get("PhysicalSizeYUnit", "µm") != unit:
        return None
    return PixelSize(float(sizes["PhysicalSizeY"]), float(sizes["PhysicalSizeX"]), unit)
