"""Reading torch files without running any code that they name.

A pickle may ask for any function to be called. Here torch's restricted reader rebuilds tensors and
plain values only; the few other names that published checkpoints contain are answered with inert
stand-ins, and every other name is refused. No class is ever imported by a name in a file.
"""

from __future__ import annotations

import re
import threading
import warnings
import zipfile
from collections import OrderedDict
from enum import Enum
from pathlib import Path
from typing import Any

import torch

from ..cancel import Progress
from .header import CheckpointError
from .reading import CountedFile
from .signature import TORCH, file_kind

__all__ = ["InteractionKind", "load_pickle"]


class InteractionKind(Enum):
    """Stands in for the enum of interaction types in files of SAIC-IS."""

    CONTOUR = "contour"
    POINT = "point"
    STROKE = "stroke"


class Nothing:
    """Stands in for objects that hold nothing we need; drops whatever it is given."""

    def __new__(cls, *_: object) -> Nothing:
        """An empty object, whatever the arguments."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Drop the state."""


_LOSS = "isegm.model.modeling.transformer_helper.cross_entropy_loss"
STAND_INS = [
    (InteractionKind, "isegm.data.interaction_type.IType"),
    (Nothing, f"{_LOSS}.CrossEntropyLoss"),
    (Nothing, f"{_LOSS}.cross_entropy"),
    (OrderedDict, "easydict.EasyDict"),
]
REFUSED = re.compile(r"GLOBAL (\S+)")
_one_at_a_time = threading.Lock()  # torch's list of allowed names is one for the process


def load_pickle(path: str | Path, progress: Progress | None = None) -> Any:
    """Content of a file that ``torch.save`` wrote, of the zip or the older kind, on the CPU.

    Parameters
    ----------
    path : str or Path
    progress : callable, optional
        Is told which part of the file was read, 0 to 1.

    Returns
    -------
    object
        Tensors, plain values, lists and dicts of them; SAIC-IS's types as `InteractionKind`.

    Raises
    ------
    CheckpointError
        If the file is no torch file, is damaged, or needs more than that; the message names the
        first name that was refused.
    """
    if file_kind(path) != TORCH:
        raise CheckpointError(f"{path} is not a torch file.")
    try:
        with (
            CountedFile(path, progress) as file,  # torch would decide by the suffix of a path
            _one_at_a_time,
            torch.serialization.safe_globals(STAND_INS),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # about other pickle protocols; what matters is raised
            return torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # torch raises many unrelated kinds for broken files
        raise CheckpointError(_sentence(path, error)) from error


def _sentence(path: str | Path, error: Exception) -> str:
    """What is wrong with a file that was not loaded."""
    refused = REFUSED.search(str(error))
    if refused:
        return (
            f"{path} needs '{refused[1]}', which is not a part of weights; it is not loaded, "
            "because it could run code. Use a file that holds only weights and their config."
        )
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name.rsplit("/", 1)[-1] for name in archive.namelist()]
        if "constants.pkl" in names:
            return (
                f"{path} is a TorchScript program, which is not loaded, because it is code. "
                "Use the checkpoint that it was made from."
            )
        if "data.pkl" not in names:
            return f"{path} is a zip archive without a torch checkpoint. Unpack it first."
    reason = str(error).strip().split("\n")[0].split(". ")[0].rstrip(".")
    reason = reason[:120] or type(error).__name__
    return (
        f"{path} is damaged, cut off or no checkpoint that torch wrote ({reason}). "
        "Download or copy it again."
    )
