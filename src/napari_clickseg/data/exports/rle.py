"""Run-length encoding of masks as in COCO files: runs through the columns, background first."""

from __future__ import annotations

import numpy as np

from ...geometry import Box, bounding_box
from .errors import ExportError

__all__ = ["counts_of", "from_text", "mask_of", "to_text"]


def counts_of(mask: np.ndarray, box: Box, shape: tuple[int, int]) -> list[int]:
    """Lengths of runs through the columns of a whole image whose mask lies in a box.

    Parameters
    ----------
    mask : ``box.shape`` bool array
    box : Box
    shape : (int, int)
        Height and width of the image.
    """
    padded = np.pad(mask.T.astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(padded, axis=1)
    cols, begins = np.nonzero(steps == 1)
    offsets = (cols + box.left) * shape[0] + box.top
    starts, ends = begins + offsets, np.nonzero(steps == -1)[1] + offsets
    joined = starts[1:] == ends[:-1]  # runs that go on in the next column
    starts = starts[np.concatenate([[True], ~joined])[: starts.size]]
    ends = ends[np.concatenate([~joined, [True]])[: ends.size]]
    edges = np.stack([starts, ends], axis=1).ravel()
    counts = np.diff(np.concatenate([[0], edges, [shape[0] * shape[1]]])).tolist()
    return counts if counts[-1] else counts[:-1]


def mask_of(counts: list[int], shape: tuple[int, int]) -> tuple[Box, np.ndarray]:
    """The box around a mask, and the mask in it.

    Raises
    ------
    ExportError
        If the runs are not as long as the image.
    """
    runs = np.asarray(counts, np.int64)
    if (runs < 0).any() or runs.sum() != shape[0] * shape[1]:
        raise ExportError(
            f"The runs of a mask cover {runs.sum()} pixels, and its image has {shape[0]} x "
            f"{shape[1]}. The file is damaged; write it again."
        )
    edges = np.cumsum(runs)
    starts, ends = edges[::2][: len(runs) // 2], edges[1::2]
    if not ends.size:
        return Box(0, 0, 0, 0), np.zeros((0, 0), bool)
    left, right = int(starts[0]) // shape[0], -(-int(ends[-1]) // shape[0])
    flat = np.zeros((right - left) * shape[0] + 1, np.int8)
    np.add.at(flat, starts - left * shape[0], 1)
    np.add.at(flat, ends - left * shape[0], -1)
    mask = np.cumsum(flat[:-1], dtype=np.int8).astype(bool).reshape(right - left, shape[0]).T
    box = bounding_box(mask) or Box(0, 0, 0, 0)
    return box.shift(0, left), mask[box.slices].copy()


def to_text(counts: list[int]) -> str:
    """The compressed form of COCO: differences to the run before the last, in digits of 5 bits."""
    text = []
    for number, count in enumerate(counts):
        value = count - counts[number - 2] if number > 2 else count
        while True:
            digit, value = value & 31, value >> 5
            ended = value == (-1 if digit & 16 else 0)
            text.append(chr(48 + (digit if ended else digit | 32)))
            if ended:
                break
    return "".join(text)


def from_text(text: str) -> list[int]:
    """The runs that `to_text` made this of.

    Raises
    ------
    ExportError
        If it ends too early or has other characters.
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        digit = ord(letter) - 48
        if not 0 <= digit < 64:
            raise ExportError(f"A compressed mask holds {letter!r}, which has no meaning there.")
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            value -= (1 << shift) if digit & 16 else 0
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    if shift:
        raise ExportError("A compressed mask ends too early. The file is damaged; write it again.")
    return counts
