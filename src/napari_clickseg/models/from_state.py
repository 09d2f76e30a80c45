"""Networks from the state dicts and configs that the published systems save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from .base import ClickModel
from .describe import describe
from .detect import detect, fusion_of
from .header import CheckpointError
from .published_config import parse_config
from .registry import SEVERAL, model_with_weights, with_profile

__all__ = ["model_from_state_dict"]

PARALLEL = "module."
DROPOUT = "aspp_dropout"


def model_from_state_dict(
    state_dict: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    config: Mapping[str, Any] | None = None,
    profile: str | None = None,
    source: str = "The checkpoint",
) -> ClickModel:
    """Build a published network.

    Parameters
    ----------
    state_dict : mapping, or list of mappings
        Weights under their published names; or the whole content of a checkpoint, that is
        ``{"state_dict": weights, "config": config}``, or a list of these, one network per number
        of interactions.
    config : mapping, optional
        As published checkpoints carry it, ``{"class": ..., "params": ...}``. Without one the
        network is recognised by the names and shapes of its weights; what these can not tell is
        as in the released networks.
    profile : str, optional
        Whose numbers to predict with. RITM's files look like those of the avalanche work
        (default ``"ritm"``), and SimpleClick's like those of CFR-ICL (default ``"simpleclick"``).
    source : str
        Name of the checkpoint in messages.

    Returns
    -------
    ClickModel
        With float32 weights, in evaluation mode on the CPU, batch norms not folded.

    Raises
    ------
    CheckpointError
        If the network is not a published one, or weights are missing, unexpected, mis-shaped or no
        numbers. The message names the first of them and what the checkpoint looks like.
    """
    if isinstance(state_dict, Sequence) and not isinstance(state_dict, str | bytes | bytearray):
        if config is not None:
            raise CheckpointError(
                f"{source} is a list of networks, and each has its config in it. Give no config."
            )
        model = _staged(state_dict, source)
    else:
        model = model_with_weights(*_understood(state_dict, config, source), source)
    return model if profile is None else with_profile(model, profile)


def _staged(stages: Sequence[Any], source: str) -> ClickModel:
    if not stages:
        raise CheckpointError(f"{source} is an empty list. Use an unchanged checkpoint.")
    models = [
        model_from_state_dict(stage, source=f"Network {i + 1} of {source}")
        for i, stage in enumerate(stages)
    ]
    return models[0] if len(models) == 1 else SEVERAL["staged"](models).eval()


def _understood(
    content: Any, config: Mapping[str, Any] | None, source: str
) -> tuple[str, dict[str, Any], dict[str, Tensor]]:
    """Architecture, arguments and weights of one network."""
    if isinstance(content, Mapping) and "state_dict" in content:
        config = content.get("config") if config is None else config
        content = content["state_dict"]
    state = _weights(content, source)
    try:
        if config is None:
            architecture, arguments = detect(state)
        else:
            architecture, arguments = parse_config(config)
            _correct_fusion(architecture, arguments, state)
    except CheckpointError as error:
        raise CheckpointError(f"{source} looks like {describe(state)}: {error}") from error
    if architecture == "deeplab" and DROPOUT in state:
        arguments[DROPOUT] = _probability(state.pop(DROPOUT), source)
    return architecture, arguments, state


def _weights(content: Any, source: str) -> dict[str, Tensor]:
    """Weights by name, without the prefix of parallel training."""
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"{source} is of type {type(content).__name__} where weights should be. "
            "Use the checkpoint of a click network."
        )
    strange = [k for k, v in content.items() if not (isinstance(k, str) and isinstance(v, Tensor))]
    if strange or not content:
        raise CheckpointError(
            f"{source} looks like {describe(content)}, and not every entry is a named tensor. "
            "Use the checkpoint of a click network."
        )
    if all(key.startswith(PARALLEL) for key in content):
        return {key.removeprefix(PARALLEL): value for key, value in content.items()}
    return dict(content)


def _correct_fusion(architecture: str, arguments: dict[str, Any], state: dict[str, Tensor]) -> None:
    """Believe the weights: one published code base gives ``use_rgb_conv`` another meaning."""
    fusion = fusion_of(state)
    if architecture != "plain_vit" and fusion not in (None, "patches"):
        arguments["inputs"]["fusion"] = fusion


def _probability(value: Tensor, source: str) -> float:
    if value.numel() != 1 or not value.is_floating_point() or not 0 <= float(value) <= 1:
        raise CheckpointError(
            f"{source} has '{DROPOUT}' that is no probability. Use an unchanged checkpoint."
        )
    return float(value)
