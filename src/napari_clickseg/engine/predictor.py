"""From the interactions of a session to its probabilities: one prediction, walked in one direction.

interactions -> view (where to look) -> read -> contrast -> model -> paste back -> post-process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from ..data.readers import ImageReader
from ..geometry import Box
from ..interactions import Click, Interaction
from ..models.base import ClickModel
from ..models.staged import SeveralModels
from .as_clicks import as_clicks, confinement, unknown_contours
from .changes import changed_region, corrected_region
from .contrast import black_and_white
from .descent import Descent
from .enclosed import only_near
from .network import Network
from .postprocess import honour_clicks
from .profiles import NO_BRS, Profile
from .session import Session, only_inside, within
from .specks import without_specks
from .tiles import TILE, TileMap
from .views import NEGLIGIBLE

__all__ = ["Predictor"]

Stop = Callable[[], bool] | None

FINE = 0.375  # network pixels per image pixel from which on an answer has detail enough
MOST_STEPS = 256  # in which an answer gets its detail
FEW_PIXELS = 20  # an adaptive cascade ends once no more of them change
MORE_LOOKS = 2  # at what began with a contour drawn as a mask, too rough for one


class Predictor:
    """One model under one profile. Sessions go in and come out; nothing of them is kept here.

    What can be computed again (the image in a view, its features) is remembered for recent views,
    as long as the image's reader lives (see `Network`). Use a predictor from one thread at a time.

    Parameters
    ----------
    model : ClickModel
        Is put into evaluation mode.
    profile : Profile

    Raises
    ------
    ValueError
        If the profile asks for a kind of refinement (BRS) that there is not, or the weights are
        not float32.
    """

    keeps_detail = True  # of a mask that is there, where an answer at a small scale agrees with it

    def __init__(self, model: ClickModel, profile: Profile) -> None:
        if profile.brs not in (NO_BRS, *model.spec.brs):
            reason = (
                "it is made of several networks, and what refinement learns belongs to one"
                if isinstance(model, SeveralModels)
                else "the network has no place where it could act"
            )
            raise ValueError(
                f"The refinement {profile.brs!r} is not available for {model.spec.architecture}: "
                f"{reason}. Use brs= one of {', '.join((NO_BRS, *model.spec.brs))}."
            )
        for name, weight in model.named_parameters():
            if weight.is_floating_point() and weight.dtype != torch.float32:
                raise ValueError(
                    f"The model's weights are {str(weight.dtype).removeprefix('torch.')} (first: "
                    f"{name}), and prediction works in float32. Call model.float() first; for "
                    "speed use bfloat16=True."
                )
        self.model = model.eval()
        self.profile = profile
        self._network = Network(model, profile)

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
        """Raise ValueError if the model takes neither this kind of interaction nor clicks for it.

        See `as_clicks` for what a model of clicks is shown of strokes, contours and boxes.
        """
        kind, known = interaction.kind, sorted(self.model.spec.interactions)
        if kind not in known and Click.kind not in known:
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
        kinds, said = self.model.spec.interactions, session.interactions
        seen = as_clicks(session, kinds, crop=self.profile.zoom_in is None)
        if not (self.profile.honour_clicks and self._only_background(seen)):
            drawn = unknown_contours(session, kinds)
            seen = self._cascade(seen, MORE_LOOKS * bool(drawn), cancelled)
            seen = only_near(session, seen, drawn)
            if self.profile.honour_clicks:
                seen = replace(seen, probabilities=honour_clicks(seen.probabilities, said))
        region, kept = confinement(session), seen.probabilities
        if region != session.region:
            kept = only_inside(kept, region)
        return replace(
            session,
            probabilities=kept,
            predicted=len(said),
            asked=(*session.asked, len(said)),
            roi=seen.roi,
            refinement=seen.refinement,
            coarse=seen.coarse,
        )

    def picture(self, session: Session, longest: int = 192) -> np.ndarray | None:
        """What the network was shown of the image at its last look.

        Parameters
        ----------
        session : Session
            What `run` returned.
        longest : int
            Longer side of the picture, in pixels; it is only made smaller.

        Returns
        -------
        (h, w, 3) uint8 array or None
            None where the network was not asked yet, or looks at the image in tiles.
        """
        looked = session.predicted and not self._only_background(session)
        known = looked and self.profile.tiling is None
        return self._network.picture(session, longest) if known else None

    def forget(self, reader: ImageReader) -> None:
        """Drop all that is remembered of an image, such as one that is not worked on any more."""
        self._network.forget(reader)

    def _cascade(self, session: Session, more: int, cancelled: Stop) -> Session:
        """Predict, and let the network correct its own answer as often as the profile says.

        With `more`, at least so often.

        References
        ----------
        S. Sun et al., "CFR-ICL: Cascade-forward refinement with iterative click loss for
        interactive image segmentation", AAAI 2024, section 3.1.
        """
        early = len(session.interactions) <= self.profile.cascade_clicks
        for step in range(1 + max(more, self.profile.cascade_steps * early)):
            before, session = session, self._look_until_settled(session, cancelled)
            if step and self.profile.cascade_adaptive and self._few_changed(before, session):
                break
        return session

    def _few_changed(self, before: Session, after: Session) -> bool:
        """Whether the masks of two sessions hardly differ."""
        box = after.probabilities.changed_box(before.probabilities)
        if box is None:
            return True
        threshold = self.profile.threshold
        changed = before.mask(threshold, box) != after.mask(threshold, box)
        return int(changed.sum()) <= FEW_PIXELS

    def _only_background(self, session: Session) -> bool:
        """Whether there is neither a mask nor anything that says where the object is."""
        told = any(item.positive for item in session.interactions)
        return not told and session.probabilities.bounding_box(self.profile.threshold) is None

    def _look_until_settled(self, session: Session, cancelled: Stop) -> Session:
        """Look, and look elsewhere as long as the rule of ZoomIn asks for it.

        Each look is shown the mask from before the new interactions, as in training.
        """
        start, zoom_in, region = session, self.profile.zoom_in, session.region
        mask = start.probabilities
        if not self.profile.mask_feedback and session.start_mask is not None:
            mask = session.start_mask
        if self.profile.tiling is not None:
            return self._look_by_tiles(mask, session, cancelled)
        if zoom_in is None:
            return self._look(start, mask, session, region, cancelled)
        counted = self._network.counted(session.interactions)
        searching = mask.bounding_box(zoom_in.threshold) is None
        roi, zoomed = within(region, zoom_in.choose(session, counted)), 0
        while True:
            glance = searching and zoom_in.search_size is not None and roi not in (None, region)
            session = self._look(start, mask, session, roi, cancelled, glance)
            zoomed += roi not in (None, region) and not searching
            roi, searching = zoom_in.settle(session, counted, zoomed, searching)
            roi = within(region, roi)
            if roi == session.roi and not glance:
                return session

    def _look(
        self,
        start: Session,
        mask: TileMap,
        session: Session,
        roi: Box | None,
        cancelled: Stop,
        glance: bool = False,
    ) -> Session:
        """The session after one look at a region (None: the whole image).

        The network is shown `mask` as the mask so far; `start` is the session before all looks. A
        glance is quick: small, and as the network answers at once.
        """
        view = self._network.view(session, roi, glance)
        logits, refinement = self._network.look(session, mask, view, cancelled, glance)
        canvas, coarse, where = session.probabilities, session.coarse, None
        detailed = self.profile.follow_edges and min(view.scale) < FINE
        keeps, corrects = detailed and self.keeps_detail, self._corrects(start)
        if corrects or (keeps and start.probabilities.bounding_box(0.5) is not None):
            canvas, coarse = start.probabilities, start.coarse
            counts = corrected_region if corrects else changed_region
            where = counts(view, canvas, logits, session.interactions[-1])
        elif roi is not None:
            zoom_in = self.profile.zoom_in
            canvas = TileMap(session.shape) if zoom_in is None else zoom_in.canvas(canvas)
        kept = view.paste(canvas, logits, where)
        if self.profile.follow_edges:
            changed = kept.changed_tiles(canvas)
            coarse = {key: scale for key, scale in coarse.items() if key not in changed}
            coarse |= dict.fromkeys(changed, min(view.scale)) if detailed else {}
        return replace(session, probabilities=kept, roi=roi, refinement=refinement, coarse=coarse)

    def _corrects(self, session: Session) -> bool:
        """Whether the one new interaction is a click that an existing mask has wrong."""
        latest = session.interactions[-1]
        if not self.profile.correct_locally or session.start_mask is None:
            return False
        if not isinstance(latest, Click) or session.predicted + 1 != len(session.interactions):
            return False
        row, col = latest.pixel
        place = Box(row, col, row + 1, col + 1)
        return latest.positive != bool(session.mask(self.profile.threshold, place).any())

    def _look_by_tiles(self, mask: TileMap, session: Session, cancelled: Stop) -> Session:
        """The session after all tiles of the image, or of its region, were looked at."""
        canvas, box = TileMap(session.shape), session.region or Box.of_shape(session.shape)
        for tile, weights in self.profile.tiling.cover(box):
            view = self._network.view(session, tile)
            logits, _ = self._network.look(session, mask, view, cancelled)
            answer = view.answer(logits)
            if answer.max() >= NEGLIGIBLE:
                canvas = canvas.paste(tile, canvas.read(tile) + weights * answer)
        return replace(session, probabilities=canvas, roi=None, refinement=None, coarse={})

    def follow_edges(
        self, session: Session, cancelled: Stop = None, first: Sequence[Box] = ()
    ) -> Iterator[Session]:
        """The session with more and more of its boundary at full resolution.

        Parameters
        ----------
        session : Session
            What `run` returned.
        cancelled : callable, optional
            Asked before each part; the sessions that came before stay good.
        first : sequence of Box
            What is done first, such as what the user sees.

        Raises
        ------
        Cancelled
            If `cancelled` answered true.
        """
        if not session.coarse:
            return
        clicks = [item for item in session.interactions if isinstance(item, Click)]
        region = confinement(session)
        descent = Descent(
            session.reader,
            session.contrast_limits,
            session.probabilities,
            session.coarse,
            clicks if self.profile.honour_clicks else [],
            first,
        )
        answer, scales = session.probabilities, session.coarse
        enough, done = max(1, len(scales) // MOST_STEPS), []
        parts: list[tuple[Box, np.ndarray]] = []
        for box, values in descent.run(cancelled):
            inside = box if region is None else box.intersect(region)
            done.append((box.top // TILE, box.left // TILE))
            if not inside.empty:
                parts.append((inside, values[inside.shift(-box.top, -box.left).slices]))
            if len(parts) == enough:
                session, parts = _with_parts(session, parts), []
                yield session
        session = _with_parts(session, parts)
        parts = without_specks(session.probabilities, answer, done, scales, clicks, cancelled)
        yield replace(_with_parts(session, parts), coarse={})


def _with_parts(session: Session, parts: Sequence[tuple[Box, np.ndarray]]) -> Session:
    """The session with finished parts of its boundary, each within one tile."""
    done = {(box.top // TILE, box.left // TILE) for box, _ in parts}
    return replace(
        session,
        probabilities=session.probabilities.paste_parts(parts),
        coarse={key: scale for key, scale in session.coarse.items() if key not in done},
    )
