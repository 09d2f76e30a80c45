"""A PNG file of grey values, written row by row (ISO/IEC 15948)."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

import numpy as np

__all__ = ["PngRows"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
UP = 2  # the filter type: each byte less the one above it
CHUNK_BYTES = 2**20
LEVEL = 6  # of zlib


class PngRows:
    """Encode grey rows as they come; memory holds a few of them only.

    Parameters
    ----------
    file : binary file
        Open for writing; left open.
    shape : (int, int)
        Height and width, both below 2**31.
    dtype : np.dtype
        uint8 or uint16.
    """

    def __init__(self, file: BinaryIO, shape: tuple[int, int], dtype: np.dtype) -> None:
        self._file, self._dtype = file, np.dtype(dtype).newbyteorder(">")
        self._squeeze = zlib.compressobj(LEVEL)
        self._packed = bytearray()
        height, width = shape
        self._above = np.zeros(width * self._dtype.itemsize, np.uint8)
        file.write(SIGNATURE)
        # width, height, bits, grey, deflate, adaptive filters, not interlaced
        header = (width, height, 8 * self._dtype.itemsize, 0, 0, 0, 0)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", *header))

    def add(self, rows: np.ndarray) -> None:
        """Write the next rows, ``(n, W)`` of the image's dtype."""
        raw = np.ascontiguousarray(rows, dtype=self._dtype).view(np.uint8)
        filtered = np.empty((len(raw), raw.shape[1] + 1), np.uint8)
        filtered[:, 0] = UP
        filtered[0, 1:] = raw[0] - self._above
        np.subtract(raw[1:], raw[:-1], out=filtered[1:, 1:])
        self._above = raw[-1].copy()
        self._packed += self._squeeze.compress(filtered.data)
        while len(self._packed) >= CHUNK_BYTES:
            self._chunk(b"IDAT", bytes(self._packed[:CHUNK_BYTES]))
            del self._packed[:CHUNK_BYTES]

    def close(self) -> None:
        """Write what is left and the end of the image."""
        self._packed += self._squeeze.flush()
        self._chunk(b"IDAT", bytes(self._packed))
        self._chunk(b"IEND", b"")

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._file.write(struct.pack(">I", len(data)) + kind + data)
        self._file.write(struct.pack(">I", zlib.crc32(kind + data)))
