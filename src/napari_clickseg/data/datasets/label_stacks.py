"""Masks of the planes of a stack in one file, read plane by plane."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from ..errors import unreadable
from ..ome_zarr import is_zarr, open_zarr, zarr_axes
from ..planes import PlaneIndex
from ..scenes import DatasetError
from ..tiff import open_tiff
from .reading import whole_numbers

__all__ = ["LabelStack"]

TIFF = (".tif", ".tiff")


@dataclass(frozen=True)
class LabelStack:
    """A file of label images.

    Attributes
    ----------
    path : Path
        A TIFF of many pages, npy, or (OME-)Zarr.
    shape : tuple of int
        All axes of the file.
    names : tuple of str
        Of the axes, in small letters, such as ``("t", "y", "x")``.
    """

    path: Path
    shape: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> LabelStack:
        """Look at a file; no pixels are read.

        Raises
        ------
        ImageError
            If the file cannot be read.
        DatasetError
            If it is of another kind, or holds colours.
        """
        try:
            if path.suffix.lower() == ".npy":
                shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
                axes = [f"axis {number}" for number in range(len(shape) - 2)]
                names = (*axes, "y", "x")[-len(shape) :]
            elif is_zarr(path):
                names, shape = zarr_axes(path)
            elif path.suffix.lower() in TIFF:
                import tifffile

                with tifffile.TiffFile(path) as file:
                    shape, names = file.series[0].shape, tuple(file.series[0].axes.lower())
            else:
                raise DatasetError(
                    f"The mask {path} is a picture, and the image a stack. Give a mask of all its "
                    "planes: a TIFF of as many pages, npy or Zarr."
                )
        except DatasetError:
            raise
        except Exception as error:  # tifffile raises many kinds on damaged files
            raise unreadable(path, error) from error
        if "s" in names[-1:] or not {"y", "x"} <= set(names):
            raise DatasetError(
                f"The mask {path} has the axes {', '.join(names)}. The mask of a stack has one "
                "number for each pixel of a plane: save it without colours."
            )
        return cls(path, tuple(int(side) for side in shape), tuple(names))

    @property
    def axes(self) -> tuple[tuple[str, int], ...]:
        """Name and length of those that tell planes apart; those of length 1 do not."""
        pairs = zip(self.names, self.shape, strict=True)
        return tuple((name, n) for name, n in pairs if n != 1 and name not in ("y", "x"))

    @property
    def indices(self) -> list[tuple[int, ...]]:
        """Of all planes, one number for each of `axes`."""
        return list(product(*(range(length) for _, length in self.axes)))

    def read(self, index: tuple[int, ...]) -> np.ndarray:
        """The labels of a plane, as `read_labels` gives those of an image.

        Raises
        ------
        ImageError, DatasetError
            If they cannot be read, or are no labels.
        """
        every = slice(None)
        try:
            if self.path.suffix.lower() == ".npy":
                array = np.load(self.path, mmap_mode="r", allow_pickle=False)
                at = PlaneIndex.choose(self.names, self.shape, index, f"The mask {self.path}")
                plane = np.asarray(at.arrange(array[at.index(self.shape, every, every)]))
            elif is_zarr(self.path):
                plane = open_zarr(self.path, index)[0][every, every]
            else:
                # three or four planes may have been written as if they were red, green and blue
                axes = [name for name, _ in self.axes]
                colours = [at for name, at in zip(axes, index, strict=True) if name == "s"]
                rest = [at for name, at in zip(axes, index, strict=True) if name != "s"]
                levels, _ = open_tiff(self.path, rest, as_rgb=False)
                plane = np.asarray(levels[0][every, every])[(..., *colours)]
        except Exception as error:  # decoders raise many kinds on damaged files
            raise unreadable(self.path, error) from error
        return whole_numbers(plane, self.path)
