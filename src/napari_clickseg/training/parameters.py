"""Groups of weights with their own learning rates, the optimiser, and how weights begin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from ..models.base import ClickModel

__all__ = ["ENCODERS", "OptimizerOptions", "encoder_names", "make_optimizer", "xavier"]

ENCODERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "compact": (("encoder.",), ()),
    "deeplab": (("feature_extractor.backbone.",), ()),
    "hrnet": (
        ("feature_extractor.",),
        ("feature_extractor.conv3x3_ocr.", "feature_extractor.ocr_distri_head."),
    ),
    "plain_vit": (("backbone.",), ()),
    "segformer": (("feature_extractor.",), ()),
}
"""Beginnings of the weights that count as the encoder, and those among them that don't. As
published, HRNet's heads and all of SegFormer's decoder learn at the encoder's rate."""

PLACES = ("backbone.cls_token", "backbone.pos_embed")  # decay as little as norms


@dataclass(frozen=True)
class OptimizerOptions:
    """How the weights are changed.

    Attributes
    ----------
    kind : {"adam", "adamw", "sgd"}
    lr : float
    betas : (float, float)
    eps : float
    momentum : float
        Of ``sgd``.
    weight_decay : float
        Weights of one dimension (norms, biases) do not decay in ``adamw``, nor where layers learn
        at their own rates.
    decay_all : bool
        They do (SAIC-IS).
    encoder_factor : float
        Learning rate of the image encoder relative to `lr`; 0 freezes it and its norms.
    layer_decay : float
        Plain ViT: each block learns this much slower than the next; 1 for all alike.
    clip : float
        Largest norm of the gradient; 0 for no limit.
    """

    kind: str = "adam"
    lr: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.9
    weight_decay: float = 0.0
    decay_all: bool = False
    encoder_factor: float = 1.0
    layer_decay: float = 1.0
    clip: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("adam", "adamw", "sgd"):
            raise ValueError(f"the optimizer is adam, adamw or sgd, not '{self.kind}'")
        if not (self.lr > 0 and self.encoder_factor >= 0 and 0 < self.layer_decay <= 1):
            raise ValueError("lr is above 0, encoder_factor 0 or more, layer_decay in 0..1")


def encoder_names(model: ClickModel) -> set[str]:
    """Names of the parameters that count as the image encoder."""
    inside, outside = ENCODERS.get(model.spec.architecture, ((), ()))
    return {
        name
        for name, _ in model.named_parameters()
        if name.startswith(inside or ("\0",)) and not name.startswith(outside or ("\0",))
    }


def _depth(name: str, blocks: int) -> int:
    """Layer of a plain ViT's weight: 0 embeds patches, then blocks, then neck and head."""
    if name.startswith("backbone.blocks."):
        return 1 + int(name.split(".")[2])
    first = ("patch_embed_coords.", "backbone.patch_embed.", "backbone.pos", "backbone.cls")
    return 0 if name.startswith(first) else blocks + 1


def make_optimizer(model: ClickModel, options: OptimizerOptions) -> torch.optim.Optimizer:
    """The optimiser, one group per learning rate and decay; each has its ``factor``.

    A frozen encoder's weights no longer ask for gradients.
    """
    encoder = encoder_names(model)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    blocks = len(model.backbone.blocks) if model.spec.architecture == "plain_vit" else 0
    sparing = (options.kind == "adamw" or options.layer_decay < 1) and not options.decay_all
    for name, weight in model.named_parameters():
        factor = options.encoder_factor if name in encoder else 1.0
        if factor == 0:
            weight.requires_grad_(False)
            continue
        if blocks and options.layer_decay < 1:
            factor *= options.layer_decay ** (blocks + 1 - _depth(name, blocks))
        spared = sparing and (weight.ndim < 2 or name in PLACES)
        decay = 0.0 if spared else options.weight_decay
        groups.setdefault((factor, decay), []).append(weight)
    params = [
        {"params": weights, "factor": factor, "lr": options.lr * factor, "weight_decay": decay}
        for (factor, decay), weights in groups.items()
    ]
    if options.kind == "sgd":
        return torch.optim.SGD(params, lr=options.lr, momentum=options.momentum)
    kind = torch.optim.AdamW if options.kind == "adamw" else torch.optim.Adam
    return kind(params, lr=options.lr, betas=tuple(options.betas), eps=options.eps)


@torch.no_grad()
def xavier(model: nn.Module, magnitude: float = 2.0) -> None:
    """Draw convolutions and linear layers from N(0, magnitude / mean of fan-in and fan-out).

    Biases become 0, batch norms the identity.

    References
    ----------
    Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010; the published networks of f-BRS, RITM and SAIC-IS begin this way.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            inside = layer.weight[0].numel()
            outside = layer.weight.shape[0] * (layer.weight[0, 0].numel() if inside else 1)
            layer.weight.normal_(0, math.sqrt(magnitude / ((inside + outside) / 2)))
            if layer.bias is not None:
                layer.bias.zero_()
        elif isinstance(layer, nn.BatchNorm2d):
            layer.weight.fill_(1)
            layer.bias.zero_()
