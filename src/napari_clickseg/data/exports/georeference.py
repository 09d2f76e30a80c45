"""Where on the earth the pixels of a GeoTIFF are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..tiff import TIFF_HEADS

__all__ = ["Georeference"]

SCALE, TIEPOINT, MATRIX, KEYS = 33550, 33922, 34264, 34735
RASTER_TYPE, GEOGRAPHIC, PROJECTED = 1025, 2048, 3072
PIXEL_IS_POINT, USER_DEFINED = 2, 32767


@dataclass(frozen=True)
class Georeference:
    """An affine map from pixel corners to coordinates.

    Attributes
    ----------
    transform : tuple of 6 float
        ``x = t[0] * col + t[1] * row + t[2]``, ``y = t[3] * col + t[4] * row + t[5]``, where the
        first pixel reaches from (0, 0) to (1, 1).
    epsg : int or None
        Number of the coordinate system; None if the file does not name one.
    """

    transform: tuple[float, ...]
    epsg: int | None = None

    @classmethod
    def of_tiff(cls, path: str | os.PathLike[str]) -> Georeference | None:
        """What the GeoTIFF tags of a file say; None if there are none, or it is no TIFF."""
        import tifffile

        path = Path(path)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            if not file.read(4).startswith(TIFF_HEADS):
                return None
        try:
            with tifffile.TiffFile(path) as file:
                tags = file.pages.first.tags
                scale, tie, matrix, keys = (
                    tags.valueof(code) for code in (SCALE, TIEPOINT, MATRIX, KEYS)
                )
        except Exception:  # tifffile raises many kinds on damaged files
            return None
        return cls._of_tags(scale, tie, matrix, keys)

    @classmethod
    def _of_tags(
        cls,
        scale: Sequence[float] | None,
        tie: Sequence[float] | None,
        matrix: Sequence[float] | None,
        keys: Sequence[int] | None,
    ) -> Georeference | None:
        known = {keys[i]: keys[i + 3] for i in range(4, len(keys or ()) - 3, 4) if not keys[i + 1]}
        if matrix is not None and len(matrix) >= 8:
            a, b, c, d, e, f = (*matrix[:2], matrix[3], *matrix[4:6], matrix[7])
        elif scale is not None and tie is not None and len(scale) >= 2 and len(tie) >= 6:
            a, b, c = scale[0], 0.0, tie[3] - tie[0] * scale[0]
            d, e, f = 0.0, -scale[1], tie[4] + tie[1] * scale[1]
        else:
            return None
        if known.get(RASTER_TYPE) == PIXEL_IS_POINT:
            c, f = c - (a + b) / 2, f - (d + e) / 2
        epsg = known.get(PROJECTED, known.get(GEOGRAPHIC))
        named = epsg is not None and 0 < epsg < USER_DEFINED
        return cls(tuple(map(float, (a, b, c, d, e, f))), int(epsg) if named else None)

    def points(self, corners: np.ndarray) -> np.ndarray:
        """Coordinates ``(N, 2)`` as (x, y) of pixel corners ``(N, 2)`` as (row, col)."""
        a, b, c, d, e, f = self.transform
        rows, cols = np.asarray(corners, float).T
        return np.stack([a * cols + b * rows + c, d * cols + e * rows + f], axis=1)

    def corners(self, points: np.ndarray) -> np.ndarray:
        """Pixel corners ``(N, 2)`` as (row, col) of coordinates ``(N, 2)`` as (x, y)."""
        a, b, c, d, e, f = self.transform
        found = np.linalg.solve([[a, b], [d, e]], (np.asarray(points, float) - (c, f)).T)
        return found[::-1].T
