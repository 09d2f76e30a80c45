"""Our model files: safetensors with the network's description as JSON in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .base import ClickModel
from .compact import CompactModel
from .header import KEY, CheckpointError, read_header

__all__ = ["read_model", "write_model"]

ARCHITECTURES: Mapping[str, type[ClickModel]] = {"compact": CompactModel}
FORMAT = 1
UNSAVED = "num_batches_tracked"


def write_model(
    model: ClickModel, path: str | Path, card: Mapping[str, Any], half: bool = True
) -> None:
    """Write weights and description.

    Parameters
    ----------
    model : ClickModel
        With a ``config`` of plain values; as trained, not folded.
    path : str or Path
        Of the ``.safetensors`` file.
    card : mapping
        Plain values: at least ``name``, ``licence`` and ``trained_on``.
    half : bool
        Store the weights as float16.
    """
    state = {}
    for name, value in model.state_dict().items():
        if not name.endswith(UNSAVED):
            kept = value.detach().cpu().contiguous()
            state[name] = kept.half() if half and kept.is_floating_point() else kept
    about = {
        "format": FORMAT,
        "architecture": model.spec.architecture,
        "config": model.config,
        "card": dict(card),
    }
    save_file(state, str(path), metadata={KEY: json.dumps(about)})


def read_model(path: str | Path) -> ClickModel:
    """The network of a model file, with float32 weights, in evaluation mode on the CPU.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or its weights do not fit the network it names.
    """
    about = read_header(path)
    if about["format"] != FORMAT or about["architecture"] not in ARCHITECTURES:
        raise CheckpointError(
            f"{path} holds a network '{about['architecture']}' (format {about['format']}) that "
            "this version does not know. Update napari-clickseg."
        )
    try:
        model = ARCHITECTURES[about["architecture"]](**about["config"])
    except (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} describes a network that cannot be built: {error}. Use an unchanged file."
        ) from error
    try:
        with safe_open(str(path), framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged ({error}). Download or copy it again.") from error
    _check(model, state, path)
    model.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
    return model.eval()


def _check(model: ClickModel, state: dict[str, torch.Tensor], path: str | Path) -> None:
    """Refuse weights that do not fit, or are no numbers, and name the first of them."""
    wanted = {k: v for k, v in model.state_dict().items() if not k.endswith(UNSAVED)}
    groups = {
        "missing": sorted(set(wanted) - set(state)),
        "unexpected": sorted(set(state) - set(wanted)),
        "mis-shaped": sorted(
            k for k in set(wanted) & set(state) if wanted[k].shape != state[k].shape
        ),
    }
    wrong = [
        f"{len(keys)} {what} weights (first: {keys[0]})" for what, keys in groups.items() if keys
    ]
    if wrong:
        raise CheckpointError(
            f"{path} does not fit its network '{model.spec.architecture}': {', '.join(wrong)}. "
            "Use a file that was written for it."
        )
    bad = [k for k, v in state.items() if not bool(v.isfinite().all())]
    if bad:
        raise CheckpointError(
            f"{path} has NaN or infinite weights (first: {bad[0]}). "
            "Its training failed; use another file."
        )
