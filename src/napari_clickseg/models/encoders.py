"""The image encoders that networks are built on, known by the names of their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from .detect import count_blocks

__all__ = ["FAMILIES", "RESNET", "EncoderFamily", "looks_like"]

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class EncoderFamily:
    """Encoders of one kind.

    Attributes
    ----------
    part : str
        Prefix of the encoder's weights in our networks.
    anchor : str
        A weight that every such encoder has and no other.
    words : callable
        What encoder some weights without prefix are of.
    optional : tuple of str
        Beginnings of weights that belong to other parts or are not used.
    renamed : tuple of (str, str)
        Beginnings of weights in files, and our names of them.
    """

    part: str
    anchor: str
    words: Callable[[State], str]
    optional: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def named_as_ours(self, state: State) -> dict[str, Tensor]:
        """The weights that share the prefix of the anchor, without it; empty if it is not there."""
        anchors = [
            key
            for key, value in state.items()
            if f".{key}".endswith(f".{self.anchor}") and value.ndim >= 2
        ]
        if not anchors:
            return {}
        prefix = min(anchors, key=len).removesuffix(self.anchor)
        found = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        for theirs, ours in self.renamed:
            found = {
                ours + k.removeprefix(theirs) if k.startswith(theirs) else k: v
                for k, v in found.items()
            }
        return found


def _blocks(state: State, stage: str) -> str:
    return "-".join(str(count_blocks(state, f"{stage}{i}.")) for i in (1, 2, 3, 4))


def _hrnet(state: State) -> str:
    small = "a small HRNet" if count_blocks(state, "stage2.0.branches.0.") < 4 else "an HRNet"
    return f"{small} of width {state[HRNET.anchor].shape[0]}"


def _resnet(state: State) -> str:
    kind = "bottlenecks" if "layer1.0.conv3.weight" in state else "basic blocks"
    stem = " behind three convolutions" if "conv1.3.weight" in state else ""
    return f"a ResNet of {_blocks(state, 'layer')} {kind}{stem}"


def _mit(state: State) -> str:
    return f"a MiT of {_blocks(state, 'block')} blocks, {state[MIT.anchor].shape[0]} wide at first"


def _vit(state: State) -> str:
    return f"a plain ViT of {count_blocks(state, 'blocks.')} blocks of width " + str(
        state[VIT.anchor].shape[1]
    )


HRNET = EncoderFamily(
    "feature_extractor.",
    "stage2.0.branches.0.0.conv1.weight",
    _hrnet,
    ("aux_head.", "cls_head.", "conv3x3_ocr.", "ocr_distri_head."),
    (("last_layer.", "aux_head."),),
)
RESNET = EncoderFamily("feature_extractor.backbone.", "layer4.0.conv1.weight", _resnet)
MIT = EncoderFamily("feature_extractor.backbone.", "block1.0.attn.q.weight", _mit)
VIT = EncoderFamily(
    "backbone.", "blocks.0.attn.qkv.weight", _vit, ("cls_token", "fc_norm.", "head.")
)
FAMILIES = (HRNET, RESNET, MIT, VIT)


def looks_like(state: State) -> str:
    """What encoder some weights are of or contain, in words."""
    for family in FAMILIES:
        if found := family.named_as_ours(state):
            return family.words(found)
    return f"no encoder that is known here (its first weight is '{next(iter(state), '')}')"
