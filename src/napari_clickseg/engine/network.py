"""One look of the network: a view and what was said about it become logits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ..cancel import stop_if
from ..data.readers import ImageReader
from ..geometry import Box
from ..interactions import BoxPrompt, Click, Interaction
from ..models.base import MAPS, PREV, ClickModel, Inputs
from ..models.device import has_bfloat16
from .brs import KINDS as BRS_KINDS
from .brs import Copy, Refinement, refine
from .memory import Memory
from .profiles import NO_BRS, Profile
from .session import Session
from .tiles import TileMap
from .together import together
from .views import VIEWS, View
from .zoom_in import fit_size

__all__ = ["Network"]

REMEMBERED = 12  # images and features of recent views
Stop = Callable[[], bool] | None


class Network:
    """A model as a profile uses it: with mirrored copies, refinement and remembered features.

    Parameters
    ----------
    model : ClickModel
    profile : Profile
    """

    def __init__(self, model: ClickModel, profile: Profile) -> None:
        self.model, self.profile = model, profile
        self.memory = Memory(REMEMBERED)

    def counted(self, interactions: Sequence[Interaction]) -> list[Interaction]:
        """Those interactions that count, oldest first: all, or the latest and all clicks."""
        if self.profile.accumulate:
            return list(interactions)
        return [i for i in interactions[:-1] if isinstance(i, Click)] + list(interactions[-1:])

    def _shown(self, interactions: Sequence[Interaction]) -> list[Interaction]:
        """Those of them that the network is shown: lines always, of clicks the oldest."""
        number = itertools.count()
        return [
            item
            for item in self.counted(interactions)
            if not isinstance(item, Click) or next(number) < self._most_clicks
        ]

    @property
    def _most_clicks(self) -> float:
        """How many clicks the network is shown at most."""
        most = self.profile.max_clicks
        if most is None and self.profile.brs != NO_BRS:
            most = BRS_KINDS[self.profile.brs].max_clicks
        return math.inf if most is None else most

    def chosen(self, session: Session) -> ClickModel:
        """The network that answers, by those interactions that the model takes."""
        known = [i for i in session.interactions if i.kind in self.model.spec.interactions]
        return self.model.choose(known, session.offset)

    def view(self, session: Session, roi: Box | None, glance: bool = False) -> View:
        """How a region (None: the whole image) is shown to the network."""
        profile, spec = self.profile, self.chosen(session).spec
        view = VIEWS[profile.sampling]
        box = Box.of_shape(session.shape) if roi is None else roi
        if spec.fixed_size is not None:
            return view(box, spec.fixed_size)
        if profile.tiling is not None:
            return view.sized(box, box.shape, spec.stride)
        if profile.fixed_size is not None:
            size = profile.fixed_size
        elif roi is not None and profile.zoom_in is not None:
            size = profile.zoom_in.view_size(roi)
            if glance:
                size = fit_size(size, min(max(size), profile.zoom_in.search_size), least=32)
            if profile.zoom_in.limited and profile.network_size is not None:
                size = fit_size(size, min(max(size), profile.network_size), least=32)
        elif profile.network_size is not None:
            size = fit_size(box.shape, profile.network_size, profile.max_enlargement, least=32)
        else:
            size = box.shape
        return view.sized(box, size, spec.stride)

    def picture(self, session: Session, longest: int) -> np.ndarray:
        """The image of the last look as ``(h, w, 3)`` uint8, its longer side no more than asked."""
        view = self.view(session, session.roi)
        image = self._image(session, view)
        if max(view.size) > longest:
            image = interpolate(image, fit_size(view.size, longest), mode="area")
        return (image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()

    def _image(self, session: Session, view: View) -> Tensor:
        """The image in a view, ``(1, 3, h, w)`` float32, as it is remembered."""
        limits = session.contrast_limits
        return self.memory.recall(
            session.reader, (limits, view), lambda: view.read_image(session.reader, limits)
        )

    # not inference_mode: refinement differentiates through what is remembered
    @torch.no_grad()
    def look(
        self,
        session: Session,
        mask: TileMap,
        view: View,
        cancelled: Stop,
        glance: bool = False,
    ) -> tuple[Tensor, Refinement | None]:
        """Logits ``(1, 1, h, w)`` of a view, averaged with its mirrored copy if `flip` is on.

        For f-BRS, what is before the split is computed anew for each click where the network takes
        the mask so far; the published code keeps it from the eighth click on while the view stays,
        and so goes on with the mask of that click.

        Parameters
        ----------
        session : Session
        mask : TileMap
            What the network is shown as the mask so far.
        view : View
        cancelled : callable, optional
            Asked before each network call.
        glance : bool
            Neither mirror nor refine; what refinement found before is handed back.
        """
        offset = session.offset
        net, brs = self.chosen(session), self.profile.brs
        device = net.device
        image = self._image(session, view).to(device)
        prev = view.read_mask(mask).to(device) if net.spec.takes_prev_mask else None
        # A network made for one kind knows of the others from the mask so far.
        known = [i for i in self._shown(session.interactions) if i.kind in net.spec.interactions]
        seen = [view.place(item) for item in known]
        copies = []
        for mirrored in (False, True) if self.profile.flip and not glance else (False,):
            maps = net.encode([_turn(item, mirrored, view) for item in seen], view.size, offset)
            mask_so_far = None if prev is None else _fast(_mirror(prev, mirrored))
            inputs = Inputs(_fast(_mirror(image, mirrored)), _fast(maps), mask_so_far)
            copies.append(Copy(inputs, mirrored))
        refinement = session.refinement if glance else None
        if brs == NO_BRS or glance:
            answers = together(
                [partial(self._predict, session, net, view, copy, cancelled) for copy in copies],
                device,
            )
        else:
            split = net.splits[net.spec.brs[brs]]
            placed = [view.place(i) for i in session.interactions if isinstance(i, Click)]
            # Worth remembering is what will be the same for the next click.
            repeats = MAPS not in split.depends or len(placed) >= self._most_clicks
            repeats = repeats and (PREV not in split.depends or prev is None)
            said = (offset, *seen) if MAPS in split.depends else ()
            tensors = [
                self._before(session, net, view, split.name, copy, said)
                if repeats
                else net.before(split.name, copy.inputs)
                for copy in copies
            ]
            answers, refinement = refine(
                net, brs, copies, tensors, placed, session.refinement, view, self.profile, cancelled
            )
        return torch.cat(answers).mean(dim=0, keepdim=True), refinement

    def _predict(
        self, session: Session, net: ClickModel, view: View, copy: Copy, cancelled: Stop
    ) -> Tensor:
        """Logits of one copy, turned back, from remembered features where the model has some."""
        stop_if(cancelled)
        split, inputs = net.spec.cached, copy.inputs
        with self._precision(net.device):
            if split is None:
                logits = net(inputs)
            else:
                features = self._before(session, net, view, split, copy)
                logits = net.after(split, features, inputs)
        return _mirror(logits.float(), copy.mirrored)

    def _before(
        self,
        session: Session,
        net: ClickModel,
        view: View,
        split: str,
        copy: Copy,
        said: tuple[object, ...] = (),
    ) -> dict[str, Tensor]:
        """What is before a split, remembered for the view and for what else it depends on."""
        return self.memory.recall(
            session.reader,
            (session.contrast_limits, view, id(net), split, copy.mirrored, *said),
            lambda: net.before(split, copy.inputs),
        )

    def _precision(self, device: torch.device) -> torch.autocast | nullcontext:
        if self.profile.bfloat16 and has_bfloat16(device):
            return torch.autocast(device.type, torch.bfloat16)
        return nullcontext()

    def forget(self, reader: ImageReader) -> None:
        """Drop all that is remembered of an image."""
        self.memory.forget(reader)


def _fast(tensor: Tensor) -> Tensor:
    """The tensor in the order in memory that convolutions are fastest with."""
    return tensor.contiguous(memory_format=torch.channels_last)


def _mirror(tensor: Tensor, mirrored: bool) -> Tensor:
    """The tensor, or its left-right mirrored copy."""
    return tensor.flip(-1) if mirrored else tensor


def _turn(interaction: Interaction, mirrored: bool, view: View) -> Interaction:
    """An interaction in view pixels, or where it is in the mirrored view."""
    if not mirrored:
        return interaction
    last = view.size[1] - 1
    if isinstance(interaction, Click):
        return replace(interaction, col=last - interaction.col)
    if isinstance(interaction, BoxPrompt):
        b = interaction.box
        return BoxPrompt(Box(b.top, last + 1 - b.right, b.bottom, last + 1 - b.left))
    return replace(interaction, points=tuple((r, last - c) for r, c in interaction.points))
