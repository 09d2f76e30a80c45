"""The published networks with random weights, fitted so that their masks are not trivial."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from click_latency import PHOTOGRAPHS, photograph
from torch import Tensor, nn

from napari_clickseg.models.base import ClickModel
from napari_clickseg.models.deeplab import DeepLabModel
from napari_clickseg.models.hrnet import HRNetModel
from napari_clickseg.models.inference import for_inference
from napari_clickseg.models.plain_vit import PlainViTModel
from napari_clickseg.models.segformer import SegFormerModel

FBRS = {"fusion": "rgb_fbrs", "disks": False, "radius": 260, "prev_mask": False}
RITM = {"fusion": "maps", "leaky": True}
SAIC_IS = {**RITM, "stride": 1, "radius": 3, "kinds": ("click", "contour", "stroke")}
PATCHES = {"fusion": "patches"}
XTINY = {"embed_dim": 160, "depth": 8, "heads": 4, "head_channels": 128}
LARGE = {"embed_dim": 1024, "depth": 24, "heads": 16, "neck_dims": (192, 384, 768, 1536)}
HUGE = {"embed_dim": 1280, "depth": 32, "heads": 16, "neck_dims": (240, 480, 960, 1920)}
Build = Callable[[], ClickModel]
NETWORKS: dict[str, Build] = {
    "fbrs-resnet34": lambda: DeepLabModel(FBRS, "resnet34", 128, profile="fbrs"),
    "fbrs-resnet50": lambda: DeepLabModel(FBRS, "resnet50", 128, profile="fbrs"),
    "fbrs-resnet101": lambda: DeepLabModel(FBRS, "resnet101", 256, profile="fbrs"),
    "fbrs-hrnet18": lambda: HRNetModel(FBRS, 18, 64, profile="fbrs"),
    "fbrs-hrnet32": lambda: HRNetModel(FBRS, 32, 128, profile="fbrs"),
    "ritm-hrnet18s": lambda: HRNetModel(RITM, 18, 48, small=True),
    "ritm-hrnet18": lambda: HRNetModel(RITM, 18, 64),
    "ritm-hrnet32": lambda: HRNetModel(RITM, 32, 128),
    "saic_is-segformer-b1": lambda: SegFormerModel(SAIC_IS, "mit_b1"),
    "simpleclick-xtiny": lambda: PlainViTModel(PATCHES, neck_dims=(96, 192, 288, 384), **XTINY),
    "simpleclick-base": lambda: PlainViTModel(PATCHES),
}
LARGER: dict[str, Build] = {
    "saic_is-segformer-b4": lambda: SegFormerModel(SAIC_IS, "mit_b4"),
    "simpleclick-large": lambda: PlainViTModel(PATCHES, **LARGE),
    "simpleclick-huge": lambda: PlainViTModel(PATCHES, patch_size=14, **HUGE),
}
LAST = ("cls_head", "linear_pred", "conv_seg", "head.layers.2")
"""How the names of last layers end."""

SHOWN = "chelsea"  # the photograph that the last layer is fitted to


@torch.no_grad()
def build(name: str) -> ClickModel:
    """A network with random weights whose masks are not trivial."""
    torch.manual_seed(0)
    network = (NETWORKS | LARGER)[name]().eval().requires_grad_(False)
    points = torch.tensor([[[80.0, 80.0, 0.0], [20.0, 20.0, 1.0]]])
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    if norms:
        everything = torch.cat([_square(photograph(p), 160) for p in PHOTOGRAPHS])
        network.logits(everything, points.expand(len(PHOTOGRAPHS), -1, -1))
    network.eval()
    logits = network.logits(_square(photograph(SHOWN), 448), 2.8 * points)
    # A third of the pixels are in the mask, and logits have a usual spread.
    (last,) = (layer for key, layer in network.named_modules() if key.endswith(LAST))
    scale = 3 / logits.std()
    last.weight *= scale
    last.bias.copy_((last.bias - logits[..., ::8, ::8].quantile(0.67)) * scale)
    return network


def _square(image: np.ndarray, side: int) -> Tensor:
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    return F.interpolate(tensor, size=(side, side), mode="bilinear", antialias=True)


def as_loaded(network: ClickModel) -> ClickModel:
    """A copy as `load_model` gives it."""
    return for_inference(copy.deepcopy(network))
