"""Our own compact click network: dense early fusion of clicks with injected image features.

The image encoder runs once per view and its features are cached; only the small dense network runs
for each click.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..interactions import Click, Contour, Interaction, Stroke
from .base import IMAGE, MAPS, PREV, ClickModel, Inputs, ModelSpec, Split
from .drawing import draw_contour, draw_stroke
from .efficientnet_lite import EfficientNetLiteEncoder
from .espnetv2 import ESPNetv2Encoder
from .maps import disk_maps, draw_disk

__all__ = ["CompactModel", "widened"]

ENCODERS = ("espnetv2", "efficientnet_lite0")
FEATURES = ("f4", "f8", "f16", "f32")
KINDS = ("click", "stroke", "contour", "box")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _conv_norm(cin: int, cout: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(cin, cout, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(cout)]


class Residual(nn.Module):
    """Two 3x3 convolutions around a skip; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_conv_norm(channels, channels), nn.ReLU(inplace=True), *_conv_norm(channels, channels)
        )
        nn.init.zeros_(self.body[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class Down(nn.Module):
    """Halve the resolution, add image features if there are any, refine."""

    def __init__(self, cin: int, cout: int, features: int = 0, blocks: int = 2) -> None:
        super().__init__()
        self.down = nn.Sequential(*_conv_norm(cin, cout, stride=2))
        self.inject = (
            nn.Sequential(nn.BatchNorm2d(features), nn.Conv2d(features, cout, 1))
            if features
            else None
        )
        self.blocks = nn.Sequential(*(Residual(cout) for _ in range(blocks)))

    def forward(self, x: Tensor, features: Tensor | None = None) -> Tensor:
        x = self.down(x)
        if self.inject is not None:
            x = x + self.inject(features)
        return self.blocks(F.relu(x))


class Up(nn.Module):
    """Bring the coarser map to the lateral's size, add the lateral, refine."""

    def __init__(self, cin: int, lateral: int, cout: int, blocks: int = 0) -> None:
        super().__init__()
        self.top = nn.Conv2d(cin, cout, 1, bias=False)
        self.lateral = nn.Conv2d(lateral, cout, 1, bias=False)
        self.merge = nn.Sequential(
            nn.BatchNorm2d(cout),
            nn.ReLU(inplace=True),
            *_conv_norm(cout, cout),
            nn.ReLU(inplace=True),
            *(Residual(cout) for _ in range(blocks)),
        )

    def forward(self, x: Tensor, lateral: Tensor) -> Tensor:
        top = F.interpolate(
            self.top(x), size=lateral.shape[-2:], mode="bilinear", align_corners=False
        )
        return self.merge(top + self.lateral(lateral))


class CompactModel(ClickModel):
    """3.7 or 4.8 million parameters, of which 0.75 or 2.35 million are the image encoder's.

    Parameters
    ----------
    encoder : {"espnetv2", "efficientnet_lite0"}
        The image encoder. That of EfficientNet-Lite0 has features at stride 32 too; the click
        network has one residual block less there.
    encoder_scale : float
        Width of the ESPNetv2 encoder.
    widths : (int, int, int, int, int)
        Channels at strides 2, 4, 8, 16 and 32.
    decoder : (int, int, int)
        Channels of the decoder at strides 16, 8 and 4.
    radius : float
        Radius of the click disks, and half the width of strokes, in network pixels.
    every_kind : bool
        Whether it takes strokes, contours and boxes too, not clicks only. Its maps are then those
        of clicks and strokes, of the insides of contours (positive and negative each), and of the
        insides of boxes: 5 instead of 2.
    takes : sequence of str, optional
        The kinds that it is shown as they are, of those that it has maps for; all of them by
        default. For the others clicks stand in.
    """

    def __init__(
        self,
        encoder: str = "espnetv2",
        encoder_scale: float = 2.0,
        widths: Sequence[int] = (24, 48, 96, 144, 160),
        decoder: Sequence[int] = (128, 96, 64),
        radius: float = 5.0,
        every_kind: bool = False,
        takes: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if not 0 < radius < float("inf"):
            raise ValueError(f"the radius of the disks is {radius}")
        if encoder not in ENCODERS:
            raise ValueError(f"the encoder is {encoder!r}; there are {', '.join(ENCODERS)}")
        known = KINDS if every_kind else KINDS[:1]
        kinds = known if takes is None else tuple(takes)
        if "click" not in kinds or not set(kinds) <= set(known):
            raise ValueError(f"it takes {', '.join(kinds)}; there are {', '.join(known)}")
        self.config = {
            "encoder": encoder,
            "encoder_scale": encoder_scale,
            "widths": list(widths),
            "decoder": list(decoder),
            "radius": radius,
            "every_kind": every_kind,
            "takes": list(kinds),
        }
        self.radius = radius
        self.map_channels = 5 if every_kind else 2
        if encoder == "espnetv2":
            self.encoder = ESPNetv2Encoder(encoder_scale)
        else:
            self.encoder = EfficientNetLiteEncoder()
        features = dict(zip(FEATURES, self.encoder.channels, strict=False))
        deep = features.get("f32", 0)
        w2, w4, w8, w16, w32 = widths
        d16, d8, d4 = decoder
        self.stem = nn.Sequential(
            *_conv_norm(4 + self.map_channels, w2, stride=2), nn.ReLU(inplace=True)
        )
        self.down4 = Down(w2, w4, features["f4"])
        self.down8 = Down(w4, w8, features["f8"])
        self.down16 = Down(w8, w16, features["f16"])
        self.down32 = Down(w16, w32, deep, blocks=1 if deep else 2)
        self.up16 = Up(w32, w16, d16)
        self.up8 = Up(d16, w8, d8)
        self.up4 = Up(d8, w4, d4, blocks=1)
        self.head = nn.Conv2d(d4, 4, 3, padding=1)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.spec = ModelSpec(
            architecture="compact",
            profile="clickseg",
            takes_prev_mask=True,
            interactions=frozenset(kinds),
            cached="features",
            brs={
                "RGB-BRS": IMAGE,
                "DistMap-BRS": MAPS,
                "f-BRS-A": "bottleneck",
                "f-BRS-B": "decoder",
                "f-BRS-C": "head",
            },
        )
        everything = frozenset({IMAGE, MAPS, PREV})
        self._splits = {
            split.name: split
            for split in (
                Split(IMAGE, frozenset({IMAGE}), added=("image",)),
                Split(MAPS, frozenset({MAPS}), added=("maps",)),
                Split("features", frozenset({IMAGE}), features),
                Split("bottleneck", everything, {"x32": w32}),
                Split("decoder", everything, {"y8": d8}),
                Split("head", everything, {"y4": d4}),
            )
        }

    @property
    def splits(self) -> Mapping[str, Split]:
        """See `ClickModel.splits`; ``"features"`` are the encoder's."""
        return self._splits

    def encode(
        self, interactions: Sequence[Interaction], shape: tuple[int, int], offset: int = 0
    ) -> Tensor:
        """Disks, thick lines and filled areas; see `ClickModel.encode`."""
        maps = np.zeros((1, self.map_channels, *shape), np.float32)
        for item in interactions:
            if item.kind not in self.spec.interactions:
                raise ValueError(
                    f"This model takes clicks, not a {item.kind}. "
                    "Click inside the object, or choose a model trained on other interactions."
                )
            sign = 0 if item.positive else 1
            if isinstance(item, Click):
                draw_disk(maps[0, sign], item.row, item.col, self.radius)
            elif isinstance(item, Stroke):
                draw_stroke(maps[0, sign], item.points, 2 * round(self.radius) + 1)
            elif isinstance(item, Contour):
                draw_contour(maps[0, 2 + sign], item.points)
            elif not (inside := item.box.clip(shape)).empty:
                maps[0, 4][inside.slices] = 1
        return torch.from_numpy(maps).to(self.device)

    def maps_from_points(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """Disks; see `ClickModel.maps_from_points`."""
        disks = disk_maps(points, shape, self.radius)
        return F.pad(disks, (0, 0, 0, 0, 0, self.map_channels - 2))

    def _normalise(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std

    def _features(self, normalised: Tensor) -> dict[str, Tensor]:
        return dict(zip(FEATURES, self.encoder(normalised), strict=False))

    def _trunk(
        self, image: Tensor, features: dict[str, Tensor], inputs: Inputs, maps: Tensor
    ) -> dict[str, Tensor]:
        """From the normalised image, features and click maps down to stride 32."""
        x = torch.cat([image, inputs.prev_mask, maps], dim=1)
        x4 = self.down4(self.stem(x), features["f4"])
        x8 = self.down8(x4, features["f8"])
        x16 = self.down16(x8, features["f16"])
        return {"x4": x4, "x8": x8, "x16": x16, "x32": self.down32(x16, features.get("f32"))}

    def _to_decoder(self, t: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"x4": t["x4"], "y8": self.up8(self.up16(t["x32"], t["x16"]), t["x8"])}

    def _to_head(self, t: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"y4": self.up4(t["y8"], t["x4"])}

    def before(self, split: str, inputs: Inputs) -> dict[str, Tensor]:
        """See `ClickModel.before`."""
        if split == MAPS:
            return {"maps": inputs.maps}
        image = self._normalise(inputs.image)
        if split == IMAGE:
            return {"image": image}
        features = self._features(image)
        if split == "features":
            return features
        tensors = self._trunk(image, features, inputs, inputs.maps)
        if split == "bottleneck":
            return tensors
        tensors = self._to_decoder(tensors)
        if split == "decoder":
            return tensors
        if split == "head":
            return self._to_head(tensors)
        raise KeyError(f"clickseg-compact has no split {split!r}; it has {sorted(self._splits)}")

    def after(self, split: str, tensors: dict[str, Tensor], inputs: Inputs) -> Tensor:
        """See `ClickModel.after`."""
        if split in (IMAGE, MAPS, "features"):
            image = tensors["image"] if split == IMAGE else self._normalise(inputs.image)
            maps = tensors["maps"] if split == MAPS else inputs.maps
            features = tensors if split == "features" else self._features(image)
            tensors = self._trunk(image, features, inputs, maps)
            split = "bottleneck"
        if split == "bottleneck":
            tensors, split = self._to_decoder(tensors), "decoder"
        if split == "decoder":
            tensors = self._to_head(tensors)
        logits = F.pixel_shuffle(self.head(tensors["y4"]), 2)
        size = inputs.image.shape[-2:]
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)


def widened(state: Mapping[str, Tensor], model: CompactModel) -> dict[str, Tensor]:
    """Weights of a network for clicks only, for one that takes every kind.

    It answers clicks as the other does; what else it is shown has no effect before it is trained.

    Parameters
    ----------
    state : mapping of str to Tensor
        Is not changed; given back if it fits already.
    model : CompactModel
        The network that they are for.
    """
    name = "stem.0.weight"
    more = model.stem[0].in_channels - state[name].shape[1]
    return {**state, name: F.pad(state[name], (0, 0, 0, 0, 0, max(0, more)))}
