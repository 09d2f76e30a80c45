"""What is said about an image that cannot be used, and a mask that cannot be saved."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ImageError", "MaskError", "StackError", "unreadable"]

KINDS = "PNG, JPEG, BMP, GIF, TIFF, npy or (OME-)Zarr"
CODEC_WORDS = ("imagecodecs", "codec not available", "COMPRESSION", "codec_pipeline")


class ImageError(ValueError):
    """An image that cannot be used or read; the message says why and what next."""


class StackError(ImageError):
    """An image of several planes where one plane is wanted.

    Attributes
    ----------
    about : str
        What the message says before it says what next.
    axes : tuple of (str, int)
        Name and length of each axis that needs an index.
    """

    def __init__(
        self, about: str, advice: str = "", axes: tuple[tuple[str, int], ...] = ()
    ) -> None:
        super().__init__(f"{about}. {advice}" if advice else about)
        self.about, self.axes = about, axes


class MaskError(ValueError):
    """A mask that cannot be saved; the message says why and what next."""


def unreadable(path: str | Path, error: BaseException) -> ImageError:
    """The sentence for whatever a decoder raised on a file."""
    if isinstance(error, ImageError):
        return error
    if isinstance(error, MemoryError):
        return ImageError(
            f"The image {path} does not fit into memory and its format has to be decoded as a "
            "whole. Convert it to a tiled TIFF or an OME-Zarr on a larger machine."
        )
    if isinstance(error, OSError) and error.errno is not None:
        reason = error.strerror or str(error)
        advice = "Check the path, and that you may read it."
    else:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = lines[0][:300]
        advice = (
            'Install the codecs: pip install "napari-clickseg[codecs]".'
            if any(word in reason for word in CODEC_WORDS)
            else f"It may be damaged, or of a kind other than {KINDS}."
        )
    return ImageError(f"The image {path} cannot be read: {reason.rstrip('. ')}. {advice}")
