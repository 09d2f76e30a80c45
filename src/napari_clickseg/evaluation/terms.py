"""On what terms objects are clicked: how often, until when, at what size."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Terms"]


@dataclass(frozen=True)
class Terms:
    """What an evaluation fixes, beside the model and the data.

    Parameters
    ----------
    n_clicks : int
        The most interactions that an object gets.
    target_iou : float
        Clicking stops from this IoU on; above 1, only a mask without any error stops.
    min_clicks : int
        But not before this many. A mask without any error always stops: its user has nothing to
        click on.
    boundary : float or None
        Boundary IoU is measured with a boundary of this width: below 1 as a part of the image's
        diagonal, from 1 on in pixels. None does not measure it.
    max_size : int or None
        Images with a longer side are reduced to this many pixels for the model and the user; the
        mask is brought back to the image's size and measured there (as SAIC-IS does).
    resize : (int, int) or None
        Images that are wider or higher than this width and height are brought to it, with their
        masks, and measured at that size (as Interactive Avalanche Segmentation does).

    Raises
    ------
    ValueError
        If a number makes no sense.
    """

    n_clicks: int = 20
    target_iou: float = 0.9
    min_clicks: int = 1
    boundary: float | None = None
    max_size: int | None = None
    resize: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.n_clicks < 1 or not 1 <= self.min_clicks <= self.n_clicks:
            raise ValueError(
                f"Between {self.min_clicks} and {self.n_clicks} clicks per object cannot be "
                "placed. Both numbers must be 1 or more, the second not below the first."
            )
        if not 0 < self.target_iou < math.inf:
            raise ValueError(
                f"A target IoU of {self.target_iou} is no target. Give one such as 0.9."
            )
        if self.boundary is not None and not 0 < self.boundary < math.inf:
            raise ValueError(
                f"A boundary of width {self.boundary} is empty. Give a part of the diagonal such "
                "as 0.005, or a number of pixels."
            )
        if self.max_size is not None and self.resize is not None:
            raise ValueError("Images are either brought to a size or to a longest side. Give one.")
        for side in (self.max_size, *(self.resize or ())):
            if side is not None and side < 1:
                raise ValueError(f"No image can be {side} pixels long. Give 1 or more.")

    def reached(self, count: int, iou: float) -> bool:
        """Whether an object with this IoU after so many interactions needs no more."""
        return iou == 1.0 or (iou >= self.target_iou and count >= self.min_clicks)
