"""`ClickModel`: all that the engine knows of a network, whatever its architecture."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..interactions import Interaction
from .click_input import kind_of

__all__ = ["ClickModel", "Inputs", "ModelSpec", "Split"]

IMAGE, MAPS, PREV = "image", "maps", "prev_mask"


@dataclass(frozen=True)
class Inputs:
    """What one network call sees. All tensors share batch, height, width and device.

    Attributes
    ----------
    image : (B, 3, H, W) float Tensor
        RGB, 0..1, not normalised.
    maps : (B, C, H, W) float Tensor
        The interactions as `ClickModel.encode` drew them.
    prev_mask : (B, 1, H, W) float Tensor or None
        Probability 0..1 of the mask so far; None for models that take none.
    """

    image: Tensor
    maps: Tensor
    prev_mask: Tensor | None = None


@dataclass(frozen=True)
class Split:
    """A cut through a network: a set of named tensors between a part before and a part after.

    Attributes
    ----------
    name : str
        ``"image"`` (the normalised image) and ``"maps"`` exist in every model.
    depends : frozenset of {"image", "maps", "prev_mask"}
        What the part before reads. One that depends on the image only may be cached per view.
    channels : mapping of str to int
        Tensors that may be modulated by a scale and a bias per channel, and their channel counts.
    added : tuple of str
        Tensors to which a map of the same shape may be added.
    """

    name: str
    depends: frozenset[str]
    channels: Mapping[str, int] = field(default_factory=dict)
    added: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSpec:
    """Facts about a network that the engine needs before it calls it.

    Attributes
    ----------
    architecture : str
        Name in the registry, such as ``"compact"``.
    profile : str
        Name of the profile the network was made for, such as ``"clickseg"`` or ``"ritm"``.
    takes_prev_mask : bool
        Whether the mask so far is an input.
    interactions : frozenset of str
        Kinds it was trained on: ``"click"``, ``"stroke"``, ``"contour"``, ``"box"``.
    stride : int
        Sides of the input are best multiples of this; others work too unless `fixed_size` is set.
    fixed_size : (int, int) or None
        The only input size the network takes.
    cached : str or None
        Name of the split worth keeping per view (it depends on the image only).
    brs : mapping of str to str
        BRS mode to split, such as ``{"f-BRS-B": "decoder"}``.
    """

    architecture: str
    profile: str
    takes_prev_mask: bool
    interactions: frozenset[str] = frozenset({"click"})
    stride: int = 1
    fixed_size: tuple[int, int] | None = None
    cached: str | None = None
    brs: Mapping[str, str] = field(default_factory=dict)


class ClickModel(nn.Module):
    """A network that turns an image and interactions into the logits of a mask.

    Subclasses set `spec`, implement `encode` and `maps_from_points`, and give their `splits`.
    A call is always ``after(name, before(name, inputs), inputs)`` for some split; the result does
    not depend on which one.
    """

    spec: ModelSpec

    @property
    @abstractmethod
    def splits(self) -> Mapping[str, Split]:
        """All cuts by name."""

    @abstractmethod
    def encode(
        self, interactions: Sequence[Interaction], shape: tuple[int, int], offset: int = 0
    ) -> Tensor:
        """Draw interactions, given in view pixels, as maps ``(1, C, H, W)`` on the model's device.

        The first counts as number `offset` where their order matters; see `choose`.

        Raises
        ------
        ValueError
            If a kind of interaction is not one of ``spec.interactions``.
        """

    @abstractmethod
    def maps_from_points(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """Draw a batch of points ``(B, 2N, 2 or 3)`` of ``(row, col[, order])``.

        The first N rows are positive, the last N negative, rows of -1 are padding.
        Returns maps ``(B, C, H, W)``.
        """

    @abstractmethod
    def before(self, split: str, inputs: Inputs) -> dict[str, Tensor]:
        """The tensors at a split. Reads only what the split ``depends`` on."""

    @abstractmethod
    def after(self, split: str, tensors: dict[str, Tensor], inputs: Inputs) -> Tensor:
        """Logits ``(B, 1, H, W)`` from the tensors at a split and the remaining inputs."""

    def forward(self, inputs: Inputs) -> Tensor:
        """Logits ``(B, 1, H, W)`` at input size."""
        return self.after(IMAGE, self.before(IMAGE, inputs), inputs)

    def logits(
        self,
        image: Tensor,
        points: Tensor,
        prev_mask: Tensor | None = None,
        interaction_maps: Mapping[str, Tensor] | None = None,
        input_type: str | None = None,
    ) -> Tensor:
        """Logits from an RGB image in 0..1, interactions and the previous mask.

        Parameters
        ----------
        image : (B, 3, H, W) Tensor
        points : (B, 2N, 2 or 3) Tensor
            See `maps_from_points`.
        prev_mask : (B, 1, H, W) Tensor, optional
            Zeros if the model takes one and none is given.
        interaction_maps : mapping of str to (B, 2, H, W) Tensor, optional
            Maps of ``"contour"`` and ``"stroke"``, positive first, for models that take them.
        input_type : str, optional
            Kind of the latest interaction (``"point"``, ``"contour"``, ``"stroke"``); models that
            do not accumulate are shown the maps of this kind only.

        Returns
        -------
        (B, 1, H, W) Tensor

        Raises
        ------
        ValueError
            If the model does not take one of the kinds, or has to be told the latest one.
        """
        shape = (int(image.shape[-2]), int(image.shape[-1]))
        maps = self.interaction_maps(points, shape, interaction_maps or {}, input_type)
        if not self.spec.takes_prev_mask:
            prev_mask = None
        elif prev_mask is None:
            prev_mask = image.new_zeros((image.shape[0], 1, *shape))
        return self(Inputs(image, maps, prev_mask))

    def interaction_maps(
        self,
        points: Tensor,
        shape: tuple[int, int],
        interaction_maps: Mapping[str, Tensor],
        input_type: str | None,
    ) -> Tensor:
        """Maps ``(B, C, H, W)`` for the arguments of `logits`; here of clicks only."""
        for kind in (*interaction_maps, *([] if input_type is None else [input_type])):
            if kind_of(kind) != "click" or interaction_maps:
                raise ValueError(
                    f"The model {self.spec.architecture} takes clicks, given as points, but no "
                    f"{kind_of(kind)} maps. Give none, or use a model trained on them."
                )
        return self.maps_from_points(points, shape)

    def choose(self, interactions: Sequence[Interaction], offset: int = 0) -> ClickModel:
        """The network that answers these interactions: itself, unless it is made of several.

        `offset` is 1 for an object that was started from a mask, which counts like a click, as
        published; otherwise 0.
        """
        return self

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device
