"""What the networks of all published systems share: normalisation, fusion of clicks, splits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..interactions import Interaction
from .base import IMAGE, MAPS, PREV, ClickModel, Inputs, ModelSpec, Split
from .click_input import ClickInput, fusion_layers, kind_of
from .describe import check_profile

__all__ = ["PublishedModel", "Tensors", "resize"]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Tensors = dict[str, Tensor]
Step = Callable[[Tensors], Tensors]


def resize(x: Tensor, size: Sequence[int], align_corners: bool = True) -> Tensor:
    """Bilinear resizing of ``(B, C, h, w)``, with aligned corners as most published systems do."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=align_corners)


class PublishedModel(ClickModel):
    """A published network.

    Subclasses build their layers under the names of the published files and give `_steps` (the way
    from the fused input through the inner splits) and `_classify` (from the last split to logits of
    any size).

    Parameters
    ----------
    architecture : str
        Name in the registry.
    profile : str
        Whose numbers to predict with, such as ``"ritm"``.
    inputs : ClickInput
    config : mapping
        All arguments of the subclass as plain values.
    inner : sequence of Split
        The splits of `_steps`, in their order.
    brs : mapping of str to str
        f-BRS kind to inner split; those on the image and on the maps are added here.
    stride : int
        Sides of the input must be multiples of this.

    Raises
    ------
    ValueError
        If there is no such profile.
    """

    def __init__(
        self,
        architecture: str,
        profile: str,
        inputs: ClickInput,
        config: Mapping[str, Any],
        inner: Sequence[Split],
        brs: Mapping[str, str],
        stride: int = 1,
    ) -> None:
        super().__init__()
        check_profile(profile)
        self.inputs = inputs
        self.config = {"inputs": inputs.as_dict(), "profile": profile, **config}
        name, layers = fusion_layers(inputs)
        if layers is not None:
            setattr(self, name, layers)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.spec = ModelSpec(
            architecture=architecture,
            profile=profile,
            takes_prev_mask=inputs.prev_mask,
            interactions=frozenset(inputs.kinds),
            stride=stride,
            brs={"RGB-BRS": IMAGE, "DistMap-BRS": MAPS, **brs},
        )
        outer = (
            Split(IMAGE, frozenset({IMAGE}), added=("image",)),
            Split(MAPS, frozenset({MAPS}), added=("maps",)),
        )
        self._splits = {split.name: split for split in (*outer, *inner)}

    @staticmethod
    def inner_split(name: str, **channels: int) -> Split:
        """A split inside an early-fusion network: it depends on all inputs."""
        return Split(name, frozenset({IMAGE, MAPS, PREV}), channels)

    @property
    def splits(self) -> Mapping[str, Split]:
        """See `ClickModel.splits`."""
        return self._splits

    @abstractmethod
    def _steps(self, split: str) -> Sequence[tuple[str, Step]]:
        """Inner splits by name, each with the function that leads there from the one before.

        Those that neither end nor begin at `split` may be left out where a shorter way is known.

        The first takes ``{"image": (B, 3, H, W)}``, normalised (and mixed with the maps by
        `rgb_conv`), and, for other fusions, ``"coordinates"``, the features of previous mask and
        maps (for patches: these themselves).
        """

    @abstractmethod
    def _classify(self, tensors: Tensors) -> Tensor:
        """Logits ``(B, 1, h, w)`` of any size from the last inner split."""

    def encode(
        self, interactions: Sequence[Interaction], shape: tuple[int, int], offset: int = 0
    ) -> Tensor:
        """See `ClickModel.encode`."""
        return torch.from_numpy(self.inputs.encode(interactions, shape, offset)).to(self.device)

    def maps_from_points(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """See `ClickModel.maps_from_points`; maps of kinds other than clicks stay empty."""
        clicks = self.inputs.draw_points(points, shape)
        empty = clicks.new_zeros(clicks.shape[0], 2, *shape)
        return torch.cat([clicks if kind == "click" else empty for kind in self.inputs.kinds], 1)

    def interaction_maps(
        self,
        points: Tensor,
        shape: tuple[int, int],
        interaction_maps: Mapping[str, Tensor],
        input_type: str | None,
    ) -> Tensor:
        """See `ClickModel.interaction_maps`; those of every kind that the network takes."""
        given = {kind_of(name): maps for name, maps in interaction_maps.items()}
        latest = None if input_type is None else kind_of(input_type)
        kinds = self.inputs.kinds
        for kind in (*given, *([] if latest is None else [latest])):
            if kind not in kinds:
                raise ValueError(f"This model does not take a {kind}; it takes {', '.join(kinds)}.")
        if latest is None and len(kinds) > 1 and not self.inputs.accumulate:
            raise ValueError("This model is shown one kind of interaction: say which, input_type=.")
        given.setdefault("click", self.inputs.draw_points(points, shape))
        empty = points.new_zeros(points.shape[0], 2, *shape, dtype=torch.float32)
        everything = self.inputs.accumulate or len(kinds) == 1
        shown = [k if everything or k == latest else None for k in kinds]
        return torch.cat([empty if k is None else given.get(k, empty).float() for k in shown], 1)

    def before(self, split: str, inputs: Inputs) -> Tensors:
        """See `ClickModel.before`."""
        if split == MAPS:
            return {"maps": inputs.maps}
        image = self._normalise(inputs.image)
        if split == IMAGE:
            return {"image": image}
        tensors = self._fuse(image, inputs.maps, inputs.prev_mask)
        for name, step in self._steps(split):
            tensors = step(tensors)
            if name == split:
                return tensors
        raise KeyError(
            f"{self.spec.architecture} has no split {split!r}; it has {sorted(self._splits)}"
        )

    def after(self, split: str, tensors: Tensors, inputs: Inputs) -> Tensor:
        """See `ClickModel.after`."""
        return resize(self._classify(self._last(split, tensors, inputs)), inputs.image.shape[-2:])

    def _last(self, split: str, tensors: Tensors, inputs: Inputs) -> Tensors:
        """Tensors at the last inner split from those at some split."""
        done = split not in (IMAGE, MAPS)  # whether the next step was taken before the split
        if not done:
            image = tensors["image"] if split == IMAGE else self._normalise(inputs.image)
            maps = tensors["maps"] if split == MAPS else inputs.maps
            tensors = self._fuse(image, maps, inputs.prev_mask)
        for name, step in self._steps(split):
            if not done:
                tensors = step(tensors)
            elif name == split:
                done = False
        return tensors

    def _normalise(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std

    def _fuse(self, image: Tensor, maps: Tensor, prev_mask: Tensor | None) -> Tensors:
        """What the first step takes."""
        if self.inputs.prev_mask:
            prev = (prev_mask > 0.5).to(maps.dtype) if self.inputs.binary_prev_mask else prev_mask
            maps = torch.cat([prev, maps], dim=1)
        if self.inputs.fusion in ("rgb_fbrs", "rgb"):
            return {"image": self.rgb_conv(torch.cat([image, maps], dim=1))}
        if self.inputs.fusion == "patches":
            return {"image": image, "coordinates": maps}
        return {"image": image, "coordinates": self.maps_transform(maps)}
