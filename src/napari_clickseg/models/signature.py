"""What kind of file a checkpoint is, by its first bytes. Importable without torch."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from .header import LONGEST, CheckpointError

__all__ = ["MXNET", "MXNET_MAGIC", "SAFETENSORS", "TORCH", "file_kind"]

SAFETENSORS, TORCH, MXNET = "safetensors", "torch", "mxnet"
MXNET_MAGIC = struct.pack("<Q", 0x112)

FOREIGN = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive (or its first part). Join the parts and unpack it."),
    (b"version https://git-lfs", "a git-lfs pointer. Fetch the file itself with 'git lfs pull'."),
    (b"\x1f\x8b", "a gzip archive. Unpack it first."),
    (b"Rar!", "a RAR archive. Unpack it first."),
    (b"\x89HDF", "an HDF5 file. Use the network's torch checkpoint."),
    (b"%PDF", "a PDF document. Use the checkpoint itself."),
)
WEB = re.compile(rb"\s*(<!doctype|<html|<\?xml|<head)", re.IGNORECASE)
LATER_PART = re.compile(r"\.7z\.\d+$")


def file_kind(path: str | Path) -> str:
    """Kind of a checkpoint: `SAFETENSORS`, `TORCH` (a zip or a pickle) or `MXNET`.

    Parameters
    ----------
    path : str or Path
        Its suffix does not matter.

    Raises
    ------
    CheckpointError
        If the file is missing, unreadable or of none of these kinds; the message says what it
        looks like.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"There is no model file {path}. Check the path, or give a model's name."
        )
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}. Check its permissions."
        ) from error
    if not head:
        raise CheckpointError(f"{path} is empty. Download or copy it again.")
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= LONGEST:
        return SAFETENSORS
    if head.startswith((b"PK\x03\x04", b"\x80")):
        return TORCH
    if head.startswith(MXNET_MAGIC):
        return MXNET
    if WEB.match(head):
        raise CheckpointError(
            f"{path} is a web page, not a checkpoint: its download was answered with an error or "
            "a question. Download it again."
        )
    for signature, what in FOREIGN:
        if head.startswith(signature):
            raise CheckpointError(f"{path} is {what}")
    if LATER_PART.search(path.name):
        raise CheckpointError(
            f"{path} is a part of a 7z archive. Join the parts, beginning with .001, and unpack it."
        )
    raise CheckpointError(
        f"{path} is not a model file: it begins with {head[:8]!r}, which is no torch, safetensors "
        "or MXNet file, or it is damaged. Download or copy it again."
    )
