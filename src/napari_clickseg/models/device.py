"""Which processor a network runs on."""

from __future__ import annotations

import torch

__all__ = ["choose_device", "has_bfloat16"]


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
    except (RuntimeError, TypeError, ValueError):
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


def has_bfloat16(device: torch.device) -> bool:
    """Whether the processor computes in bfloat16 itself, so that it is faster than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = getattr(torch.cpu, "get_capabilities", dict)  # newer than torch 2.10
    return device.type == "cpu" and any(
        capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")
    )
