"""What weights look like, in words for people who opened the wrong file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .detect import FAMILIES, HRNET, detect
from .header import CheckpointError

__all__ = ["check_profile", "describe", "name_of"]

SYSTEMS = {
    "fbrs": "an f-BRS",
    "fbrs_demo": "an f-BRS",
    "ritm": "a RITM",
    "ritm_demo": "a RITM",
    "avalanche": "an avalanche",
    "avalanche_demo": "an avalanche",
    "saic_is": "a SAIC-IS",
    "saic_is_demo": "a SAIC-IS",
    "simpleclick": "a SimpleClick or CFR-ICL",
    "cfr_icl": "a CFR-ICL",
    "cfr_icl_demo": "a CFR-ICL",
    "clickseg": "a clickseg",
}
VIT_SIZES = {160: "tiny", 768: "Base", 1024: "Large", 1280: "Huge"}
OTHERS = (
    ("param_groups", "an optimizer state"),
    ("optimizer", "an optimizer state"),
    ("image_encoder.patch_embed.proj.weight", "a Segment Anything model"),
    ("mask_decoder.mask_tokens.weight", "a Segment Anything model"),
    ("image_encoder.trunk.patch_embed.proj.weight", "a Segment Anything 2 model"),
    ("blocks.0.attn.qkv.weight", "a MAE backbone"),
    ("patch_embed1.proj.weight", "a MiT backbone"),
    (HRNET.removeprefix("feature_extractor."), "an ImageNet HRNet"),
    ("layer1.0.conv1.weight", "an ImageNet ResNet"),
    ("base_net.level1.conv.weight", "an ESPNetv2 segmentation network"),
    ("encoder.level1.conv.weight", "clickseg's compact network"),
)


def check_profile(profile: str) -> None:
    """Raise CheckpointError if no published system, and not ours either, has this name."""
    if not isinstance(profile, str) or profile not in SYSTEMS:
        raise CheckpointError(
            f"There is no profile {profile!r}. Choose one of {', '.join(SYSTEMS)}."
        )


def describe(state: Mapping[Any, Any]) -> str:
    """What the weights look like, such as ``"a RITM HRNet18"`` or ``"a MAE backbone"``.

    Parameters
    ----------
    state : mapping
        Weights by name, or whatever else was found in their place.
    """
    try:
        return name_of(*detect(state))
    except (CheckpointError, AttributeError):
        pass
    for key, what in OTHERS:
        if key in state:
            return what
    if FAMILIES.keys() & state.keys():
        return "a part or an unknown variant of a click network"
    if "model" in state and isinstance(state["model"], Mapping):
        return f"a file with {describe(state['model'])} in its part 'model'"
    if not state:
        return "an empty file"
    return f"something unknown with {len(state)} entries, the first '{next(iter(state))}'"


def name_of(architecture: str, arguments: Mapping[str, Any]) -> str:
    """A network in words, such as ``"a RITM HRNet18s"``.

    Parameters
    ----------
    architecture : str
        Name in the registry.
    arguments : mapping
        Of its class; ``{"stages": [...]}`` for several networks.
    """
    if "stages" in arguments:
        stages = arguments["stages"]
        return f"{len(stages)} networks, the first {name_of(**_stage(stages[0]))}"
    system = SYSTEMS.get(str(arguments.get("profile")), "a click")
    if architecture == "hrnet":
        return f"{system} HRNet{arguments['width']}{'s' if arguments['small'] else ''}"
    if architecture in ("deeplab", "segformer"):
        backbone = str(arguments["backbone"])
        words = backbone.replace("resnet", "ResNet-").replace("mit_b", "SegFormer MiT-B")
        return f"{system} {words}"
    if architecture == "plain_vit":
        width = arguments["embed_dim"]
        size = f"-{VIT_SIZES[width]}" if width in VIT_SIZES else f" of width {width}"
        return f"{system} ViT{size}"
    return f"{system} network of the kind '{architecture}'"


def _stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {"architecture": stage["architecture"], "arguments": stage["config"]}
