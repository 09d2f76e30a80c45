"""`Segmenter`: from clicks to a mask, for scripts and notebooks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..data.readers import as_reader
from ..geometry import Box
from ..interactions import BoxPrompt, Click, Contour, Interaction, Stroke
from ..models.base import ClickModel
from .mask_rule import MaskRule
from .predictor import Predictor
from .profiles import Profile, get_profile
from .session import History
from .tiles import MaskView, TileMap

__all__ = ["Segmenter"]

DENSE_PIXELS = 64 * 2**20  # masks of larger images are given as tiles, not as arrays
NOTHING = Box(0, 0, 0, 0)


class Segmenter:
    """Segment one object after the other in an image, click by click.

    Parameters
    ----------
    model : ClickModel, str or path
        A model, a name in the zoo or a checkpoint's path.
    profile : Profile or str, optional
        How to predict; by default what the model was made for.
    **overrides
        Single fields of the profile: ``threshold=0.6``, ``flip=True``, ``zoom_in=None`` (off), True
        or a mapping of `ZoomIn` fields, ``brs="NoBRS"``, ``tiling=Tiling(512, 128)``, ...

    Raises
    ------
    ValueError
        If the model, the profile or an option cannot be used; the message says why.

    Examples
    --------
    >>> seg = Segmenter("clickseg-compact", threshold=0.6)      # doctest: +SKIP
    >>> seg.set_image(image)                                    # doctest: +SKIP
    >>> seg.click(120, 200)                                     # doctest: +SKIP
    Box(top=80, left=150, bottom=170, right=260)
    """

    def __init__(
        self,
        model: ClickModel | str | os.PathLike[str],
        profile: Profile | str | None = None,
        **overrides: Any,
    ) -> None:
        if isinstance(model, str | os.PathLike):
            from ..models.zoo import load_model

            model = load_model(model)
        if not isinstance(model, ClickModel):
            raise ValueError(
                f"{model!r:.80} is not a model. Give a zoo name, a path, or what load_model "
                "returned."
            )
        if not isinstance(profile, Profile):
            profile = get_profile(model.spec.profile if profile is None else profile)
        self.profile = profile.override(**overrides)
        self.predictor = Predictor(model, self.profile)
        self._rule = MaskRule.of(self.profile)
        self._history: History | None = None

    @property
    def history(self) -> History:
        """The session now, and those before and after it.

        Raises
        ------
        ValueError
            If no image is set.
        """
        if self._history is None:
            raise ValueError("There is no image yet. Call set_image(image) first.")
        return self._history

    def set_image(self, image: Any, contrast_limits: Sequence[float] | None = None) -> None:
        """Take an image and forget the object before.

        Parameters
        ----------
        image : array, sequence of arrays or ImageReader
            ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of any real dtype, or multiscale levels.
        contrast_limits : (float, float), optional
            Values seen as black and white; by default the dtype's range or percentiles.

        Raises
        ------
        ValueError
            If it cannot be an image, or the limits are not two rising numbers.
        """
        fresh = History(self.predictor.start(as_reader(image), contrast_limits))
        before, self._history = self._history, fresh
        if before is not None:
            self.predictor.forget(before.present.reader)

    @property
    def probabilities(self) -> np.ndarray | TileMap:
        """``(H, W)`` float32, 0..1; beyond 64 megapixels a sliceable map kept as tiles."""
        tiles = self.history.present.probabilities
        return np.asarray(tiles) if tiles.size <= DENSE_PIXELS else tiles

    @property
    def mask(self) -> np.ndarray | MaskView:
        """``(H, W)`` bool; beyond 64 megapixels a sliceable map kept as tiles."""
        view = self._rule.view(self.history.present)
        return np.asarray(view) if view.size <= DENSE_PIXELS else view

    def click(
        self,
        row: float,
        col: float,
        positive: bool = True,
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> Box:
        """Click on the object (positive) or on the background.

        Parameters
        ----------
        row, col : float
            In image pixels; the centre of the first pixel is (0, 0).
        positive : bool
        cancelled : callable, optional
            Asked before each network call; a true answer raises `Cancelled` and changes nothing.

        Returns
        -------
        Box
            Smallest half-open box of the pixels whose probability changed, or that were cleaned
            otherwise than before; empty if there are none.

        Raises
        ------
        ValueError
            If the click is outside the image.
        """
        return self._say(Click(row, col, positive), cancelled)

    def stroke(
        self,
        points: Iterable[tuple[float, float]],
        positive: bool = True,
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> Box:
        """Draw an open line of ``(row, col)`` points; see `click`.

        A model that takes clicks only is shown clicks along it.

        Raises
        ------
        ValueError
            If the model takes neither strokes nor clicks, or there are fewer than two points.
        """
        return self._say(Stroke(points, positive), cancelled)

    def contour(
        self,
        points: Iterable[tuple[float, float]],
        positive: bool = True,
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> Box:
        """Draw a closed line of ``(row, col)`` points; see `click`.

        A model that takes clicks only corrects what was drawn.

        Raises
        ------
        ValueError
            If the model takes neither contours nor clicks, or there are fewer than three points.
        """
        return self._say(Contour(points, positive), cancelled)

    def box(self, box: Box, *, cancelled: Callable[[], bool] | None = None) -> Box:
        """Draw a box around the object; see `click`.

        A model that takes clicks only looks for the object inside.

        Raises
        ------
        ValueError
            If the model takes neither boxes nor clicks.
        """
        return self._say(BoxPrompt(box), cancelled)

    def _say(self, interaction: Interaction, cancelled: Callable[[], bool] | None) -> Box:
        self.predictor.check(interaction)
        session = self.predictor.run(self.history.present.add(interaction), cancelled)
        for finer in self.predictor.follow_edges(session, cancelled):
            session = finer
        return self._move(self.history.do(session))

    def undo(self) -> Box:
        """Take back the last click or mask; returns the box of what changed, empty if nothing."""
        return self._move(self.history.undo())

    def redo(self) -> Box:
        """Do again what was undone; returns the box of what changed, empty if nothing."""
        return self._move(self.history.redo())

    def reset(self) -> Box:
        """Forget the object, its clicks and undo steps; the image stays. Returns what changed."""
        present = self.history.present
        return self._move(History(self.predictor.start(present.reader, present.contrast_limits)))

    def set_mask(self, mask: np.ndarray | Sequence[Sequence[float]]) -> Box:
        """Start the object from an existing mask; can be undone. Returns what changed.

        Parameters
        ----------
        mask : (H, W) array or nested lists
            Non-zero is object.

        Raises
        ------
        ValueError
            If the shape is not the image's, or the model does not look at masks.
        """
        spec = self.predictor.model.spec
        if not spec.takes_prev_mask:
            raise ValueError(
                f"The model {spec.architecture} does not look at an existing mask. "
                "Choose one that takes the previous mask."
            )
        return self._move(self.history.do(self.history.present.with_mask(mask)))

    def confine(self, box: Box | None) -> Box:
        """Confine the object to a box: nothing outside is looked at or changed; can be undone.

        Parameters
        ----------
        box : Box or None
            In image pixels; None allows the whole image again. Returns what changed: the mask
            outside the box is gone.

        Raises
        ------
        ValueError
            If the box lies outside the image, or a click outside the box.
        """
        return self._move(self.history.do(self.history.present.confine(box)))

    def _move(self, history: History) -> Box:
        """Make a history the present one; returns the box of the probabilities that differ."""
        before, self._history = self.history.present, history
        return self._rule.apply(history.present).changed_box(self._rule.apply(before)) or NOTHING
