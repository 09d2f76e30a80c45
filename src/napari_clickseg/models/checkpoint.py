"""Model files: ours, safetensors with a description as JSON in the header, and published ones."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..cancel import Progress
from .base import ClickModel
from .from_state import model_from_state_dict
from .header import KEY, CheckpointError, read_header
from .mxnet_params import read_params
from .registry import ARCHITECTURES, SEVERAL, UNSAVED, model_with_weights, with_profile
from .signature import MXNET, TORCH, file_kind
from .unpickle import load_pickle

__all__ = ["read_model", "write_model"]

FORMAT = 1


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
    path = Path(path)
    path.touch()
    mode = path.stat().st_mode  # that of any new file here; safetensors makes private ones
    save_file(state, str(path), metadata={KEY: json.dumps(about)})
    path.chmod(mode)


def read_model(
    path: str | Path, profile: str | None = None, progress: Progress | None = None
) -> ClickModel:
    """The network of a model file, with float32 weights, in evaluation mode on the CPU.

    Parameters
    ----------
    path : str or Path
        A file of ours, or a published checkpoint: what ``torch.save`` wrote, or MXNet's
        ``.params``. Its content counts, not its suffix.
    profile : str, optional
        Whose numbers to predict with, in place of what the file says or looks like.
    progress : callable, optional
        Is told which part of the file was read, 0 to 1.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or its weights do not fit the network it names.
    """
    kind = file_kind(path)
    if kind == TORCH:
        return model_from_state_dict(load_pickle(path, progress), None, profile, str(path))
    if kind == MXNET:
        return model_from_state_dict(read_params(path), None, profile, str(path))
    about = read_header(path)
    if about["format"] != FORMAT or about["architecture"] not in {*ARCHITECTURES, *SEVERAL}:
        raise CheckpointError(
            f"{path} holds a network '{about['architecture']}' (format {about['format']}) that "
            "this version does not know. Update napari-clickseg."
        )
    try:
        with safe_open(str(path), framework="pt") as file:
            state = _tensors(file, progress)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged ({error}). Download or copy it again.") from error
    model = model_with_weights(about["architecture"], about["config"], state, str(path))
    return model if profile is None else with_profile(model, profile)


def _tensors(file: Any, progress: Progress | None) -> dict[str, Tensor]:
    """All tensors of an open safetensors file."""
    sizes = {name: math.prod(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    total, done, state = max(1, sum(sizes.values())), 0, {}
    for name, size in sizes.items():
        state[name] = file.get_tensor(name)
        done += size
        if progress is not None:
            progress(done / total)
    return state
