"""Which processor a network runs on."""

from __future__ import annotations

import torch

__all__ = ["choose_device"]


def choose_device(name: str = "auto") -> torch.device:
    """The torch device of a name.

    Parameters
    ----------
    name : str
        ``"auto"`` takes the first CUDA GPU, else Apple's GPU, else the CPU.

    Raises
    ------
    ValueError
        If there is no such device on this machine.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda:0" if cuda else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    known = device is not None and (
        device.type == "cpu"
        or (device.type == "cuda" and cuda and (device.index or 0) < torch.cuda.device_count())
        or (device.type == "mps" and mps)
    )
    if not known:
        have = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count() * cuda))]
        have += ["mps"] * mps
        raise ValueError(f"There is no device '{name}' here. Choose one of: {', '.join(have)}.")
    return device
