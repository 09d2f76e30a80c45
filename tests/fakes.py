"""Networks whose answer is known, to test what is around the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from napari_clickseg.interactions import Interaction
from napari_clickseg.models.base import IMAGE, ClickModel, Inputs, ModelSpec, Split
from napari_clickseg.models.maps import disk_maps


class FakeModel(ClickModel):
    """Counts its calls and remembers its last inputs; answers what `answer` says.

    Parameters
    ----------
    radius : float
        Of the disks drawn at clicks, in network pixels.
    **spec
        Fields of `ModelSpec` other than the defaults.
    """

    def __init__(self, radius: float = 3.0, **spec: object) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.radius = radius
        basic = ModelSpec(architecture="fake", profile="clickseg", takes_prev_mask=True)
        self.spec = replace(basic, **spec)
        self.calls = 0
        self.images = 0
        self.seen: list[Inputs] = []

    @property
    def splits(self) -> Mapping[str, Split]:
        return {IMAGE: Split(IMAGE, frozenset({IMAGE}))}

    def encode(
        self, interactions: Sequence[Interaction], shape: tuple[int, int], offset: int = 0
    ) -> Tensor:
        groups = [
            [i for i in interactions if i.positive],
            [i for i in interactions if not i.positive],
        ]
        points = [[point for item in group for point in item.points] for group in groups]
        longest = max(1, *(len(group) for group in points))
        padded = [group + [(-1e6, -1e6)] * (longest - len(group)) for group in points]
        return self.maps_from_points(torch.tensor([padded[0] + padded[1]]), shape)

    def maps_from_points(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        return disk_maps(points, shape, self.radius)

    def before(self, split: str, inputs: Inputs) -> dict[str, Tensor]:
        self.images += 1
        return {"image": inputs.image}

    def after(self, split: str, tensors: dict[str, Tensor], inputs: Inputs) -> Tensor:
        self.calls += 1
        self.seen.append(inputs)
        return self.answer(replace(inputs, image=tensors["image"]))

    def answer(self, inputs: Inputs) -> Tensor:
        raise NotImplementedError


class ColourModel(FakeModel):
    """Object is what has the colour under the positive clicks, but not that under negative ones."""

    tolerance = 0.15

    def _distance(self, image: Tensor, disks: Tensor) -> Tensor:
        far = torch.full_like(image[:, :1], 9.0)
        if not disks.any():
            return far
        colours = image[0].permute(1, 2, 0)[disks[0, 0] > 0]
        mean = colours.mean(dim=0).view(1, 3, 1, 1)
        return (image - mean).abs().amax(dim=1, keepdim=True)

    def answer(self, inputs: Inputs) -> Tensor:
        near = self._distance(inputs.image, inputs.maps[:, :1])
        other = self._distance(inputs.image, inputs.maps[:, 1:])
        return 40 * torch.where(other < near, -self.tolerance, self.tolerance - near)


class DiskModel(FakeModel):
    """Object is what is near a positive click and not near a negative one."""

    def answer(self, inputs: Inputs) -> Tensor:
        return 8 * (2 * inputs.maps[:, :1] - 2 * inputs.maps[:, 1:] - 1)


class StubbornModel(FakeModel):
    """Answers the opposite of every click, and noise elsewhere."""

    def answer(self, inputs: Inputs) -> Tensor:
        generator = torch.Generator().manual_seed(self.calls)
        noise = 6 * torch.randn(inputs.maps[:, :1].shape, generator=generator)
        return noise - 100 * inputs.maps[:, :1] + 100 * inputs.maps[:, 1:]


class FixedModel(FakeModel):
    """Answers given logits, one after the other, at whatever size is asked for."""

    def __init__(self, answers: Sequence[Tensor], **spec: object) -> None:
        super().__init__(**spec)
        self.answers = list(answers)

    def answer(self, inputs: Inputs) -> Tensor:
        logits = self.answers[(self.calls - 1) % len(self.answers)]
        assert logits.shape[-2:] == inputs.image.shape[-2:]
        return logits
