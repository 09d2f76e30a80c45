"""Pretrained encoders, loaded into the networks that are built on them.

The files are those of HRNet, ResNet and MiT trained on ImageNet, of plain ViTs trained as masked
autoencoders (MAE), and checkpoints of click networks, of which the encoder is taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from .base import ClickModel
from .encoders import FAMILIES, RESNET, looks_like
from .header import CheckpointError
from .plain_vit import PlainViTModel
from .unpickle import load_pickle
from .vit import resize_position

__all__ = ["load_backbone"]

State = dict[str, Tensor]

CONTAINERS = ("state_dict", "model")  # where files that hold more keep the weights
UNCOUNTED = "num_batches_tracked"  # not in older files
POSITION = "pos_embed"
STEM = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")  # a ResNet from front to back
KINDS = ("weight", "bias", "running_mean", "running_var")
CLASSIFIER = 2  # weights at most, behind those of the encoder


def load_backbone(model: ClickModel, path: str | Path) -> str:
    """Load a pretrained encoder into its part of a network, which is changed.

    A file holds weights by name, bare or under ``"state_dict"`` or ``"model"``, with or without a
    prefix. Weights of other parts, such as classifiers and the decoder of an MAE, are left out. The
    position embedding of a plain ViT is interpolated if its grid differs. A ResNet file with names
    of its own is matched by order and shape, which is untested with published files.

    Parameters
    ----------
    model : ClickModel
        An HRNet, DeepLab, SegFormer or plain ViT.
    path : str or Path
        A file that ``torch.save`` wrote; it is read without running code.

    Returns
    -------
    str
        What was loaded and how, as a sentence.

    Raises
    ------
    CheckpointError
        If the file can not be read, does not fit the encoder, or has NaN or infinite weights; the
        network is then as before.
    ValueError
        If the network is of another architecture.
    """
    state = model.state_dict()
    family = next((f for f in FAMILIES if f.part + f.anchor in state), None)
    if family is None:
        raise ValueError(
            f"A network '{model.spec.architecture}' has no encoder that pretrained files fit. "
            "Choose an HRNet, DeepLab, SegFormer or plain ViT, or leave the file out."
        )
    own = {k.removeprefix(family.part): v for k, v in state.items() if k.startswith(family.part)}
    needed = {
        k: v
        for k, v in own.items()
        if not k.startswith(family.optional) and not k.endswith(UNCOUNTED)
    }
    published = _weights(load_pickle(path), path)
    found = family.named_as_ours(published)
    remarks = []
    if not found and family is RESNET:
        found = _by_order(needed, published)
        remarks.append("matched by order and shape")
    if isinstance(model, PlainViTModel) and (grid := _square_grid(found.get(POSITION))):
        new = model.backbone.grid
        if grid != new:
            found[POSITION] = resize_position(found[POSITION].float(), grid, new)
            remarks.append(f"position embedding interpolated from {grid} to {new} tokens")
    if wrong := _differences(needed, found):
        raise CheckpointError(
            f"{path} does not fit. It holds {looks_like(published)}, and this network is built on "
            f"{looks_like(own)}: {wrong}. Use a file of that encoder."
        )
    taken = {k: v for k, v in found.items() if k in own and v.shape == own[k].shape}
    bad = [k for k, v in taken.items() if not bool(v.isfinite().all())]
    if bad:
        raise CheckpointError(
            f"{path} has NaN or infinite weights (first: {bad[0]}). "
            "Its training failed; use another file."
        )
    model.load_state_dict({family.part + k: v for k, v in taken.items()}, strict=False)
    left = len(published) - len(taken)
    remarks.append(f"{len(taken)} weights taken, {left} others in the file left out")
    return f"Loaded {looks_like(taken)} from {path} ({'; '.join(remarks)})."


def _weights(content: object, path: str | Path) -> State:
    """The tensors by name in what a file holds."""
    for name in CONTAINERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    pairs = content.items() if isinstance(content, Mapping) else ()
    state = {k: v for k, v in pairs if isinstance(k, str) and isinstance(v, Tensor)}
    if not state:
        raise CheckpointError(
            f"{path} holds no weights by name, but a {type(content).__name__}. "
            "Use the file of a pretrained encoder."
        )
    return state


def _by_order(needed: State, published: State) -> State:
    """A ResNet's weights under our names, if a file has the same shapes in order; else none.

    The order is that of the layers: stem, blocks, and in each of these the convolutions with their
    norms before the projection of the skip.
    """
    ours = sorted(needed, key=lambda name: STEM.index(name.split(".")[0]))
    theirs = [name for name in published if not name.endswith(UNCOUNTED)]
    if not 0 <= len(theirs) - len(ours) <= CLASSIFIER:
        return {}
    pairs = list(zip(ours, theirs, strict=False))
    for our, their in pairs:
        kind = their.rsplit(".", 1)[-1]
        if kind in KINDS and not our.endswith(f".{kind}"):
            return {}
        if needed[our].shape != published[their].shape:
            return {}
    return {our: published[their] for our, their in pairs}


def _square_grid(position: Tensor | None) -> tuple[int, int] | None:
    """Rows and columns of a position embedding of a class token and a square of tokens."""
    if position is None or position.ndim != 3 or position.shape[1] < 2:
        return None
    side = math.isqrt(position.shape[1] - 1)
    return (side, side) if position.shape[1] == side * side + 1 else None


def _differences(needed: State, found: State) -> str:
    """What weights are missing or mis-shaped, in words; empty if none are."""
    missing = [k for k in needed if k not in found]
    misshaped = [k for k in needed if k in found and needed[k].shape != found[k].shape]
    parts = []
    if missing:
        parts.append(f"{len(missing)} weights are missing (first: {missing[0]})")
    if misshaped:
        first = misshaped[0]
        parts.append(
            f"{len(misshaped)} are mis-shaped (first: {first} is {tuple(found[first].shape)} "
            f"instead of {tuple(needed[first].shape)})"
        )
    return ", ".join(parts)
