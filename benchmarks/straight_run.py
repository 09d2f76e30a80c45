"""One look of a published network as its own code takes it, without any of the engine's savings.

Batch norms as they are, the order NCHW, image and mirrored copy as one batch, the attention over a
single class, the auxiliary output brought to the size of the input; nothing is remembered.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from napari_clickseg.engine.profiles import Profile
from napari_clickseg.engine.session import Session
from napari_clickseg.engine.tiles import TileMap
from napari_clickseg.engine.views import VIEWS
from napari_clickseg.geometry import Box
from napari_clickseg.models.base import ClickModel, Inputs
from napari_clickseg.models.hrnet import HRNetModel
from napari_clickseg.models.ocr import ObjectContext


class FullAttention(nn.Module):
    """`ObjectContext` with all of its attention over the single class."""

    def __init__(self, context: ObjectContext) -> None:
        super().__init__()
        self.context = context

    def forward(self, features: Tensor, coarse: Tensor) -> Tensor:
        """As `ObjectContext.forward`."""
        block = self.context.object_context_block
        weights = coarse.flatten(2).softmax(dim=2)
        region = (features.flatten(2) @ weights.transpose(1, 2))[..., None]
        query = block.f_pixel(features).flatten(2).transpose(1, 2)
        key, value = block.f_object(region).flatten(2), block.f_down(region).flatten(2)
        attention = (query @ key * key.shape[1] ** -0.5).softmax(dim=-1)
        learnt = (attention @ value.transpose(1, 2)).transpose(1, 2).contiguous()
        learnt = block.f_up(learnt.unflatten(2, features.shape[-2:]))
        return self.context.conv_bn_dropout(torch.cat([learnt, features], dim=1))


class StraightRun:
    """A copy of a network, its batch norms not folded, and how a profile without BRS shows it."""

    def __init__(self, network: ClickModel, profile: Profile) -> None:
        self.network, self.profile = copy.deepcopy(network), profile
        for module in list(self.network.modules()):
            for name, child in module.named_children():
                if isinstance(child, ObjectContext):
                    setattr(module, name, FullAttention(child))

    @torch.no_grad()
    def __call__(self, session: Session, roi: Box | None) -> TileMap:
        """Probabilities after the session's latest click, seen in a region."""
        size = session.shape if roi is None else self.profile.zoom_in.view_size(roi)
        box = Box.of_shape(session.shape) if roi is None else roi
        spec = self.network.spec
        view = VIEWS[self.profile.sampling].sized(box, size, spec.stride)
        image = view.read_image(session.reader, session.contrast_limits)
        prev = view.read_mask(session.probabilities) if spec.takes_prev_mask else None
        seen = [view.place(click) for click in session.interactions]
        maps = self.network.encode(seen, view.size)
        if self.profile.flip:
            last = view.size[1] - 1
            mirrored = [replace(click, col=last - click.col) for click in seen]
            image = torch.cat([image, image.flip(-1)])
            maps = torch.cat([maps, self.network.encode(mirrored, view.size)])
            prev = None if prev is None else torch.cat([prev, prev.flip(-1)])
        logits = self._logits(Inputs(image, maps, prev))
        if self.profile.flip:
            logits = (logits[:1] + logits[1:].flip(-1)) / 2
        canvas = session.probabilities
        return view.paste(canvas if roi is None else TileMap(canvas.shape), logits)

    def _logits(self, inputs: Inputs) -> Tensor:
        """With the auxiliary output where the published network gives one."""
        if isinstance(self.network, HRNetModel):
            return self.network.logits_and_aux(inputs)[0]
        return self.network(inputs)
