"""Which network weights are of, from their names and shapes, where no config says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .click_input import ClickInput
from .header import CheckpointError

__all__ = ["FAMILIES", "HRNET", "detect", "fusion_of"]

State = Mapping[str, Tensor]

HRNET = "feature_extractor.stage2.0.branches.0.0.conv1.weight"
DEEPLAB = "feature_extractor.aspp.project.0.weight"
SEGFORMER = "feature_extractor.backbone.patch_embed1.proj.weight"
PLAIN_VIT = "patch_embed_coords.proj.weight"
OCR = "feature_extractor.ocr_distri_head.object_context_block.f_down.1.0.bias"
RGB = "rgb_conv.0.weight"
MAP_LAYERS = {
    "patches": PLAIN_VIT,
    "rgb_fbrs": RGB,
    "rgb": RGB,
    "conv_extend": "maps_transform.weight",
    "maps": "maps_transform.0.weight",
}
RESNETS = {(False, 6): "resnet34", (True, 6): "resnet50"}
RESNETS |= {(True, 23): "resnet101", (True, 36): "resnet152"}
MIT_DEPTHS = {
    (2, 2, 2, 2): "mit_b1",
    (3, 4, 6, 3): "mit_b2",
    (3, 4, 18, 3): "mit_b3",
    (3, 8, 27, 3): "mit_b4",
    (3, 6, 40, 3): "mit_b5",
}
VIT_HEADS = {160: 4, 768: 12, 1024: 16, 1280: 16}
ALL_KINDS = ("click", "contour", "stroke")
FBRS_RADIUS, RITM_RADIUS, SAIC_IS_RADIUS = 260.0, 5.0, 3.0


def detect(state: State) -> tuple[str, dict[str, Any]]:
    """Architecture and plain arguments of weights without a config.

    What shapes can not tell is as in the released networks of that family: the radius of clicks,
    the profile, leaky ReLUs, and whether interactions accumulate.

    Parameters
    ----------
    state : mapping of str to Tensor
        Under the published names, without the ``module.`` of parallel training.

    Returns
    -------
    str, dict
        Name in our registry and arguments of our class.

    Raises
    ------
    CheckpointError
        If they are not of a published click network, or of an unknown variant.
    """
    for key, found in FAMILIES.items():
        if key in state:
            return found(state)
    raise CheckpointError("These are not the weights of a published click network.")


def fusion_of(state: State) -> str | None:
    """Where interactions enter, one of `click_input.FUSIONS`; None if no weights say so."""
    for key, fusion in (
        (PLAIN_VIT, "patches"),
        ("rgb_conv.2.running_mean", "rgb_fbrs"),
        ("rgb_conv.1.running_mean", "rgb"),
        ("maps_transform.weight", "conv_extend"),
        ("maps_transform.0.weight", "maps"),
    ):
        if key in state:
            return fusion
    return None


def count_blocks(state: State, prefix: str) -> int:
    """How many numbered modules there are behind a prefix such as ``"backbone.blocks."``."""
    keys = (key.removeprefix(prefix) for key in state if key.startswith(prefix))
    return len({key.partition(".")[0] for key in keys})


def _inputs(state: State, stride: int = 2) -> tuple[dict[str, Any], str]:
    """Inputs as plain values, and the profile they were made for."""
    fusion = fusion_of(state)
    if fusion is None:
        raise CheckpointError(
            "These weights have no layer that takes clicks. Use the whole checkpoint of a click "
            "network, not the one of an image network or a part of it."
        )
    key = MAP_LAYERS[fusion]
    channels = _shape(state, key)[1] - (3 if key == RGB else 0)  # rgb_conv takes the image too
    if channels not in ((2,) if fusion == "rgb_fbrs" else (2, 3, 6, 7)):
        raise CheckpointError(
            f"'{key}' takes {channels} channels besides the image, which no released network "
            "does. Give the checkpoint's config as well."
        )
    if fusion == "rgb_fbrs":
        given = ClickInput(fusion=fusion, disks=False, radius=FBRS_RADIUS, prev_mask=False)
        return given.as_dict(), "fbrs"
    saic_is = channels > 3
    given = ClickInput(
        fusion=fusion,
        stride=stride,
        radius=SAIC_IS_RADIUS if saic_is else RITM_RADIUS,
        kinds=ALL_KINDS if saic_is else ("click",),
        prev_mask=channels % 2 == 1,
    )
    return given.as_dict(), "saic_is" if saic_is else "ritm"


def _shape(state: State, key: str) -> tuple[int, ...]:
    """Shape of a weight of two or more dimensions."""
    if key not in state or state[key].ndim < 2:
        raise CheckpointError(
            f"The weight '{key}' is missing or mis-shaped. Use an unchanged checkpoint."
        )
    return tuple(state[key].shape)


def _length(state: State, key: str) -> int:
    """Length of a weight of one dimension."""
    if state[key].ndim != 1:
        raise CheckpointError(f"The weight '{key}' is mis-shaped. Use an unchanged checkpoint.")
    return len(state[key])


def _hrnet(state: State) -> tuple[str, dict[str, Any]]:
    inputs, profile = _inputs(state)
    return "hrnet", {
        "inputs": inputs,
        "width": _shape(state, HRNET)[0],
        "ocr_width": _length(state, OCR) if OCR in state else 0,
        "small": count_blocks(state, "feature_extractor.stage2.0.branches.0.") < 4,
        "profile": profile,
    }


def _deeplab(state: State) -> tuple[str, dict[str, Any]]:
    inputs, profile = _inputs(state)
    backbone = "feature_extractor.backbone."
    bottlenecks = f"{backbone}layer1.0.conv3.weight" in state
    blocks = count_blocks(state, f"{backbone}layer3.")
    if (bottlenecks, blocks) not in RESNETS:
        raise CheckpointError(
            f"The weights are of a ResNet with {blocks} blocks in its third stage, and only "
            f"{', '.join(RESNETS.values())} are known. Use a checkpoint of one of these."
        )
    channels = _shape(state, DEEPLAB)[0]
    return "deeplab", {
        "inputs": inputs,
        "backbone": RESNETS[bottlenecks, blocks],
        "channels": channels,
        "aspp_dropout": 0.5 if channels == 256 else 0.2,
        "profile": profile,
    }


def _segformer(state: State) -> tuple[str, dict[str, Any]]:
    inputs, _ = _inputs(state, stride=1)
    backbone = "feature_extractor.backbone."
    depths = tuple(count_blocks(state, f"{backbone}block{i}.") for i in (1, 2, 3, 4))
    if depths not in MIT_DEPTHS or _shape(state, SEGFORMER)[0] != 64:
        raise CheckpointError(
            f"The weights are of a MiT with {'-'.join(map(str, depths))} blocks that is none of "
            f"{', '.join(MIT_DEPTHS.values())}. Use a checkpoint of one of these."
        )
    return "segformer", {
        "inputs": inputs,
        "backbone": MIT_DEPTHS[depths],
        "profile": "saic_is",
    }


def _plain_vit(state: State) -> tuple[str, dict[str, Any]]:
    _, tokens, dim = (*_shape(state, "backbone.pos_embed"), 0)[:3]
    patch = _shape(state, "backbone.patch_embed.proj.weight")[-1]
    if dim not in VIT_HEADS:
        raise CheckpointError(
            f"The weights are of a plain ViT of width {dim}, and the number of its heads is known "
            f"only for {', '.join(map(str, VIT_HEADS))}. Give the checkpoint's config as well."
        )
    side = patch * math.isqrt(max(tokens - 1, 0))
    channels = _shape(state, "head.conv_seg.weight")[1]
    finer = _shape(state, "head.fusion_conv.conv.weight")[0] // max(channels, 1)
    inputs, _ = _inputs(state)
    return "plain_vit", {
        "inputs": inputs,
        "image_size": [side, side],
        "patch_size": patch,
        "embed_dim": dim,
        "depth": count_blocks(state, "backbone.blocks."),
        "heads": VIT_HEADS[dim],
        "mlp_ratio": _shape(state, "backbone.blocks.0.mlp.fc1.weight")[0] / dim,
        "neck_dims": [_shape(state, f"head.convs.{i}.conv.weight")[1] for i in range(4)],
        "head_channels": channels,
        "upsample": f"x{finer}",
        "profile": "simpleclick",
    }


FAMILIES = {
    HRNET: _hrnet,
    DEEPLAB: _deeplab,
    SEGFORMER: _segformer,
    PLAIN_VIT: _plain_vit,
}
