"""From the interactions of a session to its probabilities: one prediction, walked in one direction.

interactions -> view (where to look) -> read -> contrast -> model -> paste back -> post-process.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from ..data.readers import ImageReader
from ..geometry import Box
from ..interactions import BoxPrompt, Click, Contour, Interaction, Stroke
from ..models.base import ClickModel, Inputs
from .brs import KINDS as BRS_KINDS
from .brs import Copy, Refinement, refine
from .cancel import stop_if
from .contrast import black_and_white
from .postprocess import honour_clicks
from .profiles import NO_BRS, Profile
from .session import Session
from .views import VIEWS, View
from .zoom_in import fit_size

__all__ = ["Predictor"]

T = TypeVar("T")
Stop = Callable[[], bool] | None

KINDS = {Click: "click", Stroke: "stroke", Contour: "contour", BoxPrompt: "box"}
REMEMBERED = 12  # images and features of recent views; some MB each


class Predictor:
    """One model under one profile. Sessions go in and come out; nothing of them is kept here.

    What can be computed again (the image in a view, its features) is remembered for recent views,
    as long as the image's reader lives.
    Use a predictor from one thread at a time.

    Parameters
    ----------
    model : ClickModel
        Is put into evaluation mode.
    profile : Profile

    Raises
    ------
    ValueError
        If the profile asks for a kind of refinement (BRS) that there is not.
    """

    def __init__(self, model: ClickModel, profile: Profile) -> None:
        if profile.brs not in (NO_BRS, *model.spec.brs):
            raise ValueError(
                f"The refinement {profile.brs!r} is not available for {model.spec.architecture}. "
                f"Use brs= one of {', '.join((NO_BRS, *model.spec.brs))}."
            )
        self.model = model.eval()
        self.profile = profile
        self._memory: OrderedDict[tuple, tuple[weakref.ref, object]] = OrderedDict()

    def start(self, reader: ImageReader, contrast_limits: Sequence[float] | None = None) -> Session:
        """A session of a new object.

        Parameters
        ----------
        reader : ImageReader
        contrast_limits : (float, float), optional
            Image values shown as black and white; see `contrast.black_and_white` for None.

        Raises
        ------
        ValueError
            If the limits are not two rising numbers.
        """
        return Session.of_image(reader, black_and_white(reader, contrast_limits))

    def check(self, interaction: Interaction) -> None:
        """Raise ValueError if the model was not trained on this kind of interaction."""
        kind, known = KINDS[type(interaction)], sorted(self.model.spec.interactions)
        if kind not in known:
            raise ValueError(
                f"The model {self.model.spec.architecture} does not take a {kind}, only "
                f"{' and '.join(known)}. Use that, or choose a model trained on other interactions."
            )

    def run(self, session: Session, cancelled: Stop = None) -> Session:
        """The session with probabilities that know of all its interactions.

        Parameters
        ----------
        session : Session
            Is not changed; it comes back as it is if there is nothing new to predict.
        cancelled : callable, optional
            Asked before each network call.

        Raises
        ------
        Cancelled
            If `cancelled` answered true.
        ValueError
            If the model does not take a kind of interaction.
        """
        if session.predicted == len(session.interactions):
            return session
        for interaction in session.interactions:
            self.check(interaction)
        seen = replace(session, predicted=len(session.interactions))
        if self.profile.honour_clicks and self._only_background(session):
            return seen
        looked = self._look_until_settled(seen, cancelled)
        if self.profile.honour_clicks:
            kept = honour_clicks(looked.probabilities, looked.interactions)
            looked = replace(looked, probabilities=kept)
        return looked

    def _only_background(self, session: Session) -> bool:
        """Whether there is neither a mask nor anything that says where the object is."""
        if any(item.positive for item in session.interactions):
            return False
        return session.probabilities.bounding_box(self.profile.threshold) is None

    def _look_until_settled(self, session: Session, cancelled: Stop) -> Session:
        """Look, and look elsewhere as long as the rule of ZoomIn asks for it.

        Each look is shown the mask from before the new interactions, as in training.
        """
        zoom_in, before = self.profile.zoom_in, session
        if zoom_in is None:
            return self._look(before, session, None, cancelled)
        roi, zoomed = zoom_in.choose(session), 0
        while True:
            session = self._look(before, session, roi, cancelled)
            zoomed += roi is not None
            roi = zoom_in.settle(session, zoomed)
            if roi == session.roi:
                return session

    def _look(self, before: Session, session: Session, roi: Box | None, cancelled: Stop) -> Session:
        """The session after one look at a region (None: the whole image)."""
        view = self._view(session.shape, roi)
        logits, refinement = self._logits(before, view, cancelled)
        canvas = session.probabilities
        if roi is not None and self.profile.zoom_in is not None:
            canvas = self.profile.zoom_in.canvas(canvas)
        kept = view.paste(canvas, logits)
        return replace(session, probabilities=kept, roi=roi, refinement=refinement)

    def _view(self, shape: tuple[int, int], roi: Box | None) -> View:
        """How a region (None: the whole image) is shown to the network."""
        profile, spec = self.profile, self.model.spec
        box = Box.of_shape(shape) if roi is None else roi
        if spec.fixed_size is not None:
            return VIEWS[profile.sampling](box, spec.fixed_size)
        if roi is not None and profile.zoom_in is not None:
            size = profile.zoom_in.view_size(roi)
        elif profile.network_size is not None:
            size = fit_size(shape, profile.network_size, profile.max_enlargement, least=32)
        else:
            size = shape
        return VIEWS[profile.sampling].sized(box, size, spec.stride)

    @torch.no_grad()  # not inference_mode: refinement differentiates through what is remembered
    def _logits(
        self, session: Session, view: View, cancelled: Stop
    ) -> tuple[Tensor, Refinement | None]:
        """Logits ``(1, 1, h, w)`` of a view, averaged with its mirrored copy if `flip` is on."""
        device, spec, brs = self.model.device, self.model.spec, self.profile.brs
        image = self._remember(
            session, (view,), lambda: view.read_image(session.reader, session.contrast_limits)
        ).to(device)
        prev = view.read_mask(session.probabilities).to(device) if spec.takes_prev_mask else None
        placed = [view.place(item) for item in session.interactions]
        seen = placed[: self.profile.max_clicks if brs == NO_BRS else BRS_KINDS[brs].max_clicks]
        copies = []
        for mirrored in (False, True) if self.profile.flip else (False,):
            inputs = Inputs(
                _mirror(image, mirrored),
                self.model.encode([_turn(item, mirrored, view) for item in seen], view.size),
                None if prev is None else _mirror(prev, mirrored),
            )
            copies.append(Copy(inputs, mirrored))
        refinement = None
        if brs == NO_BRS:
            answers = []
            for copy in copies:
                stop_if(cancelled)
                answers.append(self._predict(session, view, copy))
        else:
            answers, refinement = refine(
                self.model,
                brs,
                copies,
                [item for item in placed if isinstance(item, Click)],
                session.refinement,
                view,
                self.profile.threshold,
                self.profile.brs_evaluations,
                self.profile.brs_min_change,
                cancelled,
            )
        return torch.cat(answers).mean(dim=0, keepdim=True), refinement

    def _predict(self, session: Session, view: View, copy: Copy) -> Tensor:
        """Logits of one copy, turned back, from remembered features where the model has some."""
        split, inputs = self.model.spec.cached, copy.inputs
        if split is None:
            return _mirror(self.model(inputs), copy.mirrored)
        features = self._remember(
            session, (view, split, copy.mirrored), lambda: self.model.before(split, inputs)
        )
        return _mirror(self.model.after(split, features, inputs), copy.mirrored)

    def forget(self, reader: ImageReader) -> None:
        """Drop all that is remembered of an image, such as one that is not worked on any more."""
        self._drop(lambda other: other is None or other is reader)

    def _drop(self, unwanted: Callable[[ImageReader | None], bool]) -> None:
        """Drop the values of unwanted readers; None stands for one that is gone."""
        for key, (reader, _) in list(self._memory.items()):
            if unwanted(reader()):
                del self._memory[key]

    def _remember(self, session: Session, what: tuple, make: Callable[[], T]) -> T:
        """What was made for this image before, or make it; the least recent is forgotten."""
        # Only a weak reference is kept: readers hold images. Values of readers that are gone go
        # first, so that their id does not stand for another reader.
        self._drop(lambda reader: reader is None)
        key = (id(session.reader), session.contrast_limits, *what)
        if key not in self._memory:
            self._memory[key] = (weakref.ref(session.reader), make())
            if len(self._memory) > REMEMBERED:
                self._memory.popitem(last=False)
        self._memory.move_to_end(key)
        return self._memory[key][1]  # type: ignore[return-value]


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
