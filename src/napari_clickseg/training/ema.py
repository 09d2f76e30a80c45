"""An exponential moving average of a network's weights and buffers."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["Average"]


class Average:
    """Averaged copy of a network.

    Parameters
    ----------
    model : Module
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int, decay: float) -> None:
        """Move towards `model` after gradient step number `step` (from 0).

        The decay is smaller in the first steps, so that the start is forgotten.
        """
        decay = min(decay, (1 + step) / (10 + step))
        mine, theirs = self.model.state_dict(), model.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [mine[name] for name in floats], [theirs[name] for name in floats], 1 - decay
        )
