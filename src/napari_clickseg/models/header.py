"""The description in the header of a model file, read without torch."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

__all__ = ["CheckpointError", "KEY", "read_header"]

KEY = "napari-clickseg"
KINDS = {"format": int, "architecture": str, "config": dict, "card": dict}
LONGEST = 16 * 2**20  # bytes; real headers have some 50 kB


class CheckpointError(ValueError):
    """A model file is missing, damaged or not of a kind that can be opened."""


def read_header(path: str | Path) -> dict[str, Any]:
    """Description of a model file: ``format``, ``architecture``, ``config`` and ``card``.

    Its types are checked: an int, a str and two dicts; ``trained_on`` of the card is, if it is
    there, a list of str.

    Parameters
    ----------
    path : str or Path
        A safetensors file that `write_model` wrote.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"There is no model file {path}. Check the path, or give a model's name."
        )
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LONGEST:
                raise ValueError("no header")
            tree = json.loads(file.read(length))
        metadata = tree["__metadata__"] if isinstance(tree, dict) else {}
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}. Check its permissions."
        ) from error
    except (ValueError, struct.error, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not a safetensors file or is damaged. Download or copy it again."
        ) from error
    except KeyError:
        metadata = {}
    try:
        about = json.loads(metadata[KEY])
        if not isinstance(about, dict):
            raise TypeError("not a mapping")
        missing = KINDS.keys() - about.keys()
        if missing:
            raise KeyError(missing)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} does not say which clickseg network it holds. "
            "Use a file that clickseg-train wrote."
        ) from error
    trained_on = about["card"].get("trained_on", []) if isinstance(about["card"], dict) else []
    wrong = [name for name, kind in KINDS.items() if type(about[name]) is not kind]
    if not isinstance(trained_on, list) or not all(isinstance(name, str) for name in trained_on):
        wrong.append("trained_on")
    if wrong:
        raise CheckpointError(
            f"{path} describes its network in a wrong way (first: {wrong[0]}). "
            "Use a file that clickseg-train wrote."
        )
    return about
