"""How a published network is shown interactions: as which maps, and where they enter."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..interactions import Click, Contour, Interaction, Stroke
from .drawing import draw_contour, draw_stroke
from .maps import disk_maps, distance_maps, draw_disk

__all__ = ["FUSIONS", "KINDS", "ClickInput", "Scale", "fusion_layers", "kind_of"]

FUSIONS = ("rgb_fbrs", "rgb", "maps", "conv_extend", "patches")
"""Where interactions enter: mixed into the image by 1x1 convolutions (f-BRS, RITM), as features
added behind the first convolution (RITM, SAIC-IS; a single convolution in ``conv_extend``), or as
patches of their own added to those of the image (SimpleClick, CFR-ICL). The way of f-BRS without
``rgb_conv``, which dims the image itself by the maps, is not built: no weights of it exist."""

KINDS = (Click.kind, Contour.kind, Stroke.kind)
STROKE_THICKNESS = 10  # network pixels, as published by SAIC-IS


def kind_of(name: object) -> str:
    """Our name of a kind of interaction, from ours or a published one such as ``IType.point``."""
    word = str(name.value if isinstance(name, Enum) else name).rpartition(".")[2]
    return "click" if word == "point" else word


@dataclass(frozen=True)
class ClickInput:
    """The input side of a published network.

    Attributes
    ----------
    fusion : str
        One of `FUSIONS`.
    stride : int
        Of the features of ``maps``: 2, or 1 for SegFormer.
    disks : bool
        Clicks are drawn as filled disks; otherwise as distances.
    radius : float
        Of the disks, or the scale of the distances, in network pixels.
    groups : tuple of float or None
        Radii of groups of clicks by their order (RITM's ``clicks_groups``); None draws all alike.
    kinds : tuple of str
        Kinds of interaction, each with a positive and a negative map, in this order.
    accumulate : bool
        Maps of every kind are shown; otherwise only those of the latest interaction's kind.
    prev_mask, binary_prev_mask : bool
        The mask so far is an input; it is cut at 0.5.
    leaky : bool
        Leaky ReLU of slope 0.2 between the fusion's layers; otherwise ReLU.
    """

    fusion: str = "maps"
    stride: int = 2
    disks: bool = True
    radius: float = 5.0
    groups: tuple[float, ...] | None = None
    kinds: tuple[str, ...] = ("click",)
    accumulate: bool = True
    prev_mask: bool = True
    binary_prev_mask: bool = False
    leaky: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", tuple(self.kinds))
        if self.groups is not None:
            object.__setattr__(self, "groups", tuple(map(float, self.groups)))
        if self.fusion not in FUSIONS:
            raise ValueError(f"There is no fusion {self.fusion!r}; there are {', '.join(FUSIONS)}.")
        if unknown := set(self.kinds) - set(KINDS):
            raise ValueError(f"There is no interaction {sorted(unknown)[0]!r}.")
        if self.groups is not None and self.kinds != ("click",):
            raise ValueError("Groups of clicks by order go with clicks only.")
        if not all(0 < r < float("inf") for r in (self.radius, *(self.groups or ()))):
            raise ValueError(f"The radius of the clicks is {self.radius}, groups {self.groups}.")

    @classmethod
    def of(cls, value: ClickInput | Mapping[str, Any]) -> ClickInput:
        """From plain values, as kept in model files."""
        return value if isinstance(value, ClickInput) else cls(**value)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        plain = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}

    @property
    def map_channels(self) -> int:
        """Channels of the interaction maps."""
        return 2 * len(self.kinds) * (len(self.groups) if self.groups else 1)

    @property
    def channels(self) -> int:
        """Channels of the maps and the previous mask."""
        return self.map_channels + self.prev_mask

    def draw_points(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """Maps of clicks ``(B, 2N, 2 or 3)``; see `ClickModel.maps_from_points`.

        With groups, the third value of a point is its order, and clicks of order i belong to group
        i; later ones, and a first one that is negative, to the last group.
        """
        draw = disk_maps if self.disks else distance_maps
        if not self.groups:
            return draw(points, shape, self.radius)
        if points.shape[-1] < 3:
            raise ValueError("Groups of clicks need their order: give points of three values.")
        order = points[..., 2].clone()
        last = len(self.groups) - 1
        half = points.shape[1] // 2
        order[:, half:][order[:, half:] == 0] = last
        order = order.clamp(max=last)
        padding = points.new_full(points.shape, -1)
        return torch.cat(
            [
                disk_maps(torch.where((order == i)[..., None], points, padding), shape, radius)
                for i, radius in enumerate(self.groups)
            ],
            dim=1,
        )

    def encode(
        self, interactions: Sequence[Interaction], shape: tuple[int, int], offset: int = 0
    ) -> np.ndarray:
        """Maps ``(1, map_channels, H, W)`` float32 of interactions in network pixels.

        With groups, the order of the first is `offset`.

        Raises
        ------
        ValueError
            If an interaction is of a kind that is not taken.
        """
        for item in interactions:
            if item.kind not in self.kinds:
                kinds = " and ".join(f"{kind}s" for kind in self.kinds)
                raise ValueError(
                    f"This model takes {kinds}, not a {item.kind}. "
                    "Use those, or choose a model trained on other interactions."
                )
        shown = list(interactions)
        if not self.accumulate and shown:
            shown = [item for item in shown if item.kind == shown[-1].kind]
        clicks = [(i, item) for i, item in enumerate(shown, offset) if isinstance(item, Click)]
        parts = []
        for kind in self.kinds:
            if kind == "click":
                parts.append(self._clicks(clicks, shape))
                continue
            pair = np.zeros((2, *shape), np.float32)
            for item in shown:
                if item.kind == kind:
                    canvas = pair[0 if item.positive else 1]
                    if isinstance(item, Stroke):
                        draw_stroke(canvas, item.points, STROKE_THICKNESS)
                    else:
                        draw_contour(canvas, item.points)
            parts.append(pair)
        return np.concatenate(parts)[None]

    def _clicks(self, clicks: Sequence[tuple[int, Click]], shape: tuple[int, int]) -> np.ndarray:
        """Maps ``(2 or 2 * groups, H, W)`` of clicks with their order."""
        if self.disks and not self.groups:
            pair = np.zeros((2, *shape), np.float32)
            for _, click in clicks:
                if max(click.row, click.col) >= 0:  # as published: others count as padding
                    draw_disk(pair[0 if click.positive else 1], click.row, click.col, self.radius)
            return pair
        signs = [[(c.row, c.col, i) for i, c in clicks if c.positive is s] for s in (True, False)]
        longest = max(1, *map(len, signs))
        rows = [sign + [(-1, -1, -1)] * (longest - len(sign)) for sign in signs]
        points = torch.tensor([rows[0] + rows[1]], dtype=torch.float32)
        return self.draw_points(points, shape)[0].numpy()


class Scale(nn.Module):
    """Multiplies by the magnitude of one learnt number."""

    def __init__(self, start: float = 0.05) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), start))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x * self.scale.abs()


def fusion_layers(given: ClickInput) -> tuple[str, nn.Module | None]:
    """Name and layers of what stands between the maps and the network.

    The name is that of the published files: ``"rgb_conv"`` takes image, previous mask and maps and
    gives an image; ``"maps_transform"`` takes previous mask and maps and gives 64 channels. None
    for ``patches``.
    """

    def act() -> nn.Module:
        return nn.LeakyReLU(0.2, inplace=True) if given.leaky else nn.ReLU(inplace=True)

    c = given.channels
    if given.fusion == "rgb_fbrs":
        middle = 3 + c + 3
        layers = [
            nn.Conv2d(3 + c, middle, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.BatchNorm2d(middle),
        ]
        return "rgb_conv", nn.Sequential(*layers, nn.Conv2d(middle, 3, 1))
    if given.fusion == "rgb":
        layers = [nn.Conv2d(3 + c, 6 + c, 1), nn.BatchNorm2d(6 + c), act()]
        return "rgb_conv", nn.Sequential(*layers, nn.Conv2d(6 + c, 3, 1))
    if given.fusion == "conv_extend":
        return "maps_transform", nn.Conv2d(c, 64, 3, stride=2, padding=1)
    if given.fusion == "maps":
        layers = [nn.Conv2d(c, 16, 1), act()]
        layers.append(nn.Conv2d(16, 64, 3, stride=given.stride, padding=1))
        return "maps_transform", nn.Sequential(*layers, Scale())
    return "maps_transform", None
