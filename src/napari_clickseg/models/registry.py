"""All architectures by name, and weights put into them with every one accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .base import ClickModel
from .compact import CompactModel
from .deeplab import DeepLabModel
from .describe import check_profile, describe
from .header import CheckpointError
from .hrnet import HRNetModel
from .plain_vit import PlainViTModel
from .segformer import SegFormerModel
from .staged import StagedModel, TypedModel

__all__ = [
    "ARCHITECTURES",
    "SEVERAL",
    "UNSAVED",
    "build_model",
    "model_with_weights",
    "with_profile",
]

ARCHITECTURES: Mapping[str, type[ClickModel]] = {
    "compact": CompactModel,
    "deeplab": DeepLabModel,
    "hrnet": HRNetModel,
    "plain_vit": PlainViTModel,
    "segformer": SegFormerModel,
}
SEVERAL: Mapping[str, type[StagedModel | TypedModel]] = {
    "staged": StagedModel,
    "typed": TypedModel,
}
UNSAVED = "num_batches_tracked"


def build_model(architecture: str, config: Mapping[str, Any]) -> ClickModel:
    """A network with weights as they begin.

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`, or of `SEVERAL` with a config of
        ``{"stages": [{"architecture": ..., "config": ...}, ...]}``.
    config : mapping
        Arguments of its class, plain values.

    Raises
    ------
    TypeError, ValueError, LookupError, ArithmeticError, RuntimeError
        If there is no such architecture, or the arguments do not make a network.
    """
    if architecture in SEVERAL:
        stages = [build_model(stage["architecture"], stage["config"]) for stage in config["stages"]]
        return SEVERAL[architecture](stages)
    if architecture not in ARCHITECTURES:
        raise ValueError(f"this version does not know the network '{architecture}'")
    return ARCHITECTURES[architecture](**config)


def model_with_weights(
    architecture: str, config: Mapping[str, Any], state: Mapping[str, Tensor], source: str
) -> ClickModel:
    """A network with given weights, as float32, in evaluation mode on the CPU.

    Parameters
    ----------
    architecture, config
        See `build_model`.
    state : mapping of str to Tensor
        Exactly the network's weights; only the batch norms' counters do not matter.
    source : str
        Where they come from, for messages.

    Raises
    ------
    CheckpointError
        If the network cannot be built, or the weights do not fit it or are no numbers.
    """
    try:
        with torch.device("meta"):  # shapes first: nothing is allocated for what does not fit
            check_weights(build_model(architecture, config), state, source)
        model = build_model(architecture, config)
    except CheckpointError:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError) as error:
        raise CheckpointError(
            f"{source} describes a network that cannot be built: {str(error).rstrip('.')}. "
            "Use an unchanged file."
        ) from error
    model.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
    return model.eval()


def with_profile(model: ClickModel, profile: str) -> ClickModel:
    """The same network, changed to be predicted with another profile's numbers.

    Raises
    ------
    CheckpointError
        If there is no such profile, or it is not a published network, so that its profile is its
        own.
    """
    check_profile(profile)
    for part in model.modules():
        if isinstance(part, ClickModel):
            if not {"profile", "stages"} & part.config.keys():
                raise CheckpointError(
                    f"A '{part.spec.architecture}' network was made for the profile "
                    f"'{part.spec.profile}' only. Give no profile."
                )
            part.spec = replace(part.spec, profile=profile)
            part.config |= {"profile": profile} if "profile" in part.config else {}
    return model


def check_weights(model: ClickModel, state: Mapping[str, Tensor], source: str) -> None:
    """Refuse weights that do not fit, or are no numbers, and name the first of them.

    Raises
    ------
    CheckpointError
    """
    for key, value in state.items():
        if key.endswith(UNSAVED) or value.is_floating_point() and value.layout == torch.strided:
            continue
        layout = "sparse " if value.layout != torch.strided else ""
        raise CheckpointError(
            f"{source} has weights that are no plain floating-point numbers (first: {key}, "
            f"{layout}{str(value.dtype).removeprefix('torch.')}). Save it with dense float weights."
        )
    wanted = {k: v for k, v in model.state_dict().items() if not k.endswith(UNSAVED)}
    found = {k: v for k, v in state.items() if not k.endswith(UNSAVED)}
    groups = {
        "missing": [k for k in wanted if k not in found],
        "unexpected": [k for k in found if k not in wanted],
        "mis-shaped": [k for k in wanted if k in found and wanted[k].shape != found[k].shape],
    }
    wrong = [
        f"{len(keys)} {what} weights (first: {keys[0]})" for what, keys in groups.items() if keys
    ]
    if wrong:
        raise CheckpointError(
            f"{source} does not fit its network '{model.spec.architecture}': {', '.join(wrong)}. "
            f"It looks like {describe(state)}. Use a file that was written for that network."
        )
    bad = [k for k, v in found.items() if not bool(v.isfinite().all())]
    if bad:
        raise CheckpointError(
            f"{source} has NaN or infinite weights (first: {bad[0]}). "
            "Its training failed; use another file."
        )
