"""Several network calls at once, each on its share of the processor's cores.

Small convolutions do not keep many cores busy; two calls side by side do it better than one after
the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch
from torch import Tensor

__all__ = ["together"]


@cache
def _helpers(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="clickseg")


def together(calls: Sequence[Callable[[], Tensor]], device: torch.device) -> list[Tensor]:
    """What the calls return, in their order; gradients are recorded if they are outside.

    Parameters
    ----------
    calls : sequence of callable
        Independent of each other.
    device : torch.device
        On all but a CPU of several threads they are made one after the other.
    """
    threads, recorded = torch.get_num_threads(), torch.is_grad_enabled()
    share = threads // len(calls)
    if device.type != "cpu" or len(calls) < 2 or share < 1:
        return [call() for call in calls]

    def make(call: Callable[[], Tensor]) -> Tensor:
        torch.set_num_threads(share)  # of this thread only
        with torch.set_grad_enabled(recorded):
            return call()

    first, *others = calls
    try:
        waiting = [_helpers(len(others)).submit(make, call) for call in others]
        return [make(first), *(future.result() for future in waiting)]
    finally:
        torch.set_num_threads(threads)
