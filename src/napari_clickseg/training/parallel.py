"""Several processes that train together, as ``torchrun`` starts them, one for each device.

Each process takes its share of every batch; gradients, statistics of batch norms and logged numbers
are averaged over all of them, so that all hold the same network after each step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["Team", "join_team"]


@dataclass(frozen=True)
class Team:
    """One process among those that train together.

    Attributes
    ----------
    rank, size : int
        Its number and how many there are.
    device : torch.device
        Where it computes.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their means over all processes."""
        together = [t for t in tensors if t.is_floating_point()]
        if self.size == 1 or not together:
            return
        flat = torch.cat([t.reshape(-1).float() for t in together])
        dist.all_reduce(flat)
        flat /= self.size
        for tensor, part in zip(together, flat.split([t.numel() for t in together]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def average_gradients(self, model: nn.Module) -> None:
        """Of all weights that have one."""
        self.average(p.grad for p in model.parameters() if p.grad is not None)

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Means of named numbers; every process must give the same names."""
        if self.size == 1:
            return dict(values)
        numbers = torch.tensor([values[name] for name in sorted(values)], dtype=torch.float64)
        numbers = numbers.to(self.device)
        dist.all_reduce(numbers)
        return dict(zip(sorted(values), (numbers / self.size).tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all get the same answer."""
        return self.mean({"flag": float(flag)})["flag"] > 0

    def share(self, words: str) -> str:
        """What the leading process says, for all."""
        if self.size == 1:
            return words
        said = [words]
        dist.broadcast_object_list(said, device=self.device)
        return str(said[0])

    def leave(self) -> None:
        """Part in good order."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()


def join_team(device: str = "auto") -> Team:
    """The team that ``torchrun`` put this process into, or one of its own.

    Parameters
    ----------
    device : str
        ``auto`` takes a CUDA device where there is one for each process; or ``cpu``, ``cuda``, ...

    Raises
    ------
    ValueError
        If there is no such device.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    local = int(os.environ.get("LOCAL_RANK", 0))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and size > 1:
        device = f"cuda:{local}"
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"The device '{device}' cannot be used: {str(error).splitlines()[0].rstrip('.')}. "
            "Choose --device cpu, or as many processes as there are devices."
        ) from error
    if size > 1 and not dist.is_initialized():
        if place.type == "cuda":
            torch.cuda.set_device(place)
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    return Team(rank, size, place)
